"""Scattering: things set along the way so that scenery repeats unseen and nobody's path is blocked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.cards import Card
from klingo1.draft.scenery_strokes import sheet, soften
from klingo1.draft.stage import Image, over
from klingo1.draft.texture import Texture

if TYPE_CHECKING:
    from numpy.random import Generator

PERIOD = 42.0
"""Metres after which scattered things repeat."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A picture (premultiplied BGRA), its pixels per metre, and the rows of it that lie below its foot."""

    image: Image
    ppm: float
    below: int = 0

    @property
    def wide(self) -> float:
        """Metres."""
        return float(self.image.shape[1] / self.ppm)

    def card(
        self, x: float, y: float, z: float, *, wrap_x: float = 0.0, wrap_z: float = 0.0, reflects: bool = True
    ) -> Card:
        """A card of it that stands at a point."""
        anchor = (self.image.shape[1] / 2, float(self.image.shape[0] - self.below))
        return Card(self.image, self.ppm, x, y, z, anchor, wrap_x=wrap_x, wrap_z=wrap_z, reflects=reflects)


Pool = Sequence[Thing]


def pool(make: Callable[[], Image], ppm: float, count: int, *, shadow: float = 0.0) -> list[Thing]:
    """`count` things from a painter; `shadow` (0-1) darkens the ground that they stand on."""
    return [grounded(make(), ppm, shadow) if shadow else Thing(make(), ppm) for _ in range(count)]


def grounded(
    image: Image, ppm: float, shadow: float = 0.5, *, spread: float = 1.0, sink: float = 0.0
) -> Thing:
    """A thing with a soft shadow at its foot; `sink` metres of it lie in the ground."""
    height, width = image.shape[:2]
    deep = max(3, round(0.085 * width * spread))
    room = round(0.12 * width * spread)
    big = cv2.copyMakeBorder(image, 0, deep, room, room, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    row = (np.arange(big.shape[0], dtype=np.float32)[:, None] - (height - 1 - 0.2 * deep)) / deep
    column = (np.arange(big.shape[1], dtype=np.float32)[None] - big.shape[1] / 2) / (width / 2 + room)
    dark = sheet(*big.shape[:2])
    soft = np.clip(1.3 - 1.3 * np.hypot(row, column), 0, 1)
    dark[..., 3] = (soft * soft * (3 - 2 * soft) * 255 * shadow).astype(np.uint8)
    over(dark, big)
    return Thing(dark, ppm, deep + round(sink * ppm))


def along(
    rng: Generator, things: Pool, count: int, near: float, far: float,
    *, y: float = 0.0, period: float = PERIOD, crowd: float = 1.5, reflects: bool = True,
) -> list[Card]:  # fmt: skip
    """Things on both sides of a way that runs along z, `near` to `far` metres from its middle to their edge.

    They keep their width clear of the way; `crowd` > 1 gathers them near it.
    """
    cards = []
    places = (np.argsort(rng.random(count)) + rng.random(count)) / count
    start = int(rng.integers(len(things)))
    for k in range(count):
        thing = _mirrored(rng, things[(start + k) % len(things)])
        side = -1.0 if (k + start) % 2 else 1.0
        away = near + (far - near) * float(places[k]) ** crowd + 0.32 * thing.wide
        z = period * (k + float(rng.uniform(0, 0.8))) / count + 0.4
        cards.append(thing.card(side * away, y, z, wrap_z=period, reflects=reflects))
    return cards


def across(
    rng: Generator, things: Pool, count: int, near: float, far: float,
    *, y: float = 0.0, period: float = PERIOD, reflects: bool = True,
) -> list[Card]:  # fmt: skip
    """Things behind a way that runs along x, `near` to `far` metres away."""
    cards = []
    depth = (np.argsort(rng.random(count)) + rng.random(count)) / count
    for k in range(count):
        thing = _mirrored(rng, things[k % len(things)])
        x = period * (k + float(rng.uniform(0, 0.8))) / count
        z = near + (far - near) * float(depth[k])
        cards.append(thing.card(x, y, z, wrap_x=period, reflects=reflects))
    return cards


def band(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator, things: Pool, count: int, z: float, ppm: float, tall: float,
    *, period: float = PERIOD, y: float = 0.0, reflects: bool = True, deep: float = 0.12,
) -> Card:  # fmt: skip
    """Many far things merged into one seamless card behind the way: one picture to draw instead of `count`.

    `deep` (metres) is how much lower the nearest stands than the farthest.
    """
    picture = sheet(tall * ppm, period * ppm)
    height, width = picture.shape[:2]
    for k in range(count):
        thing = _mirrored(rng, things[int(rng.integers(len(things)))])
        image = thing.image
        scale = ppm / thing.ppm * float(rng.uniform(0.82, 1.12))
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)[-height:]
        left = round(width * (k + float(rng.uniform(0, 0.9))) / count)
        bottom = height - round(deep * ppm * (1 - k % 5 / 4))
        for shift in (-width, 0, width):
            _paste(picture, small, left + shift, bottom - small.shape[0])
    return Card(picture, ppm, 0.0, y - deep, z, wrap_x=period, reflects=reflects)


def framing(
    rng: Generator, things: Pool, count: int, *, z: float = 1.9, period: float = PERIOD, y: float = 0.0
) -> list[Card]:
    """Low things just before the lens of a camera that looks across the way: few, large, out of focus."""
    cards = []
    for k in range(count):
        thing = _mirrored(rng, things[k % len(things)])
        blurred = soften(thing.image, 0.022 * thing.ppm)
        x = period * (k + 0.5 + float(rng.uniform(-0.3, 0.3))) / count
        cards.append(
            Card(blurred, thing.ppm, x, y, z + float(rng.uniform(-0.25, 0.25)), wrap_x=period, reflects=False)
        )
    return cards


def _mirrored(rng: Generator, thing: Thing) -> Thing:
    """The thing or its mirror image; light comes from one side, so that only some are turned."""
    return replace(thing, image=Texture.of(thing.image).mirrored) if rng.random() < 0.35 else thing


def _paste(picture: Image, image: Image, left: int, top: int) -> None:
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + image.shape[1], picture.shape[1]), min(top + image.shape[0], picture.shape[0])
    if x1 > x0 and y1 > y0:
        over(picture[y0:y1, x0:x1], image[y0 - top : y1 - top, x0 - left : x1 - left])
