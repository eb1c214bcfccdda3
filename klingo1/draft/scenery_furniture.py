"""Furniture and the walls of a room: sofa, lamp, plant, shelf, window, framed pictures.

Pictures of furniture stand on their lower edge; sizes follow from `ppm`, pixels per metre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import noise, scaled
from klingo1.draft.scenery_strokes import leaves, ribbon, sheet, tones
from klingo1.draft.stage import Image, Rgb, bgr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator


def slab(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    picture: Image, left: float, top: float, right: float, bottom: float, colour: Rgb, *, radius: float = 0.0
) -> None:
    """Fill a rectangle, its corners rounded by `radius` pixels."""
    r = min(radius, (right - left) / 2, (bottom - top) / 2)
    if r < 1:
        cv2.rectangle(
            picture,
            (round(left), round(top)),
            (round(right) - 1, round(bottom) - 1),
            (*bgr(colour), 255.0),
            -1,
        )
        return
    turn = np.linspace(0, np.pi / 2, 6)
    corner = np.stack([np.cos(turn), np.sin(turn)], axis=-1) * r
    points = np.concatenate(
        [
            np.array([right - r, bottom - r]) + corner,
            np.array([left + r, bottom - r]) + corner[::-1] * [-1, 1],
            np.array([left + r, top + r]) - corner,
            np.array([right - r, top + r]) + corner[::-1] * [1, -1],
        ]
    )
    cv2.fillPoly(picture, [(points * 8).round().astype(np.int32)], (*bgr(colour), 255.0), cv2.LINE_AA, 3)


def sofa(ppm: float, cloth: Rgb, wood: Rgb) -> Image:
    """A two-seat sofa with cushions, 2.3 m wide."""
    picture = sheet(0.98 * ppm, 2.3 * ppm)
    height, width = picture.shape[:2]
    for x in (0.12, 0.88):
        slab(picture, x * width - 4, height - 0.16 * ppm, x * width + 4, height, scaled(wood, 0.6))
    slab(picture, 0.06 * width, 0, 0.94 * width, height - 0.16 * ppm, scaled(cloth, 0.82), radius=0.16 * ppm)
    for k in range(2):
        left = 0.1 * width + k * 0.4 * width
        slab(
            picture,
            left,
            0.06 * ppm,
            left + 0.39 * width,
            0.62 * ppm,
            scaled(cloth, 0.98 + 0.05 * k),
            radius=0.12 * ppm,
        )
        slab(
            picture,
            left,
            0.48 * ppm,
            left + 0.39 * width,
            0.72 * ppm,
            scaled(cloth, 1.12 + 0.04 * k),
            radius=0.08 * ppm,
        )
    for left in (0.0, 0.9 * width):
        slab(
            picture,
            left,
            0.3 * ppm,
            left + 0.1 * width,
            height - 0.1 * ppm,
            scaled(cloth, 0.9 if left else 0.76),
            radius=0.1 * ppm,
        )
    slab(
        picture,
        0.15 * width,
        0.26 * ppm,
        0.15 * width + 0.36 * ppm,
        0.58 * ppm,
        (232, 180, 90),
        radius=0.07 * ppm,
    )
    return picture


def lamp(ppm: float, iron: Rgb, *, lit: bool) -> Image:
    """A floor lamp, 1.75 m; a lit one has a glow round its shade."""
    picture = sheet(1.75 * ppm, 1.2 * ppm)
    height, width = picture.shape[:2]
    middle = width / 2
    slab(picture, middle - 2, 0.4 * ppm, middle + 2, height - 2, iron)
    slab(picture, middle - 0.17 * ppm, height - 0.05 * ppm, middle + 0.17 * ppm, height, iron, radius=3)
    shade = np.array([[-0.15, 0.12], [0.15, 0.12], [0.25, 0.48], [-0.25, 0.48]]) * ppm + [middle, 0]
    tone: Rgb = (255, 226, 164) if lit else (214, 204, 184)
    cv2.fillPoly(picture, [(shade * 8).astype(np.int32)], (*bgr(tone), 255.0), cv2.LINE_AA, 3)
    if lit:
        row, column = np.mgrid[0:height, 0:width].astype(np.float32)
        away = np.hypot(column - middle, row - 0.34 * ppm) / ppm
        glow = np.clip(np.exp(-((away / 0.3) ** 2)) * 0.55, 0, 1)[..., None] * np.array(
            bgr((255, 190, 110)), np.float32
        )
        picture[..., :3] = np.minimum(picture[..., :3] + glow, 255).astype(np.uint8)
    return picture


def pendant(ppm: float, drop: float, *, lit: bool) -> Image:
    """A paper globe on a cord of `drop` metres; its lower edge is the picture's."""
    picture = sheet((drop + 0.1) * ppm, 1.3 * ppm)
    height, width = picture.shape[:2]
    middle, radius = width / 2, 0.25 * ppm
    slab(picture, middle - 1, 0, middle + 1, height - 2 * radius, (70, 62, 56))
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(column - middle, (row - (height - 1.1 * radius)) * 1.08)
    cover = np.clip(radius - away + 0.5, 0, 1)[..., None]
    tone: Rgb = (255, 232, 184) if lit else (226, 220, 206)
    ribs = 0.94 + 0.06 * np.cos((row - height) * 40 / ppm)
    shade = (ribs * (1.0 if lit else 1 - 0.3 * (away / radius) ** 2))[..., None]
    paper = np.dstack([np.array(bgr(tone), np.float32) * shade, np.full((height, width, 1), 255, np.float32)])
    mixed = picture * (1 - cover) + paper.clip(0, 255) * cover
    if lit:
        halo = (np.exp(-((away / (1.5 * radius)) ** 2)) * 0.5)[..., None]
        mixed[..., :3] += halo * np.array(bgr((255, 190, 110)), np.float32) * (1 - cover)
    result: Image = mixed.clip(0, 255).astype(np.uint8)
    return result


def pot_plant(rng: Generator, ppm: float, green: Rgb, clay: Rgb) -> Image:
    """A large-leaved plant in a clay pot, 1.4 m."""
    picture = sheet(1.4 * ppm, 1.15 * ppm)
    height, width = picture.shape[:2]
    foot = np.array([width / 2, height - 0.4 * ppm])
    t = np.linspace(0, 1, 8)
    for angle in sorted(rng.uniform(-1.15, 1.15, 17), key=lambda a: -abs(a)):
        long = 0.86 * ppm * rng.uniform(0.5, 1.0)
        tip = foot + np.array([0.6 * np.sin(angle), -np.cos(angle)]) * long
        path = foot + (tip - foot) * t[:, None]
        bright = rng.uniform(0.66, 1.08) + 0.14 * np.sin(angle)
        red, dense, blue = tones(green, np.array([bright * 0.7]))[0]
        ribbon(picture, path, 0.02 * ppm * (1.2 - t) + 1, (float(red), float(dense), float(blue)))
        leaves(
            picture,
            tip[None],
            np.array([0.17 * ppm]),
            np.array([0.085 * ppm]),
            np.array([angle - 1.2]),
            tones(green, np.array([bright])),
        )
        leaves(
            picture,
            tip[None] - 1,
            np.array([0.13 * ppm]),
            np.array([0.03 * ppm]),
            np.array([angle - 1.2]),
            tones(green, np.array([bright * 1.25])),
        )
    pot = np.array([[-0.22, -0.42], [0.22, -0.42], [0.16, 0], [-0.16, 0]]) * ppm + [width / 2, height - 1]
    cv2.fillPoly(picture, [(pot * 8).astype(np.int32)], (*bgr(clay), 255.0), cv2.LINE_AA, 3)
    slab(
        picture,
        width / 2 - 0.25 * ppm,
        height - 0.47 * ppm,
        width / 2 + 0.25 * ppm,
        height - 0.38 * ppm,
        scaled(clay, 1.14),
    )
    return picture


def bookcase(rng: Generator, ppm: float, wood: Rgb, paint: Callable[[Rgb], Rgb]) -> Image:
    """Shelves full of books, 1.3 x 2.1 m."""
    picture = sheet(2.1 * ppm, 1.3 * ppm)
    height, width = picture.shape[:2]
    slab(picture, 0, 0, width, height, wood)
    edge = 0.05 * ppm
    spines: tuple[Rgb, ...] = (
        (170, 62, 54),
        (60, 104, 120),
        (206, 160, 84),
        (92, 118, 78),
        (112, 76, 110),
        (224, 210, 182),
    )
    shelves = 5
    for k in range(shelves):
        top, bottom = height * k / shelves + edge, height * (k + 1) / shelves - edge * 0.4
        slab(picture, edge, top, width - edge, bottom, scaled(wood, 0.42))
        x = edge + 2
        while x < width - 2.4 * edge:
            wide = rng.uniform(0.03, 0.075) * ppm
            if rng.random() < 0.86:
                tone = scaled(paint(spines[int(rng.integers(len(spines)))]), float(rng.uniform(0.75, 1.05)))
                slab(
                    picture,
                    x,
                    top + (bottom - top) * rng.uniform(0.12, 0.4),
                    min(x + wide, width - edge),
                    bottom,
                    tone,
                )
            x += wide + 1
    return picture


def wall_paper(rng: Generator, width: int, height: int, tone: Rgb, ppm: float) -> Image:
    """A plastered wall with panelling below, a picture rail and a skirting board."""
    colour = np.empty((height, width, 3), np.float32)
    colour[:] = bgr(tone)
    colour *= (1 + 0.018 * noise(rng, height, width, 12, octaves=5))[..., None]
    colour *= np.linspace(0.88, 1.04, height, dtype=np.float32)[:, None, None]
    picture = np.dstack([colour.clip(0, 255), np.full((height, width, 1), 255, np.float32)]).astype(np.uint8)
    panel = height - 0.95 * ppm
    low = scaled(tone, 0.8)
    slab(picture, 0, panel, width, height, low)
    slab(picture, 0, panel - 0.05 * ppm, width, panel + 0.03 * ppm, scaled(tone, 1.1))
    slab(picture, 0, height - 0.16 * ppm, width, height, scaled(tone, 1.06))
    step = 0.9 * ppm
    for x in np.arange(0.1 * ppm, width - 0.5 * step, step):
        slab(picture, x, panel + 0.14 * ppm, x + step - 0.18 * ppm, height - 0.26 * ppm, scaled(low, 0.9))
        slab(
            picture,
            x + 2,
            panel + 0.14 * ppm + 2,
            x + step - 0.18 * ppm,
            height - 0.26 * ppm,
            scaled(low, 1.05),
        )
    slab(picture, 0, 0.12 * ppm, width, 0.2 * ppm, scaled(tone, 1.12))
    return picture


def window(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    picture: Image, view: Image, box: tuple[float, float, float, float], ppm: float, frame: Rgb, curtain: Rgb
) -> None:
    """A window (left, top, right, bottom in pixels) onto `view` (opaque BGRA), with curtains, in place."""
    left, top, right, bottom = (round(v) for v in box)
    picture[top:bottom, left:right] = cv2.resize(
        view, (right - left, bottom - top), interpolation=cv2.INTER_AREA
    )
    bar = max(2, round(0.05 * ppm))
    for k in range(4):
        x = left + (right - left) * k / 3
        slab(picture, x - bar / 2, top, x + bar / 2, bottom, frame)
    for y in (top, top + 0.36 * (bottom - top), bottom):
        slab(picture, left - bar, y - bar / 2, right + bar, y + bar / 2, frame)
    slab(picture, left - 2 * bar, bottom, right + 2 * bar, bottom + 1.4 * bar, scaled(frame, 1.05))
    for side, edge in ((-1, left), (1, right)):
        wide = 0.42 * ppm
        for k in range(7):
            a = edge - 0.1 * ppm * side * -1 + (k / 7 - 0.62) * wide * 1.0
            slab(
                picture,
                a,
                top - 0.16 * ppm,
                a + wide / 7 + 1,
                bottom + 0.24 * ppm,
                scaled(curtain, 0.78 + 0.16 * (k % 3)),
            )
    slab(
        picture,
        left - 0.55 * ppm,
        top - 0.2 * ppm,
        right + 0.55 * ppm,
        top - 0.14 * ppm,
        scaled(frame, 0.5),
        radius=2,
    )


def hang(
    picture: Image,
    rng: Generator,
    box: tuple[float, float, float, float],
    wood: Rgb,
    tones_: tuple[Rgb, Rgb, Rgb],
) -> None:
    """A framed landscape on the wall, in place."""
    left, top, right, bottom = box
    slab(picture, left - 5, top - 5, right + 5, bottom + 5, scaled(wood, 0.7))
    slab(picture, left - 3, top - 3, right + 3, bottom + 3, (236, 230, 216))
    slab(picture, left, top, right, bottom, tones_[0])
    x = np.linspace(left, right - 1, 20)
    for share, tone in ((0.5, tones_[1]), (0.72, tones_[2])):
        y = top + (bottom - top) * (share + 0.1 * np.sin(x * 0.11 + rng.uniform(0, 6)))
        points = np.concatenate([np.stack([x, y], axis=-1), [[right - 1, bottom - 1], [left, bottom - 1]]])
        cv2.fillPoly(picture, [(points * 8).astype(np.int32)], (*bgr(tone), 255.0), cv2.LINE_AA, 3)
