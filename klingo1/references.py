"""Intake of reference pictures: check, advise, normalise.

Limits are Kling's published ones: each side at least 300 px, ratio from 1:2.5 to 2.5:1, at most 10 MB. What
is sent is never the file that came but a fresh encoding of its pixels, so positions, comments and whatever
hides behind the picture stay here.
"""

from __future__ import annotations

import math
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from klingo1.coach import ONE_ANGLE, Advice, advise_on_pixels, advise_on_size, luminance
from klingo1.pictures import SAVE_REMEDY, decode, foreign_name, format_of, open_picture, refusal
from klingo1.request import GUESS

__all__ = [
    "Advice",
    "Picture",
    "advise_on_set",
    "check_picture",
    "display_name",
    "near_duplicates",
    "normalise_picture",
]

SIDE_MIN = 300
RATIO_MAX = 2.5
BYTES_MAX = 10 * 1024 * 1024
SENT_BYTES_MAX = 10_000_000
SENT_SIDE_MAX = 4096
SENT_SIDE_MAX_ALPHA = 2048  # PNG grows large and slow; the videos are 1080p
NAME_MAX = 80
_SAMPLE_SIDE = 512
_SAMPLE_LEAST = 450
"""A JPEG of 12 megapixels is sampled at an eighth, which is 500 px: half the time of a quarter."""
_NEAR_BITS = 5
_RATIO_NEAR = 1.15
# A large picture takes some 250 MB for half a second: that many at a time, whoever asks.
_DECODING = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a check found: upright size in pixels, format (JPEG, PNG, WEBP, GIF or AVIF), file size, advice.

    `fingerprint` is a 64-bit difference hash in hexadecimal; few differing bits mean alike pictures.
    """

    width: int
    height: int
    format: str
    bytes: int
    advice: tuple[Advice, ...]
    fingerprint: str


def check_picture(path: Path, *, field: str = "images") -> Picture:
    """Judge one picture by its content. Raises InvalidRequest(field, reason, remedy), and nothing else.

    `field` is `images[2]` for the third picture. All pixels are decoded once, in bounded memory.
    """
    data = _read(path, field)
    with _DECODING:
        image = open_picture(data, field=field)
        found, announced = image.format or "", image.size
        _check_measures(*announced, field)
        moving = found != "JPEG" and bool(getattr(image, "is_animated", False))
        decoded = decode(image, longest=2 * _SAMPLE_LEAST, field=field)
        del image  # some decoders hold several canvases as long as they live
    width, height = announced if decoded.orientation < 5 else announced[::-1]
    sample = decoded.pixels
    sample.thumbnail((_SAMPLE_SIDE, _SAMPLE_SIDE))
    advice = advise_on_size(width, height) + advise_on_pixels(sample)
    if moving:
        advice.append(Advice("animation", "It moves; its first frame is used."))
    if decoded.orientation > 1:
        advice.append(Advice("turned", "It was stored on its side or mirrored and is turned upright."))
    if max(width, height) > SENT_SIDE_MAX:
        advice.append(
            Advice("shrunk", f"It is larger than needed and is sent at {SENT_SIDE_MAX:,} px or less.")
        )
    return Picture(width, height, found, len(data), tuple(advice), _fingerprint(sample))


def normalise_picture(path: Path, to: Path, *, field: str = "images") -> Path:
    """Write a fresh encoding of the picture's pixels; the way they are sent. Returns the file's final path.

    `to` is the wished path; its suffix becomes .png when the picture has transparent parts, else .jpg.
    Upright, sRGB, 8 bits, no metadata, at most 4,096 px a side (2,048 with transparency), 10,000,000 bytes;
    the same bytes in give the same bytes out. Written under another name first and renamed when whole. Raises
    InvalidRequest as `check_picture` does, OSError when the target cannot be written.
    """
    data = _read(path, field)
    with _DECODING:
        image = open_picture(data, field=field)
        _check_measures(*image.size, field)
        decoded = decode(image, longest=SENT_SIDE_MAX, field=field)
        del image
    pixels, halved = decoded.pixels, decoded.halved_colour
    del decoded
    if pixels.mode == "RGBA" and pixels.getchannel("A").getextrema() == (255, 255):
        pixels = pixels.convert("RGB")
    if pixels.mode == "RGBA":
        pixels.thumbnail((SENT_SIDE_MAX_ALPHA, SENT_SIDE_MAX_ALPHA))
    target = to.with_suffix(".png" if pixels.mode == "RGBA" else ".jpg")
    encoded = _encode(pixels, halved_colour=halved)
    while len(encoded) > SENT_BYTES_MAX:
        scale = 0.95 * math.sqrt(SENT_BYTES_MAX / len(encoded))
        smaller = (max(SIDE_MIN, int(pixels.width * scale)), max(SIDE_MIN, int(pixels.height * scale)))
        pixels = pixels.resize(smaller, Image.Resampling.LANCZOS)
        encoded = _encode(pixels)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(encoded)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def advise_on_set(pictures: Sequence[Picture | None], roles: Sequence[str] = ()) -> list[tuple[int, Advice]]:
    """Notes on what pictures are together, each with the position (from 0) of the picture that it is about.

    None stands for a picture that is refused. `roles` are those of a request, missing ones are guessed; two
    pictures of characters are taken for two angles.
    """
    there = [(index, picture) for index, picture in enumerate(pictures) if picture is not None]
    notes = [
        (there[second][0], Advice("duplicate", f"Almost the same as picture {there[first][0] + 1}."))
        for first, second in near_duplicates([picture for _, picture in there])
    ]
    said = [*roles, *("" for _ in pictures[len(roles) :])]
    shown = [index for index, role in enumerate(said) if role in {"", GUESS, "character"}]
    if len(shown) == 1 and shown[0] in dict(there):
        notes.append((shown[0], Advice("angle", ONE_ANGLE)))
    return notes


def near_duplicates(pictures: Sequence[Picture]) -> list[tuple[int, int]]:
    """Pairs of positions (from 0, the smaller first) whose pictures look the same, for advice only."""
    pairs = []
    for (i, one), (j, other) in combinations(enumerate(pictures), 2):
        a, b = int(one.fingerprint, 16), int(other.fingerprint, 16)
        shapes = one.width * other.height / (one.height * other.width)
        telling = a.bit_count() not in {0, 64}  # else it has no structure to compare
        if telling and (a ^ b).bit_count() <= _NEAR_BITS and 1 / _RATIO_NEAR < shapes < _RATIO_NEAR:
            pairs.append((i, j))
    return pairs


def display_name(raw: str) -> str:
    """A file name fit to be shown, never to be opened.

    The last part of a path without control and direction characters, at most 80 characters, the extension
    kept; "picture" when nothing is left.
    """
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", raw[-4096:]))[-1]
    shown = "".join(
        " " if c.isspace() else c for c in base if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    shown = " ".join(shown.split()).strip(". ") or "picture"
    if len(shown) > NAME_MAX:
        stem, dot, suffix = shown.rpartition(".")
        end = dot + suffix if stem and len(suffix) <= 8 else ""
        shown = shown[: NAME_MAX - 1 - len(end)].rstrip() + "…" + end
    return shown


def _read(path: Path, field: str) -> bytes:
    """The file's bytes, read once so that it cannot change between two looks."""
    try:
        if not path.is_file():
            raise refusal(field, "is not there any more.", "Add it again.")
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
            size = max(len(data), os.fstat(file.fileno()).st_size)
    except (OSError, ValueError) as error:
        raise refusal(field, "cannot be read.", "Add it again.") from error
    if not data:
        raise refusal(field, "is an empty file (0 bytes).", "Save or download it once more and add it again.")
    if format_of(data[:64]) is None:
        raise refusal(field, f"is {foreign_name(data[:1024])}.", SAVE_REMEDY)
    if size > BYTES_MAX:
        megabytes = math.ceil(size / 1024 / 1024 * 10) / 10
        raise refusal(
            field, f"has {megabytes:,.1f} MB; the limit is 10 MB.", "Save it smaller, for example as a JPEG."
        )
    return data


def _check_measures(width: int, height: int, field: str) -> None:
    if min(width, height) < SIDE_MIN:
        raise refusal(
            field,
            f"is {width:,} × {height:,} px; each side must be at least {SIDE_MIN} px.",
            "Use a larger version of it.",
        )
    if max(width, height) > RATIO_MAX * min(width, height):
        ratio = max(width, height) / min(width, height)
        raise refusal(
            field,
            f"is {width:,} × {height:,} px, {ratio:.2f} times as long as wide; the limit is {RATIO_MAX}.",
            "Crop it closer to the subject.",
        )


def _encode(pixels: Image.Image, *, halved_colour: bool = False) -> bytes:
    """PNG for pixels with alpha, else JPEG; nothing is written but pixels, which carry no information.

    Colour that came at half resolution goes so: more would be larger and show nothing more.
    """
    buffer = BytesIO()
    if pixels.mode == "RGBA":
        pixels.save(buffer, "PNG")
    else:
        pixels.save(buffer, "JPEG", quality=92, subsampling=2 if halved_colour else 0)
    return buffer.getvalue()


def _fingerprint(sample: Image.Image) -> str:
    """64-bit difference hash: in each of eight rows, is a cell brighter than its left neighbour?"""
    grey = Image.fromarray(luminance(sample).astype(np.uint8)).resize((9, 8), Image.Resampling.BOX)
    cells = np.asarray(grey, dtype=np.int16)
    bits = (cells[:, 1:] > cells[:, :-1]).ravel()
    return np.packbits(bits).tobytes().hex()
