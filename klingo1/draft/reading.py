"""One pass over a prompt, from left to right: which words mean what, and who does what.

It keeps what is negated ("no rain"), what is only a likeness ("a poster of a beach") and what is part of a
thing's name ("rain jacket"); `subjects` keeps who is acting; `understanding` puts together what is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from klingo1.draft.lexicon import COMMA, MENTION, QUOTE, STOP, WORD, Sense, Token, lexicon, tokens_of
from klingo1.draft.subjects import Subjects

NEGATION_REACH = 4
"""How many tokens after "no" a word may stand and still be negated; Chinese counts characters."""
LIKENESS_REACH = 5
ARRIVAL_REACH = 6
_FACTS = ("place", "time", "weather", "look")
_QUOTED_SHARE = 0.6
_OVERHEAD = frozenset(("under", "beneath", "against"))


@dataclass(frozen=True, slots=True)
class Doing:
    """An action and who does it: picture numbers and nouns; nobody named means everybody."""

    action: str
    who: tuple[int | str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A place or a time that was said. `rank` is 0 when firm, 1 weak, 2 when only a creature hints at it."""

    rank: int
    value: str
    words: tuple[str, ...]
    at: int = 0
    later: bool = False
    """Whether the story gets there only later."""


@dataclass
class OpenBeat:
    """A beat while it is being read."""

    doings: list[Doing] = field(default_factory=list)
    camera: list[str] = field(default_factory=list)
    framing: list[str] = field(default_factory=list)
    view: str = ""
    place: str = ""
    mentions: list[int] = field(default_factory=list)
    opens_with_framing: bool = False
    said_then: bool = False


class Reader:
    """The one pass; after `read` its fields hold what was found.

    Fields ending in `_to` hold the token up to which a negation, a likeness or an arrival reaches.
    """

    def __init__(self, prompt: str) -> None:
        self.lexicon = lexicon()
        self.grammar = self.lexicon.grammar
        self.tokens = [self._spelt(token) for token in _without_speech(tokens_of(prompt))]
        self.words = [token.text for token in self.tokens]
        self.beats = [OpenBeat()]
        self.places: list[Fact] = []
        self.times: list[Fact] = []
        self.found: dict[str, list[str]] = {"weather": [], "look": [], "colour": [], "rhythm": []}
        self.content: dict[str, None] = {}
        self.used: set[str] = set()
        self.who = Subjects(self.words, self.lexicon)
        self.negated_to = self.likeness_to = self.arrival_to = -1
        self.places_end = -1
        self.unwanted = False
        """Whether the rest is a list of what must not be seen ("negative prompt: …")."""

    def _spelt(self, token: Token) -> Token:
        return (
            token._replace(text=self.lexicon.spelling.corrected(token.text)) if token.kind == WORD else token
        )

    def read(self) -> None:
        """Walk over the tokens once."""
        at, words = 0, self.words
        while at < len(words):
            token = self.tokens[at]
            if token.kind != WORD:
                self._mark(token, at)
                at += 1
                continue
            hit = self.lexicon.longest(words, at, camera=self.who.camera or self._in_fragment(at))
            if hit is None:
                self._plain_word(token.text, at)
                at += 1
                continue
            size, senses = hit
            if size > 1 and self._runs_into_another(at, at + size):
                self._plain_word(token.text, at)
                at += 1
                continue
            self._hit(at, at + size, senses)
            at += size

    def _runs_into_another(self, start: int, stop: int) -> bool:
        """Whether "in the rain" is really "in the rain forest": the last word begins a longer name."""
        if self.words[start] not in self.grammar["prepositions"]:
            return False
        inner = self.lexicon.longest(self.words, stop - 1, camera=False)
        return inner is not None and inner[0] > 1

    # ------------------------------------------------------------------------------------ marks and words

    def _mark(self, token: Token, at: int) -> None:
        if token.kind == MENTION:
            self.beats[-1].mentions.append(token.number)
            self.who.name(token.number, at)
            self.who.object_end = at + 1
            doings = self.beats[-1].doings
            if self.who.keeps_company(at) and doings and doings[-1].who:
                doings[-1] = replace(doings[-1], who=(*doings[-1].who, token.number))
        elif token.kind == STOP:
            self._new_beat(said_then=False)
            self.who.new_clause(at + 1, joining=False)
            self.who.camera = False
            self.negated_to = self.likeness_to = self.arrival_to = -1
        elif token.kind == COMMA:
            self.who.new_clause(at + 1, joining=not self.who.acted)
            self.negated_to = self.likeness_to = -1

    def _plain_word(self, word: str, at: int) -> None:
        if word in self.grammar["negators"]:
            self.negated_to = at + 1 + NEGATION_REACH
            return
        self.who.small_word(word, at)
        if word not in self.grammar["stops"]:
            self.content.setdefault(word)

    def _new_beat(self, *, said_then: bool) -> None:
        last = self.beats[-1]
        if last.doings or last.camera or last.framing or last.place or last.mentions:
            self.beats.append(OpenBeat(said_then=said_then))
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
        negated = self.unwanted or start < self.negated_to or self._free_of_it(senses, stop)
        if negated and not self.unwanted:
            following = self.words[stop : stop + 1]
            self.negated_to = (
                stop + 1 + NEGATION_REACH if following and following[0] in self.grammar["widen"] else -1
            )
        likeness = start < self.likeness_to
        named = (
            (words[0] not in self.grammar["prepositions"] or "the" not in words)
            and stop < len(self.words)
            and self.words[stop] in self.lexicon.heads
        )
        living = any(sense.kind == "noun" and sense.value in ("being", "thing") for sense in senses)
        for sense in senses:
            kind = sense.kind
            if kind == "unwanted":
                self.unwanted = True
                self.used.update(shown)
            elif kind == "likeness":
                if start > 2:
                    self.likeness_to = stop + LIKENESS_REACH
            elif kind in ("small", "lens"):
                self.used.update(shown)
                self._small(sense, start)
            elif kind == "beat":
                self.used.update(shown)
                self._new_beat(said_then=True)
                self.who.new_clause(stop, joining=False)
            elif kind == "arrival":
                self.used.update(shown)
                self.arrival_to = stop + ARRIVAL_REACH
            elif kind == "distance":
                self.used.update(shown)
                self._push_back(start)
            elif kind == "noun":
                self.who.noun(sense, " ".join(words), start, stop)
            elif kind in _FACTS and (likeness or named):
                continue
            elif negated:
                self.used.update(shown)
            elif sense.weak and any(other.kind == "action" for other in senses) and self.who.anyone:
                continue  # she waves: no waves of the sea
            elif kind == "place":
                self._place(sense, start, stop, shown, living=living)
            elif kind == "time":
                self.times.append(Fact(int(sense.weak), sense.value, shown, start))
            elif kind in self.found:
                self.found[kind].append(sense.value)
                self.used.update(shown)
            else:
                self._move(sense, start, stop, shown)
        if senses[0].kind != "small":
            self.who.last_hit = stop

    def _free_of_it(self, senses: tuple[Sense, ...], stop: int) -> bool:
        """Whether "free" follows, as in "rain-free"."""
        after = self.words[stop : stop + 2]
        weather = any(sense.kind in ("weather", "look") for sense in senses)
        return weather and after[:1] == ["free"] and after[1:] != ["of"]

    def _small(self, sense: Sense, start: int) -> None:
        if sense.kind == "lens":
            self.who.lens(start)
        else:
            self._plain_word(sense.value, start)

    def _place(self, sense: Sense, start: int, stop: int, shown: tuple[str, ...], *, living: bool) -> None:
        before = self.words[max(0, start - 3) : start]
        if sense.weak and sense.value == "sky" and not _OVERHEAD.isdisjoint(before):
            self.used.update(shown)
            return  # under a red sky somebody stands on the ground
        aside = any(word in self.grammar["aside"] for word in before)
        later = start < self.arrival_to or self.beats[-1].said_then
        rank = (2 if living else 1) if sense.weak else int(aside and not later)
        if rank == 0 and self.places and self.places_end == start:
            # Of two names side by side the last one is the thing: a school playground, a castle garden.
            self.places[-1] = replace(self.places[-1], rank=2)
        self.places.append(Fact(rank, sense.value, shown, start, later))
        self.places_end = stop
        if not rank and later and not self.beats[-1].place:
            self.beats[-1].place = sense.value

    def _push_back(self, start: int) -> None:
        """What stands in the background is not where the film is."""
        if self.places and start - self.places[-1].at <= LIKENESS_REACH:
            self.places[-1] = replace(self.places[-1], rank=2)

    def _move(self, sense: Sense, start: int, stop: int, shown: tuple[str, ...]) -> None:
        beat = self.beats[-1]
        if sense.kind in ("camera", "after"):
            beat.camera.append(sense.value)
            self.used.update(shown)
            named = not self.grammar["camera_words"].isdisjoint(self.words[start:stop])
            self.who.camera = self.who.camera or named or sense.form in ("base", "s", "ing")
        elif sense.kind == "framing":
            beat.opens_with_framing = beat.opens_with_framing or (not beat.framing and not beat.doings)
            beat.framing.append(sense.value)
            self.used.update(shown)
        elif sense.kind == "view":
            beat.view = beat.view or sense.value
            self.used.update(shown)
        elif sense.kind == "action" and self.who.acts(sense, start, stop):
            self.who.by_position(start)
            doing = Doing(sense.value, self.who.acting, shown)
            if doing not in beat.doings:
                beat.doings.append(doing)
            self.used.update(shown)
            self.who.acted = True

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


def _without_speech(tokens: list[Token]) -> list[Token]:
    """Drop what somebody says in quotation marks: it is heard, not seen. A prompt wholly in quotes stays."""
    marks = [at for at, token in enumerate(tokens) if token.kind == QUOTE]
    spoken = {at for start, stop in list(pairwise(marks))[::2] for at in range(start, stop + 1)}
    if len(spoken) > _QUOTED_SHARE * len(tokens):
        spoken = set(marks)
    return [token for at, token in enumerate(tokens) if at not in spoken and token.kind != QUOTE]
