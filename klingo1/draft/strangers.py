"""When two like pictures show two subjects: the same outline filled with other colours.

A sister in the same coat has the same silhouette and nearly the same palette, but another hair. Where two
outlines match, the pictures can be laid over each other and compared spot by spot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klingo1.draft.views import View

    Pixels = NDArray[np.uint8]
    Numbers = NDArray[np.float32]

_SIZE = (96, 192)
"""Width and height at which two cut-outs are laid over each other."""
_SAME_OUTLINE = 0.88
_SAME_DRAWING = 0.5
"""Correlation of inner edges above which both are seen from the same side: recoloured, a face keeps them."""
_OTHER_COLOUR = 24.0
"""Distance in Lab (lightness counts half, for light changes it) between two materials."""
_PATCH, _CROWN = 0.03, 0.5
"""Share of the subject, and of the top of its head, in another colour, above which it is another subject."""


def strangers(one: View, two: View) -> bool:
    """Whether two views of one outline show different subjects.

    From the same side all colours must agree. A front and a back share only what is seen from both: the top
    of the head, for one. Views of different outlines are never strangers by this measure.
    """
    first, second = _laid(one.pixels), _laid(two.pixels)
    for other in (second, np.ascontiguousarray(second[:, ::-1])):
        both = (first[..., 3] > 128) & (other[..., 3] > 128)
        either = (first[..., 3] > 128) | (other[..., 3] > 128)
        if both.sum() < _SAME_OUTLINE * max(1, either.sum()):
            continue
        inside = cv2.erode(both.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        differs = _other_colours(first, other, inside)
        if _correlation(first, other, inside) > _SAME_DRAWING:
            return float(differs.sum()) > _PATCH * float(inside.sum())
        crown = inside & (np.arange(_SIZE[1])[:, None] < _SIZE[1] // 12)
        if crown.any() and float(differs[crown].mean()) > _CROWN:
            return True
    return False


def _laid(bgra: Pixels) -> Pixels:
    return np.asarray(cv2.resize(bgra, _SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def _other_colours(one: Pixels, two: Pixels, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the two have different colours, in patches rather than along lines; a common tint is allowed."""
    labs = [
        cv2.cvtColor(cv2.GaussianBlur(p[..., :3], (0, 0), 1.5).astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
        for p in (one, two)
    ]
    change = labs[0] - labs[1]
    change -= np.median(change[inside], axis=0).clip(-12, 12) if inside.any() else 0
    change[..., 0] *= 0.5
    far = (np.sqrt((change**2).sum(axis=2)) > _OTHER_COLOUR) & inside
    return np.asarray(cv2.morphologyEx(far.astype(np.uint8), cv2.MORPH_OPEN, np.ones((4, 4), np.uint8)) > 0)


def _correlation(one: Pixels, two: Pixels, inside: NDArray[np.bool_]) -> float:
    """How well the edges inside both agree: -1 to 1."""
    here, there = (_edges(picture)[inside] for picture in (one, two))
    if here.size < 2 or min(float(here.std()), float(there.std())) < 1e-3:
        return 0.0
    return float(np.corrcoef(here, there)[0, 1])


def _edges(picture: Pixels) -> Numbers:
    grey = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2GRAY).astype(np.float32)
    steep = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return np.asarray(cv2.GaussianBlur(np.minimum(steep, 120), (0, 0), 1.2), np.float32)
