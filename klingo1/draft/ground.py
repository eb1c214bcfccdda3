"""The ground: a textured plane that reaches the horizon, seen in perspective."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from klingo1.draft.stage import Camera, Image, Paint, halved

_WIDEST = 24_000
"""Pixels of tiles side by side, at most: remap counts in 16 bits. What is wider is a hair's breadth at the
horizon.
"""


@dataclass(slots=True)
class Ground:
    """An endless floor at y = 0, or a strip of it between two distances.

    `tile` is square, seamless BGRA (side a power of two, 256-1024), its colours straight; alpha is how
    strongly a pixel mirrors what stands above it (0 dry, 255 a puddle). `metres` is the tile's side in the
    world. `near` and `far` bound the strip in world z (water beyond a shore), softened over `feather` metres;
    `drift` moves the texture, in metres a second along x and z (waves, clouds).
    """

    tile: Image
    metres: float
    near: float = -math.inf
    far: float = math.inf
    feather: float = 0.6
    drift: tuple[float, float] = (0.0, 0.0)
    _levels: list[Image] = field(init=False, repr=False)
    _wide: dict[int, Image] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._levels = [self.tile]
        while self._levels[-1].shape[0] > 16 and len(self._levels) < 6:
            self._levels.append(halved(self._levels[-1]))

    def draw(self, frame: Image, camera: Camera, seconds: float = 0.0) -> int:
        """Paint every row below the horizon that belongs to the strip; returns the horizon's row."""
        rows = Rows(camera, self.tile.shape[0], self.metres, len(self._levels))
        top = rows.top
        z = rows.depth + np.float32(camera.z)
        start = 0 if self.far == math.inf else int(np.searchsorted(-z, -self.far))
        stop = len(z)
        if self.near > -math.inf:
            stop = int(np.searchsorted(-z, -(self.near - self.feather)))
        if stop <= start:
            return top
        target = frame[top + start : top + stop]
        if self.near == -math.inf:
            self._fill(target, rows, camera, seconds, start)
        else:
            painted = np.empty_like(target)
            self._fill(painted, rows, camera, seconds, start)
            self._blend(target, painted, z[start:stop])
        return top

    def _fill(  # noqa: PLR0917 - what, seen how, when and where: a painter's natural order
        self, part: Image, rows: Rows, camera: Camera, seconds: float, start: int, left: int = 0
    ) -> None:
        """Paint the plane into a part of a frame that begins `start` rows below the horizon, at column
        `left`.

        Each size of the tile is laid out as often as the widest row needs it: remap's own wrapping border
        takes six times as long, and wrapping a map of every pixel as long as the remap itself.
        """
        across = rows.across[left : left + part.shape[1]]
        aside = (camera.x + self.drift[0] * seconds) / self.metres % 1
        along = (-(rows.depth + camera.z + self.drift[1] * seconds) / self.metres) % 1
        for first, last, level in rows.bands:
            a, b = max(first, start), min(last, start + len(part))
            if b <= a:
                continue
            side = self._levels[level].shape[0]
            grow = rows.depth[a:b] * np.float32(side / self.metres)
            before = math.ceil(max(0.0, -float(across[0])) * float(grow[0]) / side)
            behind = math.ceil(max(0.0, float(across[-1])) * float(grow[0]) / side) + 2
            x = across[None] * grow[:, None]
            x += np.float32((aside + before) * side + 0.5)
            y = np.repeat((along[a:b] * side + 0.5).astype(np.float32)[:, None], part.shape[1], axis=1)
            cv2.remap(
                self._laid_out(level, before + behind), x, y, cv2.INTER_LINEAR,
                dst=part[a - start : b - start], borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip

    def _laid_out(self, level: int, count: int) -> Image:
        """At least `count` tiles side by side, with one pixel of the opposite edge all round, so that
        bilinear sampling runs across the seam.
        """
        tile = self._levels[level]
        count = min(count, _WIDEST // tile.shape[0])
        found = self._wide.get(level)
        if found is None or found.shape[1] < count * tile.shape[0]:
            row = np.tile(tile, (1, count + count // 4, 1))
            found = self._wide[level] = cv2.copyMakeBorder(row, 1, 1, 1, 1, cv2.BORDER_WRAP)
        return found

    @property
    def wet(self) -> float:
        """How much it mirrors on the whole, 0 to 1."""
        return float(self.tile[..., 3].mean()) / 255

    def _blend(self, target: Image, painted: Image, z: Paint) -> None:
        """Mix the strip in, its near edge softened row by row."""
        weight = np.clip((z - (self.near - self.feather)) / (2 * self.feather), 0, 1)
        soft = int((weight < 1).argmax()) if (weight < 1).any() else len(weight)
        target[:soft] = painted[:soft]
        if soft < len(weight):
            share = weight[soft:, None, None]
            mixed = painted[soft:] * share + target[soft:] * (1 - share)
            target[soft:] = mixed.astype(np.uint8)


class Rows:
    """What a camera sees of the plane, row by row: depth, and which size of the tile to use."""

    def __init__(self, camera: Camera, side: int, metres: float, levels: int) -> None:
        self.top = min(camera.height, max(0, math.floor(camera.horizon) + 1))
        below = np.maximum(np.arange(self.top, camera.height) + 0.5 - camera.horizon, 0.5)
        depth = np.maximum(camera.focal * camera.y / below, 0.1)
        self.depth: Paint = depth.astype(np.float32)
        across = (np.arange(camera.width, dtype=np.float32) - camera.centre) / camera.focal
        self.across: Paint = across.astype(np.float32)
        density = side / metres
        tall = depth**2 / (camera.focal * max(camera.y, 0.05)) * density * 0.5
        texels = np.maximum(tall, depth / camera.focal * density)
        level = np.clip(np.round(np.log2(np.maximum(texels, 1))), 0, levels - 1).astype(int)
        edges = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(level)]
        self.bands = [(a, b, int(level[a])) for a, b in pairwise(edges) if b > a]
