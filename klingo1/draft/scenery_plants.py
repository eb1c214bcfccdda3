"""Low and tropical plants: grass, ferns, reeds, flowers, palms, cacti, standing on their lower edge.

Sizes in metres, `ppm` pixels per metre, colours as they look in the light of the hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import scaled
from klingo1.draft.scenery_strokes import Points, leaves, ribbon, sheet, spikes, tones
from klingo1.draft.stage import Image, Rgb, bgr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator


def tuft(
    rng: Generator, ppm: float, tall: float, colours: Sequence[Rgb], *,
    blades: int = 46, spread: float = 1.5, flowers: Sequence[Rgb] = (),
) -> Image:  # fmt: skip
    """Blades of grass from one foot, dark below; `flowers` sit on some of the tips."""
    height, width = tall * ppm, tall * ppm * spread
    picture = sheet(height, width)
    t = np.linspace(0, 1, 7)
    tips = []
    for k in range(blades):
        bright = 0.62 + 0.5 * k / blades
        lean = rng.normal(0, 0.42)
        long = height * rng.uniform(0.5, 0.97) * (1 - 0.12 * abs(lean))
        foot = width / 2 + rng.normal(0, 0.13) * width
        path = np.stack(
            [foot + lean * long * 0.62 * t**1.8, height - long * (t - 0.16 * abs(lean) * t**3)], axis=-1
        )
        path[:, 0] = np.clip(path[:, 0], 1, width - 2)
        colour = tones(colours[int(rng.integers(len(colours)))], np.array([bright]))[0]
        thick = max(1.2, 0.03 * ppm * min(1.0, tall)) * (1 - t) ** 0.7 + 0.6
        ribbon(picture, path, thick, (float(colour[0]), float(colour[1]), float(colour[2])))
        tips.append(path[-1])
    if flowers:
        for tip in tips[:: max(2, blades // 9)]:
            _flower(rng, picture, tip, max(1.4, 0.022 * ppm), flowers[int(rng.integers(len(flowers)))])
    fade = np.linspace(1.1, 0.62, picture.shape[0], dtype=np.float32)[:, None, None]
    picture[..., :3] = np.minimum(picture[..., :3] * fade, picture[..., 3:]).astype(np.uint8)
    return picture


def _flower(rng: Generator, picture: Image, at: Points, size: float, colour: Rgb) -> None:
    petals = 6
    angle = np.linspace(0, 2 * np.pi, petals, endpoint=False) + rng.uniform(0, 1)
    spot = at + np.stack([np.cos(angle), 0.7 * np.sin(angle)], axis=-1) * size * 0.7
    tone = tones(colour, rng.uniform(0.85, 1.1, petals))
    leaves(picture, spot, np.full(petals, size * 0.62), np.full(petals, size * 0.42), angle, tone)
    leaves(
        picture, at[None], np.array([size * 0.36]), np.array([size * 0.3]), np.zeros(1),
        tones((240, 200, 90), np.array([sum(colour) / 700])),
    )  # fmt: skip


def fern(rng: Generator, ppm: float, tall: float, green: Rgb, *, light: float = 1.0) -> Image:
    """Arching fronds with paired leaflets."""
    height, width = tall * ppm, 2.3 * tall * ppm
    picture = sheet(height, width)
    t = np.linspace(0, 1, 19)
    for angle in sorted(np.linspace(-1.3, 1.3, 11) + rng.normal(0, 0.09, 11), key=lambda a: -abs(a)):
        long = height * rng.uniform(0.86, 1.08)
        x = width / 2 + np.sin(angle) * long * 1.02 * t
        y = (
            height
            - np.cos(angle * 0.72) * long * (t - 0.36 * t**2.5)
            - 0.1 * long * np.sin(np.pi * t) * abs(np.sin(angle))
        )
        bright = 0.82 + 0.22 * np.sin(angle) * light + 0.2 * (1 - abs(angle) / 1.4) + rng.normal(0, 0.05)
        path = np.stack([x, y], axis=-1)
        ribbon(picture, path, 0.022 * ppm * (1 - 0.8 * t) + 0.7, _tone(green, bright * 0.7))
        step = np.gradient(path, axis=0)
        step /= np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-6)
        reach = (0.2 * long * np.sin(np.pi * np.clip(t * 0.9 + 0.12, 0, 1)))[:, None]
        for side in (-1, 1):
            out = np.stack([-step[:, 1], step[:, 0]], axis=-1) * side
            tip = path + (out * 0.9 + step * 0.5) * reach
            shade = bright * (1.08 if side * np.sign(angle + 1e-6) < 0 else 0.84) + rng.normal(
                0, 0.05, len(t)
            )
            spikes(picture, path[2:], tip[2:], np.full(len(t) - 2, 0.048 * long), tones(green, shade[2:]))
    return picture


def _tone(colour: Rgb, factor: float) -> Rgb:
    red, green, blue = tones(colour, np.array([factor]))[0]
    return float(red), float(green), float(blue)


def reeds(rng: Generator, ppm: float, tall: float, green: Rgb, head: Rgb, *, stems: int = 26) -> Image:
    """Upright reeds with brown heads, for the water's edge."""
    height, width = tall * ppm, 0.9 * tall * ppm
    picture = sheet(height, width)
    t = np.linspace(0, 1, 8)
    for k in range(stems):
        lean, foot = rng.normal(0, 0.12), width * (0.5 + rng.normal(0, 0.16))
        long = height * rng.uniform(0.55, 0.97)
        path = np.stack([foot + lean * long * t**1.7, height - long * t], axis=-1)
        ribbon(picture, path, 0.022 * ppm * (1 - t) + 0.8, _tone(green, 0.6 + 0.5 * k / stems))
        if rng.random() < 0.4:
            tip = path[-2]
            leaves(
                picture, tip[None], np.array([0.075 * ppm]), np.array([0.022 * ppm]),
                np.array([np.pi / 2 - lean]), tones(head, rng.uniform(0.8, 1.1, 1)),
            )  # fmt: skip
    return picture


def palm(rng: Generator, ppm: float, tall: float, green: Rgb, bark: Rgb, *, light: float = 1.0) -> Image:
    """A leaning coconut palm; its foot is the picture's lower middle."""
    height, width = tall * ppm, 1.06 * tall * ppm
    picture = sheet(height, width)
    t = np.linspace(0, 1, 30)
    lean = rng.uniform(0.08, 0.2) * (1 if rng.random() < 0.5 else -1)
    stem = np.stack([width / 2 + lean * width * t**1.7, height - t * height * 0.72], axis=-1)
    thick = tall * ppm * (0.034 - 0.014 * t + 0.03 * np.exp(-t * 16))
    ribbon(picture, stem, thick, scaled(bark, 0.72))
    ribbon(picture, stem + np.array([light, 0]) * thick[:, None] * 0.2, thick * 0.45, scaled(bark, 1.12))
    for k in range(1, 29):
        left, right = stem[k] - [thick[k] / 2, 0], stem[k] + [thick[k] / 2, -thick[k] * 0.25]
        cv2.line(
            picture, tuple((left * 8).astype(int)), tuple((right * 8).astype(int)),
            (*bgr(scaled(bark, 0.52)), 255.0), max(1, round(0.02 * ppm)), cv2.LINE_AA, 3,
        )  # fmt: skip
    head = stem[-1]
    angles = np.linspace(-2.3, 2.3, 12) + rng.normal(0, 0.13, 12)
    for order, angle in enumerate(angles[np.argsort(-np.abs(angles))]):
        long = width * 0.43 * rng.uniform(0.86, 1.06)
        _frond(
            rng,
            picture,
            head,
            float(angle),
            long,
            green,
            0.62 + 0.42 * order / 12 + 0.16 * light * np.sin(angle),
        )
    for _ in range(4):
        leaves(
            picture, (head + rng.normal(0, 0.02, 2) * height)[None] + [0, 0.02 * height],
            np.array([0.024 * height]),
            np.array([0.022 * height]), np.zeros(1), tones(scaled(bark, 0.62), rng.uniform(0.8, 1.2, 1)),
        )  # fmt: skip
    return picture


def _frond(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator, picture: Image, head: Points, angle: float, long: float, green: Rgb, bright: float
) -> None:
    t = np.linspace(0, 1, 44)
    path = np.stack(
        [
            head[0] + np.sin(angle) * long * (t - 0.12 * t**3),
            head[1] - np.cos(angle) * long * t * 0.62 + long * (0.24 + 0.34 * abs(np.sin(angle))) * t**2.3,
        ],
        axis=-1,
    )
    reach = long * 0.175 * np.sin(np.pi * np.clip(0.1 + 0.86 * t, 0, 1)) * rng.uniform(0.8, 1.1, 44)
    step = np.gradient(path, axis=0)
    step /= np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-6)
    wide = np.full(43, max(1.3, 0.026 * long))
    for side, tone in ((-1.0, 0.78), (1.0, 1.0)):
        out = np.stack([-step[:, 1], step[:, 0]], axis=-1) * side
        fall = np.array([0.0, 0.55])
        tip = path + (out * 0.62 + step * 0.62 + fall) * reach[:, None]
        spikes(picture, path[1:], tip[1:], wide, tones(green, bright * tone + rng.normal(0, 0.06, 43)))
    ribbon(picture, path, 0.014 * long * (1 - t) + 1, _tone(green, bright * 1.15))


def cactus(rng: Generator, ppm: float, tall: float, green: Rgb, *, light: float = 1.0) -> Image:
    """A saguaro: ribbed, with one to three raised arms."""
    height, width = round(tall * ppm), round(0.72 * tall * ppm)
    body = np.zeros((height, width), np.float32)
    ribs = np.zeros((height, width), np.float32)
    thick = 0.075 * height
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)

    def limb(x: float, top: float, bottom: float, radius: float) -> None:
        dy = np.clip(top + radius - row, 0, None)
        cap = np.sqrt(np.clip(radius**2 - dy**2, 0, None))
        cover = np.clip(cap - np.abs(column - x) + 0.5, 0, 1) * np.clip(bottom - row, 0, 1) * (cap > 0)
        across = (column - x) / np.maximum(cap, 1)
        tone = 0.66 + 0.42 * across * light + 0.16 * np.cos(across * 9) - 0.16 * across**2
        np.copyto(ribs, tone, where=cover > 0.3)
        np.maximum(body, cover, out=body)

    middle = width / 2
    for side in rng.permutation([-1, 1])[: int(rng.integers(1, 3))]:
        joint, reach = height * rng.uniform(0.45, 0.66), width * rng.uniform(0.25, 0.33)
        x, radius = middle + side * reach, thick * rng.uniform(0.62, 0.74)
        limb(x, joint - height * rng.uniform(0.2, 0.3), joint, radius)
        elbow = np.clip(radius - np.hypot(column - x, row - joint) + 0.5, 0, 1)
        np.copyto(ribs, 0.5, where=elbow > 0.3)
        np.maximum(body, elbow, out=body)
        low, high = sorted((middle, x))
        bar = np.clip(radius - np.abs(row - joint) + 0.5, 0, 1) * (column > low) * (column < high)
        np.copyto(ribs, 0.62 - 0.3 * (row - joint) / radius, where=bar > 0.3)
        np.maximum(body, bar, out=body)
    limb(middle, 2, float(height), thick)
    spines = (rng.random((height, width)) > 0.985) * 0.35
    shade = (ribs + spines).clip(0.25, 1.5)[..., None]
    colour = np.array(bgr(green), np.float32) * shade
    picture = np.dstack([colour.clip(0, 255) * body[..., None], body * 255])
    return np.ascontiguousarray(picture.astype(np.uint8))
