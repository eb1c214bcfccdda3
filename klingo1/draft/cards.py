"""Scenery in depth: billboards that face the camera, and walls along the street."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from klingo1.draft.stage import Camera, Image, Rgb, halved, over
from klingo1.draft.texture import Texture

NEAREST = 0.3
"""Metres: what is closer than this is behind the lens."""
_FADE_IN, _FADE_OUT = 5.0, 1.0
"""Metres over which a repeating card appears at the far end and vanishes in front of the lens."""


@dataclass(slots=True)
class Card:
    """A flat picture that stands in the set and faces the camera.

    `image` is premultiplied BGRA, `ppm` its pixels per metre; its anchor pixel (default: middle of the lower
    edge) stands at (`x`, `y`, `z`). It repeats every `wrap_z` metres in depth or `wrap_x` metres to the side
    (0: not at all). `glow` adds its light instead of covering; `reflects` lets wet ground mirror it.
    """

    image: Image
    ppm: float
    x: float
    y: float
    z: float
    anchor: tuple[float, float] | None = None
    wrap_x: float = 0.0
    wrap_z: float = 0.0
    glow: bool = False
    reflects: bool = True
    _texture: Texture = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.anchor is None:
            self.anchor = (self.image.shape[1] / 2, float(self.image.shape[0]))
        self._texture = Texture.of(self.image)

    def depth(self, camera: Camera) -> float:
        """Metres in front of the camera; a repeating card is always within one period."""
        depth = self.z - camera.z
        return (depth - NEAREST) % self.wrap_z + NEAREST if self.wrap_z else depth

    def presence(self, depth: float) -> float:
        """How much of it is there (0-1): repeating cards fade in far away and out before the lens."""
        far = (self.wrap_z - depth) / _FADE_IN if self.wrap_z else 1.0
        near = (depth - 0.7) / _FADE_OUT
        return min(1.0, max(0.0, far)) * min(1.0, max(0.0, near))

    def places(self, camera: Camera, depth: float) -> list[float]:
        """The x of every copy that can be seen from here."""
        if not self.wrap_x:
            return [self.x]
        half = self.image.shape[1] / self.ppm
        left = camera.x - camera.centre * depth / camera.focal - half
        right = camera.x + (camera.width - camera.centre) * depth / camera.focal + half
        first = math.ceil((left - self.x) / self.wrap_x)
        last = math.floor((right - self.x) / self.wrap_x)
        return [self.x + k * self.wrap_x for k in range(first, min(last, first + 12) + 1)]

    def box(self, camera: Camera, depth: float, x: float) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of one copy in the picture, in pixels."""
        scale = camera.focal / (depth * self.ppm)
        ax, ay = self._anchor()
        left = camera.centre + camera.focal * (x - camera.x) / depth - ax * scale
        top = camera.horizon + camera.focal * (camera.y - self.y) / depth - ay * scale
        return left, top, left + self.image.shape[1] * scale, top + self.image.shape[0] * scale

    def draw(
        self,
        frame: Image,
        camera: Camera,
        *,
        haze: float = 0.0,
        colour: Rgb = (0, 0, 0),
        gain: float = 1.0,
        mirrored: bool = False,
    ) -> None:
        """Paint every visible copy, `haze` (0-1) faded towards `colour`, weakened by `gain`."""
        depth = self.depth(camera)
        gain *= self.presence(depth)
        if depth < NEAREST or gain < 0.02:
            return
        scale = camera.focal / (depth * self.ppm)
        ax, ay = self._anchor()
        ax, ay = ax - self._texture.left, ay - self._texture.top
        row = camera.horizon + camera.focal * (camera.y + (self.y if mirrored else -self.y)) / depth
        level = self._texture.level(scale)
        source = self._texture.hazed(level, haze, colour)
        grow = scale * 2**level
        sign = -1.0 if mirrored else 1.0
        for x in self.places(camera, depth):
            column = camera.centre + camera.focal * (x - camera.x) / depth
            across, down = (grow, 0.0, column - scale * ax), (0.0, sign * grow, row - sign * scale * ay)
            _paint(frame, source, across, down, gain=gain, glow=self.glow)

    def _anchor(self) -> tuple[float, float]:
        assert self.anchor is not None  # set on construction
        return self.anchor


def place(
    frame: Image, image: Image, matrix: NDArray[np.float64], *, gain: float = 1.0, glow: bool = False
) -> None:
    """Paint a premultiplied picture through an affine map (2 x 3, picture to frame), in place.

    Only the part of the frame that the picture reaches is touched; `glow` adds light instead of covering.
    """
    across, down = matrix.tolist()
    _paint(frame, image, across, down, gain=gain, glow=glow)


def _paint(
    frame: Image, image: Image, across: Sequence[float], down: Sequence[float], *, gain: float, glow: bool
) -> None:
    """The same, the map's two rows as plain numbers: NumPy takes ten times as long for six of them."""
    (xx, xy, left), (yx, yy, top) = across, down
    if not math.isfinite(xx + xy + left + yx + yy + top):
        return
    height, width = image.shape[:2]
    x0 = max(0, math.floor(left + min(0.0, xx * width) + min(0.0, xy * height)) - 1)
    y0 = max(0, math.floor(top + min(0.0, yx * width) + min(0.0, yy * height)) - 1)
    x1 = min(frame.shape[1], math.ceil(left + max(0.0, xx * width) + max(0.0, xy * height)) + 1)
    y1 = min(frame.shape[0], math.ceil(top + max(0.0, yx * width) + max(0.0, yy * height)) + 1)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    local = np.array([[xx, xy, left - x0], [yx, yy, top - y0]])
    painted = cv2.warpAffine(image, local, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    if gain < 0.995:
        painted = cv2.convertScaleAbs(painted, alpha=gain)
    part = frame[y0:y1, x0:x1]
    if glow:
        cv2.add(part, painted, dst=part)
    else:
        over(part, painted)


@dataclass(slots=True)
class Wall:
    """A vertical plane beside the street at x, running along z for ever: `image` repeats.

    `image` is premultiplied BGRA at `ppm` pixels per metre, its lower edge on the ground; x ≠ 0. It is
    drawn in strips of growing distance, each from a smaller copy, so that far windows do not flicker.
    """

    image: Image
    ppm: float
    x: float
    far: float = 64.0
    _levels: list[Image] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        twice = np.concatenate([self.image, self.image], axis=1)
        self._levels = [np.ascontiguousarray(twice)]
        for _ in range(4):
            self._levels.append(halved(self._levels[-1]))

    @property
    def period(self) -> float:
        """Metres after which the wall repeats."""
        return float(self.image.shape[1] / self.ppm)

    def draw(self, frame: Image, camera: Camera, *, mirrored: bool = False) -> None:
        """Paint the wall, or its mirror image in the ground."""
        side = self.x - camera.x
        edge = camera.width - camera.centre if side > 0 else camera.centre
        nearest = max(0.7, camera.focal * abs(side) / max(edge, 1.0) * 0.98)
        cuts = [nearest, *(c for q in (1.7, 3.2, 6.5) if (c := nearest * q) < self.far), self.far]
        if nearest < self.far:
            for near, far in pairwise(cuts):
                self._strip(frame, camera, near, min(far, near + self.period), mirrored=mirrored)

    def _strip(self, frame: Image, camera: Camera, near: float, far: float, *, mirrored: bool) -> None:
        height, width = frame.shape[:2]
        scale, level = camera.focal / (near * self.ppm), 0
        while scale < 0.7 and level < len(self._levels) - 1:
            level, scale = level + 1, scale * 2
        image = self._levels[level]
        ppm = self.ppm / 2**level
        start = (camera.z + near) % self.period
        top = self.image.shape[0] / self.ppm
        begin, end = start * ppm, (start + far - near) * ppm
        source = np.array([[begin, 0], [end, 0], [end, image.shape[0]], [begin, image.shape[0]]], np.float32)
        sign = 1.0 if mirrored else -1.0
        side = self.x - camera.x
        target = np.array(
            [
                (
                    camera.centre + camera.focal * side / z,
                    camera.horizon + camera.focal * (camera.y + sign * y) / z,
                )
                for z, y in ((near, top), (far, top), (far, 0.0), (near, 0.0))
            ],
            np.float32,
        )
        x0 = max(0, math.floor(target[:, 0].min()))
        x1 = min(width, math.ceil(target[:, 0].max()) + 1)
        y0 = max(0, int(target[:, 1].min()) - 1)
        y1 = min(height, int(target[:, 1].max()) + 2)
        if x1 - x0 < 1 or y1 - y0 < 2:
            return
        matrix = cv2.getPerspectiveTransform(source, target - np.array([x0, y0], np.float32))
        painted = cv2.warpPerspective(image, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        over(frame[y0:y1, x0:x1], painted)
