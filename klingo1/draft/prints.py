"""What an honest film shows of a photograph: a sticker with a white outline, or the whole picture as a print.

A generous matte looks right inside a white outline, as in a collage; a picture that cannot be cut without
harm is shown as a photo print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.views import VIEW_SIDE, with_edge_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_PAPER = (240, 247, 250)
"""BGR of a photo print's border: a warm white."""
_LONGEST = 4
"""A print is at most this many times as long as wide; of longer pictures it shows the middle."""


def sticker(bgr: Pixels, matte: Pixels) -> Pixels:
    """The subject inside a white outline, H×W×4 BGRA, larger than the picture by the outline's width.

    The outline is 1.6 % of the subject's longest side wide and goes round the picture's own edge too, where a
    photograph cuts the subject off.
    """
    rows, columns = np.where(matte.any(axis=1))[0], np.where(matte.any(axis=0))[0]
    longest = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1 if rows.size else 1
    width = max(2, round(0.016 * longest))
    pad = 2 * width + 3
    inner = np.pad(matte, pad).astype(np.float32) / 255
    picture = with_edge_colours(bgr, matte)[..., :3]
    picture = np.asarray(cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REPLICATE)).astype(
        np.float32
    )
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    outer = cv2.dilate((inner > 0.5).astype(np.float32), disc)
    # Blur and sharpen again: rounds the corners that paper scissors would not cut.
    outer = cv2.GaussianBlur(outer, (0, 0), max(0.8, width * 0.45))
    outer = np.clip((outer - 0.5) * max(2.0, width * 0.9) + 0.5, 0, 1)
    shown = picture * inner[..., None] + 255 * (1 - inner[..., None])
    return np.dstack(
        [(shown + 0.5).astype(np.uint8), (np.maximum(outer, inner) * 255 + 0.5).astype(np.uint8)]
    )


def framed(bgr: Pixels) -> Pixels:
    """The whole picture as a photo print with a paper border, H×W×4 BGRA, opaque inside 2 empty pixels."""
    picture = _shapely(bgr)
    height, width = picture.shape[:2]
    border = max(4, round(0.035 * max(height, width)))
    framed_ = cv2.copyMakeBorder(picture, border, border, border, border, cv2.BORDER_CONSTANT, value=_PAPER)
    line = max(1, border // 14)
    edge = (border - line, border - line), (border + width + line - 1, border + height + line - 1)
    cv2.rectangle(framed_, *edge, (208, 216, 220), line)
    opaque = np.full(framed_.shape[:2], 255, np.uint8)
    return np.pad(np.dstack([framed_, opaque]), ((2, 2), (2, 2), (0, 0)))


def _shapely(bgr: Pixels) -> Pixels:
    """At most four times as long as wide, and neither a stamp nor more than a view may be."""
    height, width = bgr.shape[:2]
    if max(height, width) > _LONGEST * min(height, width):
        tall, wide = min(height, _LONGEST * width), min(width, _LONGEST * height)
        top, left = (height - tall) // 2, (width - wide) // 2
        bgr = bgr[top : top + tall, left : left + wide]
    room = int((VIEW_SIDE - 4) / 1.08)
    scale = min(1.0, room / max(bgr.shape[:2])) if max(bgr.shape[:2]) > 240 else 240 / max(bgr.shape[:2])
    if scale == 1:
        return bgr
    size = (max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale)))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC))
