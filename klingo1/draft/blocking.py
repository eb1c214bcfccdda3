"""Blocking: where everybody stands in a shot and where the camera is.

The lead stands at x = 0; where the picture is too narrow for a group, the group's middle does. The camera's
distance follows from how tall the lead shall be in the picture, and grows until everybody fits side by side.
Sizes are metres; shares are of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from klingo1.draft.stage import lens

_TALL = {"wide": 0.48, "full": 0.6, "medium": 0.98, "close": 1.7, "insert": 0.52}
"""How tall a standing person is in the picture, by framing."""
_TALL_WHOLE = {"wide": 0.46, "full": 0.58, "medium": 0.68, "close": 0.78, "insert": 0.5}
"""The same for whatever must be seen whole: animals, things, prints."""
_TALL_BUST = {"wide": 0.62, "full": 0.7, "medium": 0.8, "close": 0.92, "insert": 0.7}
"""The same for a person whom the reference cuts off: the lower edge stays out of the picture."""
_HEAD = {"wide": 0.34, "full": 0.24, "medium": 0.14, "close": 0.15}
"""Where the top of the head is, from the picture's upper edge."""
_HEAD_PORTRAIT = {"wide": 0.47, "full": 0.4, "medium": 0.28, "close": 0.24}
HORIZON, HORIZON_PORTRAIT = 0.40, 0.46
"""The horizon's row as a share of the height, in wide and square pictures and in tall ones."""
_SMALL_BUST = 0.36
"""A portrait smaller than this, in a group, stands in the picture like a cardboard figure: at the lower edge
the group would be lost under an empty sky.
"""
_FEET_OF_A_GROUP = 0.74
"""In a tall picture a group is as wide as the picture and therefore low: it stands near the lower edge."""
_GAP = 0.22
"""Metres between neighbours."""
_BESIDE = 0.35
"""Metres from a portrait's lower edge to what stands beside it: the ground is below the picture."""
_CLEAR = 0.3
"""Metres between the tallest head and whoever flies above it."""
HIGH = 1.5
"""Metres from the ground to a flyer with nobody below."""
_TOP, _FLOOR = 0.07, 0.88
"""The rows, as shares of the picture, between which flyer and ground are seen."""


@dataclass(frozen=True, slots=True)
class Body:
    """What blocking needs to know of somebody.

    `aspect` is width divided by height; `kind` is person (has legs), bust (cut off below), figure (any
    other character), thing or print;
    `companion` is a small thing beside a person, `held` one that goes along at hand height, `carries` what
    the lead sits on; `aloft` is in the air.
    """

    aspect: float
    kind: str
    companion: bool = False
    held: bool = False
    carries: bool = False
    aloft: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Where somebody stands: metres; `raised` is the height above the ground of who flies or is held."""

    x: float
    z: float
    height: float
    raised: float = 0.0


@dataclass(frozen=True, slots=True)
class Blocking:
    """Marks in the order of the bodies, and the camera: its distance to the lead, its height, its horizon."""

    marks: tuple[Mark, ...]
    distance: float
    camera_height: float
    horizon: float


Seen = list[tuple[Mark, Body]]


def height_of(body: Body) -> float:
    """How tall somebody is in the world: wide shapes are lower, so that nobody is a giant."""
    if body.kind in ("person", "bust"):
        return 1.7
    if body.kind == "print":
        return 1.5 if body.aspect < 1.2 else max(0.8, 1.8 / body.aspect)
    if body.carries:
        tall, wide = 1.35, 3.0
    elif body.kind == "figure":
        tall, wide = 1.6, 1.9
    elif body.companion:
        tall, wide = 0.55, 1.1
    else:
        tall, wide = 1.2, 2.2
    return max(0.25, min(tall, wide / max(body.aspect, 0.2)))


def block(bodies: Sequence[Body], framing: str, width: int, height: int, sky: float = HIGH) -> Blocking:
    """Place the bodies, the lead first, and the camera. `width` and `height` are the film's pixels, `sky`
    how many metres up somebody who flies alone goes in this place.
    """
    portrait = height > width
    horizon = HORIZON_PORTRAIT if portrait else HORIZON
    lead = bodies[0] if bodies else Body(0.4, "person")
    focal = lens(width, height)
    marks = _mounted(_line_up([body for body in bodies if not body.carries]), bodies)
    over = lead.aloft or any(body.aloft for body in bodies)
    if over and not all(body.aloft or body.held for body in bodies):
        return _overhead(_risen(marks, bodies), bodies, width, height)
    tall = height_of(lead) + (marks[0].raised if marks else 0.0)
    share = _share(lead, framing, portrait=portrait)
    distance = focal * tall / (share * height)
    # Everybody fits: only a close-up of somebody standing may leave the others out of the picture.
    alone = framing in ("close", "insert") or len(bodies) == 1
    seen = list(zip(marks, bodies, strict=True))[: 1 if alone else None]
    room = 0.98 if lead.kind == "person" and alone and framing in ("close", "medium") else 0.84
    shoulders_may_leave = lead.kind == "person" and alone and framing == "close"
    if seen and not shoulders_may_leave:
        if _reach(seen) > room * width * distance / (2 * focal):
            marks, seen = _centred(marks, seen)
        distance = max(distance, focal * 2 * _reach(seen) / (room * width))
    share = focal * tall / (distance * height)
    feet = _feet(lead, framing, share, portrait=portrait)
    if portrait and not alone and lead.kind != "person":
        feet = max(feet, _FEET_OF_A_GROUP)
    if lead.kind == "bust" and feet < 1:  # the ground is seen: what was raised into the picture stands on it
        marks = tuple(replace(m, raised=0.0) if m.raised == _BESIDE else m for m in marks)
    high = sky if over else 0.0
    marks = tuple(replace(mark, raised=mark.raised + high) for mark in marks)
    return Blocking(marks, distance, high + max(0.12, tall * (feet - horizon) / share), horizon * height)


def _risen(marks: Sequence[Mark], bodies: Sequence[Body]) -> tuple[Mark, ...]:
    """Those on the ground line up again, and those in the air go above them, a little farther away."""
    ground = [i for i, body in enumerate(bodies) if not body.aloft]
    placed = dict(zip(ground, _mounted(_line_up([bodies[i] for i in ground if not bodies[i].carries]),
                                       [bodies[i] for i in ground]), strict=True))  # fmt: skip
    clear = _CLEAR + max(mark.raised + mark.height for mark in placed.values())
    air = [i for i in range(len(bodies)) if i not in placed]
    wide = [marks[i].height * bodies[i].aspect for i in air]
    x = -(sum(wide) + _GAP * (len(air) - 1)) / 2
    for i, span in zip(air, wide, strict=True):
        placed[i] = Mark(x + span / 2, 0.4, marks[i].height, raised=clear)
        x += span + _GAP
    return tuple(placed[i] for i in range(len(bodies)))


def _overhead(marks: tuple[Mark, ...], bodies: Sequence[Body], width: int, height: int) -> Blocking:
    """The camera that sees everybody, from the feet of those on the ground to whoever flies above them."""
    horizon, focal = HORIZON_PORTRAIT if height > width else HORIZON, lens(width, height)
    top = max(mark.raised + 1.1 * mark.height for mark in marks)
    tall, wide = focal * top / ((_FLOOR - _TOP) * height), 2 * focal / (0.86 * width)
    seen = list(zip(marks, bodies, strict=True))
    if wide * _reach(seen) > tall:
        marks, seen = _centred(marks, seen)
    distance = max(tall, wide * _reach(seen))
    return Blocking(marks, distance, distance * (_FLOOR - horizon) * height / focal, horizon * height)


def _reach(seen: Seen) -> float:
    """Metres from the middle of the picture to the outermost edge of anybody."""
    return max(abs(mark.x) + 0.5 * mark.height * body.aspect for mark, body in seen)


def _centred(marks: Sequence[Mark], seen: Seen) -> tuple[tuple[Mark, ...], Seen]:
    """Where the picture is too narrow for a group, the group and not its lead is in the middle."""
    left = min(mark.x - 0.5 * mark.height * body.aspect for mark, body in seen)
    right = max(mark.x + 0.5 * mark.height * body.aspect for mark, body in seen)
    moved = tuple(replace(mark, x=mark.x - (left + right) / 2) for mark in marks)
    return moved, [(moved[i], body) for i, (_, body) in enumerate(seen)]


def _mounted(marks: tuple[Mark, ...], bodies: Sequence[Body]) -> tuple[Mark, ...]:
    """What carries the lead stands where the lead does, a little nearer, so that it hides the legs."""
    waiting, placed = list(marks), []
    for body in bodies:
        if body.carries and marks:
            placed.append(Mark(marks[0].x, marks[0].z - 0.04, height_of(body)))
            lifted = max(0.0, min(0.62 * height_of(body), height_of(body) - 0.16 * marks[0].height))
            placed[0] = Mark(placed[0].x, placed[0].z, placed[0].height, raised=lifted)
        else:
            placed.append(waiting.pop(0))
    return tuple(placed)


def _share(lead: Body, framing: str, *, portrait: bool) -> float:
    table = {"person": _TALL, "bust": _TALL_BUST}.get(lead.kind, _TALL_WHOLE)
    return table.get(framing, 0.5) * (0.72 if portrait and lead.kind != "bust" else 1.0)


def _feet(lead: Body, framing: str, share: float, *, portrait: bool) -> float:
    """The row of the lead's feet, as a share of the picture."""
    if lead.kind == "bust" and share >= _SMALL_BUST:
        return 1.03
    if lead.kind == "person" and framing in _HEAD:
        head = (_HEAD_PORTRAIT if portrait else _HEAD)[framing]
        return max(head + share, 0.8)
    return min(0.88, 0.52 + 0.5 * share + (0.04 if portrait else 0.0))


def _line_up(bodies: Sequence[Body]) -> tuple[Mark, ...]:
    """The lead and its equals side by side about x = 0, companions at hand, prints behind at the ends."""
    marks: dict[int, Mark] = {}
    actors = [i for i, b in enumerate(bodies) if i == 0 or not (b.companion or b.kind == "print")]
    wide = {i: height_of(b) * b.aspect for i, b in enumerate(bodies)}
    row = _alternate(actors)
    total = sum(wide[i] for i in row) + _GAP * (len(row) - 1)
    x = -total / 2
    for order, i in enumerate(row):
        back = 0.0 if i == 0 else 0.16 + 0.1 * (order % 2)
        marks[i] = Mark(x + wide[i] / 2, back, height_of(bodies[i]))
        x += wide[i] + _GAP
    left, right = -total / 2, total / 2
    beside = _BESIDE if bodies and bodies[0].kind == "bust" else 0.0  # a portrait's ground is not seen
    for number, i in enumerate(j for j in range(len(bodies)) if j not in marks and bodies[j].companion):
        half = wide[i] / 2
        if bodies[i].held and number == 0 and len(actors) == 1 and bodies[0].kind in ("person", "bust"):
            marks[i] = Mark(right + 0.55 * half, -0.06, height_of(bodies[i]), raised=0.52)
            right += 1.6 * half + 0.1
            continue
        if number % 2:
            marks[i] = Mark(right + _GAP * 0.6 + half, -0.05, height_of(bodies[i]), raised=beside)
            right += _GAP * 0.6 + 2 * half
        else:
            marks[i] = Mark(left - _GAP * 0.6 - half, -0.05, height_of(bodies[i]), raised=beside)
            left -= _GAP * 0.6 + 2 * half
    for number, i in enumerate(j for j in range(len(bodies)) if j not in marks):
        half = wide[i] / 2
        if number % 2:
            marks[i] = Mark(left - _GAP - half, 0.5, height_of(bodies[i]))
            left -= _GAP + 2 * half
        else:
            marks[i] = Mark(right + _GAP + half, 0.5, height_of(bodies[i]))
            right += _GAP + 2 * half
    return tuple(marks[i] for i in range(len(bodies)))


def _alternate(indices: Sequence[int]) -> list[int]:
    """The first in the middle, the others to its right and left in turn."""
    row: list[int] = []
    for order, i in enumerate(indices):
        if order % 2:
            row.append(i)
        else:
            row.insert(0 if order else len(row), i)
    return row
