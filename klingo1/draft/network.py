"""Cut a photograph with a salient-object network, when the machine's owner has one.

Nothing is downloaded: the owner names an ONNX file of the U²-Net family (1×3×320×320 in, saliency maps of
1×1×320×320 out, the first the best), and OpenCV runs it on the processor.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SIDE = 320
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)


class NetworkUnusable(Exception):
    """The file is no network of this family; the built-in cut is used instead."""


def network_matte(bgr: Pixels, model: Path) -> Pixels:
    """The network's matte of a picture (H×W×3 BGR uint8), H×W uint8, stretched to the full range.

    Raises NetworkUnusable when the file cannot be read or answers with another shape.
    """
    small = cv2.resize(bgr, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[..., ::-1].astype(np.float32)
    # As U²-Net was trained: by the brightest pixel, then ImageNet's mean and deviation.
    blob = ((small / max(float(small.max()), 1e-6) - _MEAN) / _SPREAD).transpose(2, 0, 1)[None]
    try:
        # A network object holds its input, so each call works on its own reading of the bytes.
        net = cv2.dnn.readNetFromONNX(np.frombuffer(_content(model, model.stat().st_mtime_ns), np.uint8))
        net.setInput(np.ascontiguousarray(blob))
        answers: Any = net.forward(net.getUnconnectedOutLayersNames()[:1])
        answer = np.asarray(answers[0], np.float32)
        map_ = answer.reshape(answer.shape[-2:])
    except (OSError, cv2.error, ValueError, IndexError) as error:
        raise NetworkUnusable(str(error)) from error
    low, high = float(np.nanmin(map_)), float(np.nanmax(map_))
    if not np.isfinite(map_).all():
        raise NetworkUnusable("the network answered with no numbers")
    map_ = (map_ - low) / max(high - low, 1e-6) if high > low else np.zeros_like(map_)
    full = cv2.resize(map_, (bgr.shape[1], bgr.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full.clip(0, 1) * 255 + 0.5, np.uint8)


@lru_cache(maxsize=1)
def _content(model: Path, _changed: int) -> bytes:
    return model.read_bytes()
