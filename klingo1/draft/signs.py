"""What hangs over a street: invented signs with their glow, and strings of lanterns."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from klingo1.draft.paint import add_glow, box, canvas, disc, ellipse, finish, polyline, scaled
from klingo1.draft.stage import Image, Paint, Rgb, bgr
from klingo1.draft.streets import Palette, letter, pick


def sign(rng: Generator, palette: Palette, wide: float, tall: float, ppm: float) -> tuple[Image, float]:
    """A sign of `wide` x `tall` metres with its glow round it: the card's picture, and the glow's margin in
    pixels.

    Characters run along its longer side.
    """
    colour, second = pick(rng, palette.signs), pick(rng, palette.signs)
    margin = round((0.5 if palette.glow else 0.05) * ppm)
    width, height = round(wide * ppm), round(tall * ppm)
    picture = canvas(height + 2 * margin, width + 2 * margin)
    light = np.zeros((*picture.shape[:2], 3), np.float32)
    filled = rng.random() < (0.3 if palette.glow else 0.8)
    back = scaled(colour, 0.6 if filled else 0.14)
    box(picture, margin, margin, margin + width, margin + height, back)
    if filled and palette.glow:
        light[margin : margin + height, margin : margin + width] += np.array(bgr(colour), np.float32) * 0.5
    edge = max(2, round(0.05 * ppm))
    corners = (margin + edge, margin + edge), (margin + width - edge, margin + height - edge)
    cv2.rectangle(light, *corners, bgr(second if rng.random() < 0.4 else colour), edge, cv2.LINE_AA)
    ink: Rgb = (250, 248, 255) if filled else (
        min(255.0, colour[0] * 0.75 + 90), min(255.0, colour[1] * 0.75 + 90), min(255.0, colour[2] * 0.75 +
        90)
    )  # fmt: skip
    upright = tall > wide
    size = (width if upright else height) * 0.78
    count = max(1, int((height if upright else width) / (size * 1.06)))
    for k in range(count):
        along = ((height if upright else width) - count * size) / 2 + k * size
        across = 0.11 * (width if upright else height)
        x, y = (across, along) if upright else (along, across)
        letter(light, rng, margin + x, margin + y, size, ink)
    picture[..., :3] = np.minimum(picture[..., :3] + light, 255)
    if palette.glow:
        add_glow(picture, light, 0.1 * ppm, 0.8 * palette.glow)
        add_glow(picture, light, 0.28 * ppm, 0.75 * palette.glow)
        picture *= _soft_edges(picture.shape[0], picture.shape[1], margin * 0.5)
    return finish(picture), float(margin)


def _soft_edges(height: int, width: int, reach: float) -> Paint:
    """A mask that fades out towards the picture's border, so that a glow has no corner."""
    rows = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    columns = np.minimum(np.arange(width), np.arange(width)[::-1])[None]
    mask = np.clip(np.minimum(rows, columns) / max(reach, 1), 0, 1)
    return np.asarray(mask[..., None], np.float32)


def lights_on_a_string(
    rng: Generator, width: float, sag: float, ppm: float, colours: tuple[Rgb, ...]
) -> Image:
    """A cable across the street with lanterns; the card hangs from its upper edge."""
    columns, rows = round(width * ppm), round((sag + 0.9) * ppm)
    picture = canvas(rows, columns)
    light = np.zeros((rows, columns, 3), np.float32)
    x = np.linspace(0, 1, 60)
    y = 0.1 + sag * (1 - (2 * x - 1) ** 2)
    polyline(picture, np.stack([x * columns, y * ppm], axis=-1).astype(np.float32), (12, 8, 14), 2, 230)
    tint = pick(rng, colours)
    for t in np.linspace(0.07, 0.93, 9):
        at = (float(t) * columns, (0.22 + sag * (1 - (2 * float(t) - 1) ** 2)) * ppm)
        ellipse(light, at, (0.085 * ppm, 0.11 * ppm), tint)
        disc(light, at, 0.045 * ppm, (255, 240, 235))
    picture[..., :3] = np.maximum(picture[..., :3], light)
    add_glow(picture, light, 0.12 * ppm, 0.9)
    add_glow(picture, light, 0.35 * ppm, 0.5)
    return finish(picture)
