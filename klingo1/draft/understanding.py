"""What a prompt says: place, time, weather, light, and beats in which somebody does something.

One pass from left to right. It keeps who is acting (a picture's number, a noun, or the camera), what is negated
("no rain"), what is only a likeness ("a poster of a beach") and what is part of a thing's name ("rain jacket").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

from klingo1.draft.lexicon import COMMA, MENTION, QUOTE, STOP, WORD, Sense, Token, lexicon, tokens_of

NEGATION_REACH = 4
"""How many tokens after "no" a word may stand and still be negated; Chinese counts characters."""
LIKENESS_REACH = 5
_FACTS = ("place", "time", "weather", "look")
_GENERIC = frozenset(("character", "characters", "subject", "subjects", "protagonist", "角", "主"))
_QUOTED_SHARE = 0.6
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Doing:
    """An action and who does it: picture numbers and nouns; nobody named means everybody."""

    action: str
    who: tuple[int | str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beat:
    """One stretch of the story: what happens, seen how, where, and which pictures are named in it."""

    doings: tuple[Doing, ...] = ()
    camera: tuple[str, ...] = ()
    framing: tuple[str, ...] = ()
    view: str = ""
    place: str = ""
    mentions: tuple[int, ...] = ()
    opens_with_framing: bool = False


@dataclass(frozen=True, slots=True)
class Understanding:
    """All that was understood. `content` are the content words in order, `used` those that had an effect."""

    place: str
    time: str
    beats: tuple[Beat, ...]
    weather: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    single_take: bool = False
    dissolve: bool = False
    newcomers: frozenset[str] = frozenset()
    """Nouns that came with "a" or a number: somebody else than those before."""
    things: frozenset[str] = frozenset()
    content: tuple[str, ...] = ()
    used: frozenset[str] = frozenset()

    @property
    def camera(self) -> tuple[str, ...]:
        """Camera moves in the order they are asked for."""
        return _unique(move for beat in self.beats for move in beat.camera)

    @property
    def actions(self) -> tuple[str, ...]:
        """Actions in the order they happen."""
        return _unique(doing.action for beat in self.beats for doing in beat.doings)

    @property
    def slow(self) -> bool:
        """Whether slow motion or a gentle pace is asked for."""
        return "slow" in self.looks

    @property
    def wet(self) -> bool:
        """Whether the ground is wet."""
        return "wet" in self.looks

    @property
    def ignored(self) -> tuple[str, ...]:
        """Content words without any effect."""
        return tuple(word for word in self.content if word not in self.used)


def understand(prompt: str) -> Understanding:
    """Read a prompt in English, Chinese or both. Any text is accepted; what is not understood is ignored."""
    return _Reader(tokens_of(prompt)).read()


@dataclass
class _Open:
    """A beat while it is being read."""

    doings: list[Doing] = field(default_factory=list)
    camera: list[str] = field(default_factory=list)
    framing: list[str] = field(default_factory=list)
    view: str = ""
    place: str = ""
    mentions: list[int] = field(default_factory=list)
    opens_with_framing: bool = False
    said_then: bool = False

    def closed(self) -> Beat:
        return Beat(
            tuple(self.doings), _unique(self.camera), _unique(self.framing), self.view, self.place,
            tuple(self.mentions), self.opens_with_framing,
        )  # fmt: skip


class _Reader:
    """The one pass. Fields starting with `neg`, `like` and `arrive` hold the token up to which they reach."""

    def __init__(self, tokens: list[Token]) -> None:
        self.lexicon = lexicon()
        self.grammar = self.lexicon.grammar
        self.tokens = _without_speech(tokens)
        self.words = [token.text for token in self.tokens]
        self.beats = [_Open()]
        self.places: list[
            tuple[bool, int, str, tuple[str, ...], bool]
        ] = []  # weak, order, value, words, later
        self.times: list[tuple[bool, int, str, tuple[str, ...]]] = []
        self.found: dict[str, list[str]] = {"weather": [], "look": [], "colour": [], "rhythm": []}
        self.content: dict[str, None] = {}
        self.used: set[str] = set()
        self.newcomers: set[str] = set()
        self.things: set[str] = set()
        self.subjects: tuple[int | str, ...] = ()
        self.subject_in_clause = self.acted = self.camera = self.joining = False
        self.clause_start = 0
        self.scenery_end = self.object_end = self.camera_at = self.last_hit = -1
        self.negated_to = self.likeness_to = self.arrival_to = -1

    def read(self) -> Understanding:
        at, words = 0, self.words
        while at < len(words):
            token = self.tokens[at]
            if token.kind != WORD:
                self._mark(token, at)
                at += 1
                continue
            hit = self.lexicon.longest(words, at, camera=self.camera or self._in_fragment(at))
            if hit is None:
                self._plain_word(token.text, at)
                at += 1
                continue
            size, senses = hit
            self._hit(at, at + size, senses)
            at += size
        return self._result()

    # ------------------------------------------------------------------------------------ marks and words

    def _mark(self, token: Token, at: int) -> None:
        if token.kind == MENTION:
            self.beats[-1].mentions.append(token.number)
            self._subject(token.number, at)
            self.object_end = at + 1
        elif token.kind == STOP:
            self._new_beat(said_then=False)
            self._new_clause(at + 1, joining=False)
            self.camera = False
            self.negated_to = self.likeness_to = self.arrival_to = -1
        elif token.kind == COMMA:
            self._new_clause(at + 1, joining=not self.acted and bool(self.subjects))
            self.negated_to = self.likeness_to = -1

    def _plain_word(self, word: str, at: int) -> None:
        grammar = self.grammar
        if word in grammar["negators"]:
            self.negated_to = at + 1 + NEGATION_REACH
        elif word in grammar["clauses"] or word == "&":
            self._new_clause(at + 1, joining=word in grammar["joiners"] and not self.acted)
            if word not in grammar["joiners"]:
                self.camera = False
        elif word in grammar["pronouns"] or word in _GENERIC:
            self.camera = False
            if word in grammar["plural"] or word in _GENERIC:
                self.subjects = ()
            self.subject_in_clause = True
        elif word in grammar["determiners"] and self.words[at - 1 : at] == [","]:
            self.camera = False
        if word not in grammar["stops"]:
            self.content.setdefault(word)

    def _new_clause(self, start: int, *, joining: bool) -> None:
        self.joining = joining and self.subject_in_clause
        self.subject_in_clause = self.acted = False
        self.clause_start = start

    def _new_beat(self, *, said_then: bool) -> None:
        last = self.beats[-1]
        if last.doings or last.camera or last.framing or last.place or last.mentions:
            self.beats.append(_Open(said_then=said_then))
        elif said_then:
            last.said_then = True

    # ----------------------------------------------------------------------------------------------- hits

    def _hit(self, start: int, stop: int, senses: tuple[Sense, ...]) -> None:
        words = tuple(self.words[start:stop])
        shown = tuple(word for word in words if word not in self.grammar["stops"])
        if not words[0].isascii():
            run = "".join(words)
            shown = () if run in self.grammar["stops"] else (run,)
        self.content.update(dict.fromkeys(shown))
        if senses[0].kind == "nothing" and len(senses) == 1:
            return
        negated = start < self.negated_to
        if negated:
            following = self.words[stop : stop + 1]
            self.negated_to = (
                stop + 1 + NEGATION_REACH if following and following[0] in self.grammar["widen"] else -1
            )
        likeness = start < self.likeness_to
        named = (
            words[0] not in self.grammar["prepositions"]
            and stop < len(self.words)
            and self.words[stop] in self.lexicon.heads
        )
        for sense in senses:
            kind = sense.kind
            if kind == "likeness":
                if start > 2:
                    self.likeness_to = stop + LIKENESS_REACH
            elif kind in ("small", "lens"):
                self._small(sense, start)
            elif kind == "beat":
                self.used.update(shown)
                self._new_beat(said_then=True)
                self._new_clause(stop, joining=False)
            elif kind == "arrival":
                self.used.update(shown)
                self.arrival_to = stop + 6
            elif kind == "distance":
                self.used.update(shown)
                self._push_back(start)
            elif kind == "noun":
                self._noun(sense.value, " ".join(words), start, stop)
            elif kind in _FACTS and (likeness or named):
                continue
            elif negated:
                self.used.update(shown)
            elif kind == "place":
                self._place(sense, start, shown)
            elif kind == "time":
                self.times.append((sense.weak, len(self.times), sense.value, shown))
            elif kind in self.found:
                self.found[kind].append(sense.value)
                self.used.update(shown)
            else:
                self._move(sense, start, stop, shown)
        self.last_hit = stop

    def _small(self, sense: Sense, start: int) -> None:
        if sense.kind == "lens":
            if not self._after_preposition(start):
                self.camera, self.camera_at = True, start
        elif sense.value in self.grammar["pronouns"]:
            self._plain_word(sense.value, start)

    def _place(self, sense: Sense, start: int, shown: tuple[str, ...]) -> None:
        aside = any(word in self.grammar["aside"] for word in self.words[max(0, start - 3) : start])
        later = start < self.arrival_to or self.beats[-1].said_then
        self.places.append((sense.weak or (aside and not later), start, sense.value, shown, later))
        if not sense.weak and later and not self.beats[-1].place:
            self.beats[-1].place = sense.value

    def _push_back(self, start: int) -> None:
        """What stands in the background is not where the film is."""
        if self.places and start - self.places[-1][1] <= 5:
            _, order, value, shown, later = self.places[-1]
            self.places[-1] = (True, order, value, shown, later)

    def _move(self, sense: Sense, start: int, stop: int, shown: tuple[str, ...]) -> None:
        beat = self.beats[-1]
        if sense.kind in ("camera", "after"):
            beat.camera.append(sense.value)
            self.used.update(shown)
            self.camera = self.camera or sense.kind == "camera"
        elif sense.kind == "framing":
            beat.opens_with_framing = beat.opens_with_framing or (not beat.framing and not beat.doings)
            beat.framing.append(sense.value)
            self.used.update(shown)
        elif sense.kind == "view":
            beat.view = beat.view or sense.value
            self.used.update(shown)
        elif sense.kind == "action" and self._acts(sense, start, stop):
            self._subject_by_position(start)
            doing = Doing(sense.value, self.subjects, shown)
            if doing not in beat.doings:
                beat.doings.append(doing)
            self.used.update(shown)
            self.acted = True

    def _acts(self, sense: Sense, start: int, stop: int) -> bool:
        """Whether a verb's form is really somebody of the cast doing something."""
        if self.camera and not (sense.form in ("ing", "") and self.object_end == start):
            return False
        before = self.words[start - 1] if start else ""
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
        return sense.form == "s" and self.subject_in_clause

    # ------------------------------------------------------------------------------------------- subjects

    def _noun(self, group: str, noun: str, start: int, stop: int) -> None:
        if group == "scenery":
            self.scenery_end = stop
            return
        before = self.words[start - 1] if start else ""
        around = set(self.words[max(self.clause_start, start - 3) : start])
        if not around & {"the", "her", "his", "their", "its", "this"} and noun not in self.used:
            self.newcomers.add(noun)
        if group == "thing":
            self.things.add(noun)
        self.object_end = stop
        if before not in self.grammar["negators"]:
            self._subject(noun, start)

    def _subject(self, who: int | str, at: int) -> None:
        """A mention or noun was met: does it act, join those who act, or is it only an object?"""
        before = self.words[at - 1] if at else ""
        if self.camera and self.camera_at < self.clause_start and self.last_hit <= self.clause_start:
            self.camera = False
        doings = self.beats[-1].doings
        if self.acted:
            if isinstance(who, int) and before in self.grammar["company"] and doings and doings[-1].who:
                last = doings[-1]
                doings[-1] = Doing(last.action, (*last.who, who), last.words)
        elif not self.subject_in_clause:
            lists = self.joining and (before != "," or isinstance(who, int))
            self.subjects = _unique((*self.subjects, who)) if lists else (who,)
            self.subject_in_clause = True
        elif isinstance(who, int) and not any(isinstance(subject, int) for subject in self.subjects):
            self.subjects = (who,)  # "the girl from @Image1"
        elif before in self.grammar["joiners"] and isinstance(who, int):
            self.subjects = _unique((*self.subjects, who))

    def _subject_by_position(self, start: int) -> None:
        """A noun that no list knows: the last word before a preposition, when the clause has an article."""
        clause = self.words[self.clause_start : start]
        if self.subject_in_clause or self.acted or not clause or clause[0] not in self.grammar["determiners"]:
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
            self.subjects, self.subject_in_clause = (head,), True

    def _after_preposition(self, at: int) -> bool:
        return any(word in self.grammar["prepositions"] for word in self.words[max(0, at - 2) : at])

    def _in_fragment(self, at: int) -> bool:
        """Whether the words between two commas are a bare note ("slow orbit"), where only a camera moves."""
        if not (
            at == 0 or self.tokens[at - 1].kind != WORD or self.words[at - 1] in ("slow", "gentle", "smooth")
        ):
            return False
        if self.lexicon.longest(self.words, at, camera=False):
            return False
        rest = self.tokens[at : at + 3]
        ends = [token.kind in (COMMA, STOP) for token in rest]
        return any(ends) or len(rest) < 3

    # --------------------------------------------------------------------------------------------- result

    def _result(self) -> Understanding:
        ranked = sorted(self.places, key=lambda place: place[:2])
        # "Later" places belong to their beats, unless there is no other.
        first = next((place for place in ranked if not place[4] and not place[0]), None) or next(
            iter(ranked), None
        )
        place = first[2] if first else ""
        time = min(self.times)[2] if self.times else self.lexicon.default_times.get(place, "day")
        beats = self._merged()
        reached = {place, *(beat.place for beat in beats)}
        for _, _, value, words, _ in self.places:
            self.used.update(words if value in reached else ())
        for _, _, value, words in self.times:
            self.used.update(words if value == time else ())
        looks = list(self.found["look"])
        if "rain" in self.found["weather"]:
            looks.append("wet")
        if "slow" in self.found["rhythm"]:
            looks.append("slow")
        return Understanding(
            place=place,
            time=time,
            beats=beats,
            weather=_unique(self.found["weather"]),
            looks=_unique(looks),
            colours=_unique(self.found["colour"]),
            single_take="single" in self.found["rhythm"],
            dissolve="dissolve" in self.found["rhythm"],
            newcomers=frozenset(self.newcomers),
            things=frozenset(self.things),
            content=tuple(self.content),
            used=frozenset(self.used),
        )

    def _merged(self) -> tuple[Beat, ...]:
        """Sentences in which nobody acts describe the beat before, or the one after when they come first."""
        merged: list[_Open] = []
        for beat in self.beats:
            if not (beat.doings or beat.camera or beat.framing or beat.view or beat.place or beat.mentions):
                continue
            last = merged[-1] if merged else None
            told = beat.said_then and (beat.camera or beat.framing or beat.place)
            if last and (not last.doings or not beat.doings) and not (told and (last.doings or last.camera)):
                last.opens_with_framing = last.opens_with_framing or (
                    not last.doings and beat.opens_with_framing
                )
                last.doings += beat.doings
                last.camera += beat.camera
                last.framing += beat.framing
                last.mentions += beat.mentions
                last.view, last.place = last.view or beat.view, last.place or beat.place
            else:
                if last and not beat.doings:
                    beat.doings = last.doings[-1:]
                merged.append(beat)
        return tuple(beat.closed() for beat in merged)


def _without_speech(tokens: list[Token]) -> list[Token]:
    """Drop what somebody says in quotation marks: it is heard, not seen. A prompt wholly in quotes stays."""
    marks = [at for at, token in enumerate(tokens) if token.kind == QUOTE]
    spoken = {at for start, stop in list(pairwise(marks))[::2] for at in range(start, stop + 1)}
    if len(spoken) > _QUOTED_SHARE * len(tokens):
        spoken = set(marks)
    return [token for at, token in enumerate(tokens) if at not in spoken and token.kind != QUOTE]


def _unique(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))
