"""What streets are built of: facades with windows and shops, and the letters over their doors."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from klingo1.draft.paint import add_glow, box, canvas, disc, ellipse, finish, noise, polyline, scaled
from klingo1.draft.stage import Image, Paint, Rgb, bgr

NEON: tuple[Rgb, ...] = (
    (255, 45, 150), (30, 225, 255), (255, 150, 40), (150, 70, 255), (60, 255, 170),
    (255, 70, 70), (90, 140, 255),
)  # fmt: skip
LAMPLIGHT: tuple[Rgb, ...] = ((255, 196, 120), (255, 226, 180), (255, 178, 104), (190, 222, 255))
_STROKES = (
    (0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (0, 3), (3, 6),
    (1, 4), (4, 7), (2, 5), (5, 8), (4, 6), (4, 8),
)  # fmt: skip
"""Pairs of points on a 3 x 3 lattice; a letter is five to seven of them. It spells nothing in any
language."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a street. `lit` is the share of windows with light; `signs` how strongly signs shine."""

    walls: tuple[Rgb, ...]
    windows: tuple[Rgb, ...]
    shops: tuple[Rgb, ...]
    signs: tuple[Rgb, ...]
    lit: float
    glow: float
    pane: Rgb
    """An unlit window: dark at night, the sky by day."""


NIGHT = Palette(
    walls=((40, 28, 40), (52, 34, 42), (34, 34, 54), (58, 40, 36), (46, 28, 54)),
    windows=((255, 196, 120), (150, 215, 255), (255, 150, 190), (255, 226, 180)),
    shops=((255, 190, 110), (120, 220, 255), (255, 110, 180), (255, 226, 180), (170, 140, 255)),
    signs=NEON,
    lit=0.4,
    glow=1.0,
    pane=(20, 16, 30),
)
DAY = Palette(
    walls=((224, 190, 150), (190, 152, 132), (228, 216, 192), (150, 172, 196), (204, 128, 98)),
    windows=((255, 236, 200), (236, 244, 255)),
    shops=((196, 178, 146), (148, 172, 184), (198, 158, 132), (164, 184, 158)),
    signs=((196, 60, 60), (40, 110, 160), (214, 150, 40), (60, 120, 84), (120, 76, 140)),
    lit=0.08,
    glow=0.0,
    pane=(138, 172, 204),
)


def pick(rng: Generator, colours: tuple[Rgb, ...]) -> Rgb:
    """One of them."""
    return colours[int(rng.integers(len(colours)))]


def letter(picture: Paint, rng: Generator, left: float, top: float, size: float, colour: Rgb) -> None:  # noqa: PLR0917 - a square is three numbers
    """One character of the invented script."""
    points = [
        (left + size * (0.12 + 0.38 * i), top + size * (0.12 + 0.38 * j)) for j in range(3) for i in range(3)
    ]
    for stroke in rng.choice(len(_STROKES), size=int(rng.integers(5, 8)), replace=False):
        a, b = _STROKES[stroke]
        polyline(picture, [points[a], points[b]], colour, max(1.0, size * 0.09))


def facade(rng: Generator, palette: Palette, length: float, height: float, ppm: float) -> Image:
    """A row of houses of `length` metres, up to `height` metres tall: premultiplied, its ends fit each
    other.
    """
    width, tall = round(length * ppm), round(height * ppm)
    wall = canvas(tall, width)
    light = np.zeros((tall, width, 3), np.float32)
    at = 0.0
    while at < length - 0.5:
        span = min(float(rng.uniform(5.5, 10.5)), length - at)
        span = length - at if length - at - span < 4 else span
        _house(rng, palette, wall, light, (at, at + span), float(rng.uniform(0.6, 1.0)) * height, height, ppm)
        at += span
    *parts, alpha = cv2.split(wall)
    del wall  # each of these pictures takes some 30 MB
    cover = cv2.merge([alpha * np.float32(1 / 255)] * 3)
    cv2.multiply(light, cover, dst=light)
    low, high = (1.5, 0.55) if palette.glow else (0.86, 1.04)  # the street's light spills up the walls
    shade = (1 + np.float32(0.08) * noise(rng, tall, width, 90, octaves=3)).clip(0.6, 1.5)
    shade *= np.linspace(high, low, tall, dtype=np.float32)[:, None]
    colour = np.asarray(cv2.merge([cv2.multiply(part, shade, dst=part) for part in parts]), np.float32)
    del parts, shade
    cv2.add(colour, light, dst=colour)
    if palette.glow:
        # Lamps and windows light what is round them.
        add_glow(colour, light, 0.22 * ppm, 0.28)
        spill = np.zeros_like(light)
        add_glow(spill, light, 1.1 * ppm, 0.45)
        cv2.multiply(spill, cover, dst=spill)
        cv2.add(colour, spill, dst=colour)
        del spill
    else:
        cv2.min(colour, cover * np.float32(255), dst=colour)
    del light, cover
    lit = finish(colour)
    cv2.insertChannel(alpha.astype(np.uint8), lit, 3)
    return lit


def _house(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator, palette: Palette, wall: Paint, light: Paint, span: tuple[float, float], roof: float,
    height: float, ppm: float,
) -> None:  # fmt: skip
    """One house between two points of the row (metres): storeys above, shops below."""

    def px(x: float, y: float) -> tuple[int, int]:
        return round(x * ppm), round((height - y) * ppm)

    base = scaled(pick(rng, palette.walls), float(rng.uniform(0.85, 1.15)))
    (left, top), (right, bottom) = px(span[0], roof), px(span[1], 0)
    box(wall, left, top, right, bottom, base)
    box(wall, left, top, right, top + max(2, round(0.18 * ppm)), scaled(base, 1.35))
    box(wall, left, top, left + max(1, round(0.06 * ppm)), bottom, scaled(base, 0.7))
    storey = float(rng.uniform(2.8, 3.3))
    pane, gap = ((1.0, 0.55), (0.66, 0.42), (1.8, 0.5), (0.5, 0.36))[int(rng.integers(4))]
    lamp, share = pick(rng, palette.windows), palette.lit * float(rng.uniform(0.6, 1.4))
    floor = 4.4
    while floor < roof - storey * 0.8:
        line = px(0, floor + 0.1)[1], px(0, floor - 0.04)[1]
        box(wall, left, line[0], right, line[1], scaled(base, 1.3))
        count = int((span[1] - span[0] - 0.6 + gap) / (pane + gap))
        start = (span[0] + span[1] - count * (pane + gap) + gap) / 2
        for k in range(count):
            x = start + k * (pane + gap)
            area = (*px(x, floor + storey * 0.74), *px(x + pane, floor + storey * 0.16))
            _window(rng, palette, wall, light, area,
                    lamp if rng.random() < share else None, base)  # fmt: skip
        floor += storey
    if palette.glow:
        tube = pick(rng, palette.signs)
        y = px(0, 4.1)[1]
        box3(light, left + 0.2 * ppm, y, right - 0.2 * ppm, y + max(2, 0.07 * ppm), tube)
        if rng.random() < 0.6:
            x = left + 0.14 * ppm if rng.random() < 0.5 else right - 0.18 * ppm
            box3(light, x, top + 0.4 * ppm, x + max(2, 0.07 * ppm), px(0, 4.6)[1], pick(rng, palette.signs))
    x = span[0] + 0.4
    while x < span[1] - 1.6:
        wide = min(float(rng.uniform(1.7, 3.4)), span[1] - 0.3 - x)
        _shop(rng, palette, wall, light, (*px(x, 3.0), *px(x + wide, 0.22)), ppm)
        x += wide + float(rng.uniform(0.35, 0.9))


def box3(picture: Paint, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:  # noqa: PLR0917 - a rectangle is four numbers
    """Fill a rectangle of a picture without alpha."""
    cv2.rectangle(
        picture,
        (round(left), round(top)),
        (max(round(left), round(right) - 1), round(bottom) - 1),
        bgr(colour),
        -1,
    )


def _window(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator, palette: Palette, wall: Paint, light: Paint, area: tuple[int, int, int, int],
    lamp: Rgb | None, base: Rgb,
) -> None:  # fmt: skip
    left, top, right, bottom = area
    box(wall, left - 1, top - 1, right + 1, bottom + 2, scaled(base, 0.6))
    fade = np.linspace(1.1, 0.7, max(1, bottom - top), dtype=np.float32)[:, None, None]
    if lamp is None:
        wall[top:bottom, left:right, :3] = (
            np.array(bgr(palette.pane), np.float32) * fade * float(rng.uniform(0.75, 1.1))
        )
        return
    light[top:bottom, left:right] = np.array(bgr(lamp), np.float32) * fade * float(rng.uniform(0.35, 0.85))
    if rng.random() < 0.5:
        curtain = left + round((right - left) * float(rng.uniform(0.1, 0.7)))
        light[top:bottom, curtain : curtain + max(2, (right - left) // 5)] *= 0.35
    middle = (left + right) // 2
    light[top:bottom, middle : middle + 1] *= 0.3


def _shop(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator, palette: Palette, wall: Paint, light: Paint, area: tuple[int, int, int, int], ppm: float
) -> None:
    """A lit shop front: shelves with goods, somebody inside, a frame, and a name above."""
    left, top, right, bottom = area
    width, tall = right - left, bottom - top
    colour = pick(rng, palette.shops)
    target: Paint = light if palette.glow else wall[..., :3]
    across = 0.78 + 0.22 * np.cos(np.linspace(-2.2, 2.2, width, dtype=np.float32))[None]
    down = np.linspace(1.05, 0.5, tall, dtype=np.float32)[:, None]
    strength = 0.55 if palette.glow else 1.0
    box(wall, left - 2, top - 2, right + 2, bottom + 2, (16, 14, 18) if palette.glow else scaled(colour, 0.5))
    target[top:bottom, left:right] = np.array(bgr(colour), np.float32) * (across * down)[..., None] * strength
    shelf = 0.55 * ppm
    inner = np.ascontiguousarray(target[top:bottom, left:right])
    for level in range(1, int(tall / shelf)):
        y = level * shelf
        x = 0.0
        while x < width:
            wide, high = float(rng.uniform(0.08, 0.3)) * ppm, float(rng.uniform(0.12, 0.36)) * ppm
            if rng.random() < 0.72:
                tone = scaled(pick(rng, (*palette.signs, colour)), strength * float(rng.uniform(0.25, 0.75)))
                box3(inner, x, y - high, x + wide, y, tone)
            x += wide + float(rng.uniform(0.02, 0.16)) * ppm
        box3(inner, 0, y, width, y + max(1, 0.03 * ppm), scaled(colour, 0.25 * strength))
    for _ in range(int(rng.integers(0, 3))):
        _figure(
            inner,
            float(rng.uniform(0.2, 0.8)) * width,
            tall,
            float(rng.uniform(1.5, 1.75)) * ppm,
            scaled(colour, 0.1),
        )
    for x in np.linspace(0, width, max(2, round(width / (1.1 * ppm)) + 1)):
        box3(inner, x - 1.5, 0, x + 1.5, tall, scaled(colour, 0.1))
    target[top:bottom, left:right] = inner
    board = pick(rng, palette.signs)
    box(wall, left, top - 0.72 * ppm, right, top, scaled(board, 0.25 if palette.glow else 0.8))
    size = 0.52 * ppm
    ink = board if palette.glow else (250, 246, 236)
    for k in range(int(width / (size * 1.15))):
        letter(
            light if palette.glow else wall,
            rng,
            left + 0.1 * ppm + k * size * 1.1,
            top - 0.66 * ppm,
            size,
            ink,
        )


def _figure(picture: Paint, x: float, floor: float, tall: float, colour: Rgb) -> None:
    """Somebody behind the glass."""
    ellipse(picture, (x, floor - 0.42 * tall), (0.13 * tall, 0.42 * tall), colour)
    disc(picture, (x, floor - 0.92 * tall), 0.08 * tall, colour)
