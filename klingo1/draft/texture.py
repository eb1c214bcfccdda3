"""Textures: a picture in halving sizes, and each size as the air between it and the lens tints it."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakValueDictionary

import cv2
import numpy as np

from klingo1.draft.stage import Image, Rgb, bgr, halved, painted_box

_SMALLEST, _LEVELS = 24, 6
_GRID = 1 << (_LEVELS - 1)
_KEPT = 6
"""Tinted copies kept for each texture; as the camera moves each serves for several frames."""
_STEPS = 40
"""Shades of haze that are told apart."""


class Texture:
    """A premultiplied BGRA picture and its halvings, each made when it is first needed, without the empty
    rows and columns around what is shown: `left` and `top` say where in the picture a halving begins, in
    the picture's own pixels.

    `of` gives the one texture of a picture, so that all cards which show the same thing share it.
    """

    def __init__(self, image: Image) -> None:
        self.image = image
        left, top, right, bottom = painted_box(image)
        # On the grid of the smallest halving, every one has the pixels that it would have of the whole.
        self.left, self.top = left & -_GRID, top & -_GRID
        self._levels = [image[self.top : max(bottom, 1), self.left : max(right, 1)]]
        self._veils: dict[tuple[int, Rgb], Image] = {}
        self._tinted: dict[tuple[int, int, Rgb], Image] = {}

    @staticmethod
    def of(image: Image) -> Texture:
        """The texture of this very array, kept for as long as anybody uses it."""
        found = _KNOWN.get(id(image))
        if found is None or found.image is not image:
            found = _KNOWN[id(image)] = Texture(image)
        return found

    @cached_property
    def mirrored(self) -> Image:
        """The picture with left and right exchanged."""
        return np.ascontiguousarray(self.image[:, ::-1])

    def level(self, scale: float) -> int:
        """Which halving to sample for a magnification of the picture: no pixel may stand for too many."""
        level = 0
        while scale < 0.6 and level < _LEVELS - 1 and min(self._levels[level].shape[:2]) > _SMALLEST:
            level, scale = level + 1, scale * 2
            if level == len(self._levels):
                self._levels.append(halved(self._levels[-1]))
        return level

    def hazed(self, level: int, haze: float, colour: Rgb) -> Image:
        """A halving with its colour faded towards another by `haze` (0-1), its alpha unchanged."""
        picture = self._levels[level]
        if haze < 0.01:
            return picture
        key = (level, round(haze * _STEPS), colour)
        found = self._tinted.get(key)
        if found is None:
            if len(self._tinted) >= _KEPT:
                self._tinted.pop(next(iter(self._tinted)))
            share = key[1] / _STEPS
            found = cv2.addWeighted(picture, 1 - share, self._veil(level, colour), share, 0)
            self._tinted[key] = found
        return found

    def _veil(self, level: int, colour: Rgb) -> Image:
        """The outline filled with one colour: mixing two pictures takes a quarter of a matrix's time."""
        found = self._veils.get((level, colour))
        if found is None:
            fill = np.array([*bgr(colour), 255], np.float32)[:, None] / 255
            found = cv2.transform(cv2.extractChannel(self._levels[level], 3), fill)
            self._veils[level, colour] = found
        return found


_KNOWN: WeakValueDictionary[int, Texture] = WeakValueDictionary()
