"""What stands on the sky card: hills, mountains with snow, dunes, table mountains, woods on a ridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import noise, profile, smoothstep
from klingo1.draft.stage import Image, Paint, Rgb, bgr

if TYPE_CHECKING:
    from numpy.random import Generator


def swell(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    picture: Paint, rng: Generator, horizon: int, height: float, roughness: float, top: Rgb, foot: Rgb,
    *, cells: int = 2, sun_x: float = 0.64,
) -> None:  # fmt: skip
    """A rounded hill or dune line, brighter where it faces the sun, in place."""
    width = picture.shape[1]
    line = horizon - height - roughness * profile(rng, width, cells, octaves=3, gain=0.4)
    line = np.minimum(line, horizon - 1).astype(np.float32)
    first = max(0, int(line.min()) - 2)
    part = picture[first:horizon]
    rows = np.arange(first, horizon, dtype=np.float32)[:, None]
    cover = np.clip(rows - line[None] + 0.5, 0, 1)[..., None]
    down = np.clip((rows - line[None]) / (horizon - line[None] + 6), 0, 1)[..., None]
    slope = cv2.GaussianBlur(np.gradient(line)[None].astype(np.float32), (0, 0), width / 160)[0]
    towards = np.tanh((sun_x * width - np.arange(width)) / (0.2 * width))
    facing = np.clip(1 - towards * slope * 0.5 * width / 1400, 0.8, 1.2).astype(np.float32)
    patches = 1 + 0.035 * noise(rng, max(4, horizon - first), width, 26, octaves=3)
    colour = np.array(bgr(top), np.float32) * (1 - down) + np.array(bgr(foot), np.float32) * down
    colour *= (facing[None] * patches)[..., None]
    part += (colour - part) * cover


def peaks(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    picture: Paint, rng: Generator, horizon: int, height: float, stone: Rgb, haze: Rgb, snow: Rgb | None,
    *, cells: int = 4, sun_x: float = 0.64, air: float = 0.35, snowline: float = 0.55,
) -> None:  # fmt: skip
    """A range of mountains, `height` pixels at most, in place: ridges and gullies lit from the sun's side.

    Snow lies above `snowline` (share of the height). The foot melts into the haze.
    """
    width = picture.shape[1]
    rows = round(height) + 2
    rough = profile(rng, width, cells, octaves=8, gain=0.52)
    sharp = 1 - np.abs(profile(rng, width, cells, octaves=5, gain=0.5)) * 0.62
    tall = np.clip(0.55 * sharp + 0.17 * rough + 0.25, 0.12, None)
    tall = tall / tall.max() * height
    y = np.arange(rows, 0, -1, dtype=np.float32)[:, None]
    cover = np.clip(tall[None] - y + 0.5, 0, 1)
    # Gullies run down the slope: noise whose columns are sheared by the depth under the crest.
    under = np.clip((tall[None] - y) / height, 0, 1)
    bumps = noise(rng, rows, width, 22, octaves=6, gain=0.62)
    ribs = noise(rng, max(8, rows // 3), width, 36, octaves=4, gain=0.6)
    ribs = cv2.resize(ribs, (width, rows), interpolation=cv2.INTER_CUBIC)
    column, row = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(rows, dtype=np.float32))
    lean = cv2.GaussianBlur(np.gradient(tall)[None].astype(np.float32), (0, 0), width / 220)
    crag = cv2.remap(
        ribs + 0.7 * bumps,
        (column + np.tanh(3 * lean) * under * height * 0.5) % (width - 1),
        row,
        cv2.INTER_LINEAR,
    )
    towards = 1.0 if sun_x > 0.5 else -1.0
    relief = cv2.Sobel(cv2.GaussianBlur(crag, (0, 0), max(1.0, width / 900)), cv2.CV_32F, 1, 0)
    relief /= max(float(relief.std()), 1e-6)
    facing = np.clip(0.62 - towards * (0.24 * relief + 0.42 * np.clip(lean, -1.2, 1.2) / 1.2), 0.2, 1.15)
    colour = np.array(bgr(stone), np.float32) * (0.55 + 0.6 * facing[..., None])
    if snow is not None:
        level = y / height + 0.1 * crag - 0.16 * np.abs(relief) * 0.5
        white = smoothstep(snowline - 0.08, snowline + 0.1, level)[..., None]
        colour += (np.array(bgr(snow), np.float32) * (0.62 + 0.42 * facing[..., None]) - colour) * white
    fade = (air + (0.92 - air) * smoothstep(0.62, 0.0, y / height + 0 * column))[..., None]
    colour += (np.array(bgr(haze), np.float32) - colour) * fade
    part = picture[horizon - rows : horizon]
    part += (colour[-part.shape[0] :] - part) * cover[-part.shape[0] :, :, None]


def mesas(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    picture: Paint, rng: Generator, horizon: int, height: float, stone: Rgb, haze: Rgb, *, air: float = 0.4
) -> None:
    """Table mountains with layered, steep flanks, in place."""
    width = picture.shape[1]
    rows = round(height * 1.25) + 2
    x = np.arange(width, dtype=np.float32)
    tall = np.full(width, 0.05 * height, np.float32)
    for _ in range(int(rng.integers(4, 7))):
        middle, half = rng.uniform(0, width), width * rng.uniform(0.025, 0.085)
        away = np.abs(x - middle)
        away = np.minimum(away, width - away)
        up = height * rng.uniform(0.45, 1.0)
        tall = np.maximum(tall, up * np.clip((half * 1.16 - away) / (half * 0.16), 0, 1) ** 0.7)
        tall = np.maximum(tall, 0.5 * up * np.clip(1 - (away - half) / (half * 0.9), 0, 1))
    tall = tall + profile(rng, width, 60, octaves=3) * 0.018 * height
    y = np.arange(rows, 0, -1, dtype=np.float32)[:, None]
    cover = np.clip(tall[None] - y + 0.5, 0, 1)[..., None]
    # Layers sag from table to table; below the hard cap gullies run down, deep in one place, shallow in
    # another.
    bend = 2.2 * profile(rng, width, 7, octaves=3)[None]
    strata = 0.05 * np.sin(y / height * 31 + bend) + 0.035 * np.sin(y / height * 83 + 1.7 * bend)
    under = np.clip((tall[None] - y) / height, 0, 1)
    depth = np.clip(0.7 + 0.8 * noise(rng, rows, width, 40, octaves=3), 0, 1.6)
    flutes = 0.11 * profile(rng, width, 160, octaves=4)[None] * depth * np.clip((under - 0.06) / 0.1, 0, 1)
    lean = cv2.GaussianBlur(np.gradient(tall)[None], (0, 0), width / 300)
    tone = np.clip(0.9 + strata + flutes - 0.16 * np.clip(lean, -1.5, 1.5), 0.45, 1.3)[..., None]
    colour = np.array(bgr(stone), np.float32) * tone
    fade = (air + (0.85 - air) * np.clip(1 - y / (0.5 * height), 0, 1) + 0 * x[None])[..., None]
    colour += (np.array(bgr(haze), np.float32) - colour) * fade
    part = picture[horizon - rows : horizon]
    part += (colour - part) * cover


def stand_on(picture: Paint, strip: Image, foot: int, rng: Generator | None = None) -> None:
    """Lay a seamless strip (woods) onto a sky, its lower edge at row `foot`; with a generator it has gaps."""
    rows = strip.shape[0]
    part = picture[foot - rows : foot]
    cover = strip[..., 3:].astype(np.float32) / 255
    colour = strip[..., :3].astype(np.float32)
    if rng is not None:
        open_ = smoothstep(-0.5, 0.1, profile(rng, strip.shape[1], 6, octaves=3))[None, :, None]
        cover, colour = cover * open_, colour * open_
    part *= 1 - cover
    part += colour
