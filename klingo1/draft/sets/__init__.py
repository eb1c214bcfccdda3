"""The places a film can be set in: one file per place, found by its name, imported when it is first needed.

A set module defines one function::

    def build(spec: SetSpec) -> Set: ...

named after the place (`sets/forest.py` for "forest"). It is called once per heading and film and must be a
pure function of `spec`: take every random number from `spec.rng("trees")`, read no clock and no file. It
should take under half a second and hold under 60 MB.

Metres: x right, y up, z away. The film starts with its camera near (0, 1.5, 0), looking along z, and the
lead at (0, 0, 2…6). With `spec.heading == "forward"` people walk along z (or towards us), and the camera
with them, for up to 30 m; with "lateral" they walk along x and are seen from the side. So that they never
run out of world, scenery repeats: give a Card `wrap_z` (forward) or `wrap_x` (lateral), its period in
metres. Keep a corridor clear: no card within 1.1 m of x = 0 in "forward" and none nearer than z = 6.5 in
"lateral" (save a few low or blurred ones at z < 2.4); a card that would hide the lead is faded by the film
anyway.

The ground reaches to the horizon; the sky card stands behind all. The film lays haze over ground, walls and
cards by distance and melts sky and ground together at the horizon (`mist`), so sets need not paint that. It
also lights the cast by `light`, and adds weather, bloom, vignette and grain. Colours are RGB 0-255
everywhere.

Painters to build with: klingo1.draft.paint (noise, gradients, cut shapes, glow), klingo1.draft.skies (sky
for a time of day, ridges of hills, its light), klingo1.draft.tiles (ground textures). `studio.py` is a short
example.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import numpy as np

from klingo1.draft.cards import Card, Wall
from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_weather import snowed
from klingo1.draft.stage import Camera, Image, Rgb, lens

if TYPE_CHECKING:
    from collections.abc import Callable

FALLBACK = "neutral"
HEADINGS = ("forward", "lateral")


@dataclass(frozen=True, slots=True)
class SetSpec:
    """What a set is built for.

    `width` x `height` is the size in pixels that scenery is rendered at (smaller than the film's, same
    shape). `time` is one of plan.TIMES; `looks`, `weather` and `colours` are the plan's. `picture` is the
    scene reference (BGR, uint8) when the place is "picture".
    """

    width: int
    height: int
    place: str = ""
    time: str = "day"
    heading: str = "forward"
    looks: tuple[str, ...] = ()
    weather: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    seed: int = 0
    picture: Image | None = None
    framing: str = "wide"
    """The first shot's framing; only a photograph cares, which shows less of itself in closer ones."""

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator of its own for each purpose, so that one change does not move everything else."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])

    @property
    def forward(self) -> bool:
        """Whether people walk along z here, not along x."""
        return self.heading == "forward"

    @property
    def focal(self) -> float:
        """The lens in pixels: a card seen from d metres needs no more than focal / d pixels per metre."""
        return lens(self.width, self.height)


class Backdrop(Protocol):
    """What may stand in for sky, ground and walls (a photograph folded into wall and floor)."""

    def draw(self, frame: Image, camera: Camera) -> None:
        """Fill the whole frame (premultiplied BGRA, alpha 255)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the camera may leave its path, in metres: to each side, up, and down."""

    side: float = 1.2
    rise: float = 1.6
    sink: float = 0.5


_SKIRT = 4
"""Rows of the sky below the horizon that repeat what stands on it."""


@dataclass(slots=True)
class Set:
    """A place, ready to be filmed.

    `sky` is opaque BGRA, at least 1.4 x spec.width wide, its row `horizon` lying at the horizon, with at
    least 0.75 x spec.height above it (edges repeat beyond). `grounds` are drawn far to near; the first should
    reach the horizon. At `haze_distance` metres a thing is two thirds haze. `mist` (0-1) is how much haze
    lies on the horizon itself: 0.9 hides the line, 0 for a place without air. `wetness` scales the mirror
    given by the grounds' alpha; `gloss` mirrors the cast alone (polished floor). `weather` is what the place
    has of its own; with `roof` nothing falls into it (rain, snow and leaves stay outside). `bloom` is the
    strength of the glow round what is brighter than `bloom_from`.
    """

    sky: Image
    horizon: float
    grounds: list[Ground]
    light: Light
    haze: Rgb
    haze_distance: float = 40.0
    mist: float = 0.9
    cards: list[Card] = field(default_factory=list)
    walls: list[Wall] = field(default_factory=list)
    wetness: float = 0.0
    gloss: float = 0.0
    weather: tuple[str, ...] = ()
    roof: bool = False
    bloom: float = 0.35
    bloom_from: int = 165
    limits: Limits = field(default_factory=Limits)
    backdrop: Backdrop | None = None
    width: int = 0
    """The width in pixels that the sky was painted for; `build` fills it in."""

    def mirror(self) -> float:
        """How strongly the cast is mirrored, 0 to 0.7: people stand on the first ground, not in the water."""
        wet = self.grounds[0].wet if self.grounds else 0.0
        return max(self.gloss, min(0.7, 1.1 * wet * self.wetness))


def places() -> tuple[str, ...]:
    """Every place that has a module here, sorted."""
    from pkgutil import iter_modules  # noqa: PLC0415 - only tests and listings ask

    return tuple(sorted(m.name for m in iter_modules(__path__) if not m.name.startswith("_")))


def build(spec: SetSpec) -> Set:
    """Build the set for `spec.place`; a place without a module gets the neutral set."""
    name = spec.place if spec.place.isidentifier() and not spec.place.startswith("_") else FALLBACK
    if find_spec(f"{__name__}.{name}") is None:
        name = FALLBACK
    builder: Callable[[SetSpec], Set] = import_module(f"{__name__}.{name}").build
    found = builder(spec)
    snowed(found, spec, hour(spec).tone.dim)
    found.width = spec.width
    _skirt(found)
    return found


def _skirt(place: Set) -> None:
    """Draw the foot of the hills a little below the horizon: no bright line of bare sky shows above the
    ground.
    """
    row = round(place.horizon)
    if place.grounds and 1 < row < len(place.sky) - _SKIRT:
        place.sky[row - 1 : row + _SKIRT] = place.sky[row - 2]
