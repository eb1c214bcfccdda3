"""What the weather does to a place: clouds over the sky, snow on whatever stands below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, scaled
from klingo1.draft.tiles import snow

if TYPE_CHECKING:
    from klingo1.draft.sets import Set, SetSpec
    from klingo1.draft.skies import Daylight
    from klingo1.draft.stage import Image, Rgb

_CLOUDED = {"rain": 1.0, "snow": 0.6, "fog": 0.7}
_UNDER_CLOUDS: dict[str, Rgb] = {
    "day": (0.93, 0.98, 1.07), "dawn": (1.02, 0.98, 1.02), "dusk": (1.06, 0.95, 1.02),
    "night": (0.85, 1.0, 1.2),
}  # fmt: skip
"""The tint of grey clouds: factors on their brightness."""
_OWN_WINTER = frozenset(("forest", "snow", "sky", "studio"))
"""Places that know a winter of their own, or where no snow can lie."""
_LIES = 0.9
"""Share of the ground that fallen snow hides."""


def cloudiness(weather: Sequence[str]) -> float:
    """How much of the sky the weather hides, 0 to 1."""
    return max((_CLOUDED.get(name, 0.0) for name in weather), default=0.0)


def clouded(tone: Daylight, time: str, cover: float) -> Daylight:
    """The light of an hour under clouds: grey above, no sun, soft shadows; the horizon keeps some colour."""

    def grey(at: float, colour: Rgb) -> Rgb:
        even = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
        even = 0.55 * even + 0.45 * (62 if time == "night" else 168)
        red, green, blue = _UNDER_CLOUDS.get(time, _UNDER_CLOUDS["day"])
        return blend(colour, (even * red, even * green, even * blue), cover * (0.86 - 0.3 * at))

    light = replace(
        tone.light,
        rim_left=scaled(tone.light.rim_left, 1 - 0.35 * cover),
        rim_right=scaled(tone.light.rim_right, 1 - 0.35 * cover),
        side=tone.light.side * (1 - 0.6 * cover),
        shadow=tone.light.shadow * (1 - 0.35 * cover),
    )
    return replace(
        tone,
        stops=tuple((at, grey(at, colour)) for at, colour in tone.stops),
        haze=grey(0.6, tone.haze),
        halo=tone.halo * (1 - 0.8 * cover),
        light=light,
    )


def snowed(place: Set, spec: SetSpec, dim: float) -> None:
    """Let snow lie on the ground and on what stands there, in place; `dim` is the hour's (see Daylight)."""
    if "snow" not in spec.weather or place.roof or spec.place in _OWN_WINTER:
        return
    white = scaled((226.0, 232.0, 244.0), dim)
    for index, ground in enumerate(place.grounds):
        if ground.drift == (0.0, 0.0):
            place.grounds[index] = _covered(ground, spec, white)
    done: dict[int, Image] = {}
    for index, card in enumerate(place.cards):
        if card.glow:
            continue
        if id(card.image) not in done:
            done[id(card.image)] = capped(card.image, white, card.ppm)
        place.cards[index] = replace(card, image=done[id(card.image)])


def _covered(ground: Ground, spec: SetSpec, white: Rgb) -> Ground:
    lying = snow(spec.rng("fallen snow"), white, side=ground.tile.shape[0])
    tile = cv2.addWeighted(ground.tile, 1 - _LIES, lying, _LIES, 0)
    tile[..., 3] = ground.tile[..., 3] // 3
    return Ground(tile, ground.metres, ground.near, ground.far, ground.feather, ground.drift)


def capped(image: Image, white: Rgb, ppm: float) -> Image:
    """A card (premultiplied BGRA) with snow on every part that nothing of its own shelters, 0.15 m deep."""
    deep = max(2, round(0.15 * ppm))
    alpha = image[..., 3]
    above = np.zeros_like(alpha)
    above[deep:] = alpha[:-deep]
    open_ = cv2.GaussianBlur(cv2.subtract(alpha, above), (0, 0), max(0.8, 0.3 * deep))
    share = (np.minimum(open_, alpha).astype(np.float32) / 255 * 1.25).clip(0, 0.95)[..., None]
    flat = np.array([white[2], white[1], white[0]], np.float32) * (alpha[..., None].astype(np.float32) / 255)
    capped_ = image.copy()
    capped_[..., :3] = (image[..., :3] * (1 - share) + flat * share).astype(np.uint8)
    return capped_
