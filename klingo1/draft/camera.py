"""Camera moves: pure functions of a shot's progress.

A move says how far the camera strays from the place that a shot's framing gives it. Several moves add up;
what the set's limits do not allow is cut off. Progress `u` runs from 0 to 1 over the shot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

_UNHURRIED = 3.0
"""Seconds that a full move takes at least."""


@dataclass(frozen=True, slots=True)
class Offset:
    """A departure from the framing.

    `side`, `rise` and `forward` are shares of the distance to the lead (of 1.7 m for `rise`); `pan` and
    `tilt` shift the picture by shares of its width and height; `zoom` is the natural logarithm of a
    magnification; `aim` (0 to 1) is how strongly the lens keeps the lead in its column while the camera
    moves sideways.
    """

    side: float = 0.0
    rise: float = 0.0
    forward: float = 0.0
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    aim: float = 0.0

    def __add__(self, other: Offset) -> Offset:
        return Offset(
            self.side + other.side,
            self.rise + other.rise,
            self.forward + other.forward,
            self.pan + other.pan,
            self.tilt + other.tilt,
            self.zoom + other.zoom,
            max(self.aim, other.aim),
        )


def ease(u: float) -> float:
    """Slow start, slow end (0 to 1)."""
    u = min(max(u, 0.0), 1.0)
    return u * u * (3 - 2 * u)


def _push(u: float, _t: float) -> Offset:
    return Offset(forward=0.26 * ease(u) - 0.13)


def _pull(u: float, _t: float) -> Offset:
    return Offset(forward=0.13 - 0.26 * ease(u))


def _pan(u: float, _t: float) -> Offset:
    return Offset(pan=0.16 * (0.5 - ease(u)))


def _tilt(u: float, _t: float) -> Offset:
    return Offset(tilt=0.12 * (1 - ease(u)))


def _track(u: float, _t: float) -> Offset:
    return Offset(side=0.14 * (ease(u) - 0.5))


def _orbit(u: float, _t: float) -> Offset:
    return Offset(side=0.38 * math.sin((ease(u) - 0.5) * 1.5), aim=1.0)


def _crane(u: float, _t: float) -> Offset:
    return Offset(rise=0.8 * (1 - ease(u)))


def _handheld(_u: float, t: float) -> Offset:
    return Offset(
        pan=0.005 * (math.sin(t * 5.1) + 0.6 * math.sin(t * 8.7 + 1)),
        tilt=0.006 * (math.sin(t * 4.3 + 2) + 0.5 * math.sin(t * 9.9)),
    )


def _static(_u: float, _t: float) -> Offset:
    return Offset()


def _whip(u: float, _t: float) -> Offset:
    """One fast swing onto the lead in the first half, then rest; kept under the bar for motion in a shot."""
    return Offset(pan=0.15 * (1 - ease(u / 0.5)))


MOVES: dict[str, Callable[[float, float], Offset]] = {
    "push": _push, "pull": _pull, "pan": _pan, "tilt": _tilt, "track": _track, "orbit": _orbit,
    "crane": _crane, "handheld": _handheld, "static": _static, "whip": _whip,
}  # fmt: skip


def move(names: Sequence[str], u: float, t: float, seconds: float = _UNHURRIED) -> Offset:
    """Where the named moves have taken the camera at progress `u`, `t` seconds into the film.

    In a shot of less than three `seconds` sideways and upward moves are shorter in proportion, no faster,
    and a pull is half as much shorter.
    Without a named move it breathes a little and drifts in, as an operator would; unknown names do nothing.
    """
    if not names:
        sway = Offset(pan=0.004 * math.sin(t * 1.1), tilt=0.003 * math.sin(t * 0.8 + 1))
        return sway + Offset(forward=0.1 * ease(u) - 0.05, side=0.05 * (ease(u) - 0.5))
    total = Offset()
    for name in dict.fromkeys(names):
        step = MOVES.get(name)
        if step is not None:
            total += step(u, t)
    calm = min(1.0, seconds / _UNHURRIED)
    return replace(
        total, side=total.side * calm, rise=total.rise * calm, pan=total.pan * calm, tilt=total.tilt * calm,
        forward=total.forward * (0.5 + 0.5 * calm if "pull" in names else 1.0),
    )  # fmt: skip
