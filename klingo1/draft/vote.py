"""How far to trust a cut: what several starts agreed on, measured, and the confidence that follows.

Each signal tells one way in which cuts go wrong: the starts quarrel, the cut spans the picture, looks like
its surroundings, runs where there is no edge, or is a piece of something larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.salience import difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klingo1.draft.faces import Face

    Numbers = NDArray[np.float32]
    Mask = NDArray[np.uint8]

_NO_EDGE = 3.0


@dataclass(frozen=True, slots=True)
class Vote:
    """What the starts agreed on. `mask` is H×W of 0 and 1 at a small size; every signal is 0..1."""

    mask: Mask
    agreement: float
    """Claimed by all starts over claimed by any (evident background counts half)."""
    cover: float
    solidity: float
    """The mask over its convex hull."""
    border: float
    """Share of the top, left and right picture edges that the mask touches."""
    halved: float
    """Share of the rows in the mask's upper third that reach a side of the picture: half a head."""
    contrast: float
    """How differently coloured mask and surrounding ring are: histogram distance in Lab."""
    offset: float
    """Distance of the mask's centre from the picture's centre line, in widths."""
    salience: float
    """Mean barrier distance inside the mask less outside."""
    layers: float
    """Share of the colours' variance that lies between rows: sky over hills over grass is near 1."""
    vague: float
    """Share of the outline that runs where the picture has no edge at all: a blur, a glow, the dark."""
    busy: float
    """How full of fine detail the rest of the picture is: 0 calmer than the mask or calm at all, 1 as full as
    the mask and full. What surrounds a cut like that is more of the same thing, or a crowd.
    """
    face: Face | None
    face_kept: float
    """Share of the face that the mask holds (1 without a face)."""

    @property
    def place(self) -> bool:
        """Whether the picture, when it cannot be cut, is a view rather than a picture of something: wide, and
        a texture, or with nothing that stands out, or in layers with at most something small before them.
        """
        height, width = self.mask.shape
        if self.cover == 0:
            return True
        if self.face is not None or width < 1.25 * height:
            return False
        layered = self.layers > 0.45 and (self.cover < 0.15 or self.salience < 0.3)
        return (self.salience < 0.2 and self.contrast < 0.65) or layered

    @property
    def confidence(self) -> float:
        """0..1; from 0.5 on a cut is worth showing."""
        # A face is evidence of its own.
        fit = _ramp(self.agreement, *((0.35, 0.85) if self.face is None else (0.3, 0.75)))
        size = _ramp(self.cover, 0.0, 0.03)
        size *= 1 - _ramp(self.cover, *((0.62, 0.72) if self.face is None else (0.7, 0.8)))
        whole = _ramp(self.solidity, 0.0, 0.5)
        # What spans the picture is ground or sky, unless it has a face and shoulders.
        free = 1 - _ramp(self.border, *((0.06, 0.3) if self.face is None else (0.25, 0.6)))
        free *= 1 - _ramp(self.halved, 0.2, 0.5)
        apart = _ramp(self.contrast, 0.38, 0.58)
        apart *= _ramp(self.salience, *((0.05, 0.15) if self.face is None else (0.0, 0.1)))
        across = bool(self.mask[:, 0].any() and self.mask[:, -1].any())
        if self.face is None and across and self.layers > 0.5:
            free *= 0.3  # a range of hills, a wood, a shore
        centred = 1 - _ramp(self.offset, 0.12, 0.6)
        centred *= 1 - _ramp(self.vague, 0.35, 0.6)
        calm = 1.0 if self.face is not None else 1 - self.busy
        held = 1.0 if self.face_kept > 0.97 else 0.2
        return float(fit * size * whole * free * apart * centred * calm * held)


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def measured(mask: Mask, agreement: float, lab: Numbers, salience: Numbers, face: Face | None) -> Vote:
    """The signals of a mask (H×W of 0 and 1) in a picture (`lab`, H×W×3) with its `salience` (H×W)."""
    height, width = mask.shape
    cover = float(mask.mean())
    solidity = contrast = rise = offset = halved = 0.0
    border = float(np.concatenate([mask[0], mask[:, 0], mask[:, -1]]).mean())
    if 0 < cover < 1:
        outline = max(
            cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea
        )
        solidity = min(1.0, float(mask.sum()) / max(1.0, cv2.contourArea(cv2.convexHull(outline))))
        taken = np.flatnonzero(mask.any(axis=1))
        upper = mask[taken[0] : taken[0] + max(1, len(taken) // 3)]
        halved = float((upper[:, 0] | upper[:, -1]).mean())
        reach = 2 * max(3, int(0.06 * min(height, width))) + 1
        ring = (cv2.dilate(mask, np.ones((reach, reach), np.uint8)) > 0) & (mask == 0)
        if ring.any():
            contrast = difference(lab[mask > 0], lab[ring])
        rise = float(salience[mask > 0].mean() - salience[mask == 0].mean())
        offset = abs(float((mask.sum(axis=0) * np.arange(width)).sum()) / float(mask.sum()) / width - 0.5)
    flat = lab.reshape(-1, 3)
    layers = float(lab.mean(axis=1).var(axis=0).sum() / max(float(flat.var(axis=0).sum()), 1e-6))
    vague, busy = _vague(mask, lab), _busy(mask, lab)
    kept = 1.0
    if face is not None:
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        across = (columns / width - face.x - face.width / 2) / (0.42 * face.width)
        along = (rows / height - face.y - face.height / 2) / (0.46 * face.height)
        kept = float(mask[across**2 + along**2 < 1].mean())
    return Vote(
        mask=mask,
        agreement=agreement,
        cover=cover,
        solidity=solidity,
        border=border,
        halved=halved,
        contrast=contrast,
        offset=offset,
        salience=rise,
        layers=layers,
        vague=vague,
        busy=busy,
        face=face,
        face_kept=kept,
    )


def _vague(mask: Mask, lab: Numbers) -> float:
    """Share of the outline with no edge (a slope of 3 Lab units a pixel) within five pixels."""
    soft = cv2.GaussianBlur(lab, (0, 0), 0.8)
    slopes = (cv2.Sobel(soft, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(soft, cv2.CV_32F, 0, 1) ** 2).sum(axis=2)
    near = cv2.dilate(np.sqrt(slopes) / 8, np.ones((11, 11), np.uint8))
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    rim = (mask > 0) & (inner == 0)
    return float((near[rim] < _NO_EDGE).mean()) if rim.any() else 0.0


def _busy(mask: Mask, lab: Numbers) -> float:
    """The detail (mean step of lightness to a blur) outside the mask against that inside it, as 0..1."""
    light = lab[..., 0]
    detail = np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.2))
    brush = np.ones((7, 7), np.uint8)
    inside, outside = cv2.erode(mask, brush) > 0, cv2.dilate(mask, brush) == 0
    if not inside.any() or not outside.any():
        return 0.0
    rest = float(detail[outside].mean())
    return _ramp(rest, 2.8, 4.2) * _ramp(rest / max(float(detail[inside].mean()), 0.1), 0.7, 1.05)
