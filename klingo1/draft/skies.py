"""Skies for the time of day, the light that comes from them, and the hills in front of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.light import Light
from klingo1.draft.paint import blend, disc, noise, profile, scaled, smoothstep, vertical_gradient
from klingo1.draft.stage import Paint, Rgb, bgr

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True, slots=True)
class Daylight:
    """A time of day: sky colours from zenith to horizon, the sun's (or moon's), haze, cast light.

    `dim` multiplies the painted colours of scenery; `disc` is the sun's radius as a share of the sky's
    height; `halo` the strength of the glow round it.
    """

    stops: tuple[tuple[float, Rgb], ...]
    sun: Rgb
    haze: Rgb
    light: Light
    dim: float
    disc: float
    halo: float

    def paint(self, colour: Rgb, distance: float = 0.0) -> Rgb:
        """A colour as it looks at this time, `distance` (0-1) of the way into the haze."""
        return blend(scaled(colour, self.dim), self.haze, distance)


DAYLIGHT = {
    "day": Daylight(
        ((0, (58, 124, 205)), (0.6, (140, 190, 232)), (1, (222, 236, 240))),
        (255, 246, 220), (214, 228, 236), Light((1.02, 1.0, 1.0), (0.42, 0.5, 0.5), (0.95, 0.85, 0.75), 0.12),
        1.0, 0.033, 0.34,
    ),
    "dawn": Daylight(
        ((0, (92, 128, 170)), (0.5, (176, 180, 190)), (0.8, (246, 208, 176)), (1, (252, 226, 196))),
        (255, 236, 196), (226, 210, 192), Light((1.02, 0.95, 0.9), (0.4, 0.45, 0.5), (1.0, 0.82, 0.6), 0.25),
        0.86, 0.055, 0.6,
    ),
    "dusk": Daylight(
        ((0, (46, 58, 118)), (0.45, (150, 96, 140)), (0.75, (242, 138, 92)), (1, (255, 206, 130))),
        (255, 226, 150), (248, 172, 112),
        Light((1.06, 0.86, 0.72), (0.25, 0.2, 0.35), (1.0, 0.72, 0.35), 0.25), 0.8, 0.055, 0.9,
    ),
    "night": Daylight(
        ((0, (10, 16, 46)), (0.6, (26, 50, 98)), (1, (64, 104, 144))),
        (220, 232, 255), (54, 86, 122), Light((0.62, 0.68, 0.84), (0.3, 0.6, 0.9), (0.6, 0.85, 1.0), 0.12),
        0.5, 0.055, 0.35,
    ),
}  # fmt: skip


def daylight(time: str) -> Daylight:
    """The table's entry; an unknown time is day."""
    return DAYLIGHT.get(time, DAYLIGHT["day"])


def sky(
    rng: Generator,
    width: int,
    height: int,
    horizon: int,
    time: str,
    *,
    clouds: float = 0.7,
    sun_x: float = 0.64,
    sun_y: float = 0.78,
    stops: tuple[tuple[float, Rgb], ...] | None = None,
    clear: float = 1.0,
) -> Paint:
    """A float BGR sky: gradient, clouds, sun or moon, stars at night.

    `horizon` is its row in the picture (below it the last colour goes on); `sun_x`, `sun_y` are shares of the
    width and of the sky's height. `stops` replaces the colours; `clear` (0-1) is how much of sun, moon
    and stars shows.
    """
    tone = daylight(time)
    colours = stops or tone.stops
    share = horizon / height
    picture = vertical_gradient(height, width, [*((p * share, c) for p, c in colours), (1, colours[-1][1])])
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None]
    away = np.hypot(columns - width * sun_x, rows - horizon * sun_y)
    sun = np.array(bgr(tone.sun), np.float32)
    picture += (sun - picture) * (np.exp(-away / (horizon * 0.34)) * min(0.85, tone.halo * 0.9) * clear)[
        ..., None
    ]
    if time == "night" and clear > 0.5:
        _stars(rng, picture, horizon)
    _clouds(rng, picture, away / horizon, horizon, clouds, blend(colours[-1][1], tone.sun, 0.3), tone.sun)
    radius = tone.disc * horizon
    face = np.clip(radius - away + 0.5, 0, 1)[..., None] * np.float32(clear**2)
    picture *= 1 - face
    picture += face * np.minimum(sun + 20, 255)
    picture += (sun - picture).clip(0) * (np.exp(-((away / (radius * 1.7)) ** 2)) * 0.8 * tone.halo * clear)[
        ..., None
    ]
    return picture


def _stars(rng: Generator, picture: Paint, horizon: int) -> None:
    width = picture.shape[1]
    count = 900
    rows = (rng.random(count) ** 1.4 * horizon * 0.96).astype(int)
    columns = rng.integers(0, width, count)
    picture[rows, columns] += rng.uniform(40, 200, count).astype(np.float32)[:, None]
    for row, column in zip(rows[:50], columns[:50], strict=True):
        disc(picture, (float(column), float(row)), float(rng.uniform(0.7, 1.5)), (225, 240, 255))


def _clouds(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator, picture: Paint, away: Paint, horizon: int, amount: float, body: Rgb, sun: Rgb
) -> None:
    """Streaks in the middle of the sky, lit towards the sun, thinning out at the zenith and the horizon."""
    if amount <= 0:
        return
    height, width = picture.shape[:2]
    # Noise made narrow and stretched sideways: clouds lie flat and grow smaller towards the horizon.
    bumps = noise(rng, height, max(64, width // 2), 4, octaves=6, gain=0.55)
    bumps = cv2.resize(bumps, (width, height), interpolation=cv2.INTER_CUBIC)
    rows = np.arange(height, dtype=np.float32)[:, None] / horizon
    cover = smoothstep(0.35, 1.9, bumps) * np.exp(-(((rows - 0.42) / 0.3) ** 2)) * np.float32(amount * 0.8)
    cover[min(height, horizon) :] = 0
    lit = np.clip(1.1 - away / 1.6, 0.25, 1.0)[..., None]
    colour = np.array(bgr(body), np.float32) * (0.8 + 0.2 * lit) + np.array(bgr(sun), np.float32) * 0.18 * lit
    picture += (np.minimum(colour, 262) - picture) * cover[..., None]


def ridge(  # noqa: PLR0917 - picture, place, size and two colours, in that order everywhere
    picture: Paint,
    rng: Generator,
    horizon: int,
    height: float,
    roughness: float,
    top: Rgb,
    foot: Rgb,
    *,
    cells: int = 3,
    octaves: int = 7,
    gain: float = 0.5,
    trees: float = 0.0,
    snow: Rgb | None = None,
) -> None:
    """Paint a line of hills onto a sky, in place.

    `height` and `roughness` are pixels above the horizon; the colour runs from `top` to `foot`. `trees`
    (pixels) serrates the line into conifers; `snow` caps it.
    """
    rows, width = np.arange(picture.shape[0], dtype=np.float32)[:, None], picture.shape[1]
    line = horizon - height - roughness * profile(rng, width, cells, octaves=octaves, gain=gain)
    if trees:
        position = np.arange(width) / trees + profile(rng, width, 60, octaves=3) * 0.25
        tips = 1.1 - np.abs(position % 1 - 0.5) * 2
        line = line - trees * tips * (0.8 + 0.5 * profile(rng, width, 40, octaves=2).clip(-1, 1))
    line = np.minimum(line, horizon - 1).astype(np.float32)[None]
    cover = np.clip(rows - line + 0.5, 0, 1)[..., None]
    down = np.clip((rows - line) / (horizon - line + 8), 0, 1)[..., None]
    colour = np.array(bgr(top), np.float32) * (1 - down) + np.array(bgr(foot), np.float32) * down
    if snow is not None:
        bumps = noise(rng, picture.shape[0], width, 14, octaves=6, gain=0.6)
        slope = cv2.Sobel(cv2.GaussianBlur(bumps, (0, 0), 1.5), cv2.CV_32F, 1, 0)
        slope += 0.5 * cv2.Sobel(cv2.GaussianBlur(bumps, (0, 0), 6), cv2.CV_32F, 1, 0)
        facing = np.clip(0.55 + 0.31 * slope / max(float(slope.std()), 1e-6), 0, 1)[..., None]
        capped = smoothstep(0.75, 0.25, down[..., 0] + 0.16 * bumps)[..., None]
        colour = colour * (1 - capped) + np.array(bgr(snow), np.float32) * (0.7 + 0.32 * facing) * capped
    picture += (colour - picture) * cover
