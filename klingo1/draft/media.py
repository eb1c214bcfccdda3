"""What a reference may be: recognised by its first bytes, found among our own files or fetched, then checked.

Names and declared types are never believed. Pictures are decoded once, reduced, in the rendering process, so
that a damaged one is a clear failure that names the picture instead of a crash of the film.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from klingo1.web.door import DoorClosed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from klingo1.draft.store import DraftStore

PICTURE_BYTES = 30_000_000
VIDEO_BYTES = 200 * 1024 * 1024
PIXELS = 64_000_000
"""Larger pictures are not decoded: 12,000 × 12,000 fits into 17 kB and takes 700 MB."""
_OURS = re.compile(r"(?:https?://[^/]+)?(?:/[^?#]*)?/(media|outputs)/([0-9a-f]{32})(?:\.[a-z0-9]{1,5})?")


class MediaUnreadable(Exception):
    """A reference cannot be used; the message names it and says why in one sentence."""


class Fetcher(Protocol):
    """What brings a file from the open internet: klingo1.web.door.Door."""

    async def fetch(self, url: str, target: Path, *, limit: int) -> None:
        """Store the file or raise DoorClosed."""


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Where a reference that is not ours comes from and goes to."""

    door: Fetcher
    target: Path


def media_type(head: bytes) -> str:
    """The type that a file's first 32 bytes show, or "" for everything that is not allowed."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"):
            return ""
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):  # QuickTime from before `ftyp`
        return "video/quicktime"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm"
    return ""


def type_of(path: Path) -> str:
    """`media_type` of a file."""
    with path.open("rb") as file:
        return media_type(file.read(32))


async def collect(
    fields: Mapping[str, Any], store: DraftStore, door: Fetcher, room: Path
) -> tuple[tuple[Path, ...], Path | None]:
    """Every reference of a request as a local file: pictures in order, and the video or None.

    What is fetched goes into `room`. Raises MediaUnreadable for the first that cannot be used.
    """
    pictures = [
        await _local(url, f"Picture {number}", "image/", store, _Fetch(door, room / f"picture{number}"))
        for number, url in enumerate(fields["images"], start=1)
    ]
    video = fields.get("video")
    if not video:
        return tuple(pictures), None
    return tuple(pictures), await _local(
        video, "The video", "video/", store, _Fetch(door, room / "reference")
    )


async def _local(url: str, name: str, kind: str, store: DraftStore, fetch: _Fetch) -> Path:
    limit = PICTURE_BYTES if kind == "image/" else VIDEO_BYTES
    path = _own(url, store)
    if path is None:
        try:
            await fetch.door.fetch(url, fetch.target, limit=limit)
        except DoorClosed as why:
            raise MediaUnreadable(f"{name} could not be read: {why}.") from None
        path = fetch.target
    if path.stat().st_size > limit:
        raise MediaUnreadable(f"{name} is larger than {limit / 1_000_000:.0f} MB.")
    if not type_of(path).startswith(kind):
        wanted = "JPEG, PNG, WebP or GIF picture" if kind == "image/" else "MP4, MOV or WebM video"
        raise MediaUnreadable(f"{name} is not a {wanted}.")
    return path


def _own(url: str, store: DraftStore) -> Path | None:
    """The file behind one of our own addresses. Its id is 128 random bits, so the host need not match."""
    found = _OURS.fullmatch(url)
    if found is None:
        return None
    if found[1] == "media":
        return store.uploads.path(found[2]) if store.uploads.kept(found[2]) else None
    record = store.prediction(found[2])
    return store.video(found[2]) if record and record.status.succeeded else None


def blank_picture(path: Path) -> Path:
    """A picture in which there is nothing, for a request without pictures: only its prompt is filmed."""
    from PIL import Image  # noqa: PLC0415 - as below

    Image.new("RGBA", (64, 64)).save(path, format="PNG")
    return path


def check_picture(path: Path, name: str) -> None:
    """Decode a picture's first frame to its end, reduced where the format allows. Raises MediaUnreadable."""
    from PIL import Image  # noqa: PLC0415 - only the worker decodes

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's size warning; the limit below is ours
            with Image.open(path, formats=("JPEG", "PNG", "WEBP", "GIF")) as picture:
                width, height = picture.size
                small = width * height <= PIXELS
                if small:
                    picture.draft("RGB", (max(1, width // 8), max(1, height // 8)))
                    picture.load()
    except Image.DecompressionBombError:
        raise MediaUnreadable(
            f"{name} has too many pixels; the limit is {PIXELS // 10**6} million."
        ) from None
    except Exception as error:  # decoders raise almost anything on damaged bytes
        raise MediaUnreadable(f"{name} is damaged or not a picture.") from error
    if not small:
        raise MediaUnreadable(
            f"{name} has {width:,} × {height:,} pixels; the limit is {PIXELS // 10**6} million."
        )
