"""What an action looks like over time: pure functions from seconds to a pose.

A pose moves a puppet as a whole (metres, radians, scale factors) and names the phase of its own cycle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SPEED = {"walk": 1.15, "run": 1.6, "fly": 1.6, "drive": 1.8, "ride": 1.7}
"""Metres a second over the ground; other actions stay where they are. Slower than in life: at 24 frames a
second and so near a lens, a faster background only flickers."""
_CADENCE = {"walk": 0.95, "run": 1.45, "dance": 0.75}
"""Cycles (two steps) a second."""
_FALL = 1.5
"""Seconds that a fall takes where the shot has room for it."""
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
    vigour: float = 1.0,
    slow: bool = False,
    all_round: bool = False,
    prone: int = 0,
) -> Pose:
    """The pose `t` seconds into a shot of `seconds`.

    `legs` is whether the rig found two legs; `solid` is a thing or a print, which does not breathe;
    `all_round` whether front, side and back are there to be shown in turn; `calm` tames a large flat print;
    `vigour` (0-1) scales leaps, falls and dances: who fills the picture needs less of them;
    `prone` is the side (1 right, -1 left) to which somebody seen from the side stretches out to fly, or 0.
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
            turn = 0.0 if legs and not solid else (0.05 if calm else 0.2) * math.sin(beat)
            cycle_name = "dance" if not solid else "rest"
            return Pose(cycle_name, phase, lift=(0.02 if calm else 0.045) * vigour * hop,
                        sway=0.06 * vigour * math.sin(beat),
                        turn=turn, tall=0.97 + 0.05 * hop,
                        wide=1 - 0.1 * (0.5 - 0.5 * math.cos(beat)))  # fmt: skip
        case "jump":
            return _jump(t, vigour * (0.5 if calm else 1.0))
        case "wave" if not solid:
            return Pose("wave", (t * 0.9) % 1, turn=0.03 * math.sin(t * 5.65))
        case "wave":
            return Pose(rest, phase, lift=0.015 * abs(math.sin(t * 7)), turn=0.1 * math.sin(t * 7))
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
            bank = 0.07 * math.sin(t * 1.7)
            if prone:
                return Pose("rest", lift=0.34 + 0.05 * math.sin(t * 2.2), turn=prone * 1.12 + bank,
                            about_middle=True)  # fmt: skip
            return Pose(rest, phase, lift=0.24 + 0.05 * math.sin(t * 2.2), turn=1.6 * bank,
                        about_middle=True)  # fmt: skip
        case "float":
            return Pose(rest, phase, lift=0.19 + 0.06 * math.sin(t * 1.9), sway=0.03 * math.sin(t * 1.1),
                        turn=0.17 * math.sin(t * 1.3), about_middle=True)  # fmt: skip
        case "drive" | "ride":
            shake = 0.006 * math.sin(t * 23) + 0.004 * math.sin(t * 37)
            rock = 0.04 * math.sin(t * 7.5) if action == "ride" else 0.012 * math.sin(t * 5)
            bounce = 0.03 * abs(math.sin(t * 5)) if action == "ride" else 0.01 * abs(math.sin(t * 9))
            return Pose("sit" if legs else rest, 0.5 if legs else phase, lift=max(0.0, shake) + bounce,
                        turn=rock + prone * 0.07)  # fmt: skip
        case "fall":
            return _fall(t, seconds, vigour, seated=legs)
        case "sit":
            settle = 0.004 * math.sin(t * 1.9)
            if legs:
                return Pose("sit", 0.99, tall=1 + settle, turn=0.012 * math.sin(t * 0.9))
            return Pose(rest, phase, tall=(0.97 if solid else 0.9) + settle, wide=1.0 if solid else 1.03,
                        turn=0.012 * math.sin(t * 0.9))  # fmt: skip
        case _:
            breath = 0.006 * math.sin(t * 1.7) if solid else 0.0
            return Pose(rest, phase, turn=breath)


def _jump(t: float, strength: float) -> Pose:
    """Crouch, leap with the legs drawn up, land; squash and stretch keep the area."""
    phase = (t * 0.78) % 1
    if phase < 0.22:
        q = strength * math.sin(phase / 0.22 * math.pi)
        return Pose("sit", 0.35 * q, tall=1 - 0.1 * q, wide=1 + 0.08 * q)
    if phase < 0.78:
        q = (phase - 0.22) / 0.56
        stretch = strength * math.sin(2 * math.pi * q) ** 2
        return Pose("sit", 0.5 * math.sin(math.pi * q), lift=1.3 * strength * q * (1 - q),
                    tall=1 + 0.08 * stretch, wide=1 - 0.05 * stretch)  # fmt: skip
    q = strength * math.sin((phase - 0.78) / 0.22 * math.pi)
    return Pose("sit", 0.3 * q, tall=1 - 0.10 * q, wide=1 + 0.07 * q)


def _turntable(turns: float) -> Pose:
    """Front, side, back and side again, each foreshortened towards its neighbours."""
    quarter = (turns * 4) % 4
    index = int(quarter + 0.5) % 4
    rest = (quarter + 0.5) % 1 - 0.5
    view = ("front", "side", "back", "side")[index]
    return Pose("rest", wide=math.cos(rest * math.pi / 2 * 0.8), view=view)


def _fall(t: float, seconds: float, vigour: float, *, seated: bool) -> Pose:
    """Tumble in from above, bounce, and stay where it fell: sitting, or tilted."""
    landing = min(_FALL, 0.6 * seconds)
    reach = vigour * landing / _FALL  # in less time less far: not faster
    cycle, phase = ("sit", 0.9) if seated else ("rest", 0.0)
    rest = 0.12 if seated else 0.3
    if t < landing:
        q = t / landing
        return Pose(
            cycle,
            phase,
            lift=1.0 * reach * (1 - q * q),
            turn=rest + 1.1 * reach * (1 - q),
            about_middle=True,
        )
    after = t - landing
    hop = 0.14 * vigour * abs(math.sin(after * 6)) * math.exp(-3.2 * after)
    squash = 0.18 * vigour * math.exp(-6 * after)
    wobble = rest * math.exp(-1.5 * after) * math.cos(after * 7) if seated else rest
    return Pose(cycle, phase, lift=hop, turn=wobble + 0.01 * math.sin(after * 1.7), tall=1 - squash,
                wide=1 + 0.6 * squash, about_middle=True)  # fmt: skip
