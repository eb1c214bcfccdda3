"""From a prompt and a cast to a film: how many shots there are and what each of them shows.

Pure and quick (it runs while somebody types). What the prompt says comes from `understanding`, who plays it
from `casting`; here it is laid out over the frames. Every member of the cast is in a shot, whatever is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from klingo1.draft.casting import Casting, Event
from klingo1.draft.plan import FPS, CastMember, Part, Plan, Shot
from klingo1.draft.understanding import Understanding, understand

__all__ = ["Understanding", "direct", "understand"]

IGNORED_MAX = 24
SHOTS_MAX = 4
_MOVING = frozenset(("walk", "run", "fly", "drive", "ride"))
_LEAPING = frozenset(("jump", "fall", "dance", "spin"))
_WHOLE_BODY = frozenset(("run", "jump", "dance", "spin", "float", "fly", "fall", "ride", "drive", "sit"))
_SIZES = ("wide", "full", "medium", "close", "insert")
"""Framings from far to near."""
_FRAMINGS = {
    1: ("full",),
    2: ("wide", "medium"),
    3: ("wide", "full", "medium"),
    4: ("wide", "full", "medium", "close"),
}
_ONE_VIEW = {3: ("wide", "medium", "close"), 4: ("wide", "medium", "wide", "close")}
"""With one view of the subject, size is all that can vary: go nearer, or there and back."""
_VIEWS_MOVING = {"wide": ("back", "side", "front"), "full": ("side", "front", "back")}
"""Who goes somewhere walks away first, then passes by, then comes towards us."""
_VIEWS_NEAR = ("front", "side", "back")
_VIEWS_STAYING = ("front", "back", "side")
"""Who stays is seen from the front first, and from behind in between."""
_CALM_CAMERA = {"wide": "push", "full": "pan", "medium": "push", "close": "pull", "insert": "push"}
_SCENE_CAMERA = ("push", "pan", "pull", "tilt")
_WEIGHTS = {"wide": 1.25, "insert": 0.8}


def direct(prompt: str, cast: Sequence[CastMember], *, duration: int, aspect_ratio: str) -> Plan:
    """Plan a film of `duration` whole seconds. The same arguments give the same plan; no text raises.

    A part may show a scene or style member: it is a framed print then. In a tall picture (`aspect_ratio`
    "9:16") a group is shown wide rather than full.
    """
    said = understand(prompt)
    casting = Casting(said, cast)
    shots = _ShotList(said, casting, duration=duration, tall=aspect_ratio == "9:16")
    made = shots.make()
    used = said.used - casting.dropped - shots.unused_words | casting.bound
    return Plan(
        place="picture" if casting.scenes else said.place,
        time=said.time,
        cast=tuple(cast),
        shots=made,
        weather=said.weather,
        camera=said.camera,
        actions=said.actions,
        looks=said.looks,
        colours=said.colours,
        ignored=tuple(word for word in said.content if word not in used)[:IGNORED_MAX],
    )


@dataclass(frozen=True, slots=True)
class _Slot:
    """A shot before it is staged: its event, and which of that event's shots it is."""

    event: Event
    turn: int
    turns: int
    framing: str
    insert: bool = False


class _ShotList:
    """One film in the making; `unused_words` are those of actions for which there was no shot."""

    def __init__(self, said: Understanding, casting: Casting, *, duration: int, tall: bool) -> None:
        self.said, self.casting, self.duration, self.tall = said, casting, duration, tall
        self.cast, self.leads, self.extras = casting.cast, casting.leads, casting.extras
        self.seen: dict[int, set[int]] = {member: set() for member in range(len(self.cast))}
        self.unused_words: set[str] = set()

    def make(self) -> tuple[Shot, ...]:
        """The film, frame exact and gapless."""
        slots = self._slots()
        edges = _edges([slot.framing for slot in slots], FPS * self.duration)
        shots: list[Shot] = []
        place = self.said.place
        for index, slot in enumerate(slots):
            place = slot.event.beat.place if index and slot.event.beat.place else place
            start = edges[index - 1] if index else 0
            shots.append(self._shot(slot, index, Shot(start, edges[index], place, slot.framing)))
        return tuple(self._with_missing(shots))

    # ------------------------------------------------------------------------------------------- how many

    def _count(self) -> int:
        if self.said.single_take:
            return 1
        views = max((len(self.cast[member].views) for member in self.leads), default=1)
        group = 1 + len(self.leads) if len(self.leads) > 1 else 1
        needed = max(len(self.casting.events), views, min(group, SHOTS_MAX))
        insert = bool(self.extras and self.leads)
        if self.duration <= 3:
            count = 2
        elif self.duration == 4:
            count = 3 if needed >= 3 else 2
        elif self.duration < 8:
            count = SHOTS_MAX if needed >= 3 and insert else 3
        else:
            count = SHOTS_MAX
        # Every picture is seen: a shot for each view and each scene, as long as shots last a second.
        return min(max(count, views, len(self.casting.scenes)), max(self.duration, 1))

    def _slots(self) -> list[_Slot]:
        events, count = self.casting.events, self._count()
        views = max((len(self.cast[member].views) for member in self.leads), default=1)
        inserted = bool(self.extras and self.leads) and count >= 3 and max(len(events), views) < count
        story = count - inserted
        one_view = views == 1
        framings = (one_view and _ONE_VIEW.get(story)) or _FRAMINGS[min(story, 4)]
        chosen = [min(turn * len(events) // story, len(events) - 1) for turn in range(story)]
        slots = [
            _Slot(events[pick], chosen[:at].count(pick), chosen.count(pick), framings[at % len(framings)])
            for at, pick in enumerate(chosen)
        ]
        for index, event in enumerate(events):
            self.unused_words.update(() if index in chosen else event.words)
        self.unused_words.difference_update(word for pick in chosen for word in events[pick].words)
        if inserted:
            beside = slots[min(count - 2, story - 1)]
            slots.insert(count - 2, replace(beside, framing="insert", insert=True))
        return slots

    # ----------------------------------------------------------------------------------------- what is seen

    def _shot(self, slot: _Slot, index: int, blank: Shot) -> Shot:
        framing, scene = self._framing(slot), self._scene(slot, index)
        actions = {} if slot.insert else dict(slot.event.actions)
        parts = tuple(
            self._part(member, actions.get(member, "still"), framing, slot.event.beat.view)
            for member in self._members(slot)
        )
        parts = self._mounted(parts)
        return replace(
            blank,
            place=blank.place if scene is None else "picture",
            framing=framing,
            camera=self._camera(slot, framing, parts, index),
            parts=parts,
            scene=scene,
            dissolve=self.said.dissolve and index > 0,
        )

    def _framing(self, slot: _Slot) -> str:
        if slot.insert:
            return "insert"
        beat, focus = slot.event.beat, self._focus(slot)
        if len(beat.framing) > 1 or (beat.framing and slot.turns == 1):
            return beat.framing[min(slot.turn * len(beat.framing) // slot.turns, len(beat.framing) - 1)]
        if beat.framing:
            opening = beat.opens_with_framing or beat.framing[0] == "wide"
            if slot.turn == (0 if opening else slot.turns - 1):
                return beat.framing[0]
        framing = slot.framing
        if len(focus) > 1:
            alone = len(self._members(slot)) == 1
            group = "wide" if self.tall or len(focus) > 2 or slot.turns > 1 else "full"
            framing = group if slot.turn == 0 else "medium" if alone else "full"
        if framing in ("medium", "close") and not _WHOLE_BODY.isdisjoint(a for _, a in slot.event.actions):
            framing = _SIZES[_SIZES.index(framing) - 1]
        return framing

    def _focus(self, slot: _Slot) -> tuple[int, ...]:
        return slot.event.focus or tuple(self.leads)

    def _members(self, slot: _Slot) -> tuple[int, ...]:
        """A group together first, with the props; then closer, one or two at a time."""
        focus = self._focus(slot)
        if slot.insert:
            return (self.extras[0],)
        if slot.turn == 0:
            return (*focus, *(extra for extra in self.extras if extra in self.casting.props))
        if len(focus) == 1:
            return focus
        size = -(-len(focus) // (slot.turns - 1))
        return focus[(slot.turn - 1) * size : slot.turn * size] or focus

    def _part(self, member: int, action: str, framing: str, asked: str = "") -> Part:
        """Shown from where the prompt asks for, else from where not shown yet, else as fits the framing."""
        order = _VIEWS_MOVING.get(framing, _VIEWS_NEAR) if action in _MOVING else _VIEWS_STAYING
        views = self.cast[member].views or ("front",)
        rank = [(v != asked, at in self.seen[member], order.index(v)) for at, v in enumerate(views)]
        best = min(range(len(views)), key=rank.__getitem__)
        self.seen[member].add(best)
        return _as_view(Part(member, action), views, best)

    def _mounted(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Whoever drives or rides first in a shot sits on the vehicle of the cast."""
        vehicle = self.casting.vehicle
        if vehicle is None or not parts or parts[0].action not in ("drive", "ride"):
            return parts
        action = parts[0].action
        others = [part for part in parts[1:] if part.member != vehicle]
        mount = replace(self._part(vehicle, action, "full", parts[0].view), action=action, carries=True)
        return (parts[0], mount, *others)

    def _scene(self, slot: _Slot, index: int) -> int | None:
        scenes = self.casting.scenes
        if not scenes:
            return None
        named = [m for m in map(self.casting.member_of_picture, slot.event.beat.mentions) if m in scenes]
        if named and len(self.casting.events) > 1:
            return named[min(slot.turn, len(named) - 1)]
        return scenes[index % len(scenes)]

    def _camera(self, slot: _Slot, framing: str, parts: tuple[Part, ...], index: int) -> tuple[str, ...]:
        asked = slot.event.beat.camera
        if not asked and set(self.said.camera) <= {"static", "handheld"}:
            asked = self.said.camera
        if asked and (not slot.insert or asked == ("static",)):
            moves = [move for move in asked if move != "handheld"]
            if len(moves) > 1 and slot.turns > 1:
                moves = [moves[min(slot.turn * len(moves) // slot.turns, len(moves) - 1)]]
            return (*moves[:2], *(("handheld",) if "handheld" in asked else ()))
        if not parts:
            return (_SCENE_CAMERA[index % len(_SCENE_CAMERA)],)
        if parts[0].action in _MOVING:
            towards_us = parts[0].view == "front" and framing in ("medium", "close")
            return ("pull",) if towards_us else ("track",)
        if framing == "full" and parts[0].action in _LEAPING:
            return ("push",)  # who leaps before a panning picture is lost in it
        return (_CALM_CAMERA[framing],)

    def _with_missing(self, shots: list[Shot]) -> list[Shot]:
        """Show whom no shot shows: scenes instead of one shown twice, others in insert or widest."""
        for member in self.casting.scenes:
            shown = [shot.scene for shot in shots]
            twice = [at for at, scene in enumerate(shown) if shown.count(scene) > 1]
            if member not in shown and twice:
                shots[twice[-1]] = replace(shots[twice[-1]], scene=member)
        seen = {part.member for shot in shots for part in shot.parts} | {shot.scene for shot in shots}
        by_size = sorted(range(len(shots)), key=lambda at: _SIZES.index(shots[at].framing))
        for member in (member for member in range(len(self.cast)) if member not in seen):
            home = (
                by_size[-1]
                if member in self.extras and shots[by_size[-1]].framing == "insert"
                else by_size[0]
            )
            part = self._part(member, "still", shots[home].framing)
            shots[home] = replace(shots[home], parts=(*shots[home].parts, part))
        for member, one in enumerate(self.cast):
            if member not in self.casting.scenes:
                _show_all_views(shots, member, one.views)
        return shots


def _as_view(part: Part, views: Sequence[str], at: int) -> Part:
    return replace(part, view=views[at], take=views[:at].count(views[at]))


def _show_all_views(shots: list[Shot], member: int, views: Sequence[str]) -> None:
    """Put views that no shot shows where another is shown twice, else into a shot without the member."""
    doing = [part.action for shot in shots for part in shot.parts if part.member == member]
    action = next((action for action in reversed(doing) if action != "still"), "still")
    wanted = [_as_view(Part(member, action), views, at) for at in range(len(views))]
    for want in wanted:
        shown = [(at, part) for at, shot in enumerate(shots) for part in shot.parts if part.member == member]
        keys = [(part.view, part.take) for _, part in shown]
        if (want.view, want.take) in keys:
            continue
        twice = [at for (at, _), key in zip(shown, keys, strict=True) if keys.count(key) > 1]
        without = [at for at, shot in enumerate(shots) if at not in dict(shown) and shot.framing != "insert"]
        if twice:
            parts = (
                replace(part, view=want.view, take=want.take) if part.member == member else part
                for part in shots[twice[-1]].parts
            )
            shots[twice[-1]] = replace(shots[twice[-1]], parts=tuple(parts))
        elif without:
            home = min(without, key=lambda at: _SIZES.index(shots[at].framing))
            shots[home] = replace(shots[home], parts=(*shots[home].parts, want))


def _edges(framings: Sequence[str], total: int) -> list[int]:
    """Where each shot ends: wide ones longer, inserts shorter, none below a second when there is time."""
    floor = min(FPS, total // len(framings))
    spare = total - floor * len(framings)
    weights = [_WEIGHTS.get(framing, 1.0) for framing in framings]
    shares = [sum(weights[: index + 1]) / sum(weights) for index in range(len(weights))]
    return [floor * (index + 1) + round(spare * share) for index, share in enumerate(shares)]
