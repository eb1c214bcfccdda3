"""Who is acting while a prompt is read: a picture's number, a noun, or the camera.

Grammar without a parser: a clause's first noun or mention acts, "and" joins two of them, a verb after the
camera is the camera's, and what rain, hair or a crowd does is nobody's action.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from klingo1.draft.lexicon import Lexicon, Sense

_T = TypeVar("_T")

_GENERIC = frozenset(("character", "characters", "subject", "subjects", "protagonist", "角色", "主角"))
_RELATIVE = frozenset(("who", "whom", "which"))
_DEFINITE = frozenset(("the", "her", "his", "their", "its", "this"))


class Subjects:
    """The actors of the clause being read. `words` are the whole prompt's; positions index them."""

    def __init__(self, words: list[str], lexicon: Lexicon) -> None:
        self.words, self.lexicon, self.grammar = words, lexicon, lexicon.grammar
        self.acting: tuple[int | str, ...] = ()
        self.last_named: tuple[int | str, ...] = ()
        self.newcomers: set[str] = set()
        self.things: set[str] = set()
        self.named_in_clause = self.acted = self.camera = self.joining = self.anyone = False
        self.clause_start = 0
        self.scenery_end = self.object_end = self.camera_at = self.last_hit = -1

    def new_clause(self, start: int, *, joining: bool) -> None:
        """A clause begins at `start`; `joining` lets its first name act beside the one before."""
        self.joining = joining and self.named_in_clause
        self.named_in_clause = self.acted = False
        self.clause_start = start

    def small_word(self, word: str, at: int) -> None:
        """A conjunction, a pronoun, an article: what it changes about who acts."""
        grammar = self.grammar
        if word in grammar["clauses"] or word == "&":
            joins = word in grammar["joiners"]
            self.new_clause(at + 1, joining=joins and not self.acted)
            self.camera = self.camera and joins
        elif word in _RELATIVE:
            self.camera = self.acted = False
            self.acting, self.named_in_clause = self.last_named or self.acting, True
        elif word in grammar["plural"] or word in _GENERIC:
            self.camera, self.acting, self.named_in_clause, self.anyone = False, (), True, True
        elif word in grammar["pronouns"]:
            self.camera, self.named_in_clause, self.anyone = False, True, True
        elif word in grammar["determiners"] and self.words[at - 1 : at] == [","]:
            self.camera = False

    def lens(self, at: int) -> None:
        """The camera is named; it acts unless something is done towards it."""
        if not self.after_preposition(at):
            self.camera, self.camera_at = True, at

    def keeps_company(self, at: int) -> bool:
        """Whether who is named at `at` does what was just said, too: "dances with @Image2"."""
        return self.acted and at > 0 and self.words[at - 1] in self.grammar["company"]

    def noun(self, sense: Sense, noun: str, start: int, stop: int) -> None:
        """A being, a thing, or a piece of scenery was met."""
        before = self.words[start - 1] if start else ""
        around = set(self.words[max(self.clause_start, start - 3) : start])
        definite = bool(around & _DEFINITE)
        if sense.value == "scenery" or (sense == Sense("noun", "thing", form="plural") and not definite):
            self.scenery_end = stop
            return
        if not definite:
            self.newcomers.add(noun)
        if sense.value == "thing":
            self.things.add(noun)
        self.object_end = stop
        if before not in self.grammar["negators"]:
            self.name(noun, start)

    def name(self, who: int | str, at: int) -> None:
        """A mention or noun was met: does it act, join those who act, or is it only an object?"""
        before = self.words[at - 1] if at else ""
        self.last_named, self.anyone = (who,), True
        if self.camera and self.camera_at < self.clause_start and self.last_hit <= self.clause_start:
            self.camera = False
        if self.acted:
            return
        if not self.named_in_clause:
            lists = self.joining and (before != "," or isinstance(who, int))
            self.acting = unique((*self.acting, who)) if lists else (who,)
            self.named_in_clause = True
        elif isinstance(who, int) and not any(isinstance(subject, int) for subject in self.acting):
            self.acting = (who,)  # "the girl from @Image1"
        elif before in self.grammar["joiners"] and isinstance(who, int):
            self.acting = unique((*self.acting, who))

    def by_position(self, start: int) -> None:
        """A noun that no list knows: the last word before a preposition, when the clause has an article."""
        clause = self.words[self.clause_start : start]
        if self._only_adds() and self.scenery_end > self.clause_start:
            return
        if self.named_in_clause or self.acted or not clause or clause[0] not in self.grammar["determiners"]:
            return
        head = ""
        for word in clause[1:]:
            if word in self.grammar["prepositions"] or word.endswith("ing"):
                break
            if word not in self.grammar["stops"] and not word.endswith("ly"):
                head = word
        if head:
            if clause[0] in ("a", "an", "another"):
                self.newcomers.add(head)
            self.acting, self.named_in_clause = (head,), True

    def _only_adds(self) -> bool:
        """Whether this clause goes on describing who was named: "with red hair and a blue coat"."""
        return self.joining and bool(self.acting)

    def acts(self, sense: Sense, start: int, stop: int) -> bool:
        """Whether a verb's form is really somebody of the cast doing something."""
        if self.camera and not (sense.form in ("ing", "") and self.object_end == start):
            return False
        before = self.words[start - 1] if start else ""
        if sense.form == "s" and self.words[start] == "waves" and not self.anyone:
            return False  # those of the sea
        if sense.form in ("base", "s") and before in self.grammar["determiners"]:
            return False
        after = self.words[stop] if stop < len(self.words) else ""
        if sense.form in ("ing", "ed") and stop - start == 1 and after:
            following = self.lexicon.longest(self.words, stop, camera=False)
            scenery = following and any(s == Sense("noun", "scenery", form=s.form) for s in following[1])
            if after in self.lexicon.heads or scenery:
                return False
        back = start
        while back > 0 and (
            self.words[back - 1] in self.grammar["adverbs"] or self.words[back - 1].endswith("ly")
        ):
            back -= 1
        if self.scenery_end != back:
            return True
        # "a girl in a red coat walks" is the girl; "people walking" and "rain falls" are scenery.
        return sense.form == "s" and (self.named_in_clause or self._only_adds())

    def after_preposition(self, at: int) -> bool:
        """Whether "at the" or the like stands before."""
        return any(word in self.grammar["prepositions"] for word in self.words[max(0, at - 2) : at])


def unique(values: Iterable[_T]) -> tuple[_T, ...]:
    """The values in order, each once."""
    return tuple(dict.fromkeys(values))
