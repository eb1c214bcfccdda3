"""Where a cut-out figure bends and stands: its hip, the place between its feet, what it stands on."""

from __future__ import annotations

import cv2
import numpy as np

from klingo1.draft.stage import Image


def between_feet(alpha: Image, foot: int, tall: int) -> float:
    """The column between the feet."""
    columns = np.flatnonzero((alpha[max(0, foot - int(0.16 * tall)) : foot] > 60).any(axis=0))
    return float(columns[0] + columns[-1]) / 2 if len(columns) else alpha.shape[1] / 2


def hip_row(alpha: Image, foot: int, tall: int) -> int | None:
    """The row of the crotch: the top of the gap between two legs; else where narrow legs meet a wider body.

    None when the lower part is as wide as the rest (a dress, an animal, a thing): such a figure cannot
    stride.
    """
    top, solid = foot - tall, alpha > 90
    counts = solid.sum(axis=1).astype(float)
    last, missed = None, 0
    for row in range(foot - int(0.05 * tall), int(top + 0.42 * tall), -1):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], solid[row].astype(np.int8), [0]])))
        runs = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 0.03 * tall]
        if len(runs) == 2 and runs[1][0] - runs[0][1] > 2 and runs[1][0] - runs[0][1] < 0.25 * tall:
            last, missed = row, 0
        elif last is not None:
            missed += 1
            if missed > 0.03 * tall:
                break
    if last is not None and last < foot - 0.12 * tall:
        return last
    legs = float(np.median(counts[int(top + 0.84 * tall) : int(top + 0.94 * tall)]))
    if legs < 0.02 * tall or legs > 0.3 * tall or legs > 0.62 * float(counts.max()):
        return None
    for row in range(int(top + 0.9 * tall), int(top + 0.5 * tall), -1):
        if counts[row] > 1.35 * legs:
            return row
    return None


def stance(view: Image) -> str:
    """What a character's cut-out (straight BGRA) stands on: person (two legs), bust (cut off below),
    figure.
    """
    tall = 240
    wide = int(min(max(2, round(view.shape[1] * tall / max(1, view.shape[0]))), 4 * tall))
    alpha = cv2.extractChannel(cv2.resize(view, (wide, tall), interpolation=cv2.INTER_AREA), 3)
    if wide < 0.95 * tall and hip_row(alpha, tall, tall) is not None:
        return "person"
    solid = (alpha > 90).sum(axis=1)
    base = float(solid[int(0.93 * tall) : int(0.965 * tall)].mean())
    return "bust" if wide < 1.35 * tall and base > 0.6 * float(solid.max()) > 0 else "figure"
