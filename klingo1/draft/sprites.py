"""Sprites of the cast on the frame: a figure turned about its feet, and the shadow under it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from klingo1.draft.cards import NEAREST, place
from klingo1.draft.stage import Camera, Image


def soft_blob() -> Image:
    """A soft round spot, 97 x 193, one channel, 255 in the middle: a contact shadow to be sized."""
    y, x = np.mgrid[-48:49, -96:97]
    inside = np.clip(1 - np.hypot(x / 96, y / 48), 0, 1)
    spot: Image = (inside * inside * (3 - 2 * inside) * 255).astype(np.uint8)
    return spot


_SPOT: list[Image] = []


def shade_ground(
    frame: Image, centre: tuple[float, float], radii: tuple[float, float], strength: float
) -> None:
    """Darken a soft ellipse on the frame: a contact shadow."""
    if radii[0] < 2 or radii[1] < 1 or strength <= 0:
        return
    if not _SPOT:
        _SPOT.append(soft_blob())
    left, top = int(centre[0] - radii[0]), int(centre[1] - radii[1])
    width, height = max(2, int(2 * radii[0])), max(2, int(2 * radii[1]))
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(frame.shape[1], left + width), min(frame.shape[0], top + height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    table = (255 - np.arange(256) * strength).clip(0, 255).astype(np.uint8)
    spot = cv2.LUT(cv2.resize(_SPOT[0], (width, height)), table)[y0 - top : y1 - top, x0 - left : x1 - left]
    part = frame[y0:y1, x0:x1]
    cv2.multiply(part, cv2.cvtColor(spot, cv2.COLOR_GRAY2BGRA), dst=part, scale=1 / 255)


def paint_sprite(
    frame: Image, camera: Camera, sprite: Image, *, ppm: float, anchor: tuple[float, float],
    at: tuple[float, float, float], turn: float = 0.0, wide: float = 1.0, tall: float = 1.0,
    mirrored: bool = False, glow: bool = False, gain: float = 1.0,
    box: tuple[int, int, int, int] | None = None,
) -> None:  # fmt: skip
    """Paint a premultiplied sprite whose anchor pixel stands at `at` (metres), turned about it. `box` is
    the part (left, top, right, bottom) outside of which it is empty.
    """
    depth = at[2] - camera.z
    if depth < NEAREST:
        return
    scale = camera.focal / (depth * ppm)
    column = camera.centre + camera.focal * (at[0] - camera.x) / depth
    row = camera.horizon + camera.focal * (camera.y + (at[1] if mirrored else -at[1])) / depth
    cos, sin = math.cos(turn), math.sin(turn)
    sign = -1.0 if mirrored else 1.0
    matrix = np.zeros((2, 3))
    matrix[:, :2] = [
        [scale * wide * cos, -scale * tall * sin],
        [sign * scale * wide * sin, sign * scale * tall * cos],
    ]
    left, top, right, bottom = box or (0, 0, sprite.shape[1], sprite.shape[0])
    if right <= left:
        return
    sprite = sprite[top:bottom, left:right]
    matrix[:, 2] = np.array([column, row]) - matrix[:, :2] @ (anchor[0] - left, anchor[1] - top)
    place(frame, sprite, matrix, gain=gain, glow=glow)
