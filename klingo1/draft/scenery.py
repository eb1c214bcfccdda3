"""Paint a set from a camera: sky, ground, mirror, walls, haze, billboards, and the cast among them.

Scenery is painted smaller than the film and enlarged: it costs half, and reads as the softness behind a
subject in focus. What stands nearer than the cast is painted over it at full size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from klingo1.draft.air import Haze, Mirror, Sky
from klingo1.draft.cards import NEAREST, Card
from klingo1.draft.sets import Set
from klingo1.draft.stage import Camera, Image

SCALE = {"720p": 0.75, "1080p": 0.6}
"""The size of scenery relative to the film."""

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
        self._sky = Sky(place_, inner)
        self._haze = Haze(place_, inner)
        self._mirror = Mirror(inner) if place_.wetness > 0 else None

    def paint(
        self,
        camera: Camera,
        t: float,
        cast: Sequence[Standing],
        behind: Callable[[Image], None] | None = None,
    ) -> Image:
        """The frame without weather, BGRA at the film's size; the array is reused by the next call.

        `behind` paints between the scenery and the cast.
        """
        inner, here = self._inner, self.set
        view = camera.scaled(inner.shape[1], inner.shape[0])
        if here.backdrop is not None:
            here.backdrop.draw(inner, view)
        else:
            self._paint_world(inner, view, t)
        cards = sorted(((card.depth(view), card) for card in here.cards), key=lambda pair: -pair[0])
        farthest = max((who.depth for who in cast), default=NEAREST)
        distant = [(depth, card) for depth, card in cards if depth > farthest]
        for depth, card in distant:
            card.draw(inner, view, haze=self._haze.at(depth), colour=here.haze)
        if behind is not None:
            behind(inner)
        height, width = self._frame.shape[:2]
        cv2.resize(inner, (width, height), dst=self._frame, interpolation=cv2.INTER_LINEAR)
        self._paint_front(camera, cards[len(distant) :], cast)
        return self._frame

    def _paint_world(self, inner: Image, view: Camera, t: float) -> None:
        here = self.set
        self._sky.paint(inner, view)
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
