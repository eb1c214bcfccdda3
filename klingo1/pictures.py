"""From bytes a stranger chose to upright sRGB pixels, with bounded memory and time.

Only five decoders can ever run: the file's first bytes choose one, names and announced types do not count.
Headers are judged before pixels exist, because 17 kB of PNG can announce 700 MB. Large pictures are then
converted in strips, so that one is never held twice. Nothing here writes a file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from klingo1.endings import is_cut_off, jpeg_markers
from klingo1.errors import InvalidRequest

SAVE_REMEDY = "Save it as JPEG or PNG and add it again."
_AGAIN_REMEDY = "Save or download it once more and add it again."
_SHRINK_REMEDY = "Make it smaller, 4,000 px on the long side at most, and add it again."

_DECODERS: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
# Pixels for which decoding stays under 300 MB, measured. The decoders of WebP and AVIF keep several canvases,
# a JPEG of several scans keeps every coefficient until the last one.
_PIXELS_MAX = {
    "JPEG": 50_000_000,
    "PNG": 40_000_000,
    "GIF": 40_000_000,
    "WEBP": 12_500_000,
    "AVIF": 12_500_000,
}
_PIXELS_MAX_SCANS = 20_000_000
_SCANS_MAX = 40
_PROFILE_MAX = 4_000_000
_STRIP_PIXELS = 2_000_000

_STARTS = {
    b"%PDF": "a PDF document",
    b"%!PS": "an EPS drawing",
    b"\xc5\xd0\xd3\xc6": "an EPS drawing",
    b"8BPS": "a Photoshop document",
    b"BM": "a BMP picture",
    b"II*\0": "a TIFF or camera raw picture",
    b"MM\0*": "a TIFF or camera raw picture",
    b"\0\0\0\x0cjP": "a JPEG 2000 picture",
    b"\0\0\0\x0cJXL": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\1\0": "an icon file",
    b"PK\3\4": "a ZIP archive or an office document",
    b"\x1aE\xdf\xa3": "a WebM or Matroska video",
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pixels (mode RGB or RGBA) and the EXIF orientation, 1 to 8, that was applied to them."""

    pixels: Image.Image
    orientation: int
    halved_colour: bool = False
    """A JPEG that stores colour at half the width and height, as cameras do; nothing was scaled."""


def format_of(head: bytes) -> str | None:
    """The format that the first bytes (64 are enough) show, when it is one of the five; else None."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return "GIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return "AVIF" if _brands(head) & {b"avif", b"avis"} else None


def foreign_name(head: bytes) -> str:
    """What a file that is none of the five looks like, as words that follow "is"."""
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    brands = _brands(head)
    if brands & {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}:
        return "a HEIC picture"
    if brands:
        return "a video"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<script")):
        return "a web page"
    return "no picture that can be read here"


def open_picture(data: bytes, *, field: str) -> ImageFile.ImageFile:
    """Read the header of one of the five formats and judge it. No pixels are decoded.

    Raises InvalidRequest when it is something else, damaged, cut off, or too large to decode.
    """
    found = format_of(data[:64])
    if found is None:
        raise refusal(field, f"is {foreign_name(data[:1024])}.", SAVE_REMEDY)
    limit = _PIXELS_MAX[found]
    if found == "WEBP":
        # This decoder allocates its canvas as soon as it is opened.
        _check_pixels(*_webp_size(data), limit, field)
    try:
        image = _DECODERS[found](BytesIO(data))
    except Exception as error:
        raise _damaged(field) from error
    scans = sum(kind == 0xDA for kind in jpeg_markers(data)) if found == "JPEG" else 1
    if scans > _SCANS_MAX:
        raise refusal(
            field,
            f"is a JPEG built of {scans:,} passes; the limit is {_SCANS_MAX}.",
            "Save it as an ordinary JPEG and add it again.",
        )
    _check_pixels(*image.size, _PIXELS_MAX_SCANS if scans > 1 else limit, field)
    if is_cut_off(data, found):
        raise refusal(field, "was cut off: its end is missing.", _AGAIN_REMEDY)
    return image


def decode(image: ImageFile.ImageFile, *, longest: int, field: str) -> Decoded:
    """The whole first frame as upright sRGB, no side over `longest` px.

    It is really read to its end, so a file that was cut off is found. Closes `image`; nothing of the file but
    its pixels is in the result. Raises InvalidRequest when the pixels cannot be read.
    """
    try:
        with image:
            size = image.size
            is_jpeg = isinstance(image, JpegImagePlugin.JpegImageFile)
            if is_jpeg and max(size) > longest:
                share = longest / 2 / max(size)
                image.draft(image.mode, (int(share * size[0]) or 1, int(share * size[1]) or 1))
            image.load()
            turn = _orientation(image)
            factor = -(-max(image.size) // longest)
            halved = is_jpeg and factor == 1 and image.size == size and _halves_colour(image)
            if is_jpeg and factor == 1 and image.mode == "RGB" and not _transform_to_srgb(image, alpha=False):
                image.info = {}  # these are the pixels already; what else the file told ends here
                pixels: Image.Image = image
            else:
                pixels = _in_strips(image, factor=factor)
        if pixels is not image:
            image.close()  # leaving the block only closed the file; this gives the memory back
        return Decoded(pixels.transpose(_TURNS[turn]) if turn > 1 else pixels, turn, halved)
    except Exception as error:
        raise _damaged(field) from error


def _halves_colour(image: Image.Image) -> bool:
    return JpegImagePlugin.get_sampling(image) == JpegImagePlugin.samplings[2, 2, 1, 1, 1, 1]


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; damaged or absent metadata means 1 (upright)."""
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:
        return 1  # whatever is wrong with the metadata, the picture may be sound
    return value if isinstance(value, int) and value in _TURNS else 1


def refusal(field: str, what: str, remedy: str) -> InvalidRequest:
    """The error whose reason starts with the picture's number as a person counts: `images[2]` → Picture 3."""
    index = re.fullmatch(r"images\[(\d+)\]", field)
    subject = f"Picture {int(index[1]) + 1}" if index else "The picture"
    return InvalidRequest(field, f"{subject} {what}", remedy)


def _damaged(field: str) -> InvalidRequest:
    return refusal(field, "is damaged or was cut off.", _AGAIN_REMEDY)


def _check_pixels(width: int, height: int, limit: int, field: str) -> None:
    if width * height > limit:
        what = f"has {width:,} × {height:,} pixels; the limit for such a file is {limit / 1e6:g} million."
        raise refusal(field, what, _SHRINK_REMEDY)


def _brands(head: bytes) -> set[bytes]:
    """The brands of an ISO media file's `ftyp` box, empty for everything else."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[8 : min(int.from_bytes(head[:4], "big"), len(head))]
    return {box[i : i + 4] for i in range(0, len(box), 4) if i != 4} or {b""}


def _webp_size(data: bytes) -> tuple[int, int]:
    """Canvas size from a WebP's first chunk; (0, 0) when it is no known chunk, which no decoder takes."""
    chunk, body = data[12:16], data[20:30].ljust(10, b"\0")
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _in_strips(image: Image.Image, *, factor: int) -> Image.Image:
    """Converted to sRGB and reduced by a whole factor, some rows at a time."""
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // (width * factor)) * factor
    alpha = image.has_transparency_data
    result = Image.new("RGBA" if alpha else "RGB", (-(-width // factor), -(-height // factor)))
    transform = _transform_to_srgb(image, alpha=alpha)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows)))
        result.paste(_to_rgb(strip, result.mode, transform).reduce(factor), (0, top // factor))
    return result


def _to_rgb(strip: Image.Image, mode: str, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    if strip.mode.startswith("I"):
        # 16 bits: Pillow's own conversion clips at 255 instead of scaling.
        strip = strip.convert("I").point([value // 257 for value in range(65536)], "L")
    if transform is None:
        return strip.convert(mode)
    source = transform.input_mode
    return transform.apply(strip if strip.mode == source else strip.convert(source))


def _transform_to_srgb(image: Image.Image, *, alpha: bool) -> ImageCms.ImageCmsTransform | None:
    """The colour transform that the embedded profile asks for; None without one, or when it is unusable."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not 128 < len(profile) <= _PROFILE_MAX:
        return None
    mode = "RGBA" if alpha else "RGB"
    source = image.mode if image.mode in {"L", "CMYK"} and not alpha else mode
    try:
        embedded = ImageCms.getOpenProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(embedded):
            return None
        return ImageCms.ImageCmsTransform(
            embedded,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            source,
            mode,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except Exception:
        return None  # a profile for another kind of pixels, or nonsense: the numbers are taken as sRGB
