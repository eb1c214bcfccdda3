"""From where a view shows its subject: front, side or back, and which way a side view looks.

Guesses from the outline and from where the detail is; people can correct them, so they only have to be right
most of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Numbers = NDArray[np.float32]

_NARROW = 0.78
"""A view this much narrower than another one is seen from the side, however even its outline is."""


def names_of(parts: Sequence[Pixels]) -> list[str]:
    """front, side or back for each view of one subject.

    Side views are lopsided or narrow, and those from the left have the outline of those from the right; of
    the symmetric ones the front has a face: more detail and more different colours in the head.
    """
    lopsided = [asymmetry(p) for p in parts]
    if len(parts) == 1:
        slim = parts[0].shape[0] > 2.6 * parts[0].shape[1]
        return ["side" if lopsided[0] > (0.1 if slim else 0.22) else "front"]
    shapes = [p.shape[1] / p.shape[0] for p in parts]
    narrow = [shape / max(shapes) for shape in shapes]
    sideways = [a - 0.35 * n for a, n in zip(lopsided, narrow, strict=True)]
    names = ["side"] * len(parts)
    first_side = int(np.argmax(sideways))
    if max(lopsided) < 0.08 and narrow[first_side] > _NARROW:  # a front and a back, nothing from the side
        upright = list(range(len(parts)))
    else:
        between = (max(sideways) + min(sideways)) / 2
        upright = [
            i
            for i in range(len(parts))
            if i != first_side
            and lopsided[i] < max(0.2, 0.7 * lopsided[first_side])
            and not (sideways[i] > between and _same_outline(parts[i], parts[first_side]))
        ]
    upright.sort(key=lambda i: -_face_detail(parts[i]))
    for rank, i in enumerate(upright):
        names[i] = "front" if rank == 0 else "back" if rank == 1 else "side"
    return names


def _same_outline(one: Pixels, two: Pixels) -> bool:
    """Whether two views have one outline, perhaps mirrored: from the left and from the right."""
    a, b = (cv2.resize(p[..., 3], (64, 128), interpolation=cv2.INTER_AREA) > 128 for p in (one, two))
    return any(float((a & c).sum()) > 0.9 * float((a | c).sum()) for c in (b, b[:, ::-1]))


def shrunk(bgra: Pixels, scale: float) -> Pixels:
    """A cut-out made smaller; each side is at least a pixel."""
    size = (max(1, int(bgra.shape[1] * scale)), max(1, int(bgra.shape[0] * scale)))
    # The colours under clear pixels are extended ones already, so straight alpha scales without a fringe.
    return np.asarray(cv2.resize(bgra, size, interpolation=cv2.INTER_AREA))


def reduced_alpha(bgra: Pixels) -> NDArray[np.bool_]:
    """The silhouette, at most 360 pixels high or wide."""
    return np.asarray(_small(bgra)[..., 3] > 128)


def asymmetry(bgra: Pixels) -> float:
    """0 for a silhouette that equals its mirror image about its centre of mass, up to 1."""
    alpha = _small(bgra)[..., 3].astype(np.float32) / 255
    total = float(alpha.sum())
    if total < 1:
        return 0.0
    centre = round(float((alpha.sum(axis=0) * np.arange(alpha.shape[1])).sum()) / total)
    reach = min(centre, alpha.shape[1] - centre)
    if reach < 3:
        return 1.0
    left, right = alpha[:, centre - reach : centre], alpha[:, centre : centre + reach][:, ::-1]
    return float(np.abs(left - right).sum() / max(float((left + right).sum()), 1.0))


def faces_right(bgra: Pixels) -> bool:
    """Which way a side view looks: toes stick out to the front and the face has the detail of the head."""
    small = _small(bgra)
    alpha = (small[..., 3] > 128).astype(np.float32)
    height = len(alpha)
    toes = _centre(alpha[int(height * 0.955) :]) - _centre(alpha[int(height * 0.80) : int(height * 0.90)])
    head = alpha[: int(height * 0.36)]
    detail = _detail(small)[: head.shape[0]] * head
    face = _centre(detail) - _centre(head)
    return bool(toes + face > 0)


def _centre(weights: Numbers) -> float:
    total = float(weights.sum())
    return float((weights.sum(axis=0) * np.arange(weights.shape[1])).sum()) / total if total > 0 else 0.0


def _face_detail(bgra: Pixels) -> float:
    small = _small(bgra)
    rows = max(1, int(small.shape[0] * 0.36))
    solid = small[:rows, :, 3] > 200
    return float(_detail(small)[:rows][solid].mean()) if solid.any() else 0.0


def _detail(small: Pixels) -> Numbers:
    grey = cv2.cvtColor(np.ascontiguousarray(small[..., :3]), cv2.COLOR_BGR2GRAY)
    inside = cv2.erode((small[..., 3] > 200).astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(np.abs(cv2.Laplacian(grey, cv2.CV_32F)) * inside, np.float32)


def _small(bgra: Pixels) -> Pixels:
    """At most 360 pixels high or wide: enough for guesses, and the same guess at every size."""
    scale = 360 / max(bgra.shape[:2])
    return shrunk(bgra, scale) if scale < 1 else bgra
