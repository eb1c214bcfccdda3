"""What an action looks like over time: pure functions from seconds to a pose.

A pose moves a puppet as a whole (metres, radians, scale factors) and names the phase of its own cycle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SPEED = {"walk": 1.15, "run": 1.6, "fly": 1.6, "drive": 1.8, "ride": 1.7}
"""Metres a second over the ground; other actions stay where they are. Slower than in life: at 24 frames a
second and so near a lens, a faster background only flickers."""
_CADENCE = {"walk": 0.95, "run": 1.55, "dance": 0.95}
"""Cycles (two steps) a second."""
YAW = math.radians(35)
"""One view shows one side: it turns no farther than this."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where an action has taken a puppet.

    `cycle` and `phase` choose the rig's pose; `lift` and `sway` are metres for a figure one metre tall;
    `turn` is radians about the feet, or about the middle when `about_middle`; `wide` and `tall` scale it.
    `view` names another view to show ("" for the one that was cast).
    """

    cycle: str = "idle"
    phase: float = 0.0
    lift: float = 0.0
    sway: float = 0.0
    turn: float = 0.0
    wide: float = 1.0
    tall: float = 1.0
    about_middle: bool = False
    view: str = ""


def act(
    action: str,
    t: float,
    *,
    seconds: float,
    legs: bool,
    solid: bool,
    calm: bool = False,
    slow: bool = False,
    all_round: bool = False,
) -> Pose:
    """The pose `t` seconds into a shot of `seconds`.

    `legs` is whether the rig found two legs; `solid` is a thing or a print, which does not breathe;
    `all_round` whether front, side and back are there to be shown in turn; `calm` tames a large flat print.
    """
    pace = (0.75 if slow else 1.0) * (0.55 if calm else 1.0)
    t *= pace
    cycle = _CADENCE.get(action, 0.42)
    phase = (t * cycle) % 1
    beat = 2 * math.pi * t * cycle
    rest = "rest" if solid else "idle"
    match action:
        case "walk" | "run" if legs:
            return Pose(action, phase, turn=0.01 * math.sin(beat))
        case "walk" | "run":
            hop = abs(math.sin(beat))
            strength = (0.055 if action == "run" else 0.035) * (0.4 if calm else 1.0)
            return Pose(
                rest, phase, lift=strength * hop, turn=strength * 1.4 * math.sin(beat), tall=0.99 + 0.02 * hop
            )
        case "dance":
            hop = abs(math.sin(beat))
            turn = 0.0 if legs and not solid else (0.05 if calm else 0.14) * math.sin(beat)
            cycle_name = "dance" if not solid else "rest"
            return Pose(cycle_name, phase, lift=0.035 * hop, sway=0.05 * math.sin(beat), turn=turn,
                        tall=0.97 + 0.05 * hop, wide=1 - 0.1 * (0.5 - 0.5 * math.cos(beat)))  # fmt: skip
        case "jump":
            return _jump(t)
        case "wave":
            return Pose(rest, phase, lift=0.015 * abs(math.sin(t * 7)), turn=0.075 * math.sin(t * 7))
        case "turn" | "spin" if all_round:
            return _turntable(t * (0.42 if action == "spin" else 0.26))
        case "turn":
            angle = YAW * math.sin(t * 1.3)
            return Pose(rest, phase, wide=math.cos(angle), turn=0.02 * math.sin(t * 1.3 + 0.6))
        case "spin":
            angle = YAW * math.sin(t * 2.6)
            return Pose(rest, phase, wide=math.cos(angle), turn=0.05 * math.sin(t * 2.6 + 0.6),
                        lift=0.02 * abs(math.sin(t * 2.6)))  # fmt: skip
        case "fly":
            return Pose(rest, phase, lift=0.5 + 0.05 * math.sin(t * 2.2), turn=0.06 * math.sin(t * 1.7),
                        about_middle=True)  # fmt: skip
        case "float":
            return Pose(rest, phase, lift=0.17 + 0.05 * math.sin(t * 1.9), sway=0.02 * math.sin(t * 1.1),
                        turn=0.06 * math.sin(t * 1.3), about_middle=True)  # fmt: skip
        case "drive" | "ride":
            shake = 0.006 * math.sin(t * 23) + 0.004 * math.sin(t * 37)
            rock = 0.05 * math.sin(t * 7.5) if action == "ride" else 0.012 * math.sin(t * 5)
            return Pose(rest, phase, lift=max(0.0, shake + (0.03 * abs(math.sin(t * 7.5)) if action ==
            "ride" else 0)),
                        turn=rock)  # fmt: skip
        case "fall":
            return _fall(t, seconds)
        case "sit":
            return Pose(rest, phase, tall=0.93, wide=1.02, turn=0.012 * math.sin(t * 0.9))
        case _:
            breath = 0.006 * math.sin(t * 1.7) if solid else 0.0
            return Pose(rest, phase, turn=breath)


def _jump(t: float) -> Pose:
    """Crouch, leap, land; squash and stretch keep the area."""
    phase = (t * 0.85) % 1
    if phase < 0.22:
        q = math.sin(phase / 0.22 * math.pi)
        return Pose("rest", tall=1 - 0.13 * q, wide=1 + 0.08 * q)
    if phase < 0.78:
        q = (phase - 0.22) / 0.56
        stretch = math.sin(2 * math.pi * q) ** 2
        return Pose("rest", lift=1.05 * q * (1 - q), tall=1 + 0.08 * stretch, wide=1 - 0.05 * stretch)
    q = math.sin((phase - 0.78) / 0.22 * math.pi)
    return Pose("rest", tall=1 - 0.10 * q, wide=1 + 0.07 * q)


def _turntable(turns: float) -> Pose:
    """Front, side, back and side again, each foreshortened towards its neighbours."""
    quarter = (turns * 4) % 4
    index = int(quarter + 0.5) % 4
    rest = (quarter + 0.5) % 1 - 0.5
    view = ("front", "side", "back", "side")[index]
    return Pose("rest", wide=math.cos(rest * math.pi / 2 * 0.8), view=view)


def _fall(t: float, seconds: float) -> Pose:
    """Drop in from above, bounce once, lie still and sway a little."""
    landing = min(1.1, 0.45 * seconds)
    if t < landing:
        q = t / landing
        return Pose("rest", lift=1.3 * (1 - q * q), turn=0.5 * (1 - q), about_middle=True)
    after = t - landing
    hop = 0.12 * abs(math.sin(after * 6)) * math.exp(-3.2 * after)
    squash = 0.16 * math.exp(-6 * after)
    return Pose("idle", (after * 0.4) % 1, lift=hop, tall=1 - squash, wide=1 + 0.6 * squash)
