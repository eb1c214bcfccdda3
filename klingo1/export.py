"""Pictures made from a finished video: its poster, single frames, contact sheets to judge it at a glance."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from klingo1.decoding import early_picture, picture_at, spaced_pictures, unreadable
from klingo1.errors import InvalidRequest
from klingo1.job import Job
from klingo1.whole import whole

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

SHEET_WIDTH = 480
POSTER_AT = 0.35
"""Seconds into a film whose first picture shows nothing yet."""
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def write_poster(video: Path, poster: Path) -> bool:
    """Write a JPEG of an early picture beside the video; False when the video cannot be read."""
    try:
        _save(early_picture(video, POSTER_AT), poster, quality=88)
    except (InvalidRequest, OSError):
        log.warning("no poster could be made for %s", poster.parent.name)
        return False
    return True


def write_frame(video: Path, seconds: float, to: Path) -> Path:
    """Write the picture shown at `seconds` as PNG or JPEG, after the suffix of `to`; returns `to`.

    Times before the first and after the last picture give that picture. Raises InvalidRequest when the video
    cannot be read.
    """
    _save(picture_at(video, seconds), to, quality=95)
    return to


def write_sheet(video: Path, to: Path, *, frames: int = 9, columns: int = 3) -> None:
    """Write `frames` evenly spaced frames as one picture, `columns` abreast, 480 px wide each.

    Raises InvalidRequest when the video cannot be read.
    """
    from PIL import Image  # noqa: PLC0415 - `import klingo1` leaves Pillow unloaded

    pictures = []
    for _, picture in spaced_pictures(video, frames):
        height = max(1, round(SHEET_WIDTH * picture.height / picture.width))
        pictures.append(picture.resize((SHEET_WIDTH, height)))
    if not pictures:
        raise unreadable("The file holds no picture.")
    height = pictures[0].height
    sheet = Image.new("RGB", (columns * SHEET_WIDTH, -(-len(pictures) // columns) * height))
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (number % columns * SHEET_WIDTH, number // columns * height))
    _save(sheet, to)


def write_identity_sheet(job: Job, to: Path) -> Path:
    """Write a PNG with the references of a finished job beside evenly spaced frames; returns `to`.

    References that are only addresses, or no longer there, are named in their place: nothing is fetched.
    Raises InvalidRequest when there is no video or it cannot be read.
    """
    from klingo1.identity import draw_identity_sheet  # noqa: PLC0415 - loads Pillow

    if job.video is None:
        raise unreadable("This run has no video yet.")
    _save(draw_identity_sheet(job, job.video), to)
    return to


def _save(picture: Image.Image, to: Path, *, quality: int = 92) -> None:
    form = _FORMATS.get(to.suffix.lower())
    if form is None:
        raise InvalidRequest("to", "A picture is written as PNG or JPEG.", "End the name in .png or .jpg.")
    with whole(to) as part:
        if form == "JPEG":
            picture.save(part, form, quality=quality, subsampling=0 if quality > 90 else 2)
        else:
            picture.save(part, form)
