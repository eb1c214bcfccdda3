"""Cut-out views of a subject: trimming, clean edge colours, turnaround sheets, and what each view shows.

A turnaround sheet is one picture with two to five figures of the same character side by side. A view is named
front, side or back and guessed to face right or left; people can correct the guess, so it only has to be
right most of the time.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.bearings import asymmetry, faces_right, names_of, reduced_alpha, shrunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Numbers = NDArray[np.float32]

VIEW_SIDE = 1400
"""The longest side of a view, pixels."""
_PAD = 2
_SEEN = 12
"""Alpha above which a pixel counts as visible."""


@dataclass(frozen=True, slots=True)
class View:
    """One cut-out view. `pixels` is H×W×4 uint8 straight BGRA, trimmed with 2 pixels of empty border, longest
    side at most 1400; `name` is front, side or back; `faces_right` matters for side views; `given`
    says that a person named it.
    """

    pixels: Pixels
    name: str = "front"
    faces_right: bool = True
    given: bool = False


def trimmed(bgra: Pixels) -> Pixels | None:
    """The visible part with 2 empty pixels around it, at most 1400 pixels long; None when nothing shows."""
    rows, columns = (
        np.where((bgra[..., 3] > _SEEN).any(axis=1))[0],
        np.where((bgra[..., 3] > _SEEN).any(axis=0))[0],
    )
    if not rows.size:
        return None
    part = bgra[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = (VIEW_SIDE - 2 * _PAD) / max(part.shape[:2])
    if scale < 1:
        part = shrunk(part, scale)
    return np.asarray(
        cv2.copyMakeBorder(part, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    )


def with_edge_colours(bgr: Pixels, alpha: Pixels) -> Pixels:
    """H×W×4 BGRA whose soft and clear pixels take the colour of the nearest solid one: no halo of the old
    background. `alpha` is H×W uint8.
    """
    solid = (alpha > 247).astype(np.uint8)
    inner = cv2.erode(solid, np.ones((3, 3), np.uint8))
    solid = inner if inner.any() else solid
    colours = bgr
    if solid.any() and not solid.all():
        _, labels = cv2.distanceTransformWithLabels(1 - solid, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
        colours = bgr.reshape(-1, 3)[origins(labels, solid)[labels]]
    return np.asarray(cv2.merge([*cv2.split(colours), alpha]))


def origins(labels: NDArray[np.int32], source: Pixels) -> NDArray[np.intp]:
    """For each label of a distance transform the (flat) place of the `source` pixel that it stands for."""
    places = np.flatnonzero(source)
    found = np.zeros(int(labels.max()) + 1, np.intp)
    found[labels.reshape(-1)[places]] = places
    return found


def split(bgra: Pixels) -> tuple[Pixels, ...]:
    """Figures of a sheet, left to right, each trimmed; one figure when the picture is no sheet.

    Two to five parts are figures when they stand side by side with similar heights; anything smaller joins
    the figure it is nearest to (a floating hat, a shadowless balloon).
    """
    alpha = bgra[..., 3]
    reach = max(3, bgra.shape[1] // 200)
    joined = cv2.dilate((alpha > 60).astype(np.uint8), np.ones((reach, reach), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    if count < 2:
        whole = trimmed(bgra)
        return () if whole is None else (whole,)
    figures = _figures(stats)
    if not 2 <= len(figures) <= 5:
        whole = trimmed(_without_specks(bgra, labels, stats))
        return () if whole is None else (whole,)
    owner = _owners(stats, figures)
    parts = []
    for figure in figures:
        members = [i for i in range(1, count) if owner[i] == figure]
        part = bgra.copy()
        part[..., 3] = np.where(np.isin(labels, members), alpha, 0)
        view = trimmed(part)
        if view is not None:
            parts.append(view)
    return tuple(parts)


def _figures(stats: NDArray[np.int32]) -> list[int]:
    """Labels of parts that look like figures in a row, left to right."""
    tallest, largest = int(stats[1:, 3].max()), int(stats[1:, 4].max())
    big = [i for i in range(1, len(stats)) if stats[i, 4] > 0.25 * largest and stats[i, 3] > 0.6 * tallest]
    big.sort(key=lambda i: int(stats[i, 0]))
    for left, right in itertools.pairwise(big):
        overlap = int(stats[left, 0] + stats[left, 2] - stats[right, 0])
        middle_left = stats[left, 1] + stats[left, 3] / 2
        middle_right = stats[right, 1] + stats[right, 3] / 2
        if (
            overlap > 0.2 * min(stats[left, 2], stats[right, 2])
            or abs(middle_left - middle_right) > 0.3 * tallest
        ):
            return []  # parts of one thing, not figures in a row
    return big


def _owners(stats: NDArray[np.int32], figures: Sequence[int]) -> list[int]:
    """For every label the figure it belongs to (0 = a speck that belongs to none)."""
    largest = int(stats[1:, 4].max())
    owner = [0] * len(stats)
    for i in range(1, len(stats)):
        if i in figures:
            owner[i] = i
        elif stats[i, 4] > 0.002 * largest:
            owner[i] = min(figures, key=lambda f: _gap(stats[i], stats[f]))
    return owner


def _gap(a: NDArray[np.int32], b: NDArray[np.int32]) -> float:
    across = max(a[0], b[0]) - min(a[0] + a[2], b[0] + b[2])
    along = max(a[1], b[1]) - min(a[1] + a[3], b[1] + b[3])
    return float(np.hypot(max(across, 0), max(along, 0)))


def _without_specks(bgra: Pixels, labels: NDArray[np.int32], stats: NDArray[np.int32]) -> Pixels:
    largest = int(stats[1:, 4].max())
    kept = np.array([i > 0 and stats[i, 4] > 0.002 * largest for i in range(len(stats))])
    clean = bgra.copy()
    clean[..., 3] = np.where(kept[labels], bgra[..., 3], 0)
    return clean


def named(parts: Sequence[Pixels]) -> tuple[View, ...]:
    """Views in their order on the sheet, with names and facing guessed among themselves."""
    names = names_of(parts) if parts else []
    return tuple(View(p, n, faces_right(p)) for p, n in zip(parts, names, strict=True))


def renamed(views: Sequence[View]) -> tuple[View, ...]:
    """The same views, named anew as views of one subject; names that a person gave stay."""
    guessed = [v for v in views if not v.given]
    names = iter(names_of([v.pixels for v in guessed]) if guessed else ())
    return tuple(v if v.given else replace(v, name=next(names)) for v in views)


def kind(views: Sequence[View]) -> str:
    """A character or a prop, by the silhouette: several views, two legs, a head on a neck, or a tall figure.

    In doubt a prop: a character that only bobs looks better than a cup that walks.
    """
    alpha = reduced_alpha(views[0].pixels)
    height, width = alpha.shape
    if len(views) > 1 or height > 2.1 * width:
        return "character"
    if height > 1.5 * width and asymmetry(views[0].pixels) > 0.1:
        return "character"  # seen from the side; upright things are even
    if stands_on_two(alpha) or (height < 1.5 * width and has_neck(alpha)):
        return "character"
    return "prop"


def stands_on_two(alpha: NDArray[np.bool_]) -> bool:
    """Whether an upright silhouette ends in two legs."""
    height, width = alpha.shape
    legs = [_runs(row) for row in alpha[int(0.86 * height) : int(0.96 * height)]]
    return height > 1.1 * width and bool(legs) and float(np.mean([n == 2 for n in legs])) > 0.6


def _runs(row: NDArray[np.bool_]) -> int:
    """How many separate pieces a line of the silhouette has."""
    return int(np.count_nonzero(row[1:] & ~row[:-1])) + int(row[0])


def has_neck(alpha: NDArray[np.bool_]) -> bool:
    """Whether the outline, from the top, widens to a head, narrows to a neck and widens again to a chest."""
    spans = alpha.sum(axis=1).astype(np.float64)
    spans = np.convolve(spans, np.ones(9) / 9, mode="same")
    low, high = int(0.25 * len(spans)), int(0.8 * len(spans))
    if high - low < 3:
        return False
    neck = low + int(np.argmin(spans[low:high]))
    head, chest = float(spans[:neck].max()), float(spans[neck:].max())
    return float(spans[neck]) < 0.88 * head and float(spans[neck]) < 0.8 * chest and head < 1.3 * chest
