"""Read a reference picture into arrays: upright, eight bits, small enough, whatever the file holds.

Pillow decodes because it knows EXIF orientation, palettes, CMYK and 16 bits; JPEG is reduced while it is
decoded, so that a 12-megapixel photograph costs about as much as a 3-megapixel one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from klingo1.errors import InvalidRequest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

PLATE_SIDE = 1600
"""The longest side that a picture keeps, pixels."""
_BACKING = (206, 203, 200)
"""BGR behind see-through pictures where a whole picture is wanted: a light, neutral grey."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture. `bgr` is H×W×3 uint8; `alpha` is H×W uint8, or None when nothing is see-through."""

    bgr: Pixels
    alpha: Pixels | None

    @property
    def plate(self) -> Pixels:
        """The whole picture without transparency, H×W×3 BGR uint8."""
        if self.alpha is None:
            return self.bgr
        share = self.alpha[..., None].astype(np.float32) / 255
        mixed = self.bgr * share + np.array(_BACKING, np.float32) * (1 - share) + 0.5
        return np.asarray(mixed, np.uint8)


def load(path: Path, side: int = PLATE_SIDE) -> Picture:
    """Decode a picture file, turned upright by its EXIF orientation, longest side at most `side` pixels.

    Raises InvalidRequest (field "images") when the file is no picture or is damaged. Files that hold several
    pictures give the first.
    """
    try:
        with Image.open(path) as image:
            return _picture(image, side)
    except Exception as error:
        # Decoders raise almost anything on damaged bytes: OSError, SyntaxError, struct.error, KeyError.
        raise InvalidRequest(
            "images", "A picture cannot be read.", "Use an undamaged JPEG, PNG or WebP file."
        ) from error


def load_mask(path: Path, shape: tuple[int, int]) -> Pixels:
    """A person's keep-mask (white or opaque = keep) as H×W uint8 of the given shape."""
    picture = load(path, max(shape))
    grey = picture.bgr.astype(np.float32).mean(axis=2)
    if picture.alpha is not None:
        # A brush layer may be white strokes, or dark strokes whose transparency is the message.
        shown = picture.alpha > 0
        grey = picture.alpha.astype(np.float32) * (1 if grey[shown].max(initial=0) < 128 else grey / 255)
    mask = Image.fromarray(grey.astype(np.uint8)).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(mask)


def _picture(image: Image.Image, side: int) -> Picture:
    scale = side / max(image.size)
    if scale < 1:
        # Both numbers in proportion: draft takes the largest reduction that covers the box.
        image.draft(None, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
    plain = _eight_bits(image)
    see_through = plain.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in plain.info
    plain = plain.convert("RGBA" if see_through else "RGB")
    plain.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    array = np.asarray(ImageOps.exif_transpose(plain))
    bgr = np.ascontiguousarray(array[..., 2::-1])
    return Picture(bgr, _useful(np.ascontiguousarray(array[..., 3])) if see_through else None)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Sixteen- and 32-bit grey as eight bits; Pillow's own conversion would clip it to white."""
    if image.mode not in {"I", "F"} and not image.mode.startswith("I;"):
        return image
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    top = float(values.max(initial=0))
    if image.mode == "F":
        span = max(top - float(values.min(initial=0)), 1e-6)
        values = (values - values.min(initial=0)) * (255 / span)
    elif top > 255:
        values *= 255 / 65535
    grey = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    grey.info = dict(image.info)
    return grey


def _useful(alpha: Pixels) -> Pixels | None:
    """The alpha channel, brought to full strength, or None when it says next to nothing."""
    top = int(alpha.max(initial=0))
    if 12 < top < 250:  # a watermark-like veil over everything: its shape counts, not its strength
        alpha = np.minimum(255, alpha.astype(np.float32) * (255 / top)).astype(np.uint8)
    return alpha if float((alpha < 250).mean()) > 0.005 else None
