"""From a reference picture to what the film shows of it: cut-out views, a framed print or a place.

In this order: a person's mask; the picture's own alpha; a plain or gradient backdrop; a photograph, cut as a
sticker when several starts agree. Where none is sure the picture is not cut: it becomes the place, or an
honest framed print. Losing a part of the subject is far worse than keeping some background.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from klingo1.draft import backdrop, photograph, prints
from klingo1.draft.cast import cast_of, group, views_of
from klingo1.draft.network import NetworkUnusable, network_matte
from klingo1.draft.picture import Picture, load, load_mask
from klingo1.draft.roles import role_of_cut, role_of_print
from klingo1.draft.shelf import fetch, store
from klingo1.draft.views import View, kind, named, split, trimmed, with_edge_colours

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

__all__ = ["METHODS", "Cutout", "View", "cast_of", "cut_out", "group", "views_of"]

_log = logging.getLogger(__name__)
METHODS = ("alpha", "backdrop", "sticker", "print", "place")
_SURE = 0.5
_WHOLE = 0.9
_SURE_WHEN_ASKED = 0.35
"""A person who says "this is a subject" lowers the bar a little, not to the floor."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """What a picture gives the film.

    `role` is character, prop, scene or style (guessed unless given); `method` one of METHODS; `confidence`
    0..1, measured; `views` the cut-outs, left to right as in the picture: none for "place", one framed print
    for "print"; `plate` the whole picture, H×W×3 BGR uint8, longest side at most 1600 pixels; `matte` what of
    the picture was kept, H×W uint8, None for "print" and "place" and where bars were cut off.
    """

    role: str
    method: str
    confidence: float
    views: tuple[View, ...]
    plate: Pixels
    matte: Pixels | None = None


def cut_out(
    path: Path,
    *,
    role: str = "",
    mask: Path | None = None,
    cache: Path | None = None,
    model: Path | None = None,
) -> Cutout:
    """Cut the subject out of a picture file, or decide not to.

    `role` is character, prop, scene, style or "" (guess); "scene" and "style" are never cut. `mask` is a
    picture whose white shows what to keep; it always wins. `cache` is a folder that keeps results by the
    files' content. `model` is an ONNX network that cuts photographs (see `network`); where it is unsure the
    built-in votes decide. The same files and role give the same result. Raises InvalidRequest when a file is
    no picture.
    """
    if cache is None:
        return _cut(path, role, mask, model)
    name = _key(path, role, mask, model)
    kept = fetch(cache, name)
    if kept is None:
        kept = _cut(path, role, mask, model)
        store(cache, name, kept)
    return kept


def _key(path: Path, role: str, mask: Path | None, model: Path | None) -> str:
    digest = hashlib.sha256(f"{_VERSION}\0{role}\0".encode())
    for file in (path, mask, model):
        content = file.read_bytes() if file is not None and file.is_file() else b""
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


_VERSION = 10
"""Raised whenever the same picture would give another result, so that old cache entries are left alone."""


def _cut(path: Path, role: str, mask: Path | None, model: Path | None) -> Cutout:
    picture = load(path)
    if mask is not None:
        kept = load_mask(mask, picture.bgr.shape[:2])
        if (kept > 127).any():
            return _by_mask(picture, kept, role)
    if role in {"scene", "style"}:
        return Cutout(role, "place", 1.0, (), picture.plate)
    if picture.alpha is None:
        return _opaque(picture, role, model)
    views = named(split(with_edge_colours(picture.bgr, picture.alpha)))
    if views:
        return Cutout(role or kind(views), "alpha", 1.0, views, picture.plate, picture.alpha)
    return _as_print(picture, role or "prop", 0.0)


def _opaque(picture: Picture, role: str, model: Path | None) -> Cutout:
    keyed = backdrop.key(picture.bgr)
    if keyed is not None:
        inner = backdrop.panel(keyed.matte)
        if inner is not None:
            part = Picture(np.ascontiguousarray(picture.bgr[inner]), None)
            return replace(_opaque(part, role, model), matte=None)
        views = named(split(with_edge_colours(picture.bgr, keyed.matte)))
        if views:
            return Cutout(
                role or kind(views), "backdrop", keyed.confidence, views, picture.plate, keyed.matte
            )
    return _photographed(picture, role, model)


def _by_mask(picture: Picture, kept: Pixels, role: str) -> Cutout:
    """A person's cut, as drawn: tight when the picture is see-through anyway, a sticker otherwise."""
    role = role if role in {"character", "prop"} else ""
    if picture.alpha is not None:
        view = trimmed(with_edge_colours(picture.bgr, np.minimum(picture.alpha, kept)))
        method = "alpha"
    else:
        view, method = trimmed(prints.sticker(picture.bgr, kept)), "sticker"
    if view is None:
        return _as_print(picture, role or "prop", 1.0)
    views = named([view])
    return Cutout(role or kind(views), method, 1.0, views, picture.plate, kept)


def _photographed(picture: Picture, role: str, model: Path | None) -> Cutout:
    if model is not None:
        cut = _networked(picture, role, model)
        if cut is not None:
            return cut
    vote = photograph.vote(picture.bgr)
    confidence = vote.confidence
    if confidence >= (_SURE_WHEN_ASKED if role else _SURE):
        matte = _enlarged(vote.mask, picture.bgr.shape[:2])
        whole = _holds(matte, backdrop.standing_out(picture.bgr))
        view = trimmed(prints.sticker(picture.bgr, matte)) if whole else None
        if view is not None:
            guess = role or role_of_cut(view, picture.bgr)
            return Cutout(guess, "sticker", confidence, named([view]), picture.plate, matte)
    if not role and vote.place:
        return Cutout("scene", "place", 1 - confidence, (), picture.plate)
    return _as_print(picture, role or role_of_print(picture.bgr), confidence)


def _holds(matte: Pixels, seen: NDArray[np.bool_] | None) -> bool:
    """Whether a cut keeps nearly all that stands out of an even backdrop."""
    return seen is None or not seen.any() or float((matte[seen] > 127).mean()) > _WHOLE


def _networked(picture: Picture, role: str, model: Path) -> Cutout | None:
    """The network's cut, or None when it is unsure (its map is grey) or sees nothing or everything."""
    try:
        matte = network_matte(picture.bgr, model)
    except NetworkUnusable:
        _log.warning("the cut-out network cannot be used; the built-in cut is")
        return None
    share = matte.astype(np.float32) / 255
    cover = float((share > 0.5).mean())
    decided = float(np.abs(2 * share - 1).mean())
    if not 0.01 < cover < 0.8 or decided < 0.7:
        return None
    # A faint veil over everything is doubt, not glass.
    firm = (np.clip((share - 0.3) / 0.4, 0, 1) * 255).astype(np.uint8)
    view = trimmed(prints.sticker(picture.bgr, firm))
    if view is None:
        return None
    guess = role or role_of_cut(view, picture.bgr)
    return Cutout(guess, "sticker", decided, named([view]), picture.plate, firm)


def _enlarged(mask: Any, shape: tuple[int, int]) -> Pixels:
    """A small mask as a smooth matte of the picture's size."""
    height, width = shape
    soft = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    step = max(height, width) / max(mask.shape)
    soft = cv2.GaussianBlur(soft, (0, 0), max(0.7, step * 0.7))
    sharp = np.clip((soft - 0.5) * max(1.5, step) + 0.55, 0, 1) * 255
    return np.asarray(sharp, np.uint8)


def _as_print(picture: Picture, role: str, confidence: float) -> Cutout:
    return Cutout(role, "print", confidence, (View(prints.framed(picture.plate)),), picture.plate)
