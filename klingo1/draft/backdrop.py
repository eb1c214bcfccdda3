"""Cut a subject off a plain or gradient backdrop: studio shots, drawings, product pictures.

The backdrop's colour is modelled from the picture's border as a smooth (quadratic) surface in Lab, fitted so
that a subject which touches the border does not spoil it. The backdrop is then flooded from the border, soft
drop shadows with it; what is left is the subject. Since the backdrop's true colour is known everywhere, the
share of a soft edge pixel follows from how far it lies between backdrop and subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.enclosed import flooded, holes, scattered
from klingo1.draft.views import origins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Numbers = NDArray[np.float32]
    Mask = NDArray[np.uint8]

_DARKEST = 0.42
"""The least share of the backdrop's light that a shadow leaves."""
_FLECK = 0.2
"""The same for what lies apart from the subject."""
_FAINT = 0.2
"""The share of an outline that may be faint."""
_EXACT = 0.3
"""The spread (Lab) below which a backdrop is one exact colour, as in a drawing that was never compressed."""
_SOFT, _SOFT_BELOW = 1.1, 3.2
"""How fast (Lab L a pixel) a shadow's light may change: anywhere, and near the subject's foot."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A matte (H×W uint8) and how sure it is: the border's share that the backdrop model explains."""

    matte: Pixels
    confidence: float


def key(bgr: Pixels) -> Keyed | None:
    """The subject on a plain or gradient backdrop, or None when the backdrop is neither, or shows nothing."""
    height, width = bgr.shape[:2]
    if min(height, width) < 16:
        return None
    lab, model, explained, spread = _modelled(bgr)
    if model is None:
        return None
    distance = np.sqrt(_squares(lab - model))
    low, high = max(3.5, 2.2 * spread + 2), max(9.0, 4 * spread + 6)
    plain = (distance < (low + high) / 2).astype(np.uint8)
    factor, left = _shaded(bgr, model)
    shadow = _shadow(lab, factor, left, plain)
    outside = flooded(plain, plain | shadow)
    outside |= holes(outside, distance < low, distance > 1.4 * high)
    inside = cv2.morphologyEx(1 - outside, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    flecks = _flecks(inside, (factor > _FLECK) & (factor < 1.0) & (left < 12), _foot(plain))
    inside, outside = inside & ~flecks, outside | flecks
    if not 0.004 < float(inside.mean()) < 0.93 or scattered(inside):
        return None
    if _faint(inside, outside, distance, 1.4 * high) or (spread < _EXACT and _wrapped(inside, distance)):
        return None
    return Keyed(_matte(bgr, inside, outside), explained)


def standing_out(bgr: Pixels) -> NDArray[np.bool_] | None:
    """What clearly stands out of a plain or gradient backdrop and is no shadow on it; None without one.

    Any cut of such a picture must hold nearly all of it, or a half of somebody was taken for the whole.
    """
    lab, model, _, spread = _modelled(bgr)
    if model is None:
        return None
    factor, left = _shaded(bgr, model)
    shadow = (factor > _FLECK) & (factor < 1.0) & (left < 12)
    return (np.sqrt(_squares(lab - model)) > 1.4 * max(9.0, 4 * spread + 6)) & ~shadow


def _modelled(bgr: Pixels) -> tuple[Numbers, Numbers | None, float, float]:
    """The picture in Lab and its backdrop there (None when it is neither plain nor a gradient), the share of
    the border that is explained, and the spread there.
    """
    lab = np.asarray(cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2Lab), np.float32)
    ring = _ring(*bgr.shape[:2])
    model, explained, spread = _backdrop(lab, ring)
    plain = explained >= 0.6 and spread <= 3.2 and _even(lab, model, ring)
    return lab, model if plain else None, explained, spread


def panel(matte: Pixels) -> tuple[slice, slice] | None:
    """Rows and columns of a picture between letterbox or pillarbox bars, or None when the matte is no such
    rectangle from edge to edge.
    """
    solid = matte > 127
    rows, columns = np.where(solid.any(axis=1))[0], np.where(solid.any(axis=0))[0]
    if not rows.size:
        return None
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    part = solid[box]
    slack = 0.01 * max(solid.shape)
    across = part.shape[1] >= solid.shape[1] - slack
    along = part.shape[0] >= solid.shape[0] - slack
    return box if (across or along) and min(part.shape) >= 16 and float(part.mean()) > 0.9 else None


def _ring(height: int, width: int) -> NDArray[np.bool_]:
    band = max(2, int(min(height, width) * 0.03))
    ring = np.ones((height, width), bool)
    ring[band:-band, band:-band] = False
    return ring


def _terms(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(rows), columns, rows, columns**2, rows**2, columns * rows], axis=-1)


def _backdrop(lab: Numbers, ring: NDArray[np.bool_]) -> tuple[Numbers, float, float]:
    """The backdrop's Lab colour everywhere, the share of the border it explains, and its spread there."""
    height, width = ring.shape
    rows, columns = np.where(ring)
    step = max(1, rows.size // 6000)
    rows, columns = rows[::step], columns[::step]
    terms = _terms(rows / height - 0.5, columns / width - 0.5)
    colours = lab[rows, columns].astype(np.float64)
    # The commonest colour starts the fit: least squares alone would average subject and backdrop.
    distance = np.linalg.norm(colours - np.median(colours, axis=0), axis=1)
    kept = distance <= max(4.0, float(np.quantile(distance, 0.6)))
    fit = np.zeros((6, 3))
    for _ in range(5):
        fit = np.linalg.lstsq(terms[kept].T @ terms[kept], terms[kept].T @ colours[kept], rcond=None)[0]
        distance = np.linalg.norm(terms @ fit - colours, axis=1)
        kept = distance < max(4.0, 2.5 * float(np.median(distance)))
    across = np.arange(width) / width - 0.5
    along = np.arange(height) / height - 0.5
    planes = []
    for c in fit.T:
        sideways = (c[0] + c[1] * across + c[3] * across**2).astype(np.float32)
        down = (c[2] * along + c[4] * along**2).astype(np.float32)
        plane = np.outer((c[5] * along).astype(np.float32), across.astype(np.float32))
        plane += sideways
        plane += down[:, None]
        planes.append(plane)
    model = np.asarray(cv2.merge(planes), np.float32)
    return model, float((distance < 6.0).mean()), float(np.median(distance))


def _squares(difference: Numbers) -> Numbers:
    """The squared length of each pixel's vector; a plain sum over three channels takes ten times as long."""
    return np.asarray(np.einsum("ijk,ijk->ij", difference, difference), np.float32)


def _even(lab: Numbers, model: Numbers, ring: NDArray[np.bool_]) -> bool:
    """Whether the border is either backdrop or subject, stretch by stretch: a plain backdrop is not speckled,
    as foliage, pavement or a starry sky are.
    """
    height, width = ring.shape
    band = max(2, int(min(height, width) * 0.03))
    rims = np.s_[:band, :], np.s_[-band:, :], np.s_[:, :band], np.s_[:, -band:]
    fits = [(_squares(lab[rim] - model[rim]) < 7.0**2).astype(np.float32) for rim in rims]
    sides = (fits[0], fits[1], fits[2].T, fits[3].T)
    cells = [cv2.resize(np.ascontiguousarray(s), (24, 1), interpolation=cv2.INTER_AREA)[0] for s in sides]
    plain = np.concatenate(cells) > 0.97
    mixed = np.concatenate([_mixed(side) for side in cells])
    return bool(plain.mean() >= 0.5 and mixed.mean() <= 0.16)


def _mixed(side: Numbers) -> NDArray[np.bool_]:
    """Cells of one side that are neither backdrop nor subject, less those of a round outline that grazes the
    border: there the backdrop's share sinks and rises once, evenly.
    """
    plain = side > 0.97
    mixed = (side > 0.15) & ~plain
    if plain[0] and plain[-1] and not plain.all():
        first, last = int(np.argmin(plain)), len(plain) - int(np.argmin(plain[::-1]))
        lowest = first + int(np.argmin(side[first:last]))
        steps = np.diff(side[first - 1 : last + 1])
        down = lowest - first + 1
        if (steps[:down] < 0.02).all() and (steps[down:] > -0.02).all() and last - first >= 4:
            mixed[:] = False
    return mixed


def _faint(inside: Mask, outside: Mask, distance: Numbers, level: float) -> bool:
    """Whether much of the outline differs from the backdrop by little more than the noise: the flood may have
    eaten from the subject there.
    """
    rim = (inside > 0) & (cv2.dilate(outside, np.ones((5, 5), np.uint8)) > 0)
    # The most that the subject differs nearby: soft edges soon do, and a thin dark outline does.
    reach = 2 * max(2, round(0.012 * min(inside.shape))) + 1
    within = cv2.GaussianBlur(distance, (0, 0), 1.0) * inside
    most = cv2.dilate(within, np.ones((reach, reach), np.uint8))
    return bool(rim.any() and float((most[rim] < level).mean()) > _FAINT)


def _wrapped(inside: Mask, distance: Numbers) -> bool:
    """Whether what was keyed lies within something pale, as eyes do in a ghost: on an exactly even backdrop
    even a slight difference all around is paint.
    """
    reach = 2 * max(3, round(0.02 * min(inside.shape))) + 1
    ring = (cv2.dilate(inside, np.ones((reach, reach), np.uint8)) > 0) & (
        cv2.dilate(inside, np.ones((7, 7), np.uint8)) == 0
    )
    return bool(ring.any() and float((distance[ring] > 1.5).mean()) > 0.7)


def _shaded(bgr: Pixels, model: Numbers) -> tuple[Numbers, Numbers]:
    """The share of the backdrop's light that each pixel has, and how far its colour is from just that."""
    # The backdrop is so smooth that an eighth of its size says everything.
    small = cv2.resize(model, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    small = cv2.cvtColor(small, cv2.COLOR_Lab2BGR).clip(0.02, 1) * np.float32(255)
    ground: Numbers = cv2.resize(small, model.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    seen: Numbers = cv2.GaussianBlur(bgr.astype(np.float32), (0, 0), 1.0)
    lit = np.einsum("ijk,ijk->ij", seen, ground)
    factor = lit / _squares(ground)
    return factor, np.sqrt(np.maximum(_squares(seen) - factor * lit, 0))  # Pythagoras


def _flecks(inside: Mask, tinted: NDArray[np.bool_], foot: int) -> Mask:
    """Small pieces apart from the subject, at its foot or below, that have the colour of a shadow: what is
    left of a shadow whose edge is hard.
    """
    flecks = np.zeros_like(inside)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside)
    for i in range(1, count):
        low = stats[i, 1] + stats[i, 3] / 2 >= foot
        if low and stats[i, 4] < 0.08 * stats[1:, 4].max() and float(tinted[labels == i].mean()) > 0.8:
            flecks[labels == i] = 1
    return flecks


def _shadow(lab: Numbers, factor: Numbers, left: Numbers, plain: Mask) -> Mask:
    """Pixels that a soft shadow on the backdrop could explain: the backdrop's colour times one factor below
    1, without a hard edge. Near the subject's foot, where shadows lie, steeper ones count as soft too.
    """
    light = cv2.GaussianBlur(np.ascontiguousarray(lab[..., 0]), (0, 0), 1.2)
    slope = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)) / 8
    slope = cv2.dilate(slope, np.ones((3, 3), np.uint8))
    steepest = np.full((len(lab), 1), _SOFT, np.float32)
    steepest[_foot(plain) :] = _SOFT_BELOW
    soft = (factor > _DARKEST) & (factor < 1.03) & (left < 9) & (slope < steepest)
    return np.asarray(soft, np.uint8)


def _foot(plain: Mask) -> int:
    """The row at which the lowest quarter of whatever stands on the backdrop begins."""
    rows = np.where((plain == 0).mean(axis=1) > 0.01)[0]
    return int(rows[0] + 0.75 * (rows[-1] - rows[0])) if rows.size else len(plain)


def _matte(bgr: Pixels, inside: Mask, outside: Mask) -> Pixels:
    """Soft edges: each pixel near the border is split between the nearest backdrop and subject colours."""
    core = cv2.erode(inside, np.ones((5, 5), np.uint8))
    far = cv2.erode(1 - inside, np.ones((5, 5), np.uint8))
    band = (core == 0) & (far == 0)
    matte = (inside * 255).astype(np.uint8)
    if not band.any() or not core.any() or not far.any():
        return matte
    subject = _nearest(bgr, core, band)
    ground = _nearest(bgr, far, band)
    pixel = bgr[band].astype(np.float32)
    way = subject - ground
    length = (way**2).sum(axis=1)
    share = ((pixel - ground) * way).sum(axis=1) / np.maximum(length, 1e-3)
    # Where both colours are alike the split means nothing; the flood's own verdict stands there.
    trust = np.clip((length - 150) / 600, 0, 1)
    share = np.clip((share - 0.08) / 0.84, 0, 1) * trust + inside[band] * (1 - trust)
    matte[band] = (np.clip(share, 0, 1) * 255 + 0.5).astype(np.uint8)
    # Only next to the flood: a dark line inside the subject must not become see-through.
    near = cv2.dilate(outside, np.ones((7, 7), np.uint8)) > 0
    return np.where(near, matte, inside * 255).astype(np.uint8)


def _nearest(bgr: Pixels, source: Mask, wanted: NDArray[np.bool_]) -> Numbers:
    """The colours of the `source` pixels that are nearest to the wanted ones."""
    _, labels = cv2.distanceTransformWithLabels(1 - source, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    return np.asarray(bgr.reshape(-1, 3)[origins(labels, source)[labels[wanted]]], np.float32)
