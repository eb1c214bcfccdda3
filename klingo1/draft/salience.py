"""What stands out from a photograph's border, by edges (minimum barrier distance) and by colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Numbers = NDArray[np.float32]


def reduced(bgr: Pixels, side: int) -> Pixels:
    """The picture with its longest side at most `side` pixels."""
    scale = side / max(bgr.shape[:2])
    if scale >= 1:
        return bgr
    size = (max(8, round(bgr.shape[1] * scale)), max(8, round(bgr.shape[0] * scale)))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA))


def barrier_salience(lab: Numbers) -> Numbers:
    """How high a colour step every path from the border must take, 0..1, at the size of `lab` (H×W×3):
    minimum barrier distance (Zhang et al., ICCV 2015), with whole lines swept at once.

    The middle of the lower edge is no source: people and animals are often cut off by it.
    """
    height, width = lab.shape[:2]
    scale = min(1.0, 144 / max(height, width))
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    field = np.asarray(cv2.GaussianBlur(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), (0, 0), 0.8))
    cost = np.full(field.shape, 1e6, np.float32)
    cost[0] = cost[:, 0] = cost[:, -1] = 0
    cost[-1, : size[0] // 5] = cost[-1, -(size[0] // 5) :] = 0
    top, low = field.copy(), field.copy()
    for _ in range(3):
        for turned in (False, True):
            views = [a.swapaxes(0, 1) if turned else a for a in (field, cost, top, low)]
            _sweep(*views)
            _sweep(*(a[::-1] for a in views))
    rise = cost.clip(0, 200).sum(axis=2)
    rise /= max(float(np.quantile(rise, 0.98)), 12.0)
    return np.asarray(
        cv2.resize(rise.clip(0, 1), (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _sweep(field: Numbers, cost: Numbers, top: Numbers, low: Numbers) -> None:
    """Carry the cheapest paths one line on, line after line; the arrays are changed in place."""
    for line in range(1, len(field)):
        high = np.maximum(top[line - 1], field[line])
        deep = np.minimum(low[line - 1], field[line])
        step = high - deep
        better = (step < cost[line]) & (cost[line - 1] < 1e5)
        cost[line] = np.where(better, step, cost[line])
        top[line] = np.where(better, high, top[line])
        low[line] = np.where(better, deep, low[line])


def rarity(lab: Numbers) -> Numbers:
    """How far each colour is from the five commonest of the upper and side borders, 0..1."""
    height, width = lab.shape[:2]
    band = max(2, int(0.05 * min(height, width)))
    rim = np.concatenate(
        [lab[:band].reshape(-1, 3), lab[:, :band].reshape(-1, 3), lab[:, -band:].reshape(-1, 3)]
    )
    cv2.setRNGSeed(7)
    clusters = min(5, len(rim))
    _, _, centres = cv2.kmeans(rim, clusters, None, (3, 20, 0.5), 2, cv2.KMEANS_PP_CENTERS)
    far = np.full((height, width), 1e6, np.float32)
    for centre in centres:
        far = np.minimum(far, np.sqrt(((lab - centre) ** 2).sum(axis=2)))
    return (far / max(float(np.quantile(far, 0.98)), 12.0)).clip(0, 1)


def difference(one: Numbers, two: Numbers) -> float:
    """0 (same colours) to 1 (none in common): half the distance of two lists' coarse Lab histograms (N×3)."""

    def share(colours: Numbers) -> NDArray[np.float64]:
        cells = np.array([7, 10, 10])
        low, high = np.array([0.0, -60.0, -60.0]), np.array([100.0, 60.0, 60.0])
        index = ((colours - low) / (high - low) * cells).astype(int).clip(0, cells - 1)
        flat = (index[:, 0] * cells[1] + index[:, 1]) * cells[2] + index[:, 2]
        counted = np.bincount(flat, minlength=int(cells.prod())).astype(float)
        return np.asarray(counted / counted.sum())

    return float(np.abs(share(one) - share(two)).sum() / 2)
