"""Who goes where during a shot, and whether the camera goes along.

A group that goes somewhere together is followed. Where only some go and the others stay, or the place is a
photograph, the camera stays by and large, and those who go cross its picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from klingo1.draft.acting import SPEED
from klingo1.draft.blocking import Body
from klingo1.draft.plan import Part

_FLOW = {"forward": 0.38, "lateral": 0.25}
"""Metres a second for each metre between lens and lead: near the lens a fast background only flickers."""
_FASTEST = {"print": 0.8, "bust": 1.2}
"""Metres a second: what has no legs to show glides, and a large print that races past is hard to watch."""
_ACROSS, _NEARER = 0.42, 0.18
"""How far somebody goes who is not followed: shares of the width seen, and of the distance to the lens."""
_GOES_ALONG = 0.35
"""The part of the lead's way that a camera goes which does not follow."""


@dataclass(frozen=True, slots=True)
class Travel:
    """Ways over the ground. `speed` is the lead's (metres a second; its sign is the direction), along x when
    `lateral`, else along z. `own` has for each player its velocity (x, z), or None where it goes with the
    lead.
    """

    speed: float
    lateral: bool
    follows: bool
    seconds: float
    own: tuple[tuple[float, float] | None, ...]

    def lead(self, t: float) -> tuple[float, float]:
        """How far the lead is from its mark: x and z in metres. Who is not followed passes it halfway."""
        gone = self.speed * (t if self.follows else t - 0.5 * self.seconds)
        return (gone, 0.0) if self.lateral else (0.0, gone)

    def player(self, index: int, t: float) -> tuple[float, float]:
        """The same for any player."""
        own = self.own[index]
        if own is None:
            return self.lead(t)
        past = t - 0.5 * self.seconds
        return own[0] * past, own[1] * past

    def camera(self, t: float) -> tuple[float, float]:
        """The same for the camera."""
        x, z = self.lead(t)
        return (x, z) if self.follows else (_GOES_ALONG * x, _GOES_ALONG * z)


def travel(  # noqa: PLR0917 - one caller, which has them all at hand
    parts: Sequence[Part], bodies: Sequence[Body], rightward: Sequence[bool], seconds: float, distance: float,
    visible: float, *, lateral: bool, held_back: bool, slow: float,
) -> Travel:  # fmt: skip
    """The ways of a shot's parts, the lead first.

    `rightward` is which way each one looks, `distance` metres to the lens, `visible` metres across the
    picture there, `held_back` whether the camera cannot follow, `slow` a factor on every speed.
    """
    if not parts:
        return Travel(0.0, lateral, follows=True, seconds=seconds, own=())
    across, nearer = (reach / max(seconds, 0.5) for reach in (_ACROSS * visible, _NEARER * distance))
    goes = [part.action in SPEED or body.companion for part, body in zip(parts, bodies, strict=True)]
    speed = SPEED.get(parts[0].action, 0.0)
    speed = min(
        speed, _FASTEST.get(bodies[0].kind, speed), _FLOW["lateral" if lateral else "forward"] * distance
    )
    follows = not speed or (all(goes[1:]) and not held_back)
    if not follows:
        speed = min(speed, across if lateral else nearer)
    direction = 1.0 if (rightward[0] if lateral else parts[0].view == "back") else -1.0
    own: list[tuple[float, float] | None] = [None]
    for part, body, right in zip(parts[1:], bodies[1:], rightward[1:], strict=True):
        if body.companion or body.carries or (speed and part.action in SPEED):
            own.append(None)
        elif part.action not in SPEED:
            own.append((0.0, 0.0))
        elif part.view == "side" or body.aspect > 1.2:
            own.append((slow * min(SPEED[part.action], across) * (1 if right else -1), 0.0))
        else:
            own.append((0.0, slow * min(SPEED[part.action], nearer) * (1 if part.view == "back" else -1)))
    return Travel(direction * speed * slow, lateral, follows, seconds, tuple(own))
