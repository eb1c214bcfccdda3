"""What lies over and under a set: the sky behind it, haze in depth, and its mirror image in wet ground."""

from __future__ import annotations

import math

import cv2
import numpy as np

from klingo1.draft.plan import FPS
from klingo1.draft.sets import Set
from klingo1.draft.stage import Camera, Image, Paint, bgr, lens

MIRROR = 4
"""The mirror image in wet ground is painted this much smaller than the scenery, then rippled."""
_MIRROR_DEPTH = 26.0
"""Metres; what is farther away is not mirrored."""


def paint_sky(frame: Image, view: Camera, here: Set, *, mirrored: bool = False) -> None:
    """The sky stands infinitely far away: it moves with pan, tilt and zoom only. Its edges go on for ever."""
    height, width = frame.shape[:2]
    zoom = view.focal / lens(width, height)
    # The sky was painted for the scenery's size; a mirror image is smaller.
    scale = zoom * width / here.width
    sign = -1.0 if mirrored else 1.0
    matrix = np.array(
        [
            [scale, 0.0, view.centre - scale * here.sky.shape[1] / 2],
            [0.0, sign * scale, view.horizon - sign * scale * here.horizon],
        ]
    )
    rows = (
        slice(max(0, math.floor(view.horizon)), height)
        if mirrored
        else slice(0, min(height, math.floor(view.horizon) + 2))
    )
    part = frame[rows]
    if not part.size:
        return
    matrix[1, 2] -= rows.start
    cv2.warpAffine(
        here.sky, matrix, (width, part.shape[0]), dst=part,
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


class Sky:
    """The sky of a shot; where the camera only travels, the same in every frame, and then painted once."""

    def __init__(self, here: Set, inner: tuple[int, int]) -> None:
        self._set = here
        self._picture = np.zeros((inner[1], inner[0], 4), np.uint8)
        self._key: tuple[float, ...] = ()

    def paint(self, frame: Image, view: Camera) -> None:
        """Fill the rows above the horizon."""
        key = (view.focal, view.centre, view.horizon)
        if key != self._key:
            self._key = key
            paint_sky(self._picture, view, self._set)
        rows = min(len(frame), max(0, math.floor(view.horizon) + 2))
        frame[:rows] = self._picture[:rows]


class Haze:
    """Air between the camera and things: a share of haze that grows with distance."""

    def __init__(self, here: Set, inner: tuple[int, int]) -> None:
        self._set = here
        self._width, self._height = inner
        self._key: tuple[float, ...] | None = None
        self._box = (0, 0, 0, 0)
        self._keep = self._add = np.zeros((0, 0, 4), np.uint8)

    def at(self, depth: float) -> float:
        """How much of a thing at this depth is haze, 0 to 1."""
        here = self._set
        return min(0.92, here.mist * (1 - math.exp(-max(0.0, depth - 3) / here.haze_distance)))

    def paint(self, frame: Image, view: Camera) -> None:
        """Lay haze over sky, ground and walls. The tables are kept until the camera has moved noticeably."""
        if self._set.mist <= 0:
            return
        walled = bool(self._set.walls)
        rise = view.focal * view.y
        key = (rise, view.focal, view.centre if walled else 0.0, view.horizon if walled else 0.0)
        if self._key is None or any(
            abs(new - old) > 0.012 * limit
            for new, old, limit in zip(
                key, self._key, (rise, view.focal, self._width, self._height), strict=True
            )
        ):
            self._key = key
            self._lay_out(self._walled(view) if walled else self._open(view))
        x, y, wide, tall = self._box
        y -= 0 if walled else self._height - round(view.horizon)
        first, last = max(0, y), min(frame.shape[0], y + tall)
        if last <= first or not wide:
            return
        keep, add = self._keep[first - y : last - y], self._add[first - y : last - y]
        part = frame[first:last, x : x + wide]
        cv2.multiply(part, keep, dst=part, scale=1 / 255)
        cv2.add(part, add, dst=part)

    def _lay_out(self, share: Paint) -> None:
        """Turn shares of haze into tables for the pixels that it changes."""
        kept = ((1 - share) * 255).astype(np.uint8)
        x, y, wide, tall = cv2.boundingRect(cv2.bitwise_not(kept))
        part = slice(y, y + tall), slice(x, x + wide)
        tint = (share[part][..., None] * np.array([*bgr(self._set.haze), 0], np.float32)).astype(np.uint8)
        self._keep = cv2.merge([kept[part]] * 3 + [np.full_like(kept[part], 255)])
        self._add = np.ascontiguousarray(tint)
        self._box = x, y, wide, tall
        if share.shape[1] == 1 and wide:
            self._keep, self._add = (cv2.repeat(t, 1, self._width) for t in (self._keep, self._add))
            self._box = 0, y, self._width, tall

    def _share(self, depth: Paint) -> Paint:
        share = self._set.mist * (1 - np.exp(-np.maximum(depth - 3, 0) / self._set.haze_distance))
        return np.asarray(share, np.float32)

    def _open(self, view: Camera) -> Paint:
        """Per row, from one picture height above the horizon to two below it: (3 x height) x 1."""
        rows = np.arange(-self._height, 2 * self._height, dtype=np.float32) + 0.5
        below = self._share(view.focal * view.y / np.maximum(rows, 0.5))
        above = self._set.mist * np.exp(-((rows / (0.06 * self._height)) ** 2))
        share: Paint = np.where(rows > 0, below, above)[:, None].astype(np.float32)
        return share

    def _walled(self, view: Camera) -> Paint:
        """Per pixel, from the depth of the nearer of ground and wall; computed small and enlarged."""
        step = 4
        row, column = np.mgrid[0 : self._height : step, 0 : self._width : step].astype(np.float32)
        ground = np.where(
            row > view.horizon + 1, view.focal * view.y / np.maximum(row - view.horizon, 1), 1e3
        )
        side = min(abs(wall.x) for wall in self._set.walls)
        wall = view.focal * side / np.maximum(np.abs(column - view.centre), 2)
        share = self._share(np.minimum(ground, wall)) * np.where(np.minimum(ground, wall) > 60, 0.55, 1.0)
        grown: Paint = cv2.resize(share.astype(np.float32), (self._width, self._height))
        return grown


class Mirror:
    """The scene upside down in wet ground or water: painted small, rippled, added by the ground's alpha."""

    def __init__(self, inner: tuple[int, int]) -> None:
        self._width, self._height = inner[0] // MIRROR, inner[1] // MIRROR
        rng = np.random.default_rng(5)
        waves = rng.standard_normal((self._height * 2, self._width), dtype=np.float32)
        waves = cv2.GaussianBlur(waves, (0, 0), sigmaX=6, sigmaY=0.9)
        self._waves: Paint = waves / waves.std()
        self._small: Image | None = None
        self._moment = -1
        self._column, self._row = np.meshgrid(
            np.arange(self._width, dtype=np.float32), np.arange(self._height, dtype=np.float32)
        )

    def paint(self, frame: Image, view: Camera, here: Set, t: float, top: int) -> None:
        """Add the mirror image to every row from `top` down; the frame's alpha says how wet a pixel is."""
        if top >= frame.shape[0]:
            return
        moment = round(t * FPS) // 2
        if self._small is None or moment != self._moment:
            self._small, self._moment = self._picture(view, here, t, top), moment
        first = max(0, top // MIRROR - 1)  # a row more than is shown, to blend with
        part = self._small[first:]
        size = part.shape[1] * MIRROR, part.shape[0] * MIRROR
        full = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)[top - first * MIRROR :]
        ground = frame[top : top + full.shape[0], : full.shape[1]]
        wet = cv2.convertScaleAbs(cv2.extractChannel(ground, 3), alpha=here.wetness)
        weight = cv2.cvtColor(wet, cv2.COLOR_GRAY2BGRA)
        cv2.multiply(full, weight, dst=full, scale=1 / 255)
        dry = cv2.cvtColor(cv2.bitwise_not(cv2.convertScaleAbs(wet, alpha=0.55)), cv2.COLOR_GRAY2BGRA)
        cv2.multiply(ground, dry, dst=ground, scale=1 / 255)
        cv2.add(ground, full, dst=ground)

    def _picture(self, view: Camera, here: Set, t: float, top: int) -> Image:
        """The mirrored scene, small and rippled; every second frame has a new one, the ripples hide it."""
        small = np.zeros((self._height, self._width, 4), np.uint8)
        small[:] = (*(part / 2 for part in bgr(here.haze)), 255)
        low = view.scaled(self._width, self._height)
        paint_sky(small, low, here, mirrored=True)
        for wall in here.walls:
            wall.draw(small, low, mirrored=True)
        near = [(card.depth(low), card) for card in here.cards if card.reflects]
        for depth, card in sorted(near, key=lambda pair: -pair[0]):
            if 0.8 < depth < _MIRROR_DEPTH:
                card.draw(small, low, mirrored=True, haze=0.0)
        first = top // MIRROR
        shift = int(t * 9) % self._height
        waves = self._waves[shift : shift + self._height]
        deep = np.clip((self._row - first) / max(1, self._height - first), 0, 1)
        small = cv2.remap(
            small, self._column + waves * (2.6 * deep), self._row + waves * (5.0 * deep),
            cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        blurred: Image = cv2.blur(small, (3, 9))
        return blurred
