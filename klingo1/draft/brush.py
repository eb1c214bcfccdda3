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

KEEP, REMOVE = "#2fbf4f", "#e0402f"
"""Colours for the two brushes."""
_DRAWN = 40
"""Alpha from which a pixel belongs to a stroke."""


def matte_of(picture: Path, *, cache: Path | None = None, model: Path | None = None) -> Pixels:
    """What the automatic cut keeps of a picture, H×W uint8, 255 = kept; everything where it does not cut.

    Raises InvalidRequest when the file is no picture.
    """
    cutout = cut_out(picture, cache=cache, model=model)
    if cutout.matte is not None:
        return cutout.matte
    return np.full(load(picture).bgr.shape[:2], 255, np.uint8)


def brushed(matte: Pixels, strokes: Path) -> Pixels:
    """The mask that a matte and a layer of strokes give, of the matte's size, H×W uint8.

    The layer may have another size than the picture, but not another shape. Raises InvalidRequest when it is
    no picture.
    """
    layer = load(strokes, max(matte.shape))
    if layer.alpha is None:  # nothing was drawn, or the layer is no layer
        return matte
    size = (matte.shape[1], matte.shape[0])
    drawn = cv2.resize(layer.alpha, size, interpolation=cv2.INTER_LINEAR) >= _DRAWN
    colours = cv2.resize(layer.bgr, size, interpolation=cv2.INTER_LINEAR).astype(np.int16)
    kept = colours[..., 1] >= colours[..., 2]
    return np.where(drawn, np.where(kept, 255, 0), matte).astype(np.uint8)


def write_mask(mask: Pixels, to: Path) -> Path:
    """Write a mask as a PNG, the form in which a request takes it (DraftOptions.masks)."""
    done, data = cv2.imencode(".png", mask)
    assert done
    to.write_bytes(data.tobytes())
    return to
