"""Light on the cast and on the finished picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from klingo1.draft.stage import Image, Paint, premultiply

_GAMMA = 1.6
"""Light is multiplied in a space between display values and linear light: dark clothes keep their drawing."""


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a place. Colours are red-green-blue factors, about 0 to 1.

    `ambient` multiplies the cast's colours (1 leaves them); `rim_left` and `rim_right` are the colours that
    catch the edges; `side` (-1 to 1) brightens the right (or left) half; `foot` darkens towards the ground
    (1: not at all); `shadow` (0 to 1) is how dark the contact shadow is.
    """

    ambient: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rim_left: tuple[float, float, float] = (0.5, 0.5, 0.5)
    rim_right: tuple[float, float, float] = (0.5, 0.5, 0.5)
    side: float = 0.12
    foot: float = 0.8
    shadow: float = 0.5


def relight(view: Image, light: Light) -> Image:
    """A straight BGRA cut-out lit by the place, premultiplied: tint, side shade, and a rim on both edges."""
    alpha: Paint = (view[..., 3] / np.float32(255)).astype(np.float32)
    height = alpha.shape[0]
    # The light's factors are raised to display values, not the colours to linear ones: the same product,
    # and a third of the powers.
    shade = np.linspace(1.06, light.foot, height, dtype=np.float32)[:, None] * (
        1 + np.float32(light.side * 1.1) * _across(alpha)
    )
    cv2.pow(np.maximum(shade, 0), 1 / _GAMMA, dst=shade)
    colour = view[..., :3] * np.float32(1 / 255)
    colour *= np.array(light.ambient[::-1], np.float32) ** np.float32(1 / _GAMMA)
    colour = np.minimum(cv2.multiply(colour, cv2.cvtColor(shade, cv2.COLOR_GRAY2BGR)), 1)
    reach = min(6, max(1, round(0.01 * height)))
    inner = cv2.GaussianBlur(alpha, (0, 0), reach * 0.8)
    for shift, tint in ((reach, light.rim_left), (-reach, light.rim_right)):
        edge = (alpha - np.roll(inner, shift, axis=1)).clip(0, 1) * alpha
        edge = cv2.GaussianBlur(edge, (0, 0), max(0.6, reach * 0.25))
        share = cv2.cvtColor(edge, cv2.COLOR_GRAY2BGR) * (np.array(tint[::-1], np.float32) * np.float32(1.1))
        colour += (1 - colour) * share.clip(0, 0.9)
    straight = cv2.merge([*cv2.split((colour * 255).clip(0, 255).astype(np.uint8)), view[..., 3]])
    return premultiply(np.asarray(straight))


def _across(alpha: Paint) -> Paint:
    """Where each pixel lies between the outline's left (-0.5) and right (0.5) edge, row by row."""
    width = alpha.shape[1]
    solid = alpha > 0.1
    filled = solid.any(axis=1)
    left = np.where(filled, solid.argmax(axis=1), 0).astype(np.float32)
    right = np.where(filled, width - solid[:, ::-1].argmax(axis=1), width).astype(np.float32)
    left, right = (cv2.GaussianBlur(edge[:, None], (1, 31), 9) for edge in (left, right))
    columns = np.arange(width, dtype=np.float32)[None]
    result: Paint = ((columns - left) / np.maximum(right - left, 1)).clip(0, 1) - 0.5
    return result


def outlined(view: Image, width: int) -> Image:
    """A straight BGRA cut-out with a white paper edge, as on a sticker; grows by `width` pixels on each
    side.
    """
    framed = cv2.copyMakeBorder(
        view, width, width, width, width, cv2.BORDER_CONSTANT, value=(255, 255, 255, 0)
    )
    alpha = framed[..., 3]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    paper = cv2.GaussianBlur(cv2.dilate(alpha, kernel), (0, 0), max(0.6, width / 5))
    share = (alpha.astype(np.float32) / 255)[..., None]
    colour = framed[..., :3] * share + np.float32(248) * (1 - share)
    result: Image = np.dstack([colour.astype(np.uint8), np.maximum(alpha, paper)])
    return result


def glow_of(view: Image) -> tuple[float, float, float] | None:
    """The colour that a lamp, fire or screen gives off (BGR), or None when the cut-out does not shine.

    It shines when at least a twenty-fifth of it is bright and saturated, warm or neon.
    """
    solid = view[..., 3] > 200
    hue = cv2.cvtColor(np.ascontiguousarray(view[..., :3]), cv2.COLOR_BGR2HSV)
    hot = solid & (hue[..., 2] > 235) & (hue[..., 1] > 60)
    if int(hot.sum()) < 0.05 * max(1, int(solid.sum())):
        return None
    blue, green, red = (float(part) for part in view[..., :3][hot].mean(axis=0))
    return blue, green, red


@lru_cache(maxsize=2)
def _vignette(width: int, height: int, exposure: float) -> Image:
    """What each pixel keeps of its light, 255 for all of it."""
    columns = ((np.arange(width, dtype=np.float32) / width - 0.5) / 0.62) ** 2
    rows = ((np.arange(height, dtype=np.float32) / height - 0.5) / 0.66) ** 2
    t = np.clip((columns[None] + rows[:, None] - 0.35) / 0.9, 0, 1)
    kept: Image = ((1 - 0.36 * t * t * (3 - 2 * t)) * 255 * exposure).astype(np.uint8)
    return kept


def _lit_rows(halo: Image) -> tuple[int, int]:
    """The rows of a small halo that have any light, and one dark row on each side to fade out in."""
    rows = np.flatnonzero(halo.reshape(len(halo), -1).max(axis=1))
    return (max(0, int(rows[0]) - 1), min(len(halo), int(rows[-1]) + 2)) if len(rows) else (0, 0)


class Finish:
    """The last steps on a frame: bloom, vignette, grain, and the conversion for the encoder. An `exposure`
    below 1 darkens the whole picture.
    """

    def __init__(
        self, width: int, height: int, *, bloom: float, bloom_from: int, grain: float = 0.0,
        exposure: float = 1.0,
    ) -> None:  # fmt: skip
        self._size = (width, height)
        self._bloom, self._from = bloom, bloom_from
        self._vignette = _vignette(width, height, min(1.0, exposure))
        self._grain: Image | None = None
        if grain > 0:
            rng = np.random.default_rng(7)
            noise = rng.normal(4 * grain, 2 * grain, (height + 64, width + 64))
            self._grain = noise.clip(0, 32).astype(np.uint8)

    def glow(self, frame: Image) -> None:
        """Let bright parts bleed into their surroundings, in place (BGRA)."""
        if self._bloom <= 0:
            return
        width, height = self._size
        small = cv2.resize(frame, (width // 4, height // 4), interpolation=cv2.INTER_LINEAR)
        small = cv2.resize(small, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
        bright = cv2.subtract(small, (self._from, self._from, self._from, 255))
        if cv2.norm(bright, cv2.NORM_INF) < 4:
            return  # nothing shines; enlarging an empty halo would cost as much as a full one
        wide = cv2.blur(cv2.blur(bright, (9, 9)), (9, 9))
        halo = cv2.convertScaleAbs(cv2.add(wide, cv2.blur(bright, (3, 3))), alpha=self._bloom)
        first, last = _lit_rows(halo)
        if last <= first:
            return
        lit = cv2.resize(halo[first:last], (width, 8 * (last - first)), interpolation=cv2.INTER_LINEAR)
        part = frame[8 * first : 8 * first + len(lit)]
        cv2.add(part, lit[: len(part)], dst=part)

    def planes(self, frame: Image, number: int) -> Image:
        """The frame as I420 (height x 1.5 rows); the vignette darkens luma alone, which is a third of the
        work.
        """
        planes: Image = cv2.cvtColor(frame, cv2.COLOR_BGRA2YUV_I420)
        luma = planes[: self._size[1]]
        cv2.multiply(luma, self._vignette, dst=luma, scale=1 / 255)
        if self._grain is not None:
            top, left = number * 29 % 64, number * 47 % 64
            width, height = self._size
            cv2.add(luma, self._grain[top : top + height, left : left + width], dst=luma)
        cv2.max(luma, 16, dst=luma)
        return planes
