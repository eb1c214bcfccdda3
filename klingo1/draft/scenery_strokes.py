"""Many small shapes at once: leaves, needles, blades of grass.

They are drawn on premultiplied 8-bit pictures, where OpenCV smooths edges (it does not on float pictures): a
smooth edge mixes colour and alpha alike, so the result stays premultiplied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from klingo1.draft.stage import Image, Paint, Rgb

if TYPE_CHECKING:
    from numpy.random import Generator

Points = NDArray[np.float32] | NDArray[np.float64]
_BITS = 3


def sheet(height: float, width: float) -> Image:
    """An empty premultiplied picture."""
    return np.zeros((max(2, round(height)), max(2, round(width)), 4), np.uint8)


def tones(base: Rgb, factors: Points) -> Points:
    """One colour (red-green-blue) per factor: shadows lean to blue, lights to yellow, as outdoors."""
    f = np.asarray(factors, np.float64)[:, None]
    lean = np.array([0.1, 0.04, -0.14]) * (f - 1)
    result: Points = np.clip(np.array(base)[None] * f * (1 + lean), 0, 255)
    return result


def stamp(picture: Image, shapes: Points, colours: Points) -> None:
    """Fill convex shapes (N x corners x 2, columns and rows) in order, each in its colour (N x 3, RGB)."""
    corners = (shapes * (1 << _BITS)).round().astype(np.int32)
    paints = [(b, g, r, 255.0) for r, g, b in np.asarray(colours, np.float64).tolist()]
    for outline, paint in zip(corners, paints, strict=True):
        cv2.fillConvexPoly(picture, outline, paint, cv2.LINE_AA, _BITS)


def leaves(picture: Image, at: Points, long: Points, wide: Points, angle: Points, colours: Points) -> None:  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    """Lens-shaped leaves about their centres; `long`, `wide`: half axes in pixels; angles in radians."""
    unit = np.array([[-1, 0], [-0.35, 0.85], [0.35, 0.85], [1, 0], [0.35, -0.85], [-0.35, -0.85]])
    x, y = unit[None, :, 0] * long[:, None], unit[None, :, 1] * wide[:, None]
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    shapes = np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1) + at[:, None]
    stamp(picture, shapes, colours)


def spikes(picture: Image, root: Points, tip: Points, wide: Points, colours: Points) -> None:
    """Slender triangles from root to tip; `wide` is the width at the root."""
    along = tip - root
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1)
    across = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6) * wide[:, None] / 2
    stamp(picture, np.stack([root - across, root + across, tip], axis=1), colours)


def ribbon(picture: Image, path: Points, widths: Points, colour: Rgb) -> None:
    """A band along a path (M x 2), its width (M) changing: a stem, a bent blade, a branch."""
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1)
    across = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    half = across * widths[:, None] / 2
    outline = (np.concatenate([path + half, (path - half)[::-1]]) * (1 << _BITS)).round().astype(np.int32)
    cv2.fillPoly(picture, [outline], (colour[2], colour[1], colour[0], 255.0), cv2.LINE_AA, _BITS)


def shade(picture: Image, factor: Paint) -> Image:
    """The picture with its colours multiplied (anything that broadcasts), alpha unchanged."""
    weight = np.broadcast_to(factor, picture.shape[:2])[..., None]
    lit = (picture[..., :3] * weight).clip(0, 255)
    lit = np.minimum(lit, picture[..., 3:])
    return np.dstack([lit.astype(np.uint8), picture[..., 3]])


def soften(picture: Image, radius: float) -> Image:
    """Out of focus; the picture grows so that the blur has room. Its lower edge stays where it is."""
    room = int(2.5 * radius) + 1
    grown = cv2.copyMakeBorder(picture, room, 0, room, room, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    result: Image = cv2.GaussianBlur(grown, (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    return result


def inside_disc(rng: Generator, count: int) -> Points:
    """Points spread evenly over the unit disc."""
    angle, radius = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.random(count))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
