"""What people said about a picture (role, view, mask), kept for the next time it comes.

One small JSON file a picture, named by the SHA-256 of its bytes, and beside it the mask as they drew it. What
a request says wins and is remembered; where it says nothing, what was said before holds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klingo1.draft.picture import load_mask
from klingo1.errors import InvalidRequest
from klingo1.request import GUESS, ROLES, VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klingo1.request import DraftOptions

KEPT = 1000
"""So many pictures' corrections are kept, the latest."""
_THUMB = (64, 64)


@dataclass(frozen=True, slots=True)
class Correction:
    """A role and a view by name ("" for none), and a mask file or None."""

    role: str = ""
    view: str = ""
    mask: Path | None = None


def corrections_of(
    images: Sequence[Path], wishes: DraftOptions, folder: Path | None, *, remember: bool = True
) -> tuple[Correction, ...]:
    """What holds for each picture: the request's own wishes, completed from `folder`.

    With `remember` they are kept there. A wish of GUESS, and a mask that keeps nothing, forget what was said
    before. Without a folder nothing is remembered; a folder that cannot be written is no error.
    """
    return tuple(
        _settled(wishes, number, folder and folder / _name(image), remember=remember)
        for number, image in enumerate(images)
    )


def _settled(wishes: DraftOptions, number: int, kept: Path | None, *, remember: bool) -> Correction:
    def wish(values: Sequence[Any], default: Any) -> Any:
        return values[number] if number < len(values) else default

    before = _recalled(kept) if kept is not None else Correction()
    mask = wish(wishes.masks, None)
    if mask == GUESS or (isinstance(mask, Path) and _is_empty(mask)):
        mask = None
    elif not isinstance(mask, Path):
        mask = before.mask
    role, view = _named(wish(wishes.roles, ""), before.role), _named(wish(wishes.views, ""), before.view)
    now = Correction(role, view, mask)
    if remember and kept is not None and now != before:
        now = _remembered(now, kept)
    return now


def _named(wish: str, before: str) -> str:
    return "" if wish == GUESS else wish or before


def _name(image: Path) -> str:
    return hashlib.sha256(image.read_bytes()).hexdigest()


def _is_empty(mask: Path) -> bool:
    try:
        return not bool((load_mask(mask, _THUMB) > 0).any())
    except InvalidRequest:
        return False  # the cut-out says what is wrong with it


def _recalled(kept: Path) -> Correction:
    try:
        said = json.loads(kept.with_suffix(".json").read_text(encoding="utf-8"))
        role, view = said.get("role"), said.get("view")
    except (OSError, ValueError, AttributeError):
        return Correction()
    mask = kept.with_suffix(".mask")
    return Correction(
        role if role in ROLES else "", view if view in VIEWS else "", mask if mask.is_file() else None
    )


def _remembered(now: Correction, kept: Path) -> Correction:
    """Write a correction; the answer's mask is the copy that was kept."""
    record, mask = kept.with_suffix(".json"), kept.with_suffix(".mask")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        if now.mask is None:
            mask.unlink(missing_ok=True)
        elif now.mask != mask:
            part = mask.with_name(f"{mask.name}.{os.getpid()}.part")
            shutil.copyfile(now.mask, part)
            part.replace(mask)
            now = replace(now, mask=mask)
        if now == Correction():
            record.unlink(missing_ok=True)
            return now
        part = record.with_name(f"{record.name}.{os.getpid()}.part")
        part.write_text(json.dumps({"role": now.role, "view": now.view}), encoding="utf-8")
        part.replace(record)
        _thinned(kept.parent)
    except OSError:
        pass  # remembered or not, what was said holds for this film
    return now


def _thinned(folder: Path) -> None:
    records = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    for record in records[: max(0, len(records) - KEPT)]:
        record.unlink(missing_ok=True)
        record.with_suffix(".mask").unlink(missing_ok=True)
