"""A person's keep-masks: what the draft engine shall cut out, as a brush or another program drew it.

White, or whatever is painted on a see-through layer, is kept. A mask may be smaller than its picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from klingo1.errors import InvalidRequest
from klingo1.pictures import decode, open_picture

if TYPE_CHECKING:
    from PIL import Image

BYTES_MAX = 30_000_000
_SIDE = 1600
"""Pixels of a mask's longest side: as many as the draft engine keeps of a picture."""


def check_mask(path: Path, *, field: str) -> int:
    """Decode a mask to its end and return its longest side as sent, pixels. Raises InvalidRequest."""
    return max(_pixels(path, field).size)


def normalise_mask(path: Path, to: Path, *, field: str) -> Path:
    """Write a mask's pixels anew as a PNG at `to`, the way they are sent: upright, no side over 1600.

    Written under another name first and renamed when whole. Raises InvalidRequest as `check_mask` does.
    """
    part = to.with_name(to.name + ".part")
    _pixels(path, field).save(part, "PNG")
    part.replace(to)
    return to


def _pixels(path: Path, field: str) -> Image.Image:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if 0 < size <= BYTES_MAX else b""
    except (OSError, ValueError):
        data = b""
    if not data:
        raise InvalidRequest(
            field,
            f"The mask is missing, empty or over {BYTES_MAX // 1_000_000} MB.",
            "Draw it again, or leave it out.",
        )
    return decode(open_picture(data, field=field), longest=_SIDE, field=field).pixels
