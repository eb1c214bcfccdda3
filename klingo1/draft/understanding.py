"""What a prompt says: place, time, weather, light, and beats in which somebody does something.

`reading` goes over the words; here what it found is weighed: which place is the film's, which time of day,
which sentences belong to one beat.
"""

from __future__ import annotations

from dataclasses import dataclass

from klingo1.draft.lexicon import lexicon
from klingo1.draft.reading import Doing, Fact, OpenBeat, Reader
from klingo1.draft.subjects import unique


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
        return unique(move for beat in self.beats for move in beat.camera)

    @property
    def actions(self) -> tuple[str, ...]:
        """Actions in the order they happen."""
        return unique(doing.action for beat in self.beats for doing in beat.doings)

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
    reader = Reader(prompt)
    reader.read()
    place, time = _place_and_time(reader)
    beats = _merged(reader.beats)
    reached = {place, *(beat.place for beat in beats)}
    used = set(reader.used)
    used.update(word for fact in reader.places if fact.value in reached for word in fact.words)
    used.update(word for fact in reader.times if fact.value == time for word in fact.words)
    rhythm = reader.found["rhythm"]
    looks = [*reader.found["look"], *(["wet"] if "rain" in reader.found["weather"] else [])]
    looks += ["slow"] if "slow" in rhythm else []
    return Understanding(
        place=place,
        time=time,
        beats=beats,
        weather=unique(reader.found["weather"]),
        looks=unique(looks),
        colours=unique(reader.found["colour"]),
        single_take="single" in rhythm,
        dissolve="dissolve" in rhythm,
        newcomers=frozenset(reader.who.newcomers),
        things=frozenset(reader.who.things),
        content=tuple(reader.content),
        used=frozenset(used),
    )


def _place_and_time(reader: Reader) -> tuple[str, str]:
    """What is said, else what goes without saying, else the hour in which the place looks its best."""
    words = lexicon()
    place = _film_place(reader.places)
    times = [fact for fact in reader.times if fact.rank == 0 or place not in words.sheltered]
    time = min(times, key=lambda fact: fact.rank).value if times else ""
    for rule in words.implications:
        if rule.value in reader.found[rule.kind] and place not in rule.unless:
            place, time = place or rule.place, time or rule.time
    return place, time or words.default_times.get(place, "day")


def _film_place(places: list[Fact]) -> str:
    """The first firm place where the story does not get only later; else the firmest there is."""
    firm = [fact for fact in places if fact.rank == 0 and not fact.later]
    ranked = firm or sorted(places, key=lambda fact: fact.rank)
    return ranked[0].value if ranked else ""


def _merged(beats: list[OpenBeat]) -> tuple[Beat, ...]:
    """Sentences in which nobody acts describe the beat before, or the one after when they come first."""
    merged: list[OpenBeat] = []
    waiting: OpenBeat | None = None
    for beat in beats:
        if not (beat.doings or beat.camera or beat.framing or beat.view or beat.place or beat.mentions):
            continue
        last = merged[-1] if merged else None
        if last is None:
            merged.append(beat)
            continue
        shows = beat.doings or beat.camera or beat.framing or beat.place
        told = beat.said_then and shows and (last.doings or last.camera or last.framing)
        if (last.doings and beat.doings) or told:
            if last is waiting and not beat.said_then:
                last.doings = []  # "Cut to a desert. He rides": what was carried over gives way
            else:
                waiting = None if beat.doings else beat
                beat.doings = beat.doings or last.doings[-1:]
                merged.append(beat)
                continue
        last.opens_with_framing = last.opens_with_framing or (not last.doings and beat.opens_with_framing)
        last.doings += beat.doings
        last.camera += beat.camera
        last.framing += beat.framing
        last.mentions += beat.mentions
        last.view, last.place = last.view or beat.view, last.place or beat.place
    return tuple(
        Beat(
            tuple(beat.doings), unique(beat.camera), unique(beat.framing), beat.view, beat.place,
            tuple(beat.mentions), beat.opens_with_framing,
        )
        for beat in merged
    )  # fmt: skip
