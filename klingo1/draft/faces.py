"""Find a face in a photograph with the cascades that ship with OpenCV 4 (they are gone from OpenCV 5)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

FACE_SIDE = 400
"""The longest side, pixels, at which faces are looked for."""
_CASCADES = (
    "haarcascade_frontalface_default.xml",
    "haarcascade_frontalcatface_extended.xml",
    "haarcascade_profileface.xml",
)


@dataclass(frozen=True, slots=True)
class Face:
    """A face in shares of the picture: its left, top, width and height."""

    x: float
    y: float
    width: float
    height: float


_FOLDER = Path(str(cv2.__file__)).parent / "data"


def find_face(bgr: Pixels) -> Face | None:
    """The largest face of a person or a cat that is found in the picture and in its mirror image as well:
    rocks and leaves that look like a face seldom do so twice.
    """
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    if min(grey.shape) < 48:
        return None
    height, width = grey.shape
    flipped = np.ascontiguousarray(grey[:, ::-1])
    found: list[Face] = []
    for name in _CASCADES:
        cascade = cv2.CascadeClassifier(str(_FOLDER / name))
        one = _boxes(cascade, grey)
        if "profile" in name:  # it knows one side only, so the mirror image cannot confirm it
            one = two = one + [(width - x - w, y, w, h) for x, y, w, h in _boxes(cascade, flipped)]
        else:
            two = [(width - x - w, y, w, h) for x, y, w, h in _boxes(cascade, flipped)] if one else []
        found.extend(
            Face(x / width, y / height, w / width, h / height)
            for x, y, w, h in one
            if w > 0.12 * min(width, height) and any(_overlap((x, y, w, h), other) > 0.5 for other in two)
        )
    return max(found, key=lambda f: f.width * f.height, default=None)


def _boxes(cascade: Any, grey: Pixels) -> list[tuple[int, int, int, int]]:
    boxes = cascade.detectMultiScale(grey, 1.1, 6, minSize=(36, 36))
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h in boxes]


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    along = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0, across) * max(0, along)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)
