"""What a reference file may be: recognised by its first bytes, and decoded once before a film relies on it.

Names and declared types are never believed. Decoding is left to the rendering process, so that a damaged
picture is a clear failure that names it, and no crash of the service.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PICTURE_BYTES = 30_000_000
VIDEO_BYTES = 200 * 1024 * 1024
PIXELS = 64_000_000
"""Larger pictures are not decoded: 12,000 × 12,000 fits into 17 kB and takes 700 MB."""


class MediaUnreadable(Exception):
    """A reference cannot be used; the message names it and says why in one sentence."""


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
