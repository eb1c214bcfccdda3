"""Market stalls: a striped awning, a table heaped with fruit, spices, lanterns or cloth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import scaled
from klingo1.draft.scenery_strokes import leaves, sheet, stamp, tones
from klingo1.draft.stage import Image, Rgb, bgr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

AWNINGS: tuple[tuple[Rgb, Rgb], ...] = (
    ((206, 64, 56), (246, 232, 206)), ((46, 120, 140), (240, 234, 214)), ((226, 152, 52), (250, 238, 214)),
    ((92, 128, 70), (244, 238, 216)), ((128, 70, 120), (242, 226, 222)),
)  # fmt: skip
FRUIT: tuple[Rgb, ...] = (
    (224, 60, 44),
    (246, 160, 46),
    (250, 208, 70),
    (136, 180, 64),
    (150, 70, 120),
    (238, 120, 90),
)
WOOD: Rgb = (138, 96, 62)


def _fill(picture: Image, corners: list[tuple[float, float]], colour: Rgb) -> None:
    outline = (np.array(corners, np.float32) * 8).round().astype(np.int32)
    cv2.fillPoly(picture, [outline], (*bgr(colour), 255.0), cv2.LINE_AA, 3)


def stall(
    rng: Generator,
    ppm: float,
    paint: Callable[[Rgb], Rgb],
    *,
    wide: float = 2.6,
    tall: float = 2.7,
    lamp: Rgb | None = None,
    awning: tuple[Rgb, Rgb] | None = None,
) -> Image:
    """A stall seen from the front. `paint` gives colours in the light of the hour; a `lamp` shines inside."""
    height, width = round(tall * ppm), round(wide * ppm)
    picture = sheet(height, width)
    stripe, plain = awning or AWNINGS[int(rng.integers(len(AWNINGS)))]
    wood = paint(scaled(WOOD, float(rng.uniform(0.85, 1.15))))
    left, right = 0.09 * width, 0.91 * width
    table, eaves = height - 0.92 * ppm, 0.62 * ppm
    back = scaled(paint((96, 74, 62)), 0.62)
    _fill(picture, [(left, eaves), (right, eaves), (right, table), (left, table)], back)
    _shelf(rng, picture, (left, right), table - 0.62 * ppm, ppm, paint)
    for x in (left, right):
        _fill(
            picture,
            [
                (x - 0.04 * ppm, 0.3 * ppm),
                (x + 0.04 * ppm, 0.3 * ppm),
                (x + 0.04 * ppm, height),
                (x - 0.04 * ppm, height),
            ],
            scaled(wood, 0.75),
        )
    _fill(
        picture,
        [(left - 4, table), (right + 4, table), (right - 2, height - 2), (left + 2, height - 2)],
        scaled(wood, 0.7),
    )
    planks = 6
    for k in range(planks):
        y = table + (height - table) * k / planks
        _fill(picture, [(left, y), (right, y), (right, y + 2), (left, y + 2)], scaled(wood, 0.5))
    _goods(rng, picture, (left, right), table, ppm, paint)
    cloth = paint(stripe)
    _fill(
        picture,
        [
            (left - 4, table),
            (right + 4, table),
            (right + 4, table + 0.12 * ppm),
            (left - 4, table + 0.12 * ppm),
        ],
        scaled(wood, 1.05),
    )
    _awning(picture, (0.0, float(width - 1)), eaves, ppm, cloth, paint(plain))
    if lamp is not None:
        _light_up(picture, (width / 2, eaves + 0.42 * ppm), ppm, lamp)
    return picture


def _shelf(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator,
    picture: Image,
    span: tuple[float, float],
    y: float,
    ppm: float,
    paint: Callable[[Rgb], Rgb],
) -> None:
    x = span[0] + 0.15 * ppm
    _fill(
        picture,
        [(span[0], y), (span[1], y), (span[1], y + 0.05 * ppm), (span[0], y + 0.05 * ppm)],
        paint((104, 74, 52)),
    )
    while x < span[1] - 0.3 * ppm:
        wide, tall = rng.uniform(0.12, 0.26) * ppm, rng.uniform(0.14, 0.36) * ppm
        tone = scaled(paint(FRUIT[int(rng.integers(len(FRUIT)))]), 0.66)
        _fill(picture, [(x, y - tall), (x + wide, y - tall), (x + wide, y), (x, y)], tone)
        _fill(
            picture,
            [(x, y - tall), (x + wide * 0.3, y - tall), (x + wide * 0.3, y), (x, y)],
            scaled(tone, 1.25),
        )
        x += wide + rng.uniform(0.03, 0.14) * ppm


def _goods(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator,
    picture: Image,
    span: tuple[float, float],
    table: float,
    ppm: float,
    paint: Callable[[Rgb], Rgb],
) -> None:
    """Heaps of round things, each in its basket."""
    heaps = 4
    wide = (span[1] - span[0]) / heaps
    for k in range(heaps):
        colour = paint(FRUIT[(k + int(rng.integers(len(FRUIT)))) % len(FRUIT)])
        middle, size = span[0] + wide * (k + 0.5), wide * rng.uniform(0.085, 0.13)
        for row in range(4):
            count = 5 - row
            x = middle + (np.arange(count) - (count - 1) / 2) * size * 1.75 + rng.normal(0, 0.1, count) * size
            at = np.stack([x, np.full(count, table - size * 0.7 - row * size * 1.3)], axis=-1)
            radius = np.full(count, size)
            leaves(picture, at, radius, radius, np.zeros(count), tones(colour, rng.uniform(0.7, 0.92, count)))
            leaves(
                picture,
                at - 0.25 * size,
                radius * 0.62,
                radius * 0.62,
                np.zeros(count),
                tones(colour, rng.uniform(1.0, 1.2, count)),
            )
        _fill(
            picture,
            [
                (middle - wide * 0.46, table - 0.14 * ppm),
                (middle + wide * 0.46, table - 0.14 * ppm),
                (middle + wide * 0.4, table),
                (middle - wide * 0.4, table),
            ],
            scaled(paint((176, 132, 82)), 0.8 + 0.2 * (k % 2)),
        )


def _awning(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    picture: Image, span: tuple[float, float], eaves: float, ppm: float, stripe: Rgb, plain: Rgb
) -> None:
    stripes = 9
    left, right = span
    inset = 0.12 * (right - left)
    for k in range(stripes):
        a, b = k / stripes, (k + 1) / stripes
        tone = stripe if k % 2 == 0 else plain
        tone = scaled(tone, 0.86 + 0.28 * k / stripes)
        top = [left + inset + (right - left - 2 * inset) * t for t in (a, b)]
        low = [left + (right - left) * t for t in (a, b)]
        _fill(picture, [(top[0], 2), (top[1] + 1, 2), (low[1] + 1, eaves), (low[0], eaves)], tone)
        middle, radius = (low[0] + low[1]) / 2, (low[1] - low[0]) / 2
        turn = np.linspace(0, np.pi, 9)
        scallop = np.stack([middle + radius * np.cos(turn), eaves - 1 + 0.14 * ppm * np.sin(turn)], axis=-1)
        stamp(picture, scallop[None], np.array([scaled(tone, 0.84)]))


def _light_up(picture: Image, at: tuple[float, float], ppm: float, lamp: Rgb) -> None:
    """A hanging lamp: its bulb, and its warm light on the goods."""
    height, width = picture.shape[:2]
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(column - at[0], (row - at[1]) * 0.9) / ppm
    glow = np.exp(-((away / 0.85) ** 2)) * 0.85 + np.exp(-away * 1.1) * 0.5
    cover = picture[..., 3:].astype(np.float32) / 255
    colour = picture[..., :3].astype(np.float32)
    tint = np.array(bgr(lamp), np.float32) / 255
    lit = colour * (1 + 2.6 * glow[..., None] * tint) + (glow * 20)[..., None] * tint * cover
    picture[..., :3] = np.minimum(lit, 255).astype(np.uint8)
    cv2.circle(
        picture,
        (round(at[0]), round(at[1])),
        max(2, round(0.07 * ppm)),
        (225.0, 245.0, 255.0, 255.0),
        -1,
        cv2.LINE_AA,
    )
