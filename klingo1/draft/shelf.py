"""Keep cut-outs on disk between films, one .npz a cut-out, named by the caller.

Entries are written under another name and renamed when whole; an entry that cannot be read is as good as
none. Nothing is pickled, so a foreign file in the folder can do no more than be ignored.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from klingo1.draft.cutout import Cutout


def store(folder: Path, name: str, cutout: Cutout) -> None:
    """Keep a cut-out. A full or read-only disk is no error: a cache may always be empty."""
    facts = {
        "role": cutout.role,
        "method": cutout.method,
        "confidence": cutout.confidence,
        "views": [[view.name, view.faces_right] for view in cutout.views],
    }
    arrays = {f"view{i}": view.pixels for i, view in enumerate(cutout.views)}
    if cutout.matte is not None:
        arrays["matte"] = cutout.matte
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder, suffix=".part")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
            np.savez(file, allow_pickle=False, facts=text, plate=cutout.plate, **arrays)
        Path(part).replace(folder / f"{name}.npz")
    except OSError:
        Path(part).unlink(missing_ok=True)


def fetch(folder: Path, name: str) -> Cutout | None:
    """The cut-out kept under this name, or None when there is none or it is damaged."""
    from klingo1.draft.cutout import METHODS, Cutout  # noqa: PLC0415 - it stands on this module
    from klingo1.draft.views import View  # noqa: PLC0415 - imported with it

    try:
        # Opened here: numpy leaves the file open when it is no archive.
        with (folder / f"{name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as entry:
            facts = json.loads(entry["facts"].tobytes())
            views = tuple(
                View(_pixels(entry[f"view{i}"], 4), str(view), bool(right))
                for i, (view, right) in enumerate(facts["views"])
            )
            if facts["method"] not in METHODS:
                return None
            plate = _pixels(entry["plate"], 3)
            matte = entry.get("matte")
            if matte is not None and (matte.dtype != np.uint8 or matte.shape != plate.shape[:2]):
                return None
            confidence = float(facts["confidence"])
            return Cutout(str(facts["role"]), facts["method"], confidence, views, plate, matte)
    except Exception:
        # Damaged archives fail in many ways (BadZipFile, KeyError, ValueError, zlib.error); all mean "none".
        return None


def _pixels(array: np.ndarray, channels: int) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != channels or not array.size:
        raise ValueError("not a picture")
    return array
