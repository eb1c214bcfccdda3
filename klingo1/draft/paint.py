"""Brushes for sets: noise, gradients, colours, cut shapes, glow.

Painters work on float32 pictures, blue-green-red, 0-255 (they may overshoot; `finish` clips). Colours are
given as red-green-blue. Everything random comes from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.stage import Image, Paint, Rgb, bgr

if TYPE_CHECKING:
    from numpy.random import Generator

Points = Sequence[tuple[float, float]] | Paint
_BAND = 32
"""Rows that are turned into bytes at a time: they stay in the processor's cache."""
_SUBPIXEL = 3
"""Bits of fraction in OpenCV's drawing coordinates."""


def scaled(colour: Rgb, factor: float) -> Rgb:
    """A colour made darker (< 1) or brighter (> 1)."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def blend(a: Rgb, b: Rgb, share: float) -> Rgb:
    """The colour `share` (0-1) of the way from `a` to `b`."""
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )


def parse_hex(colour: str) -> Rgb | None:
    """The colour that #rrggbb names, or None."""
    digits = colour.removeprefix("#")
    try:
        value = int(digits, 16)
    except ValueError:
        return None
    if len(digits) != 6:
        return None
    return float(value >> 16), float(value >> 8 & 255), float(value & 255)


def smoothstep(low: float, high: float, x: Paint) -> Paint:
    """0 below `low`, 1 above `high`, an S between; `low` may be the larger."""
    t = np.clip((x - low) / (high - low), 0, 1)
    result: Paint = (t * t * (3 - 2 * t)).astype(np.float32)
    return result


def noise(
    rng: Generator,
    height: int,
    width: int,
    cells: int,
    *,
    octaves: int = 4,
    gain: float = 0.5,
    tile: bool = False,
) -> Paint:
    """Smooth noise with mean about 0 and deviation 1; `cells` bumps across the width, `tile` makes it
    seamless.
    """
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for octave in range(octaves):
        across = min(width, cells * 2**octave)
        down = across if tile else max(2, min(height, round(across * height / width)))
        grid = rng.standard_normal((down, across), dtype=np.float32)
        if tile:
            margin = 3
            grid = np.pad(grid, margin, mode="wrap")
            big = (round(width * (across + 2 * margin) / across), round(height * (down + 2 * margin) / down))
            layer = cv2.resize(grid, big, interpolation=cv2.INTER_CUBIC)
            top, left = round(margin * height / down), round(margin * width / across)
            layer = layer[top : top + height, left : left + width]
        else:
            layer = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += layer * weight
        weight *= gain
    return total / max(float(total.std()), 1e-6)


def profile(rng: Generator, length: int, cells: int, *, octaves: int = 6, gain: float = 0.5) -> Paint:
    """A seamless wavy line of `length` samples, mean about 0, deviation 1: ridges, coast lines, bark."""
    x = np.linspace(0, 1, length, endpoint=False)
    total = np.zeros(length)
    for octave in range(octaves):
        count = cells * 2**octave
        values = rng.normal(size=count)
        position = x * count
        index = position.astype(int)
        t = position - index
        t = t * t * (3 - 2 * t)
        total += (values[index % count] * (1 - t) + values[(index + 1) % count] * t) * gain**octave
    total -= total.mean()
    return (total / max(float(total.std()), 1e-6)).astype(np.float32)


def vertical_gradient(height: int, width: int, stops: Sequence[tuple[float, Rgb]]) -> Paint:
    """A float picture whose rows run through the stops (position 0-1 from the top, colour)."""
    rows = np.linspace(0, 1, height)
    positions = [position for position, _ in stops]
    column = np.stack(
        [np.interp(rows, positions, [colour[part] for _, colour in stops]) for part in (2, 1, 0)], axis=-1
    )
    return np.repeat(column[:, None].astype(np.float32), width, axis=1)


def canvas(height: int, width: int) -> Paint:
    """An empty, transparent float picture (BGRA)."""
    return np.zeros((height, width, 4), np.float32)


def polygon(picture: Paint, points: Points, colour: Rgb, alpha: float = 255.0) -> None:
    """Fill a shape given by points (column, row), smooth-edged; draws on three- or four-channel pictures."""
    corners = (np.asarray(points, np.float32) * (1 << _SUBPIXEL)).round().astype(np.int32)
    cv2.fillPoly(picture, [corners], (*bgr(colour), alpha), cv2.LINE_AA, _SUBPIXEL)


def polyline(picture: Paint, points: Points, colour: Rgb, width: float, alpha: float = 255.0) -> None:
    """Draw a line through points (column, row)."""
    corners = (np.asarray(points, np.float32) * (1 << _SUBPIXEL)).round().astype(np.int32)
    cv2.polylines(
        picture, [corners], False, (*bgr(colour), alpha), max(1, round(width)), cv2.LINE_AA, _SUBPIXEL
    )


def disc(
    picture: Paint, centre: tuple[float, float], radius: float, colour: Rgb, alpha: float = 255.0
) -> None:
    """Fill a circle."""
    one = 1 << _SUBPIXEL
    cv2.circle(
        picture, (round(centre[0] * one), round(centre[1] * one)), max(1, round(radius * one)),
        (*bgr(colour), alpha), -1, cv2.LINE_AA, _SUBPIXEL,
    )  # fmt: skip


def box(picture: Paint, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:  # noqa: PLR0917 - a rectangle is four numbers
    """Fill an upright rectangle, opaque."""
    cv2.rectangle(
        picture, (round(left), round(top)), (round(right) - 1, round(bottom) - 1), (*bgr(colour), 255.0), -1
    )


def ellipse(
    picture: Paint, centre: tuple[float, float], radii: tuple[float, float], colour: Rgb, angle: float = 0.0
) -> None:
    """Fill an ellipse, turned by `angle` degrees."""
    one = 1 << _SUBPIXEL
    cv2.ellipse(
        picture, (round(centre[0] * one), round(centre[1] * one)),
        (max(1, round(radii[0] * one)), max(1, round(radii[1] * one))),
        angle, 0, 360, (*bgr(colour), 255.0), -1, cv2.LINE_AA, _SUBPIXEL,
    )  # fmt: skip


def add_glow(picture: Paint, light: Paint, reach: float, strength: float) -> None:
    """Add the blurred light (BGR) to a picture, in place; alpha stays, so the glow shines without
    covering.
    """
    height, width = light.shape[:2]
    step = max(1, min(8, round(reach / 2)))
    small = cv2.resize(light, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(0.5, reach / step))
    if picture.shape[2] == 4:
        small = cv2.merge([*cv2.split(small), np.zeros(small.shape[:2], np.float32)])
    halo = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.scaleAdd(halo, strength, picture, dst=picture)


def glow_sprite(radius: int, colour: Rgb, strength: float = 0.8) -> Image:
    """A soft round light to be added to a picture, (2·radius + 1)² pixels, alpha 0."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32) / max(radius, 1)
    far = np.hypot(x, y)
    shape = (np.exp(-((far * 2.6) ** 2)) * 0.6 + np.exp(-((far * 6) ** 2)) * 0.4) * np.clip(1 - far, 0, 1)
    picture = canvas(*shape.shape)
    picture[..., :3] = shape[..., None] * np.array(bgr(colour), np.float32) * strength
    return finish(picture)


def cut_out(colour: Paint, alpha: Paint) -> Image:
    """A card from a BGR picture and its coverage (0-1): premultiplied BGRA."""
    picture = np.dstack([colour.clip(0, 255) * alpha[..., None], alpha * 255])
    return finish(picture)


def finish(picture: Paint) -> Image:
    """Clip to bytes; a three-channel picture becomes opaque."""
    bytes_: Image = np.empty(picture.shape, np.uint8)
    for row in range(0, len(picture), _BAND):  # a clipped copy of all of it would be as large as the picture
        bytes_[row : row + _BAND] = picture[row : row + _BAND].clip(0, 255).astype(np.uint8)
    if bytes_.shape[2] == 3:
        bytes_ = cv2.cvtColor(bytes_, cv2.COLOR_BGR2BGRA)
    return bytes_
