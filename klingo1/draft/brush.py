"""A person's brush over a cut-out: strokes that keep and strokes that remove make the next mask.

The strokes are a see-through layer over the picture, as an image editor gives it: where a stroke is greener
than it is red the picture is kept, where it is redder it is removed, and between strokes the automatic cut
stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.cutout import cut_out
from klingo1.draft.picture import load

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SHOWN_SIDE = 1024
"""The longest side of the picture that a person draws on, pixels."""
_VEIL = (110, 50, 60)
"""BGR that is added to the greyed parts: a blue that neither brush has."""
_DRAWN = 40
"""Alpha from which a pixel belongs to a stroke."""


def matte_of(
    picture: Path,
    *,
    role: str = "",
    mask: Path | None = None,
    cache: Path | None = None,
    model: Path | None = None,
) -> Pixels:
    """What the cut keeps of a picture, H×W uint8, 255 = kept; everything where it does not cut.

    `mask` is an earlier cut by a person, which wins. Raises InvalidRequest when a file is no picture.
    """
    cutout = cut_out(picture, role=role, mask=mask, cache=cache, model=model)
    if cutout.matte is not None:
        return cutout.matte
    return np.full(load(picture).bgr.shape[:2], 255, np.uint8)


def brushed(matte: Pixels, strokes: Path) -> Pixels:
    """The mask that a matte and a layer of strokes give, of the matte's size, H×W uint8.

    The layer may have another size than the picture, but not another shape. Raises InvalidRequest when it is
    no picture.
    """
    layer = load(strokes, max(matte.shape))
    alpha = np.full(layer.bgr.shape[:2], 255, np.uint8) if layer.alpha is None else layer.alpha
    size = (matte.shape[1], matte.shape[0])
    drawn = cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR) >= _DRAWN
    colours = cv2.resize(layer.bgr, size, interpolation=cv2.INTER_LINEAR).astype(np.int16)
    kept = colours[..., 1] >= colours[..., 2]
    return np.where(drawn, np.where(kept, 255, 0), matte).astype(np.uint8)


def write_tinted(picture: Path, matte: Pixels, to: Path) -> Path:
    """Write a picture as a JPEG for a person to draw on: what the matte leaves out lies under a veil, and a
    line marks the edge. Raises InvalidRequest when the file is no picture.
    """
    plate = load(picture, SHOWN_SIDE).plate
    kept = cv2.resize(matte, (plate.shape[1], plate.shape[0]), interpolation=cv2.INTER_AREA)
    share = kept[..., None].astype(np.float32) / 255
    grey = cv2.cvtColor(plate, cv2.COLOR_BGR2GRAY)[..., None].astype(np.float32)
    veiled = 0.42 * grey + np.array(_VEIL, np.float32)
    shown = plate * share + veiled * (1 - share)
    inside = (kept > 127).astype(np.uint8)
    edge = cv2.dilate(inside, np.ones((3, 3), np.uint8)) > inside
    shown[edge] = 255
    done, data = cv2.imencode(".jpg", shown.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    to.write_bytes(data.tobytes())
    return to


def write_mask(mask: Pixels, to: Path) -> Path:
    """Write a mask as a PNG, the form in which a request takes it (DraftOptions.masks)."""
    done, data = cv2.imencode(".png", mask)
    assert done
    to.write_bytes(data.tobytes())
    return to
