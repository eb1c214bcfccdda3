"""The rig: a cut-out view moves like a paper puppet.

A figure with two legs walks: a torso over two copies of what is below the hip, each moved by one affine warp.
Anything else bobs, rocks and stretches as a whole. Poses are cached by phase; a view is never mirrored, so
writing on it stays readable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from klingo1.draft.anatomy import between_feet, hip_row
from klingo1.draft.light import Light, relight
from klingo1.draft.stage import Image, halved, over, solid_box

PHASES = 24
"""Poses in a cycle; at a walking pace each is shown for one frame."""
_CYCLES = frozenset(("walk", "run", "dance", "wave", "sit", "idle"))
_SIDE_ROOM, _ROOM = 0.28, 0.14
"""Empty room left and right of the figure, as a share of its height: for legs that swing, and to sway in."""
_LIGHT_REACH = 24
"""Empty pixels beside the figure within which the light on its edges fades; farther out nothing is lit."""
_SOLE = 3
"""Pixels below the feet."""
_NARROWEST, _TALLEST = 2, 1600
_KEPT = 96_000_000  # bytes of poses that one puppet keeps; others are made anew


@dataclass(slots=True)
class Posed:
    """A pose: premultiplied BGRA, the box (left, top, right, bottom) that holds it, and its mirror image."""

    image: Image
    box: tuple[int, int, int, int]
    mirrored: Image | None = None

    @classmethod
    def of(cls, image: Image) -> Posed:
        """The pose with its box."""
        return cls(image, solid_box(image))


@dataclass(slots=True)
class Puppet:
    """One view of a subject, lit and ready to pose.

    `image` is premultiplied BGRA with room around the figure; `height` is the figure's height in pixels,
    `foot` the row of its soles, `centre` the column they stand on, `hip` the row of the hip or None when
    there are no two legs to be found. `width` is the figure's width in pixels; `facing` is 1 when a side view
    looks to the right, -1 to the left.
    """

    image: Image
    name: str
    height: int
    width: int
    foot: int
    centre: float
    hip: int | None
    facing: int = 1
    _poses: dict[tuple[str, int], list[Posed]] = field(default_factory=dict, repr=False)
    _solid: tuple[int, int, int, int] = field(init=False, repr=False)
    _legs: Image = field(init=False, repr=False)
    """What is below the hip; and the same darkened, for the far leg of a side view."""
    _far_leg: Image = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._solid = solid_box(self.image)
        self._legs = self._far_leg = self.image[self.foot if self.hip is None else self.hip + 2 :]
        if self.name == "side" and self.hip is not None:
            self._far_leg = _darkened(self._legs, 0.66)

    @classmethod
    def of(
        cls, view: Image, name: str, light: Light, height: float, *, legs: bool = True, facing: int = 1
    ) -> Puppet:
        """Scale a straight BGRA view to `height` pixels (clamped to something sensible) and light it."""
        tall = int(min(max(height, 8), _TALLEST))
        scale = tall / max(1, view.shape[0])
        wide = int(min(max(_NARROWEST, round(view.shape[1] * scale)), 2 * _TALLEST))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        sized = cv2.resize(view, (wide, tall), interpolation=method)
        room = int((_SIDE_ROOM if name == "side" else _ROOM) * tall) if legs else int(0.04 * tall) + 2
        near = min(room, _LIGHT_REACH)
        sized = cv2.copyMakeBorder(
            sized, int(0.05 * tall), _SOLE, near, near, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)
        )
        lit = cv2.copyMakeBorder(
            relight(sized, light), 0, 0, room - near, room - near, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)
        )
        alpha = lit[..., 3]
        foot = lit.shape[0] - _SOLE
        hip = hip_row(alpha, foot, tall) if legs and tall >= 40 else None
        return cls(lit, name, tall, wide, foot, between_feet(alpha, foot, tall), hip, facing)

    def pose(self, action: str, phase: float, detail: float = 1.0) -> Posed:
        """The picture at a phase (0 to 1) of an action's cycle, as large as `image`, or halved when it is
        drawn at less than 0.55 of its size (`detail`): (the caller scales by the shape it gets).
        """
        step = int(phase * PHASES) % PHASES
        kind = action if action in _CYCLES else "rest"
        if kind in ("walk", "run", "sit") and self.hip is None:
            kind = "rest" if kind == "sit" else "idle"
        key = (kind, 0 if kind == "rest" else step)
        levels = self._poses.get(key)
        if levels is None:
            levels = [Posed.of(self._make(kind, step / PHASES))]
            if (len(self._poses) + 1) * self.image.nbytes <= _KEPT:
                self._poses[key] = levels
        level = 0
        while detail < 0.55 and min(levels[level].image.shape[:2]) > 24:
            detail, level = detail * 2, level + 1
            if level == len(levels):
                levels.append(Posed.of(halved(levels[-1].image)))
        return levels[level]

    def _make(self, kind: str, phase: float) -> Image:
        match kind:
            case "walk":
                return self._stride(phase, 1.0, run=False)
            case "run":
                return self._stride(phase, 1.25, run=True)
            case "dance" if self.hip is not None:
                return self._stride(phase, 1.35, run=False, sway=0.085)
            case "dance":
                return self._bend(phase, sway=0.05, squash=0.035)
            case "wave":
                return self._wave(phase)
            case "sit":
                return self._fold(min(1.0, phase * PHASES / (PHASES - 1)))
            case "idle":
                return self._bend(phase, sway=0.006, squash=0.008)
            case _:
                return self.image

    def _bend(self, phase: float, *, sway: float, squash: float) -> Image:
        """Sway the upper body over planted feet and breathe; rows move as a whole, by a remap."""
        height, width = self.image.shape[:2]
        angle = 2 * math.pi * phase
        up = np.clip((self.foot - np.arange(height, dtype=np.float32)) / self.height, 0, 1)
        counter = np.exp(-(((up - 0.45) / 0.2) ** 2)) * (0.66 if sway > 0.02 else 0.0)
        shift = sway * self.height * math.sin(angle) * (up**1.5 - counter)
        tall = 1 - squash * (0.5 - 0.5 * math.cos(2 * angle))
        rows = self.foot - (self.foot - np.arange(height, dtype=np.float32)) / tall
        columns = np.arange(width, dtype=np.float32)[None] - shift[:, None].astype(np.float32)
        lines = np.repeat(rows[:, None].astype(np.float32), width, axis=1)
        result: Image = cv2.remap(self.image, columns.astype(np.float32), lines, cv2.INTER_LINEAR)
        return result

    def _wave(self, phase: float) -> Image:
        """Lean from the hip, and lift and lower what hangs at one side: a generic arm."""
        height, width = self.image.shape[:2]
        size, angle = float(self.height), 2 * math.pi * phase
        waist = self.foot - 0.3 * size if self.hip is None else float(self.hip)
        rows = np.arange(height, dtype=np.float32)[:, None]
        above = np.clip((waist - rows) / max(1.0, waist - (self.foot - size)), 0, 1)
        columns = np.arange(width, dtype=np.float32)[None]
        solid = np.flatnonzero((self.image[..., 3] > 90).any(axis=0))
        left, right = (int(solid[0]), int(solid[-1])) if len(solid) else (0, width - 1)
        # A tail or a bag is farther out than an arm: take the other side.
        side = 1 if right - self.centre <= self.centre - left else -1
        reach = max(1.0, right - self.centre if side > 0 else self.centre - left)
        out = np.clip(((columns - self.centre) * side / reach - 0.3) / 0.5, 0, 1)
        middle = waist - 0.16 * size
        arm = (out * out * (3 - 2 * out)) * np.exp(-(((rows - middle) / (0.15 * size)) ** 2))
        lift = 0.24 * size * (0.5 + 0.5 * math.sin(2 * angle)) * arm
        shift = side * size * (0.07 * math.sin(angle) * above**1.3 + 0.03 * math.sin(2 * angle) * arm)
        wide = np.broadcast_to(columns, (height, width)) - shift
        tall = np.broadcast_to(rows, (height, width)) + lift
        moved: Image = cv2.remap(
            self.image, wide.astype(np.float32), tall.astype(np.float32), cv2.INTER_LINEAR
        )
        return moved

    def _fold(self, amount: float) -> Image:
        """Sit down on the ground: legs forward, and the torso where they were; 1 is all the way down."""
        assert self.hip is not None  # only figures with legs come here
        height, width = self.image.shape[:2]
        size, leg = float(self.height), float(self.foot - self.hip)
        out = np.zeros_like(self.image)
        top = max(0, self.hip - int(0.05 * size))
        legs = np.ascontiguousarray(self.image[top:])
        if self.name == "side":
            swing = self.facing * amount * math.radians(78)
            drop = amount * max(0.0, leg - 0.07 * size)
            cos, sin = math.cos(swing), math.sin(swing)
            turn = np.array([[cos, -sin], [sin, cos]])
            start = np.array([self.centre, float(self.hip - top)])
            start = start - turn @ np.array([self.centre, self.hip + drop])
        else:
            short, wide = 1 - 0.6 * amount, 1 + 0.16 * amount
            drop = leg * (1 - short)
            turn = np.array([[1 / wide, 0.0], [0.0, 1 / short]])
            sole = float(self.foot)
            start = np.array([self.centre, sole - top]) - turn @ np.array([self.centre, sole])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        over(out, cv2.warpAffine(legs, np.column_stack([turn, start]), (width, height), flags=flags))
        self._torso(out, 0.0, -drop)
        return out

    def _stride(self, phase: float, reach: float, *, run: bool, sway: float = 0.0) -> Image:
        """One phase of the walk: the far leg, the near leg, and the torso over both, which may swing."""
        assert self.hip is not None  # only figures with legs come here
        height, width = self.image.shape[:2]
        size, angle = float(self.height), 2 * math.pi * phase
        out = np.zeros_like(self.image)
        hip = self.hip
        top = max(0, hip - int(0.055 * size))
        base = top - (self.hip + 2.0)
        below = out[top:]
        solid = solid_box(self._legs)

        def lay(legs: Image, inverse: NDArray[np.float64], shade: float, first: int, last: int) -> None:
            # Above the legs the hip row goes on, as far as the torso hides it.
            left, right = _reached(inverse, (solid[0], -2 * (hip - top) - 8, solid[2], legs.shape[0]))
            first, last = max(first, left), min(last, right)
            if last - first < 1:
                return
            matrix = inverse.copy()
            matrix[:, 2] += matrix[:, 0] * first
            # Replicating the border stretches the hip row upwards under the torso: no gap opens.
            part = cv2.warpAffine(
                legs, matrix, (last - first, height - top),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
            over(below[:, first:last], part if shade == 1 else _darkened(part, shade))

        bob = (0.013 if run else 0.011) * size * reach * (math.cos(2 * angle) * 0.5 + 0.5)
        if self.name == "side":
            pivot = -0.05 * size - 2
            for offset, leg in ((math.pi, self._far_leg), (0.0, self._legs)):
                swing = (0.62 if run else 0.40) * reach * math.sin(angle + offset)
                lift = max(0.0, math.cos(angle + offset)) * (0.30 if run else 0.14) * reach
                cos, sin, grow = math.cos(swing), math.sin(swing), 1 / (1 - lift)
                turn = np.array([[cos, -sin * grow], [sin, cos * grow]])
                turn[0] += 0.10 * lift * turn[1]
                start = np.array([self.centre, pivot]) - turn @ np.array([self.centre, pivot - base])
                lay(leg, np.column_stack([turn, start]), 1.0, 0, width)
            lean, drop = self.facing * (0.14 if run else 0.035) * reach * 0.33, bob - 0.01 * size
        else:
            middle = round(min(max(self.centre, 1), width - 1))
            for side, first, last in ((-1, 0, middle), (1, middle, width)):
                lift = max(0.0, math.sin(angle) * side) * (0.22 if run else 0.12) * reach
                near = math.cos(angle) * side * (-1 if self.name == "back" else 1)
                wide = 1 / (1 + 0.045 * reach * near)
                tall = 1 / ((1 - lift) * (1 + 0.03 * reach * near))
                move = self.centre * (1 - wide) - side * 0.004 * size
                matrix = np.array([[wide, 0.0, move], [0.0, tall, base * tall]])
                lay(self._legs, matrix, 1 - 0.10 * max(0.0, -near), first, last)
            lean, drop = 0.0167 * reach * math.sin(angle), bob - 0.006 * size
        self._torso(out, lean + sway * math.sin(angle), drop, free=top)
        return out

    def _torso(self, out: Image, lean: float, drop: float, *, free: int = 0) -> None:
        """Everything above the hip, sheared and lowered, its lower edge softened into the legs. Nothing has
        been painted so far above row `free`.
        """
        assert self.hip is not None  # as in _stride
        height, width = self.image.shape[:2]
        cut = self.hip - drop
        rows = min(height, int(cut + 0.008 * self.height) + 2)
        matrix = np.array([[1.0, lean, -lean * self.hip], [0.0, 1.0, drop]])
        left, _, right, _ = self._solid
        first, last = _reached(matrix, (left, 0, right, height))
        first, last = max(0, first), min(width, last)
        if last - first < 1:
            return
        width = last - first
        matrix[:, 2] += matrix[:, 0] * first
        torso = cv2.warpAffine(
            self.image, matrix, (width, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        start = max(0, int(cut - 0.004 * self.height))
        if start < rows:
            fade = (255 * np.clip((rows - np.arange(start, rows)) / (rows - start), 0, 1)).astype(np.uint8)
            weight = np.ascontiguousarray(np.broadcast_to(fade[:, None, None], (rows - start, width, 4)))
            torso[start:] = cv2.multiply(np.ascontiguousarray(torso[start:]), weight, scale=1 / 255)
        free = min(free, rows)
        out[:free, first:last] = torso[:free]
        over(out[free:rows, first:last], torso[free:])


def _darkened(image: Image, shade: float) -> Image:
    """The picture with this share of its colour, its alpha unchanged."""
    result: Image = cv2.transform(image, np.diag([shade, shade, shade, 1.0]).astype(np.float32))
    return result


def _reached(inverse: NDArray[np.float64], box: tuple[float, float, float, float]) -> tuple[int, int]:
    """The first and the last column that a box of the source reaches; `inverse` maps the result to it."""
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (left, bottom), (right, bottom)], np.float64)
    columns = np.linalg.solve(inverse[:, :2], (corners - inverse[:, 2]).T)[0]
    return math.floor(float(columns.min())) - 2, math.ceil(float(columns.max())) + 3
