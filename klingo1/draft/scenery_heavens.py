"""Outer space: stars, nebulae, planets, and ground full of craters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import noise, smoothstep
from klingo1.draft.stage import Image, Paint, Rgb, bgr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

_GLARE = 200.0
"""The level that the brightest gas of a nebula comes near to."""


def stars(rng: Generator, picture: Paint, count: int) -> None:
    """Small and large stars in slightly different colours, some with a soft glow, in place."""
    height, width = picture.shape[:2]
    row, column = rng.integers(1, height - 1, count), rng.integers(1, width - 1, count)
    value = 40 + 200 * rng.random(count) ** 3
    tint = np.clip(rng.normal([1.05, 0.98, 0.96], 0.1, (count, 3)), 0.6, 1.2)
    picture[row, column] += (value[:, None] * tint).astype(np.float32)
    big = rng.choice(count, max(1, count // 22), replace=False)
    light = np.zeros_like(picture)
    for k in big:
        cv2.circle(light, (int(column[k]), int(row[k])), 1, tuple((235 * tint[k]).tolist()), -1)
    picture += light + cv2.GaussianBlur(light, (0, 0), 3.2) * 2.2


def nebula(rng: Generator, picture: Paint, colours: Sequence[Rgb], *, strength: float = 1.0) -> None:
    """Glowing clouds along a slanted band with dark lanes, in place."""
    height, width = picture.shape[0] // 3, picture.shape[1] // 3
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)
    slant = (row / height - 0.62 + 0.45 * (column / width - 0.5)) / 0.34
    wisps = noise(rng, height, width, 5, octaves=6, gain=0.58)
    lanes = noise(rng, height, width, 7, octaves=6, gain=0.6)
    body = np.exp(-((slant + 0.25 * wisps) ** 2))
    glow = np.zeros((height, width, 3), np.float32)
    for colour in colours:
        patch = smoothstep(-0.3, 1.9, noise(rng, height, width, 3, octaves=5, gain=0.55) + 0.3 * wisps)
        glow += (patch * body)[..., None] * np.array(bgr(colour), np.float32)
    glow *= (0.35 + 0.65 * smoothstep(1.3, -0.6, lanes))[..., None] * (0.72 + 0.28 * wisps.clip(-1, 2))[
        ..., None
    ]
    glow += (np.exp(-((slant / 0.45) ** 2)) * smoothstep(0.2, 2.0, wisps) * 90)[..., None]
    # Brighter gas keeps its colour instead of burning out to white.
    brightest = np.maximum(glow.max(axis=2, keepdims=True), 1)
    glow *= _GLARE * (1 - np.exp(-brightest / _GLARE)) / brightest
    picture += cv2.resize(glow.clip(0, 255), (picture.shape[1], picture.shape[0])) * np.float32(strength)


def planet(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator, picture: Paint, at: tuple[float, float], radius: float, bands: Sequence[Rgb], air: Rgb,
    *, sun: tuple[float, float] = (0.7, -0.35), ring: Rgb | None = None,
) -> None:  # fmt: skip
    """A banded globe lit from the side, with a thin shining air and, if asked for, a ring; in place."""
    reach = int(radius * (2.5 if ring else 1.35))
    x0, x1 = max(0, int(at[0]) - reach), min(picture.shape[1], int(at[0]) + reach)
    y0, y1 = max(0, int(at[1]) - reach), min(picture.shape[0], int(at[1]) + reach)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    row, column = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    u, v = (column - at[0]) / radius, (row - at[1]) / radius
    far = np.hypot(u, v)
    face = np.clip((1 - far) * radius + 0.5, 0, 1)
    depth = np.sqrt(np.clip(1 - far**2, 0, 1))
    tilt = v * 0.94 + u * 0.3
    swirl = noise(rng, y1 - y0, x1 - x0, 6, octaves=5, gain=0.6)
    turn = (tilt / (0.5 + 0.5 * depth) * 0.5 + 0.5 + 0.03 * swirl) * (len(bands) - 1) * 2.2
    index = np.abs((turn % (2 * (len(bands) - 1))) - (len(bands) - 1))
    table = np.array([bgr(c) for c in bands], np.float32)
    low = np.clip(index.astype(int), 0, len(bands) - 2)
    share = smoothstep(0.0, 1.0, index - low)[..., None]
    colour = table[low] * (1 - share) + table[low + 1] * share
    lit = np.clip(u * sun[0] + v * sun[1] + depth * 0.55, 0, 1) ** 0.8
    colour = colour * (0.04 + 1.08 * lit + 0.04 * swirl * lit)[..., None]
    edge = np.exp(-(((far - 0.97) / 0.09) ** 2)) * np.clip(0.25 + u * sun[0] + v * sun[1], 0, 1)
    colour += edge[..., None] * np.array(bgr(air), np.float32) * 0.8
    part = picture[y0:y1, x0:x1]
    outside = (
        np.exp(-np.clip(far - 1, 0, None) / 0.09) * np.clip(0.3 + u * sun[0] + v * sun[1], 0, 1) * (1 - face)
    )
    part += outside[..., None] * np.array(bgr(air), np.float32) * 0.55
    part += (colour - part) * face[..., None]
    if ring is not None:
        a, b = u * 0.955 + v * 0.296, -u * 0.296 + v * 0.955
        orbit = np.hypot(a, b / 0.24)
        strand = 0.6 + 0.4 * np.sin(orbit * 42) * np.sin(orbit * 17)
        cover = smoothstep(1.28, 1.36, orbit) * smoothstep(2.2, 2.05, orbit) * strand * 0.85
        cover *= 1 - ((b < 0) & (far < 1))
        shadow = 1 - 0.8 * ((u * sun[0] + v * sun[1] < -0.1) & (np.abs(u * sun[1] - v * sun[0]) < 0.9))
        part += (np.array(bgr(ring), np.float32) * shadow[..., None] - part) * cover[..., None]


def craters(rng: Generator, base: Rgb, *, side: int = 512, count: int = 90) -> Image:
    """A seamless tile of dusty ground with craters, lit from the right."""
    level = 0.5 * noise(rng, side, side, 5, octaves=5, gain=0.6, tile=True)
    for _ in range(count):
        radius = float(rng.uniform(3, 12) if rng.random() < 0.72 else rng.uniform(14, 44))
        reach = int(1.7 * radius) + 1
        x, y = (int(v) for v in rng.integers(0, side, 2))
        dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
        far = np.hypot(dx, dy) / radius
        bowl = np.where(far < 1, far**2 * 1.5 - 1.2, 0.3) * np.exp(-np.clip(far - 1, 0, 9) * 5)
        where = np.ix_((np.arange(-reach, reach + 1) + y) % side, (np.arange(-reach, reach + 1) + x) % side)
        level[where] += np.where(far < 1.7, bowl, 0) * radius * 0.085
    slope = (
        np.roll(level, -1, 1) - np.roll(level, 1, 1) - 0.5 * (np.roll(level, -1, 0) - np.roll(level, 1, 0))
    )
    fine = rng.standard_normal((side, side), dtype=np.float32)
    tone = np.clip(1 - 0.85 * slope + 0.05 * fine + 0.06 * level, 0.25, 1.7)[..., None]
    colour = np.array(bgr(base), np.float32) * tone
    return np.dstack([colour.clip(0, 255), np.zeros((side, side, 1), np.float32)]).astype(np.uint8)
