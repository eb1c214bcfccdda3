"""What weather is painted with: seamless tiles of streaks and flakes, banks of fog, sunbeams, scraps."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.random import Generator

from klingo1.draft.paint import finish, noise, polygon
from klingo1.draft.stage import Image, Paint, Rgb

LUMA_RANGE = 219 / 255
"""BT.601's luma for a step of grey, limited range."""


def _twice(tile: Paint) -> Image:
    """Stack a tile on itself so that any window of its height can be cut out; alpha 0 (it only adds
    light).
    """
    light = finish(np.dstack([tile, np.zeros(tile.shape[:2], np.float32)]))
    return np.concatenate([light, light])


def streaks(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator, width: int, height: int, count: int, length: float, bright: float, thick: int
) -> Image:
    """Rain: `count` slanting lines about `length` pixels long and `bright` (0-255), as luma."""
    tile = np.zeros((height, width), np.float32)
    thickness = max(1, round(thick * min(width, height) / 720))
    for _ in range(count):
        x, y = rng.uniform(-0.1 * width, 1.1 * width), rng.uniform(0, height)
        long, value = length * rng.uniform(0.6, 1.3), bright * rng.uniform(0.4, 1)
        for top in (y, y - height):
            start, end = (
                (round(x * 8), round(top * 8)),
                (round((x - long * 0.1) * 8), round((top + long) * 8)),
            )
            cv2.line(tile, start, end, value, thickness, cv2.LINE_AA, 3)
    tile = cv2.GaussianBlur(tile, (0, 0), 0.7, borderType=cv2.BORDER_REFLECT)
    once = (tile * LUMA_RANGE).clip(0, 255).astype(np.uint8)
    return np.concatenate([once, once])


def flakes(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator,
    width: int,
    height: int,
    count: int,
    radii: tuple[float, float],
    blur: float,
    bright: float,
) -> Image:
    """Snow: `count` discs with radii between two numbers of pixels (at 720 lines), softened, BGRA."""
    unit = min(width, height) / 720
    tile = np.zeros((height, width, 3), np.float32)
    for _ in range(count):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius, value = rng.uniform(*radii) * unit, bright * rng.uniform(0.35, 1)
        for dx in (-width, 0, width):
            for dy in (-height, 0, height):
                centre = (round((x + dx) * 8), round((y + dy) * 8))
                cv2.circle(tile, centre, round(radius * 8), (value,) * 3, -1, cv2.LINE_AA, 3)
    return _twice(cv2.GaussianBlur(tile, (0, 0), blur * unit))


def fog_banks(rng: Generator, width: int, height: int) -> Image:
    """How much fog covers (one channel), a sixteenth of the size, twice as wide and seamless sideways."""
    rows, columns = max(8, height // 16), max(8, width // 16)
    cloud = noise(rng, rows * 2, columns, 4, octaves=3, tile=False)[:rows]
    bank = np.clip(0.36 + 0.2 * cloud, 0, 0.8)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    bank = bank * np.exp(-(((down - 0.55) / 0.4) ** 2))
    mirrored = np.concatenate([bank, bank[:, ::-1]], axis=1)
    return np.ascontiguousarray((np.concatenate([mirrored, mirrored], axis=1) * 255).astype(np.uint8))


def sunbeams(rng: Generator, width: int, height: int) -> Image:
    """The light of slanting beams (BGR), a quarter of the size."""
    rows, columns = height // 4, width // 4
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    from_x, from_y = columns * 0.72, -rows * 0.5
    angle = np.arctan2(x - from_x, y - from_y)
    light = np.zeros((rows, columns), np.float32)
    for _ in range(9):
        light += np.exp(-(((angle - rng.uniform(-1.0, 0.45)) / rng.uniform(0.012, 0.04)) ** 2)) * rng.uniform(
            0.4, 1
        )
    light *= np.clip(1 - (np.hypot(x - from_x, y - from_y) / (rows * 1.75)) ** 2, 0, 1)
    light = cv2.GaussianBlur(light, (0, 0), 3) * 48
    return np.asarray((light[..., None] * np.array([0.62, 0.86, 1.0], np.float32)).clip(0, 255), np.uint8)


def scrap(size: int, colour: Rgb) -> Image:
    """A piece of paper or a leaf: a small lens shape."""
    side = 2 * size + 3
    picture = np.zeros((side, side, 4), np.float32)
    middle = side / 2
    points = [
        (middle + size * math.cos(a), middle + size * 0.55 * math.sin(a))
        for a in np.linspace(0, 2 * math.pi, 14, endpoint=False)
    ]
    polygon(picture, points, colour)
    return finish(picture)
