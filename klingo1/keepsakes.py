"""The references of a job as they are shown to others: small, upright, named as the prompt names them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from klingo1.decoding import picture_at
from klingo1.errors import InvalidRequest
from klingo1.job import Job
from klingo1.request import Reference

if TYPE_CHECKING:
    from PIL import Image

BYTES_MAX = 20_000_000
_DECODED_SIDE = 1600
_GROUND = (236, 234, 229)
"""What shows through transparent parts."""


@dataclass(frozen=True, slots=True)
class Keepsake:
    """One reference: `name` as a prompt mentions it, `role` or "", the picture (RGB), or None and why not."""

    name: str
    role: str
    picture: Image.Image | None
    missing: str = ""


def keepsakes(job: Job, *, longest: int) -> Iterator[Keepsake]:
    """Every reference of a job in order, no side over `longest` px; the video is shown by its first frame.

    Nothing is fetched and nothing raised: what has no file here, or cannot be read any more, says so.
    """
    roles = job.request.draft.roles
    for number, image in enumerate(job.request.images):
        role = roles[number] if number < len(roles) else ""
        yield _keepsake(f"@Image{number + 1}", role, image, longest)
    if job.request.video is not None:
        yield _keepsake("@Video1", "motion", job.request.video, longest, film=True)


def _keepsake(name: str, role: str, reference: Reference, longest: int, *, film: bool = False) -> Keepsake:
    if isinstance(reference, str):
        return Keepsake(name, role, None, "on the web")  # its address may hold a signature: it stays here
    try:
        picture = picture_at(reference, 0) if film else _still(reference)
    except (InvalidRequest, OSError, ValueError):
        return Keepsake(name, role, None, "no longer kept")
    picture.thumbnail((longest, longest))
    return Keepsake(name, role, picture)


def _still(path: Path) -> Image.Image:
    from PIL import Image  # noqa: PLC0415 - `import klingo1` leaves Pillow unloaded

    from klingo1.pictures import decode, open_picture  # noqa: PLC0415 - as above

    with path.open("rb") as file:
        data = file.read(BYTES_MAX)
    pixels = decode(open_picture(data, field="images"), longest=_DECODED_SIDE, field="images").pixels
    if pixels.mode == "RGB":
        return pixels
    ground = Image.new("RGBA", pixels.size, (*_GROUND, 255))
    ground.alpha_composite(pixels)
    return ground.convert("RGB")
