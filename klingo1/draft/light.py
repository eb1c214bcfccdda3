"""Light on the cast and on the finished picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from klingo1.draft.stage import Image, Paint, planes_of, premultiply

_GAMMA = 1.6
"""Light is multiplied in a space between display values and linear light: dark clothes keep their drawing."""
_GRID = 8
"""Pixels from one sample of soft light to the next."""
_BGR_TO_YUV = np.array([[0.098, 0.504, 0.257], [0.439, -0.291, -0.148], [-0.071, -0.368, 0.439]], np.float32)
"""BT.601, limited range, without the offsets."""
_WHITE = 235.0
_BIAS = 96
"""Added to signed chroma, so that eight bits hold it: light changes chroma by less than this."""


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


@dataclass(frozen=True, slots=True)
class Wash:
    """Something soft before the whole picture, at any small size of the same shape: `kept` is how much of
    the picture shows through it (one channel, 255 for all), `added` its own light (BGR).
    """

    kept: Image
    added: Image


class Finish:
    """The last steps on a frame: what is soft before the lens, bloom, vignette, grain, and the conversion for
    the encoder. An `exposure` below 1 darkens the whole picture.

    Light is linear in the encoder's planes as well, so whatever is soft is worked out on every eighth pixel
    and enlarged into them: luma and two quarters of chroma are a third of the work on four channels.
    """

    def __init__(
        self, width: int, height: int, *, bloom: float, bloom_from: int, grain: float = 0.0,
        exposure: float = 1.0,
    ) -> None:  # fmt: skip
        self._size = (width, height)
        self._small = (max(1, width // _GRID), max(1, height // _GRID))
        self._bloom, self._from = bloom, bloom_from
        self._vignette = _vignette(width, height, min(1.0, exposure))
        self._grain: Image | None = None
        if grain > 0:
            rng = np.random.default_rng(7)
            noise = rng.normal(4 * grain, 2 * grain, (height + 64, width + 64))
            self._grain = noise.clip(0, 32).astype(np.uint8)

    def planes(
        self, frame: Image, number: int, wash: Wash | None = None,
        streaks: Callable[[Image], None] | None = None,
    ) -> Image:  # fmt: skip
        """A frame (BGRA) as I420 (height x 1.5 rows), finished. The vignette darkens luma alone. `streaks`
        adds what has no colour of its own to luma.
        """
        width, height = self._size
        planes: Image = cv2.cvtColor(frame, cv2.COLOR_BGRA2YUV_I420)
        kept, added = self._soft_light(frame, wash)
        luma = planes[:height]
        if streaks is not None:
            streaks(luma)
        if added is not None:
            _lay_light(planes, kept, added)
        cv2.min(luma, _WHITE, dst=luma)
        cv2.multiply(luma, self._vignette, dst=luma, scale=1 / 255)
        if self._grain is not None:
            top, left = number * 29 % 64, number * 47 % 64
            cv2.add(luma, self._grain[top : top + height, left : left + width], dst=luma)
        cv2.max(luma, 16, dst=luma)
        return planes

    def _soft_light(self, frame: Image, wash: Wash | None) -> tuple[Image | None, Image | None]:
        """How much of the picture is kept, and the light (BGR) that comes on top of it, both small. None
        where that would change nothing.
        """
        if wash is None and self._bloom <= 0:
            return None, None
        width, height = self._size
        half = max(1, width // 4), max(1, height // 4)
        small = cv2.resize(frame, half, interpolation=cv2.INTER_LINEAR)
        small = cv2.resize(small, self._small, interpolation=cv2.INTER_AREA)
        small = cv2.cvtColor(small, cv2.COLOR_BGRA2BGR)
        kept, added = None, None
        if wash is not None:
            kept = cv2.resize(wash.kept, self._small, interpolation=cv2.INTER_LINEAR)
            added = cv2.resize(wash.added, self._small, interpolation=cv2.INTER_LINEAR)
            cv2.multiply(small, cv2.merge([kept] * 3), dst=small, scale=1 / 255)
        halo = self._halo(small if added is None else cv2.add(small, added))
        if halo is not None:
            added = halo if added is None else cv2.add(added, halo)
        # What is white already grows no lighter: light that is too much turns lamps white, not gaudy.
        return kept, None if added is None else cv2.min(added, cv2.bitwise_not(small))

    def _halo(self, small: Image) -> Image | None:
        """What bright parts shed on their surroundings (BGR, small), or None when nothing shines."""
        if self._bloom <= 0:
            return None
        bright = cv2.subtract(small, (self._from, self._from, self._from, 0))
        if cv2.norm(bright, cv2.NORM_INF) < 4:
            return None
        wide = cv2.blur(cv2.blur(bright, (9, 9)), (9, 9))
        halo: Image = cv2.convertScaleAbs(cv2.add(wide, cv2.blur(bright, (3, 3))), alpha=self._bloom)
        return halo


def _lay_light(i420: Image, kept: Image | None, added: Image) -> None:
    """Add light to a picture, in place, after it has been dimmed to what is `kept` of it."""
    light = cv2.transform(added.astype(np.float32), _BGR_TO_YUV)
    if kept is not None:
        gone = 1 - kept.astype(np.float32) / 255
        light += cv2.merge([16 * gone, 128 * gone, 128 * gone])
    for plane, part, bias in zip(planes_of(i420), cv2.split(light), (0, _BIAS, _BIAS), strict=True):
        size = plane.shape[1], plane.shape[0]
        if kept is not None:
            shown = cv2.resize(kept, size, interpolation=cv2.INTER_LINEAR)
            cv2.multiply(plane, shown, dst=plane, scale=1 / 255)
        small = (part + (bias + 0.5)).clip(0, 255).astype(np.uint8)
        grown = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
        if bias:
            cv2.addWeighted(plane, 1, grown, 1, -bias, dst=plane)
        else:
            cv2.add(plane, grown, dst=plane)


def picture_of(planes: Image) -> Image:
    """What a viewer sees of I420 planes: BGR."""
    result: Image = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    return result
