"""Advice on reference pictures: what would make the result better, and never stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

COMFORTABLE_SIDE = 720
LONG_RATIO = 2.0
ONE_ANGLE = "There is only one angle of it; add a side view for a steadier identity."


@dataclass(frozen=True, slots=True)
class Advice:
    """A note that never blocks: `kind` for programs, `text` one plain sentence for people."""

    kind: str
    text: str


def advise_on_size(width: int, height: int) -> list[Advice]:
    """Notes on a picture's measures in pixels, as it stands upright."""
    notes = []
    if min(width, height) < COMFORTABLE_SIDE:
        text = f"It is small ({width:,} × {height:,} px): from {COMFORTABLE_SIDE} px a side, details keep."
        notes.append(Advice("small", text))
    if max(width, height) > LONG_RATIO * min(width, height):
        notes.append(Advice("ratio", "It is very long; a part around the subject would show it larger."))
    return notes


def advise_on_pixels(sample: Image.Image) -> list[Advice]:
    """Notes on what a sample of at most 512 px a side (mode RGB or RGBA) shows."""
    if sample.mode == "RGBA" and sample.getchannel("A").getextrema() == (0, 0):
        return [Advice("empty", "It is completely transparent; there is nothing to see in it.")]
    grey = luminance(sample)
    low, high = np.percentile(grey, (1, 99))
    if high - low < 6:
        return [Advice("empty", "It is almost one colour; there may be nothing to recognise in it.")]
    notes = []
    if high < 60:
        notes.append(Advice("dark", "It is very dark; a brighter one shows the subject better."))
    if sharpness(grey) < 0.06:
        notes.append(Advice("blurred", "It looks blurred; a sharper one keeps more detail."))
    return notes


def luminance(sample: Image.Image) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Grey values 0 to 255, transparent parts over middle grey."""
    if sample.mode == "RGBA":
        ground = sample.copy()
        ground.paste((128, 128, 128, 255), (0, 0, *sample.size))
        ground.alpha_composite(sample)
        sample = ground
    return np.asarray(sample.convert("L"), dtype=np.float32)


def sharpness(grey: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> float:
    """How abrupt the most abrupt changes are, as a part of the picture's own contrast; 0 is a smooth blur.

    The strongest second differences decide, so that a sharp subject before a soft background counts as sharp.
    """
    low, high = np.percentile(grey, (1, 99))
    across = np.abs(grey[1:-1, 2:] + grey[1:-1, :-2] - 2 * grey[1:-1, 1:-1])
    down = np.abs(grey[2:, 1:-1] + grey[:-2, 1:-1] - 2 * grey[1:-1, 1:-1])
    return float(np.percentile(np.maximum(across, down), 99) / max(1.0, high - low))
