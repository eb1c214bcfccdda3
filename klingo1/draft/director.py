"""From a prompt and a cast to a film: who acts, how many shots, what each of them shows.

Pure and quick (it runs while somebody types). What the prompt says comes from `understanding`; here it is given
to the cast and laid out over the frames. Every member of the cast is in at least one shot, whatever is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from klingo1.draft.plan import FPS, CastMember, Part, Plan, Shot
from klingo1.draft.understanding import Beat, Doing, Understanding, understand

__all__ = ["Understanding", "direct", "understand"]

MOVING = frozenset(("walk", "run", "fly", "drive", "ride"))
WHOLE_BODY = frozenset(("jump", "dance", "spin", "float", "fly", "fall", "ride", "drive"))
_FRAMINGS = {
    1: ("full",),
    2: ("wide", "medium"),
    3: ("wide", "full", "medium"),
    4: ("wide", "full", "medium", "close"),
}
_VIEWS = {
    "wide": ("back", "side", "front"),
    "full": ("side", "front", "back"),
    "medium": ("front", "side", "back"),
    "close": ("front", "side", "back"),
    "insert": ("front", "side", "back"),
}
_CALM_CAMERA = {"wide": "push", "full": "pan", "medium": "push", "close": "pull", "insert": "push"}
_SCENE_CAMERA = ("push", "pan", "pull", "tilt")
_WEIGHTS = {"wide": 1.25, "insert": 0.8}
_BODY_SIZES = ("wide", "full", "medium", "close")


@dataclass(frozen=True, slots=True)
class _Event:
    """One thing that happens: what each acting member does, and how the prompt wants it shown."""

    actions: tuple[tuple[int, str], ...]
    beat: Beat
    words: tuple[str, ...] = ()

    @property
    def focus(self) -> tuple[int, ...]:
        return tuple(member for member, _ in self.actions)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A shot before its parts are chosen: its event, and which of the event's shots it is."""

    event: _Event
    turn: int
    turns: int
    framing: str
    insert: bool = False


def direct(prompt: str, cast: Sequence[CastMember], *, duration: int, aspect_ratio: str) -> Plan:
    """Plan a film of `duration` whole seconds. The same arguments give the same plan; nothing raises on any text.

    A part may show a scene or style member: it is a framed print then. In a tall picture (`aspect_ratio`
    "9:16") a group is shown wide rather than full.
    """
    understanding = understand(prompt)
    director = _Director(understanding, tuple(cast), duration=duration, tall=aspect_ratio == "9:16")
    shots = director.shots()
    used = understanding.used - director.dropped | director.bound
    return Plan(
        place="picture" if director.scenes else understanding.place,
        time=understanding.time,
        cast=tuple(cast),
        shots=shots,
        weather=understanding.weather,
        camera=understanding.camera,
        actions=understanding.actions,
        looks=understanding.looks,
        colours=understanding.colours,
        ignored=tuple(word for word in understanding.content if word not in used)[:24],
    )


class _Director:
    """One film in the making."""

    def __init__(
        self, understanding: Understanding, cast: tuple[CastMember, ...], *, duration: int, tall: bool
    ) -> None:
        self.said, self.cast, self.duration, self.tall = understanding, cast, duration, tall
        self.bound: set[str] = set()
        self.dropped: set[str] = set()
        self.roles: dict[str, int] = {}
        self.scenes = self._of_role("scene")
        self.props = self._of_role("prop")
        self.styles = self._of_role("style")
        self.leads = self._of_role("character") or self.props or ([] if self.scenes else self.styles)
        self.events = self._events()
        acting = [member for event in self.events for member in event.focus]
        for prop in self.props:
            if prop in acting and prop not in self.leads:
                self.leads = [*self.leads, prop]
        self.extras = [member for member in (*self.props, *self.styles) if member not in self.leads]
        self.seen: dict[int, set[str]] = {member: set() for member in range(len(cast))}

    def _of_role(self, role: str) -> list[int]:
        known = ("character", "prop", "scene", "style")
        return [
            index
            for index, member in enumerate(self.cast)
            if (member.role if member.role in known else "character") == role
        ]

    # ---------------------------------------------------------------------------------------- who does what

    def _events(self) -> list[_Event]:
        events: list[_Event] = []
        for beat in self.said.beats:
            doings = [(doing, self._who(doing)) for doing in beat.doings]
            busy = {member for doing, who in doings if doing.action != "still" for member in who}
            group: list[tuple[Doing, tuple[int, ...]]] = []
            made = len(events)
            for doing, who in doings:
                if not who:
                    self.dropped.update(doing.words)
                elif doing.action != "still" or not set(who) <= busy:
                    taken = {member for _, members in group for member in members}
                    if taken & set(who):
                        events.append(_event(group, beat))
                        group = []
                    group.append((doing, who))
            if group or len(events) == made:
                events.append(_event(group, beat))
        return events or [_Event((), Beat())]

    def _who(self, doing: Doing) -> tuple[int, ...]:
        if not doing.who:
            return tuple(self.leads)
        members: list[int] = []
        for who in doing.who:
            member = self._picture(who) if isinstance(who, int) else self._noun(who)
            if member is not None and self.cast[member].role not in ("scene", "style"):
                members.append(member)
        unknown = all(isinstance(who, int) for who in doing.who) and not members
        return tuple(dict.fromkeys(members or (self.leads if unknown else ())))

    def _picture(self, number: int) -> int | None:
        return next((index for index, member in enumerate(self.cast) if number in member.images), None)

    def _noun(self, noun: str) -> int | None:
        """A noun's member: characters in the order in which they act, a thing is a prop."""
        if noun in self.roles:
            return self.roles[noun]
        characters = self._of_role("character")
        thing = noun in self.said.things and bool(self.props)
        if noun in self.said.things and not self.props and characters:
            return None
        free = [
            m for m in (self.props if thing else characters or self.props) if m not in self.roles.values()
        ]
        if free:
            self.roles[noun] = free[0]
        elif noun in self.said.newcomers or not self.leads:
            return None
        else:
            self.roles[noun] = self.leads[0]
        self.bound.update(noun.split() if noun.isascii() else (noun.replace(" ", ""),))
        return self.roles[noun]

    # -------------------------------------------------------------------------------------- how many shots

    def _count(self) -> int:
        if self.said.single_take:
            return 1
        views = len({view for view in self.cast[self.leads[0]].views}) if len(self.leads) == 1 else 1
        insert = 1 if self.extras and self.leads else 0
        needed = max(
            len(self.events), min(views, 3), 1 + min(len(self.leads), 3) if len(self.leads) > 1 else 1
        )
        if self.duration <= 3:
            count = min(needed, 2)
        elif self.duration == 4:
            count = 2 if needed < 3 else 3
        elif self.duration < 8:
            count = 4 if needed + insert > 3 and needed > 2 else 3
        else:
            count = 4
        return min(max(count, len(self.scenes)), max(self.duration, 1))

    def _slots(self) -> list[_Slot]:
        count = self._count()
        inserted = bool(self.extras and self.leads) and count >= 3 and len(self.events) < count
        story = count - inserted
        framings = _FRAMINGS[min(story, 4)] + ("wide", "full", "medium") * story
        if story == 3 and self.leads and len(set(self.cast[self.leads[0]].views)) == 1:
            framings = ("wide", "medium", "close")
        if story == 1 and not self.leads:
            framings = ("wide",)
        chosen = [min(i * len(self.events) // story, len(self.events) - 1) for i in range(story)]
        slots = [
            _Slot(
                self.events[pick],
                turn=sum(1 for other in chosen[:i] if other == pick),
                turns=chosen.count(pick),
                framing=framings[i],
            )
            for i, pick in enumerate(chosen)
        ]
        for index, event in enumerate(self.events):
            if index not in chosen:
                self.dropped.update(event.words)
        if inserted:
            place = count - 2
            slots.insert(place, replace(slots[min(place, story - 1)], framing="insert", insert=True))
        return slots

    # --------------------------------------------------------------------------------------------- shots

    def shots(self) -> tuple[Shot, ...]:
        """The film, frame exact and gapless."""
        slots = self._slots()
        shots, stop = [], 0
        edges = _edges([slot.framing for slot in slots], FPS * self.duration)
        place = self.said.place
        for index, slot in enumerate(slots):
            start, stop = stop, edges[index]
            place = slot.event.beat.place if index and slot.event.beat.place else place
            shots.append(self._shot(slot, index, start, stop, place))
        return tuple(self._with_missing(shots))

    def _shot(self, slot: _Slot, index: int, start: int, stop: int, place: str) -> Shot:
        framing, members = self._framing(slot), self._members(slot)
        parts = []
        for member in members:
            action = self._action(member, slot)
            view = self._view(member, framing, slot.event.beat.view)
            parts.append(Part(member, action, view))
        scene = self._scene(slot, index)
        return Shot(
            start, stop,
            place="picture" if scene is not None else place,
            framing=framing,
            camera=self._camera(slot, framing, parts, index),
            parts=tuple(parts),
            scene=scene,
            dissolve=self.said.dissolve and index > 0,
        )  # fmt: skip

    def _framing(self, slot: _Slot) -> str:
        if slot.insert:
            return "insert"
        asked = slot.event.beat.framing
        if asked:
            if slot.turns == 1:
                return asked[0]
            if len(asked) > 1:
                return asked[min(slot.turn * len(asked) // slot.turns, len(asked) - 1)]
            opening = slot.event.beat.opens_with_framing or asked[0] == "wide"
            if slot.turn == (0 if opening else slot.turns - 1):
                return asked[0]
        framing = slot.framing
        if len(self._focus(slot)) > 1 and slot.turn:
            framing = "medium" if len(self._members(slot)) == 1 else "full"
        if any(action in WHOLE_BODY for _, action in slot.event.actions) and framing in ("medium", "close"):
            framing = _BODY_SIZES[_BODY_SIZES.index(framing) - 1]
        if self._grouped(slot) and len(self._focus(slot)) > 1:
            framing = (
                "wide"
                if self.tall or len(self._focus(slot)) > 2
                else min(framing, "full", key=_BODY_SIZES.index)
            )
        return framing

    def _focus(self, slot: _Slot) -> tuple[int, ...]:
        return slot.event.focus or tuple(self.leads)

    def _grouped(self, slot: _Slot) -> bool:
        return slot.turn == 0

    def _members(self, slot: _Slot) -> list[int]:
        if slot.insert:
            first = next(iter(self.extras))
            return [first]
        focus = self._focus(slot)
        if not self._grouped(slot) and len(focus) > 1:
            turns = slot.turns - 1
            size = -(-len(focus) // turns)
            turn = slot.turn - 1
            return list(focus[turn * size : (turn + 1) * size] or focus)
        return (
            [*focus, *(prop for prop in self.extras if prop in self.props)] if slot.turn == 0 else list(focus)
        )

    def _action(self, member: int, slot: _Slot) -> str:
        if slot.insert or member in self.extras:
            return "still"
        own = dict(slot.event.actions)
        if member in own:
            return own[member]
        return slot.event.actions[0][1] if slot.event.actions else "still"

    def _view(self, member: int, framing: str, asked: str) -> str:
        views = self.cast[member].views or ("front",)
        if asked in views:
            view = asked
        else:
            order = sorted(views, key=lambda view: (view in self.seen[member], _VIEWS[framing].index(view)))
            view = order[0]
        self.seen[member].add(view)
        return view

    def _scene(self, slot: _Slot, index: int) -> int | None:
        if not self.scenes:
            return None
        named = [m for m in map(self._picture, slot.event.beat.mentions) if m in self.scenes]
        if named and (len(self.events) > 1 or len(self.scenes) == 1):
            return named[min(slot.turn, len(named) - 1)]
        return self.scenes[index % len(self.scenes)]

    def _camera(self, slot: _Slot, framing: str, parts: list[Part], index: int) -> tuple[str, ...]:
        asked = slot.event.beat.camera
        if asked:
            if slot.insert and asked != ("static",):
                return ("push",)
            always = tuple(move for move in asked if move == "handheld")
            moves = [move for move in asked if move != "handheld"]
            if len(moves) > 1 and slot.turns > 1:
                moves = [moves[min(slot.turn * len(moves) // slot.turns, len(moves) - 1)]]
            return (*moves[:2], *always)
        if len(self.said.camera) == 1 and self.said.camera[0] in ("static", "handheld"):
            return self.said.camera
        if not parts:
            return (_SCENE_CAMERA[index % 4],)
        lead = parts[0]
        if lead.action in MOVING and framing != "insert":
            return ("track",) if lead.view == "side" or framing != "medium" else ("pull",)
        return (_CALM_CAMERA[framing],)

    def _with_missing(self, shots: list[Shot]) -> list[Shot]:
        """Give every member that no shot shows a place: scenes a shot of their own, others the widest shot."""
        for member in self.scenes:
            shown = [shot.scene for shot in shots]
            if member not in shown:
                twice = [i for i, scene in enumerate(shown) if shown.count(scene) > 1]
                if twice:
                    shots[twice[-1]] = replace(shots[twice[-1]], scene=member)
        shown_now = {part.member for shot in shots for part in shot.parts} | {shot.scene for shot in shots}
        missing = [member for member in range(len(self.cast)) if member not in shown_now]
        if missing:
            sizes = {"wide": 0, "full": 1, "medium": 2, "close": 3, "insert": 4}
            prints = [i for i, shot in enumerate(shots) if shot.framing == "insert"]
            for member in missing:
                wide = min(range(len(shots)), key=lambda i: sizes[shots[i].framing])
                home = prints[0] if prints and member in self.extras else wide
                part = Part(member, "still", self._view(member, shots[home].framing, ""))
                shots[home] = replace(shots[home], parts=(*shots[home].parts, part))
        return shots


def _event(group: list[tuple[Doing, tuple[int, ...]]], beat: Beat) -> _Event:
    actions = tuple((member, doing.action) for doing, who in group for member in who)
    return _Event(actions, beat, tuple(word for doing, _ in group for word in doing.words))


def _edges(framings: Sequence[str], total: int) -> list[int]:
    """Where each shot ends: wide ones longer, inserts shorter, none below a second when there is time."""
    floor = min(FPS, total // len(framings))
    spare = total - floor * len(framings)
    weights = [_WEIGHTS.get(framing, 1.0) for framing in framings]
    edges, sum_so_far = [], 0.0
    for index, weight in enumerate(weights, 1):
        sum_so_far += weight
        edges.append(floor * index + round(spare * sum_so_far / sum(weights)))
    return edges
