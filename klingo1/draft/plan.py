"""What the director hands to the film: who plays, what each shot shows, and what was understood.

Plain values, no pictures: a plan is made without reading a pixel, shown on the page while somebody types, and
compared in tests. Pictures are named by their number in the request, from 1, as in the prompt (@Image1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

FPS = 24
VIEWS = ("front", "side", "back")
FRAMINGS = ("wide", "full", "medium", "close", "insert")
CAMERAS = (
    "push", "pull", "pan", "tilt", "track", "orbit", "crane", "handheld", "static", "whip",
)  # fmt: skip
ACTIONS = (
    "walk", "run", "jump", "dance", "wave", "turn", "spin", "fly", "float", "drive", "ride", "fall",
    "sit", "still",
)  # fmt: skip
PLACES = (
    "city", "market", "forest", "beach", "desert", "snow", "mountains", "meadow", "lake", "underwater",
    "space", "sky", "room", "studio",
)  # fmt: skip
"""Places with a set of their own. A plan's place may also be "picture" (a scene reference) or ""."""
TIMES = ("day", "dawn", "dusk", "night")
WEATHERS = (
    "rain", "snow", "fog", "fireflies", "embers", "confetti", "leaves", "dust",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CastMember:
    """One subject (or place) made of one or more pictures that show the same thing.

    `role` is character, prop, scene or style; `images` are picture numbers; `views` names what each cut-out
    view shows (front, side, back), in the order of the cut-outs; `cut` tells whether it could be cut out (a
    framed print is not).
    """

    role: str
    images: tuple[int, ...]
    views: tuple[str, ...] = ("front",)
    cut: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """What one cast member does in one shot. `member` indexes the cast; `view` is the one to show, `take`
    which one of that name where there are several (0 for the first). `carries` is set for what the shot's
    first part rides on or drives.
    """

    member: int
    action: str = "still"
    view: str = "front"
    take: int = 0
    carries: bool = False


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames `start` up to, not including, `stop` of the film, in one set from one camera."""

    start: int
    stop: int
    place: str
    framing: str
    camera: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    scene: int | None = None
    """Index of the cast member whose picture is the place, or None for a built set."""
    dissolve: bool = False
    """Whether it fades in over the shot before it instead of cutting."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.stop - self.start) / FPS


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole film: its world, its shots, and which of the prompt's words had no effect."""

    place: str
    time: str
    cast: tuple[CastMember, ...]
    shots: tuple[Shot, ...]
    weather: tuple[str, ...] = ()
    camera: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    """Light and mood: neon, wet, golden, misty, slow, dream, … as the lexicon names them."""
    colours: tuple[str, ...] = ()
    """#rrggbb for colours that the prompt names; a neutral set is graded by them."""
    ignored: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """The film's length in frames."""
        return self.shots[-1].stop

    def as_json(self) -> dict[str, Any]:
        """What `plan --json` prints and a result carries."""
        return {
            "place": self.place,
            "time": self.time,
            "weather": list(self.weather),
            "camera": list(self.camera),
            "actions": list(self.actions),
            "looks": list(self.looks),
            "colours": list(self.colours),
            "shots": [self._shot_json(shot) for shot in self.shots],
            "ignored": list(self.ignored),
        }

    def _shot_json(self, shot: Shot) -> dict[str, Any]:
        lead = shot.parts[0] if shot.parts else None
        members = [part.member for part in shot.parts] + ([] if shot.scene is None else [shot.scene])
        return {
            "seconds": round(shot.seconds, 3),
            "place": shot.place,
            "action": lead.action if lead else "still",
            "camera": list(shot.camera),
            "view": lead.view if lead else "",
            "framing": shot.framing,
            "references": sorted({n for m in members for n in self.cast[m].images}),
            "parts": [
                {"references": list(self.cast[p.member].images), "action": p.action, "view": p.view}
                for p in shot.parts
            ],
        }


def with_everyone(plan: Plan) -> Plan:
    """The same plan with whoever no shot shows standing in the first wide one: every reference is seen."""
    seen = {part.member for shot in plan.shots for part in shot.parts}
    seen |= {shot.scene for shot in plan.shots if shot.scene is not None}
    missing = [i for i in range(len(plan.cast)) if i not in seen]
    if not missing:
        return plan
    order = {"wide": 0, "full": 1, "medium": 2}
    index = min(range(len(plan.shots)), key=lambda i: (order.get(plan.shots[i].framing, 3), i))
    shot = plan.shots[index]
    extras = tuple(
        Part(i, "still", plan.cast[i].views[0] if plan.cast[i].views else "front") for i in missing
    )
    framing = shot.framing if shot.framing in order else "wide"
    shots = list(plan.shots)
    shots[index] = replace(shot, parts=(*shot.parts, *extras), framing=framing)
    return replace(plan, shots=tuple(shots))
