"""Find the subject of a real photograph without a network: several starts of GrabCut vote.

The starts know different things: where subjects stand (the centre, or the body under a face that a cascade
found), what the border cannot reach without crossing an edge, and which colours the border does not have.
Where such different guesses end in the same cut, the cut is right more often than not; their agreement is the
confidence. A matte is generous: losing a part of the subject is far worse than keeping some background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.faces import FACE_SIDE, find_face
from klingo1.draft.salience import barrier_salience, difference, rarity, reduced
from klingo1.draft.vote import Vote, measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klingo1.draft.faces import Face

    Pixels = NDArray[np.uint8]
    Numbers = NDArray[np.float32]
    Mask = NDArray[np.uint8]

_SIDE = 256
"""The longest side at which GrabCut works: its cost grows with the pixels, its errors hardly shrink."""

_QUARREL = 0.38
_EDGE = 0.025
"""Width of the rim that the starts take for background, in shares of the shorter side."""


def vote(bgr: Pixels) -> Vote:
    """Let the starts cut the photograph (H×W×3 BGR uint8) and measure the result."""
    small = reduced(bgr, _SIDE)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_BGR2Lab), np.float32)
    face = find_face(reduced(bgr, FACE_SIDE))
    salience = barrier_salience(lab)
    if face is None and _all_alike(lab):
        # A texture (gravel, bricks, noise): nothing to find, and GrabCut would take seconds to say so.
        return measured(np.zeros(lab.shape[:2], np.uint8), 0.0, lab, salience, face)
    cuts: list[Mask] = []
    for start in _starts(lab, salience, face):
        cuts.append(_grabbed(small, start))
        if len(cuts) == 2 and _shared(*cuts) < _QUARREL:
            break  # no third voice can make this a cut worth showing
    votes = np.sum(cuts, axis=0)
    united = _united(votes, lab)
    # What was left out as background still was a quarrel: it counts half.
    claimed = (float(united.sum()) + float((votes > 0).sum())) / 2
    agreement = float((votes == len(cuts)).sum()) / max(1.0, claimed)
    return measured(_generous(united, face), agreement, lab, salience, face)


def _shared(one: Mask, two: Mask) -> float:
    return float((one & two).sum()) / max(1.0, float((one | two).sum()))


def _all_alike(lab: Numbers) -> bool:
    """Whether the middle has the very colours of the rim."""
    height, width = lab.shape[:2]
    top, left = height // 5, width // 5
    rim = np.ones((height, width), bool)
    rim[top:-top, left:-left] = False
    return min(height, width) < 16 or difference(lab[~rim], lab[rim]) < 0.15


def _united(votes: NDArray[np.int64], lab: Numbers) -> Mask:
    """Whatever any start claimed, less the parts that only one claimed and that look like the background."""
    core, claimed = votes >= 2, votes > 0
    united = claimed.astype(np.uint8)
    if not core.any() or claimed.all():
        return united
    lone = cv2.morphologyEx((claimed & ~core).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lone)
    for i in range(1, count):
        if stats[i, 4] < 0.01 * core.sum():
            continue
        part = labels == i
        like_subject = 1 - difference(lab[part], lab[core])
        like_ground = 1 - difference(lab[part], lab[~claimed])
        if like_ground > 1.4 * like_subject:
            united[part] = 0
    return united


def _starts(lab: Numbers, salience: Numbers, face: Face | None) -> list[Mask]:
    """GrabCut's first guesses (cv2.GC_*), each from another kind of knowledge."""
    height, width = lab.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    rows, columns = rows / height, columns / width
    prior = np.exp(-(((columns - 0.5) / 0.34) ** 2 + ((rows - 0.54) / 0.42) ** 2)).astype(np.float32)
    if face is None:
        place = _ellipse(rows, columns, 0.38, 0.42)
        heart = _ellipse(rows, columns, 0.10, 0.13)
    else:
        place, heart = _body(rows, columns, face)
    standing = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    standing[place] = cv2.GC_PR_FGD
    standing[heart] = cv2.GC_FGD
    starts = [_edged(standing)]
    for map_, weight in ((salience, prior), (0.5 * salience + 0.5 * rarity(lab), np.sqrt(prior))):
        seen = map_ * weight
        seen /= max(float(seen.max()), 1e-6)
        start = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
        start[seen > 0.30] = cv2.GC_PR_FGD
        start[seen > 0.72] = cv2.GC_FGD
        if face is not None:
            start[place & (seen > 0.12)] = cv2.GC_PR_FGD
            start[heart] = cv2.GC_FGD
        starts.append(_edged(start))
    return starts


def _ellipse(rows: Numbers, columns: Numbers, across: float, along: float) -> NDArray[np.bool_]:
    return np.asarray(((columns - 0.5) / across) ** 2 + ((rows - 0.53) / along) ** 2 < 1)


def _body(rows: Numbers, columns: Numbers, face: Face) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Head, hair and shoulders around a face, and the part of them that is certain."""
    middle, centre = face.x + face.width / 2, face.y + face.height / 2
    sideways = np.abs(columns - middle)
    head = (sideways / (face.width * 0.95)) ** 2 + (
        (rows - centre + 0.08 * face.height) / (face.height * 1.1)
    ) ** 2 < 1
    below = (rows - (face.y + face.height)) / face.height
    body = (rows > face.y + face.height * 0.9) & (sideways < face.width * (1 + 0.55 * np.clip(below, 0, 1.6)))
    sure = (sideways / (face.width * 0.45)) ** 2 + ((rows - centre) / (face.height * 0.55)) ** 2 < 1
    trunk = (below > 0) & (below < 1.5) & (sideways < face.width * 0.45)
    return head | body, sure | trunk


def _edged(start: Mask) -> Mask:
    """The picture's upper and side edges are background; the lower one may cut the subject off."""
    band = max(2, int(_EDGE * min(start.shape)))
    start[:band] = cv2.GC_BGD
    start[: int(0.85 * len(start)), :band] = cv2.GC_BGD
    start[: int(0.85 * len(start)), -band:] = cv2.GC_BGD
    return start


def _grabbed(bgr: Pixels, start: Mask) -> Mask:
    """One GrabCut from one start: H×W of 0 and 1, all 0 when the start has no background or no subject."""
    mask = start.copy()
    cv2.setRNGSeed(11)
    try:
        cv2.grabCut(bgr, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # fewer samples than mixture components
        return np.zeros_like(start)
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _generous(mask: Mask, face: Face | None) -> Mask:
    """The main part, closed, without holes, smooth, and with the whole face."""
    height, width = mask.shape
    mask = _to_the_edge(mask)
    radius = max(1, int(0.03 * min(height, width)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(mask, radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[radius:-radius, radius:-radius]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    if count < 2:
        return mask
    main = 1 + int(np.argmax(stats[1:, 4]))
    if face is not None:
        at = labels[
            min(height - 1, int((face.y + face.height / 2) * height)), int((face.x + face.width / 2) * width)
        ]
        main = int(at) or main
    one = (labels == main).astype(np.uint8)
    outlines = cv2.findContours(one, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    cv2.drawContours(one, outlines, -1, 1, -1)
    soft = cv2.GaussianBlur(one.astype(np.float32), (0, 0), max(0.8, 0.009 * min(height, width)))
    return np.asarray(soft > 0.25, np.uint8)


def _to_the_edge(mask: Mask) -> Mask:
    """The starts call the picture's edges background; a part that reaches them goes on to the very edge."""
    band = max(2, int(_EDGE * min(mask.shape)))
    inner = mask[band:-band, band:-band]
    if not inner.size:
        return mask
    return np.asarray(mask | cv2.copyMakeBorder(inner, band, band, band, band, cv2.BORDER_REPLICATE))
