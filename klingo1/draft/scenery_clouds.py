"""Clouds on float skies: a flat layer in perspective, and heaped banks near the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import noise, profile, smoothstep
from klingo1.draft.stage import Image, Paint, Rgb, bgr

if TYPE_CHECKING:
    from numpy.random import Generator


def veil(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator, picture: Paint, horizon: int, sun: tuple[float, float], lit: Rgb, shaded: Rgb,
    *, amount: float = 0.6, high: float = 1.0,
) -> None:  # fmt: skip
    """A layer of clouds that shrinks towards the horizon; their side towards the sun is lit."""
    width = picture.shape[1]
    small, rows = width // 2, max(4, horizon // 2)
    side = 256
    bumps = noise(rng, side, side, 4, octaves=6, gain=0.56, tile=True)
    up = ((rows - np.arange(rows, dtype=np.float32)) / rows)[:, None]
    far = high / (up + 0.1)
    across = (np.arange(small, dtype=np.float32)[None] - small / 2) / rows
    x = (across * far * 0.9 * 60).astype(np.float32)
    y = np.repeat((far * 46).astype(np.float32), small, axis=1)
    shift = 7.0 * np.sign(sun[0] / 2 - np.arange(small, dtype=np.float32))[None]
    here = cv2.remap(bumps, x % (side - 1), y % (side - 1), cv2.INTER_LINEAR)
    there = cv2.remap(bumps, (x + shift) % (side - 1), (y - 5) % (side - 1), cv2.INTER_LINEAR)
    cover = smoothstep(0.95 - 1.1 * amount, 2.0 - 0.5 * amount, here)
    cover *= smoothstep(0.02, 0.2, np.asarray(up, np.float32)) * (0.55 + 0.45 * amount)
    away = np.hypot(
        np.arange(small, dtype=np.float32)[None] - sun[0] / 2,
        np.arange(rows, dtype=np.float32)[:, None] - sun[1] / 2,
    ) / np.float32(rows)
    bright = np.clip(0.5 + 0.55 * (here - there), 0, 1) * 0.6 + 0.4 * np.exp(-away * 1.2) + 0.12
    _lay(picture[: 2 * rows], bright, cover, lit, shaded)


def _lay(part: Paint, bright: Paint, cover: Paint, lit: Rgb, shaded: Rgb) -> None:
    light, dark = np.array(bgr(lit), np.float32), np.array(bgr(shaded), np.float32)
    colour = dark + (light - dark) * np.clip(bright, 0, 1.1)[..., None].astype(np.float32)
    layer = np.dstack([colour, cover.astype(np.float32)])
    layer = cv2.resize(layer, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_LINEAR)
    part += (layer[..., :3] - part) * layer[..., 3:]


def heap(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator, height: int, width: int, lit: Rgb, shaded: Rgb, foot: Rgb,
    *, rows: int = 4, size: float = 0.3, light: float = 1.0,
) -> tuple[Paint, Paint]:  # fmt: skip
    """A bank of cumulus, seamless sideways: its colours (BGR) and coverage; solid below, billowing above."""
    colour = np.zeros((height, width, 3), np.float32)
    cover = np.zeros((height, width), np.float32)
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    light_, dark, low = (np.array(bgr(c), np.float32) for c in (lit, shaded, foot))
    fluff = cv2.GaussianBlur(noise(rng, height, width, 24, octaves=4, gain=0.6), (0, 0), 0.8)
    for k in range(rows):
        base = height * (0.4 + 0.6 * (k + 0.4) / rows)
        swell = profile(rng, width, 2, octaves=2) * 0.09 * height
        count = max(8, round(width / (size * height) * 1.9))
        centre = (np.arange(count) + rng.uniform(0, 0.9, count)) / count * width
        radius = size * height * rng.uniform(0.35, 1.0, count) ** 1.2 * (1.0 - 0.1 * k)
        away = np.abs(x[None] - centre[:, None])
        away = np.minimum(away, width - away)
        dome = np.sqrt(np.clip(radius[:, None] ** 2 - away**2, 0, None))
        which = dome.argmax(axis=0)
        line = base + swell - dome.max(axis=0)
        depth = (y - line[None]) + fluff * 0.014 * height
        alpha = np.clip(depth / max(1.5, 0.012 * height), 0, 1)
        lean = np.clip((x - centre[which]) / radius[which], -1, 1)
        round_ = cv2.GaussianBlur(lean[None].astype(np.float32), (0, 0), max(1.0, 0.012 * width))
        down = np.clip(depth / (size * height * 1.5), 0, 1)
        bright = np.clip(1.02 - 1.15 * down**0.7 + 0.26 * light * round_ + 0.06 * fluff, 0, 1.05)[..., None]
        tone = dark + (light_ - dark) * bright
        tone += (low - tone) * (np.clip((y - base) / (height * 0.4) + 0.1, 0, 1) * 0.8)[..., None]
        colour += (tone - colour) * alpha[..., None]
        np.maximum(cover, alpha, out=cover)
    return colour, cover


def banks(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator, picture: Paint, horizon: int, tall: float, lit: Rgb, shaded: Rgb, foot: Rgb
) -> None:
    """Heaped clouds along the horizon, `tall` (0-1) of the sky high at most."""
    rows = max(8, round(tall * horizon))
    colour, cover = heap(rng, rows, picture.shape[1], lit, shaded, foot, size=0.34)
    cover = cover * np.clip(0.75 + 0.5 * profile(rng, picture.shape[1], 3, octaves=3), 0.0, 1)[None]
    cover *= np.linspace(1, 0.35, rows, dtype=np.float32)[:, None]
    part = picture[horizon - rows : horizon]
    part += (colour - part) * cover[..., None]


def cloud(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator, ppm: float, wide: float, tall: float, lit: Rgb, shaded: Rgb, *, light: float = 1.0
) -> Image:
    """One free cumulus, premultiplied, flat and soft below."""
    height, width = round(tall * ppm), round(wide * ppm)
    colour, cover = heap(rng, height, width, lit, shaded, shaded, rows=4, size=0.42, light=light)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    rag = 0.1 * noise(rng, height, width, 7, octaves=4)
    body = smoothstep(1.0, 0.72, np.abs(x) ** 1.6 * 0.75 + np.abs(y - 0.58) ** 1.4 * 1.35 + rag)
    body *= smoothstep(1.0, 0.7, y + 0.6 * rag + 0 * x)
    ends = np.clip((1 - np.abs(x)) / 0.14, 0, 1) * np.clip((1 - y) / 0.1, 0, 1)
    alpha = cover * body * ends
    return np.dstack([colour.clip(0, 255) * alpha[..., None], alpha * 255]).astype(np.uint8)
