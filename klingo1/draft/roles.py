"""Who in a photograph acts and what is a thing, guessed from faces and outlines alone.

Nothing here knows what a cup or a tower is, so doubt makes a prop: a person who only bobs looks better than a
tower that walks, and where there is no character the props act all the same. A person can always say better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.bearings import asymmetry, reduced_alpha
from klingo1.draft.faces import FACE_SIDE, find_face
from klingo1.draft.salience import reduced
from klingo1.draft.views import has_neck, stands_on_two

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_EVEN = 0.07
"""Bottles, towers and lamps equal their mirror image more than that; somebody standing does not."""
_LARGEST = 3.0
"""How much a small head is enlarged before a face is looked for."""


def role_of_cut(view: Pixels, bgr: Pixels) -> str:
    """Say character or prop for a photograph's cut-out (`view`, H×W×4 BGRA); `bgr` is the whole photograph.

    A character has a face, or two legs to stand on, or head and shoulders cut off by the picture's lower
    edge, or is tall, slim and not even.
    """
    if find_face(reduced(bgr, FACE_SIDE)) is not None or _face_on_top(view):
        return "character"
    alpha = reduced_alpha(view)
    height, width = alpha.shape
    lowest = int(np.where(alpha.any(axis=1))[0][-1])
    # Soft corners of the outline make the very last rows narrower.
    base = alpha[max(0, lowest - max(3, height // 30))].sum() / max(1, int(alpha.sum(axis=1).max()))
    bust = has_neck(alpha) and float(base) > 0.75
    slim = height > 2.1 * width and asymmetry(view) > _EVEN
    return "character" if bust or slim or stands_on_two(alpha) else "prop"


def role_of_print(bgr: Pixels) -> str:
    """Say character or prop for a photograph that is shown whole: wide pictures show things more often."""
    upright = bgr.shape[0] >= 0.95 * bgr.shape[1]
    return "character" if upright or find_face(reduced(bgr, FACE_SIDE)) is not None else "prop"


def _face_on_top(view: Pixels) -> bool:
    """Whether a face is found when only the upper part of an upright cut-out is looked at, enlarged: people
    who are seen from head to foot have faces too small for the whole picture.
    """
    height, width = view.shape[:2]
    if height < 1.2 * width:
        return False
    head = np.ascontiguousarray(view[: max(48, int(0.4 * height)), :, :3])
    scale = min(_LARGEST, FACE_SIDE / max(head.shape[:2]))
    if scale > 1:
        head = np.asarray(cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
    return find_face(reduced(head, FACE_SIDE)) is not None
