"""Water that meets the land: waves that run up and back, a line of foam, wet ground beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from klingo1.draft.ground import Ground, Rows
from klingo1.draft.paint import smoothstep
from klingo1.draft.stage import Camera, Image

_STEP = 4
"""The shore's line is computed for every fourth pixel."""


@dataclass(slots=True)
class Shore(Ground):
    """Water over a part of the ground that was drawn before it.

    Where: beyond `edge` metres to the right (`along` "z": the shore runs into the depth; negative: to the
    left) or beyond z = `edge` (`along` "x"). `closes` metres before the camera water covers all. `surf`
    (0-1) is how strong the foam and the swash are.
    """

    along: str = "z"
    edge: float = 3.0
    surf: float = 1.0
    closes: float = math.inf

    def draw(self, frame: Image, camera: Camera, seconds: float = 0.0) -> int:
        """Paint the water into the frame; returns the horizon's row."""
        top = min(camera.height, max(0, math.floor(camera.horizon) + 1))
        land = frame[top:]
        if not land.size:
            return top
        inside, foam, shown = self._reach(camera, seconds, land.shape[0], land.shape[1], camera.horizon - top)
        if not inside.any():
            return top
        lines, columns = _touched(cv2.bitwise_not(shown))
        kept = shown[lines, columns]
        part = land[lines, columns]
        dry = cv2.merge([kept, kept, kept, cv2.bitwise_not(inside[lines, columns])])
        cv2.multiply(part, dry, dst=part, scale=1 / 255)
        lines, columns = _touched(cv2.max(inside, foam))
        part = land[lines, columns]
        water = np.empty(part.shape, np.uint8)
        rows = Rows(camera, self.tile.shape[0], self.metres, len(self._levels))
        self._fill(water, rows, camera, seconds, lines.start, columns.start)
        cv2.multiply(water, cv2.merge([inside[lines, columns]] * 4), dst=water, scale=1 / 255)
        white = foam[lines, columns]
        cv2.add(water, cv2.merge([white, white, white, np.zeros_like(white)]), dst=water)
        cv2.add(part, water, dst=part)
        return top

    def _reach(
        self, camera: Camera, seconds: float, rows: int, columns: int, offset: float
    ) -> tuple[Image, Image, Image]:
        """For each pixel: how much is water, how bright the foam, how much of the land shows (0-255)."""
        row = (np.arange(0, rows, _STEP, dtype=np.float32) + 0.5 * _STEP - offset)[:, None]
        column = np.arange(0, columns, _STEP, dtype=np.float32)[None] + 0.5 * _STEP
        depth = camera.focal * camera.y / np.maximum(row, 0.5)
        x = camera.x + (column - camera.centre) / camera.focal * depth
        z = camera.z + depth + 0 * x
        swash = self.surf * (0.34 * math.sin(seconds * 0.9) + 0.12 * math.sin(seconds * 1.7 + 1))
        if self.along == "z":
            sign = math.copysign(1.0, self.edge)
            bend = (
                0.55 * np.sin(0.31 * z)
                + 0.22 * np.sin(0.9 * z + 1.3)
                + 0.09 * np.sin(2.3 * z + seconds * 0.5)
            )
            into = sign * x - abs(self.edge) - bend + swash
        else:
            bend = (
                0.5 * np.sin(0.29 * x) + 0.25 * np.sin(0.8 * x + 1.3) + 0.1 * np.sin(2.1 * x + seconds * 0.5)
            )
            into = z - self.edge - bend + swash
        into = np.maximum(into, 1.5 * (depth - self.closes)) if self.closes < math.inf else into
        near = np.minimum(1.0, 9.0 / depth)
        inside = smoothstep(-0.06, 0.5, into)
        ragged = np.sin(5.1 * x + 2 * np.sin(1.7 * z)) * np.sin(4.3 * z + 2 * np.sin(1.9 * x))
        line = np.exp(-(((into - 0.12 - 0.05 * ragged) / 0.13) ** 2))
        roll = 1.5 + 0.9 * ((seconds * 0.22) % 1.0)
        second = (
            np.exp(-(((into - roll - 0.12 * ragged) / 0.16) ** 2))
            * 0.55
            * math.sin(math.pi * ((seconds * 0.22) % 1.0))
        )
        foam = (line + np.clip(second * (0.7 + 0.6 * ragged), 0, 1)) * near * 150 * self.surf
        shown = (1 - 0.32 * smoothstep(-1.1 * max(0.3, self.surf), 0.05, into)) * (1 - inside)
        grown = [
            cv2.resize(
                np.asarray(part, np.float32).clip(0, 255).astype(np.uint8),
                (columns, rows),
                interpolation=cv2.INTER_LINEAR,
            )
            for part in (inside * 255, foam, shown * 255)
        ]
        return grown[0], grown[1], grown[2]


def _touched(cover: Image) -> tuple[slice, slice]:
    """The rows and columns in which a one-channel picture is not 0."""
    left, top, width, height = cv2.boundingRect(cover)
    return slice(top, top + height), slice(left, left + width)
