"""Paint a set from a camera: sky, ground, mirror, walls, haze, billboards, and the cast among them.

Scenery is painted smaller than the film and enlarged: it costs half, and reads as the softness behind a
subject in focus. What stands nearer than the cast is painted over it at full size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from klingo1.draft.cards import NEAREST, Card, place
from klingo1.draft.sets import Set
from klingo1.draft.stage import Camera, Image, Paint, bgr

SCALE = {"720p": 0.75, "1080p": 0.6}
"""The size of scenery relative to the film."""
_MIRROR = 4
"""The mirror image in wet ground is painted this much smaller still, then rippled."""
_MIRROR_DEPTH = 26.0
"""Metres; what is farther away is not mirrored."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody of the cast for one frame: how far away, how to be painted, and the pixels to keep clear."""

    depth: float
    paint: Callable[[Image], None]
    keep: Box | None = None


def scenery_size(width: int, height: int, size: str) -> tuple[int, int]:
    """Width and height, even, that the scenery of a film of this size is painted at."""
    share = SCALE[size]
    return round(width * share / 2) * 2, round(height * share / 2) * 2


class Scenery:
    """A set in front of a camera. `width` x `height` is the film's size, `inner` the scenery's."""

    def __init__(self, place_: Set, width: int, height: int, inner: tuple[int, int]) -> None:
        self.set = place_
        self._frame = np.zeros((height, width, 4), np.uint8)
        self._inner = np.zeros((inner[1], inner[0], 4), np.uint8)
        self._haze = _Haze(place_, inner)
        self._mirror = _Mirror(inner) if place_.wetness > 0 else None

    def paint(self, camera: Camera, t: float, cast: Sequence[Standing]) -> Image:
        """The frame without weather, BGRA at the film's size; the array is reused by the next call."""
        inner, here = self._inner, self.set
        view = camera.scaled(inner.shape[1], inner.shape[0])
        if here.backdrop is not None:
            here.backdrop.draw(inner, view)
        else:
            self._paint_world(inner, view, t)
        cards = sorted(((card.depth(view), card) for card in here.cards), key=lambda pair: -pair[0])
        farthest = max((who.depth for who in cast), default=NEAREST)
        behind = [(depth, card) for depth, card in cards if depth > farthest]
        for depth, card in behind:
            card.draw(inner, view, haze=self._haze.at(depth), colour=here.haze)
        height, width = self._frame.shape[:2]
        cv2.resize(inner, (width, height), dst=self._frame, interpolation=cv2.INTER_LINEAR)
        self._paint_front(camera, cards[len(behind) :], cast)
        return self._frame

    def _paint_world(self, inner: Image, view: Camera, t: float) -> None:
        here = self.set
        _paint_sky(inner, view, here)
        top = inner.shape[0]
        for ground in here.grounds:
            top = min(top, ground.draw(inner, view, t))
        if self._mirror is not None:
            self._mirror.paint(inner, view, here, t, top)
        for wall in here.walls:
            wall.draw(inner, view)
        self._haze.paint(inner, view)

    def _paint_front(
        self, camera: Camera, cards: Sequence[tuple[float, Card]], cast: Sequence[Standing]
    ) -> None:
        """The cast and what is nearer than its farthest member; what would hide the lead is faded."""
        keep = [who for who in cast if who.keep is not None]
        items: list[tuple[float, Card | Standing]] = [*cards, *((who.depth, who) for who in cast)]
        for depth, item in sorted(items, key=lambda pair: -pair[0]):
            if isinstance(item, Standing):
                item.paint(self._frame)
                continue
            nearer = [who.keep for who in keep if who.depth >= depth and who.keep is not None]
            gain = 1.0
            if nearer and depth > NEAREST:
                hidden = max(
                    (
                        _covered(box, item.box(camera, depth, x))
                        for x in item.places(camera, depth)
                        for box in nearer
                    ),
                    default=0.0,
                )
                gain = 1.0 - 0.94 * min(1.0, hidden / 0.3)
            item.draw(self._frame, camera, haze=self._haze.at(depth), colour=self.set.haze, gain=gain)


def _covered(box: Box, by: Box) -> float:
    """The share of a box's area that another box covers."""
    width = min(box[2], by[2]) - max(box[0], by[0])
    height = min(box[3], by[3]) - max(box[1], by[1])
    area = max(1.0, (box[2] - box[0]) * (box[3] - box[1]))
    return max(0.0, width) * max(0.0, height) / area


def _paint_sky(frame: Image, view: Camera, here: Set, *, mirrored: bool = False) -> None:
    """The sky stands infinitely far away: it moves with pan, tilt and zoom only. Its edges go on for ever."""
    height, width = frame.shape[:2]
    zoom = view.focal / (0.86 * math.sqrt(width * height))
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


class _Haze:
    """Air between the camera and things: a share of haze that grows with distance."""

    def __init__(self, here: Set, inner: tuple[int, int]) -> None:
        self._set = here
        self._width, self._height = inner
        self._key: tuple[float, ...] | None = None
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
            share = self._walled(view) if walled else self._open(view)
            self._keep = _spread((1 - share) * 255, self._width)
            colour = np.array([*bgr(self._set.haze), 0], np.float32)
            table = share[..., None] * colour
            if table.shape[1] == 1:
                table = np.repeat(table, self._width, axis=1)
            self._add = np.ascontiguousarray(table.astype(np.uint8))
        start = 0 if walled else self._height - round(view.horizon)
        rows = slice(max(0, start), max(0, start) + frame.shape[0])
        keep, add = self._keep[rows], self._add[rows]
        part = frame[: keep.shape[0]]
        cv2.multiply(part, keep, dst=part, scale=1 / 255)
        cv2.add(part, add, dst=part)

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


def _spread(share: Paint, width: int) -> Image:
    """A one-channel table as four equal channels, as wide as the frame; alpha is left alone (255)."""
    table = share.astype(np.uint8)
    if table.shape[1] == 1:
        table = np.repeat(table, width, axis=1)
    full = cv2.merge([table, table, table, np.full_like(table, 255)])
    result: Image = np.ascontiguousarray(full)
    return result


class _Mirror:
    """The scene upside down in wet ground or water: painted small, rippled, added by the ground's alpha."""

    def __init__(self, inner: tuple[int, int]) -> None:
        self._width, self._height = inner[0] // _MIRROR, inner[1] // _MIRROR
        rng = np.random.default_rng(5)
        waves = rng.standard_normal((self._height * 2, self._width), dtype=np.float32)
        waves = cv2.GaussianBlur(waves, (0, 0), sigmaX=6, sigmaY=0.9)
        self._waves: Paint = waves / waves.std()
        self._column, self._row = np.meshgrid(
            np.arange(self._width, dtype=np.float32), np.arange(self._height, dtype=np.float32)
        )

    def paint(self, frame: Image, view: Camera, here: Set, t: float, top: int) -> None:
        if top >= frame.shape[0]:
            return
        small = np.zeros((self._height, self._width, 4), np.uint8)
        small[:] = (*(part / 2 for part in bgr(here.haze)), 255)
        low = view.scaled(self._width, self._height)
        _paint_sky(small, low, here, mirrored=True)
        for wall in here.walls:
            wall.draw(small, low, mirrored=True)
        near = [(card.depth(low), card) for card in here.cards if card.reflects]
        for depth, card in sorted(near, key=lambda pair: -pair[0]):
            if 0.8 < depth < _MIRROR_DEPTH:
                card.draw(small, low, mirrored=True, haze=0.0)
        first = top // _MIRROR
        shift = int(t * 9) % self._height
        waves = self._waves[shift : shift + self._height]
        deep = np.clip((self._row - first) / max(1, self._height - first), 0, 1)
        small = cv2.remap(
            small, self._column + waves * (2.6 * deep), self._row + waves * (5.0 * deep),
            cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        small = cv2.blur(small, (3, 9))
        height, width = frame.shape[:2]
        full = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)[top:]
        ground = frame[top:]
        wet = cv2.convertScaleAbs(cv2.extractChannel(ground, 3), alpha=here.wetness)
        weight = cv2.cvtColor(wet, cv2.COLOR_GRAY2BGRA)
        cv2.multiply(full, weight, dst=full, scale=1 / 255)
        dry = cv2.cvtColor(cv2.bitwise_not(cv2.convertScaleAbs(wet, alpha=0.55)), cv2.COLOR_GRAY2BGRA)
        cv2.multiply(ground, dry, dst=ground, scale=1 / 255)
        cv2.add(ground, full, dst=ground)


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
) -> None:  # fmt: skip
    """Paint a premultiplied sprite whose anchor pixel stands at `at` (metres), turned about it."""
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
    matrix[:, 2] = np.array([column, row]) - matrix[:, :2] @ np.array(anchor)
    place(frame, sprite, matrix, gain=gain, glow=glow)
