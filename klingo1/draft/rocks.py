"""Stones: faceted boulders, slabs, snow on top if wanted. They stand on their lower edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import noise, profile, smoothstep
from klingo1.draft.stage import Image, Rgb, bgr

if TYPE_CHECKING:
    from numpy.random import Generator


def rock(
    rng: Generator, ppm: float, tall: float, colour: Rgb, *,
    wide: float = 1.7, facets: int = 26, light: float = 1.0, cap: Rgb | None = None, capped: float = 0.34,
) -> Image:  # fmt: skip
    """A boulder of `tall` metres, `wide` times as broad; `cap` (snow, moss) covers the upper `capped`."""
    height, width = max(6, round(tall * ppm)), max(8, round(tall * wide * ppm))
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    bumps = profile(rng, width, 3, octaves=4, gain=0.55)[None]
    outline = np.clip(1 - np.abs(x) ** rng.uniform(2.0, 3.4), 0, 1) ** 0.62 * (0.86 + 0.06 * bumps)
    cover = np.clip((outline - y) * height + 0.5, 0, 1)
    seeds = rng.uniform([-1, 0], [1, 1], (facets, 2)).astype(np.float32)
    warp = 0.05 * noise(rng, height, width, 5, octaves=3)
    far = (x[..., None] + warp[..., None] - seeds[:, 0]) ** 2 + ((y[..., None] - seeds[:, 1]) * 0.8) ** 2
    near = far.argmin(axis=2)
    normal = np.stack([seeds[:, 0], 0.2 + 0.9 * seeds[:, 1]], axis=-1) + rng.normal(0, 0.3, (facets, 2))
    tone = (0.62 + 0.3 * normal[:, 0] * light + 0.3 * normal[:, 1]).astype(np.float32)[near]
    grain = noise(rng, height, width, 18, octaves=3, gain=0.7)
    tone = cv2.GaussianBlur(tone, (0, 0), max(0.8, height / 120)) * (1 + 0.07 * grain)
    tone *= 0.55 + 0.45 * smoothstep(0.0, 0.22, y + 0 * x)
    shaded = np.array(bgr(colour), np.float32) * tone.clip(0.2, 1.5)[..., None]
    if cap is not None:
        lid = smoothstep(
            capped + 0.1, capped - 0.08, (outline - y) / np.maximum(outline, 0.1) + 0.07 * grain + warp
        )
        blanket = np.array(bgr(cap), np.float32) * (0.9 + 0.12 * x * light + 0.02 * grain)[..., None]
        shaded += (blanket - shaded) * lid[..., None]
    picture = np.dstack([shaded.clip(0, 255) * cover[..., None], cover * 255])
    return np.ascontiguousarray(picture.astype(np.uint8))
