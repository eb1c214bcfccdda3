"""How cut-outs go together in one film: one look for all photographs, and views named by a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.prints import sticker
from klingo1.draft.views import trimmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from klingo1.draft.cutout import Cutout
    from klingo1.draft.views import View

    Pixels = NDArray[np.uint8]

_FLAT = 0.23
"""Share of a drawing, at least, that is even: flat paint and smooth shading, where photographs have grain. On
what is at hand drawings have 0.26 to 0.97 and tightly cut photographs 0.13 to 0.20."""


def in_one_look(cutouts: Sequence[Cutout]) -> list[Cutout]:
    """The same cut-outs; where one photograph is a sticker, those with tight edges become stickers as well.

    Drawings keep their tight edges beside stickers, as they would in a collage.
    """
    if not any(c.method == "sticker" for c in cutouts):
        return list(cutouts)
    return [_as_sticker(c) if c.method in {"alpha", "backdrop"} else c for c in cutouts]


def seen_as(cutout: Cutout, view: str) -> Cutout:
    """The cut-out with its view named by a person: front, side, back, or left and right for sides that look
    that way. A sheet of several views keeps its names, and "" changes nothing.
    """
    if not view or len(cutout.views) != 1:
        return cutout
    (only,) = cutout.views
    name = "side" if view in {"left", "right"} else view
    faces_right = view == "right" if view in {"left", "right"} else only.faces_right
    return replace(cutout, views=(replace(only, name=name, faces_right=faces_right, given=True),))


def is_drawn(bgra: Pixels) -> bool:
    """Whether a cut-out is painted or rendered flatly rather than photographed."""
    scale = min(1.0, 256 / max(bgra.shape[:2]))
    small = cv2.resize(bgra, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    inside = cv2.erode((small[..., 3] > 250).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if not inside.any():
        return True
    grey = cv2.cvtColor(np.ascontiguousarray(small[..., :3]), cv2.COLOR_BGR2GRAY)
    even = np.abs(cv2.Laplacian(grey, cv2.CV_32F)) <= 1
    return float(even[inside].mean()) > _FLAT


def _as_sticker(cutout: Cutout) -> Cutout:
    if any(is_drawn(view.pixels) for view in cutout.views):
        return cutout
    return replace(cutout, method="sticker", views=tuple(_outlined(view) for view in cutout.views))


def _outlined(view: View) -> View:
    matte = np.ascontiguousarray(view.pixels[..., 3])
    pixels = trimmed(sticker(np.ascontiguousarray(view.pixels[..., :3]), matte))
    return view if pixels is None else replace(view, pixels=pixels)
