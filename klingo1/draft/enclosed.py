"""What of a backdrop's colour is backdrop: the flood from the border, and holes in the subject.

White beards, bellies and shirts on white ground are kept wherever an outline or other parts enclose them:
losing a part of the subject is far worse than keeping some background.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]

_DOOR, _ROOM = 0.012, 0.06
"""Shares of the picture's shorter side: how wide a gap in an outline may be, how far its inside reaches."""


def flooded(plain: Mask, passable: Mask) -> Mask:
    """What of `passable` hangs together with the border without squeezing through gaps of an outline.

    A large room behind a narrow door is a white body whose outline has a gap: it stays the subject's.
    """
    side = min(plain.shape)
    reached = _reached(passable, 3 if side > 200 else 1)
    door = max(3, round(_DOOR * side))
    squeezed = (reached & ~cv2.dilate(_reached(passable, door), np.ones((door, door), np.uint8))) * reached
    count, labels = cv2.connectedComponents(squeezed, connectivity=4)
    deep = cv2.distanceTransform(squeezed, cv2.DIST_L2, 3) > _ROOM * side
    rooms = np.bincount(labels[deep], minlength=count) > 0
    # A shadow's ragged edge is no outline: what it shuts off is not the plain backdrop's colour.
    rooms &= np.bincount(labels[plain > 0], minlength=count) > 0.95 * np.bincount(labels.ravel())
    rooms[0] = False
    return np.where(rooms[labels], 0, reached).astype(np.uint8)


def _reached(passable: Mask, gap: int) -> Mask:
    """What of `passable` the flood from the border reaches where it is at least `gap` pixels wide."""
    brush = np.ones((gap, gap), np.uint8)
    wide = cv2.erode(passable, brush, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    _, labels = cv2.connectedComponents(wide, connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    lit = np.zeros(int(labels.max()) + 1, bool)
    lit[edge] = True
    lit[0] = False
    reached = lit[labels].astype(np.uint8)
    return np.asarray(cv2.dilate(reached, brush) & passable, np.uint8)


def holes(outside: Mask, exact: NDArray[np.bool_], clear: NDArray[np.bool_]) -> Mask:
    """Backdrop seen through the subject (under an arm); size and place tell it from white clothes.

    A hole ends sharply, at pixels that are `clear`ly no backdrop; the light on a ball fades. Where one part
    is too large or too deep for a hole the drawing uses the backdrop's colour as paint: then none is one.
    """
    closed = ((outside == 0) & exact).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
    subject = max(1, int((outside == 0).sum()))
    depth = cv2.distanceTransform(1 - outside, cv2.DIST_L2, 3)
    size = float(np.sqrt(subject))
    found = np.zeros_like(outside)
    reach = 2 * max(2, round(0.006 * min(outside.shape))) + 1
    for i in range(1, count):
        if stats[i, 4] <= 0.006 * subject:
            continue
        hole = (labels == i).astype(np.uint8)
        rim = (cv2.dilate(hole, np.ones((reach, reach), np.uint8)) > 0) & (closed == 0)
        if float(clear[rim].mean()) < 0.2:
            continue
        if stats[i, 4] >= 0.12 * subject or float(depth[hole > 0].min()) >= 0.16 * size or _islands(hole):
            return np.zeros_like(outside)
        found |= hole
    return found


def _islands(part: Mask) -> bool:
    """Whether something is painted inside: buttons on a belly, eyes in a face."""
    part = cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    contours, tree = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    least = 0.002 * float(part.sum())
    return any(
        link[3] >= 0 and cv2.contourArea(contour) > least
        for contour, link in zip(contours, tree[0], strict=True)
    )


def scattered(inside: Mask) -> bool:
    """Whether what was keyed is crumbs rather than one subject or a few figures, or lacks its middle."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside)
    if count < 2:
        return True
    areas = stats[1:, 4]
    large = stats[1:][areas > 0.15 * areas.max()]
    # One figure may have letters or stars about it; of several figures little may be left over.
    least = 0.75 if len(large) == 1 else 0.93
    if len(large) > 6 or large[:, 4].sum() < least * areas.sum():
        return True
    # A head here and legs there: clothes of the backdrop's colour went with the backdrop.
    pieces = [labels == i for i in range(1, count) if areas[i - 1] > 0.15 * areas.max()]
    return any(_stacked(one, two) for one, two in itertools.combinations(pieces, 2))


def _stacked(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> bool:
    """Whether one piece hovers above the other in a good part of the narrower one's columns."""
    shared = one.any(axis=0) & two.any(axis=0)
    if shared.sum() <= 0.3 * min(one.any(axis=0).sum(), two.any(axis=0).sum()):
        return False
    (top, low), (other_top, other_low) = _span(one[:, shared]), _span(two[:, shared])
    slack = 0.02 * len(one)
    return bool(max((low <= other_top + slack).mean(), (other_low <= top + slack).mean()) > 0.9)


def _span(piece: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first and the last row of each column."""
    return piece.argmax(axis=0), len(piece) - piece[::-1].argmax(axis=0)
