"""The ground: a textured plane that reaches the horizon, seen in perspective."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from klingo1.draft.stage import Camera, Image, Paint, halved


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
    _rows: _Rows | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        levels = [self.tile]
        while levels[-1].shape[0] > 16 and len(levels) < 6:
            levels.append(halved(levels[-1]))
        # One pixel of the opposite edge all round lets bilinear sampling run across the seam.
        self._levels = [cv2.copyMakeBorder(t, 1, 1, 1, 1, cv2.BORDER_WRAP) for t in levels]

    def draw(self, frame: Image, camera: Camera, seconds: float = 0.0) -> int:
        """Paint every row below the horizon that belongs to the strip; returns the horizon's row.

        The map wraps its own coordinates: remap's wrapping border takes six times as long.
        """
        if self._rows is None or not self._rows.fits(camera):
            self._rows = _Rows(camera, self.tile.shape[0], self.metres, len(self._levels))
        rows = self._rows
        top = rows.top
        if top >= camera.height:
            return top
        depth = rows.depth
        start = 0 if self.far == math.inf else int(np.searchsorted(-(depth + camera.z), -self.far))
        stop = len(depth)
        if self.near > -math.inf:
            stop = int(np.searchsorted(-(depth + camera.z), -(self.near - self.feather)))
        if stop <= start:
            return top
        columns = rows.columns[start:stop] + np.float32(
            (camera.x + self.drift[0] * seconds) / self.metres % 1
        )
        columns -= np.floor(columns)
        lines = (-(depth + camera.z + self.drift[1] * seconds) / self.metres) % 1
        target = frame[top + start : top + stop]
        soft = self.near > -math.inf
        painted = np.empty_like(target) if soft else target
        for first, last, level in rows.bands:
            a, b = max(first, start), min(last, stop)
            if b <= a:
                continue
            side = self._levels[level].shape[0] - 2
            x = columns[a - start : b - start] * np.float32(side) + np.float32(0.5)
            y = np.broadcast_to((lines[a:b] * side + 0.5).astype(np.float32)[:, None], x.shape)
            cv2.remap(
                self._levels[level], x, np.ascontiguousarray(y), cv2.INTER_LINEAR,
                dst=painted[a - start : b - start],
            )  # fmt: skip
        if soft:
            self._blend(target, painted, depth[start:stop] + camera.z)
        return top

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


class _Rows:
    """What a camera sees of the plane, row by row: depth, width, and which size of the tile to use."""

    def __init__(self, camera: Camera, side: int, metres: float, levels: int) -> None:
        self._key = self._round(camera)
        self.top = min(camera.height, max(0, math.floor(camera.horizon) + 1))
        below = np.maximum(np.arange(self.top, camera.height) + 0.5 - camera.horizon, 0.5)
        depth = np.maximum(camera.focal * camera.y / below, 0.1)
        self.depth: Paint = depth.astype(np.float32)
        across = (np.arange(camera.width, dtype=np.float32) - camera.centre) / camera.focal
        self.columns: Paint = (across[None] * (self.depth / metres)[:, None]).astype(np.float32)
        density = side / metres
        tall = depth**2 / (camera.focal * max(camera.y, 0.05)) * density * 0.5
        texels = np.maximum(tall, depth / camera.focal * density)
        level = np.clip(np.round(np.log2(np.maximum(texels, 1))), 0, levels - 1).astype(int)
        edges = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(level)]
        self.bands = [(a, b, int(level[a])) for a, b in pairwise(edges) if b > a]

    def fits(self, camera: Camera) -> bool:
        """Whether the table still holds: only a move along the ground leaves it unchanged."""
        return self._key == self._round(camera)

    @staticmethod
    def _round(camera: Camera) -> tuple[float, ...]:
        size = (float(camera.width), float(camera.height))
        return (
            *size,
            round(camera.horizon, 1),
            round(camera.focal, 1),
            round(camera.y, 3),
            round(camera.centre, 1),
        )
