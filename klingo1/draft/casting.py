"""Who plays what: gives the actions of a prompt to the members of a cast, as events in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from klingo1.draft.lexicon import lexicon
from klingo1.draft.plan import CastMember
from klingo1.draft.reading import Doing
from klingo1.draft.understanding import Beat, Understanding

_ROLES = ("character", "prop", "scene", "style")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens: (member, action) of all who act, and the beat that says how to show it."""

    actions: tuple[tuple[int, str], ...]
    beat: Beat
    words: tuple[str, ...] = ()

    @property
    def focus(self) -> tuple[int, ...]:
        """Who acts."""
        return tuple(member for member, _ in self.actions)


class Casting:
    """A cast sorted by what it is for. All lists hold indices into the cast.

    `leads` act: the characters, else the props, else style pictures; a prop that is said to act joins them.
    `extras` are what is left to be shown beside them, `vehicle` the one of them that somebody rides. `bound`
    are the prompt's nouns that found a member, `dropped` the words of actions that nobody here can do.
    """

    def __init__(self, said: Understanding, cast: Sequence[CastMember]) -> None:
        self.said, self.cast = said, tuple(cast)
        self.characters, self.props, self.scenes, self.styles = (self._of_role(role) for role in _ROLES)
        self.leads = self.characters or self.props or ([] if self.scenes else self.styles)
        self.bound: set[str] = set()
        self.dropped: set[str] = set()
        self._roles: dict[str, int] = {}
        acting = {who for beat in said.beats for doing in beat.doings for who in doing.who}
        self._only_things = acting <= said.things
        self._numbered = {self.member_of_picture(number) for beat in said.beats for number in beat.mentions}
        self.events = self._events()
        busy = {member for event in self.events for member in event.focus}
        self.leads = [*self.leads, *(prop for prop in self.props if prop in busy and prop not in self.leads)]
        idle = [(member, member in self._numbered) for member in self.characters if member not in busy]
        self.events = [_with_company(event, idle) for event in self.events] or [Event((), Beat())]
        self.extras = [member for member in (*self.props, *self.styles) if member not in self.leads]
        self.vehicle = self._vehicle()

    def _vehicle(self) -> int | None:
        """The prop that somebody drives or rides: one named in that beat, else the first where the prompt
        speaks of a vehicle.
        """
        for beat in self.said.beats:
            if {"drive", "ride"}.isdisjoint(doing.action for doing in beat.doings):
                continue
            named = [self.member_of_picture(number) for number in beat.mentions]
            pool = [member for member in named if member in self.extras and member in self.props]
            pool += (
                self.extras[:1]
                if self.props and not lexicon().grammar["vehicles"].isdisjoint(self.said.content)
                else []
            )
            pool = [member for member in pool if member in self.props]
            if pool and self.characters:
                return pool[0]
        return None

    def member_of_picture(self, number: int) -> int | None:
        """The member that picture `number` shows."""
        return next((index for index, member in enumerate(self.cast) if number in member.images), None)

    def _of_role(self, role: str) -> list[int]:
        roles = (member.role if member.role in _ROLES else "character" for member in self.cast)
        return [index for index, own in enumerate(roles) if own == role]

    def _events(self) -> list[Event]:
        """What one does after the other is several events, what several do is one; "still" gives way."""
        events: list[Event] = []
        for beat in self.said.beats:
            doings = [(doing, self._who(doing)) for doing in beat.doings]
            busy = {member for doing, who in doings if doing.action != "still" for member in who}
            group: list[tuple[Doing, tuple[int, ...]]] = []
            before = len(events)
            for doing, who in doings:
                if not who:
                    self.dropped.update(doing.words)
                elif doing.action != "still" or not set(who) <= busy:
                    if any(set(members) & set(who) for _, members in group):
                        events.append(_event(group, beat))
                        group = []
                    group.append((doing, who))
            if group or len(events) == before:
                events.append(_event(group, beat))
        return events

    def _who(self, doing: Doing) -> tuple[int, ...]:
        if not doing.who:
            return tuple(self.leads)
        members = [self.member_of_picture(w) if isinstance(w, int) else self._noun(w) for w in doing.who]
        able = [m for m in members if m is not None and (m in self.characters or m in self.props)]
        if not able and all(isinstance(who, int) for who in doing.who):
            return tuple(self.leads)
        return tuple(dict.fromkeys(able))

    def _noun(self, noun: str) -> int | None:
        """A noun's member: characters in the order in which they act; a thing is a prop."""
        if noun not in self._roles:
            thing = noun in self.said.things
            if thing and not self.props and self.characters and not self._only_things:
                return None
            pool = self.props if thing and self.props else self.characters or self.props
            # "@Image4 flies, the ball bounces": the ball is another one, if there is another.
            free = sorted((m for m in pool if m not in self._roles.values()), key=self._numbered.__contains__)
            if free:
                self._roles[noun] = free[0]
            elif noun in self.said.newcomers or not self.leads:
                return None
            else:
                self._roles[noun] = self.leads[0]
            self.bound.update(noun.split() if noun.isascii() else (noun.replace(" ", ""),))
        return self._roles[noun]


def _with_company(event: Event, idle: Sequence[tuple[int, bool]]) -> Event:
    """Characters of whom nothing is said keep the first actor company; an object (True) stands by."""
    if not event.actions:
        return event
    action = event.actions[0][1]
    company = tuple((member, "still" if is_object else action) for member, is_object in idle)
    return replace(event, actions=(*event.actions, *company))


def _event(group: list[tuple[Doing, tuple[int, ...]]], beat: Beat) -> Event:
    actions = tuple((member, doing.action) for doing, who in group for member in who)
    return Event(actions, beat, tuple(word for doing, _ in group for word in doing.words))
