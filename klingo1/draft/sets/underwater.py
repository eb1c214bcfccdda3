"""Under water: rays from the surface, ripples of light on the sand, coral, kelp, shoals in the blue."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.paint import blend, finish, noise, vertical_gradient
from klingo1.draft.rocks import rock
from klingo1.draft.scenery_hills import swell
from klingo1.draft.scenery_planting import Thing, across, along, band, framing, grounded
from klingo1.draft.scenery_reef import anemone, brain_coral, fan_coral, kelp, shoal, tube_coral
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Image, Paint, Rgb, bgr
from klingo1.draft.tiles import sand


@dataclass(frozen=True, slots=True)
class _Depth:
    """The water at one hour: at the surface, in the distance, and what it leaves of colours."""

    top: Rgb
    mid: Rgb
    far: Rgb
    dim: float
    light: Light


_WATER = {
    "day": _Depth(
        (196, 246, 250), (62, 178, 214), (24, 110, 168), 0.95,
        Light((0.8, 0.98, 1.04), (0.3, 0.7, 0.85), (0.6, 0.95, 0.95), 0.1, 0.78, 0.4),
    ),
    "dawn": _Depth(
        (250, 232, 216), (112, 178, 196), (48, 104, 146), 0.88,
        Light((0.9, 0.95, 1.0), (0.4, 0.6, 0.8), (0.95, 0.85, 0.75), 0.12, 0.78, 0.4),
    ),
    "dusk": _Depth(
        (255, 194, 148), (150, 110, 156), (62, 62, 120), 0.82,
        Light((0.92, 0.8, 0.94), (0.45, 0.4, 0.9), (1.0, 0.7, 0.55), 0.12, 0.76, 0.4),
    ),
    "night": _Depth(
        (120, 206, 220), (26, 96, 140), (16, 52, 96), 0.62,
        Light((0.62, 0.8, 0.96), (0.2, 0.8, 0.9), (0.6, 0.5, 1.0), 0.1, 0.76, 0.4),
    ),
}  # fmt: skip


def build(spec: SetSpec) -> Set:
    """The set; at night the corals glow a little."""
    water = _WATER.get(spec.time, _WATER["day"])
    width, horizon = round(spec.width * 1.5), round(spec.height * 0.8)
    height = horizon + round(spec.height * 0.2)
    share = horizon / height
    picture = vertical_gradient(
        height, width,
        [(0, water.top), (0.36 * share, blend(water.top, water.mid, 0.55)), (0.62 * share, water.mid),
         (share, water.far), (1, water.far)],
    )  # fmt: skip
    _surface(spec, picture, horizon, water)
    for k, (tall, far) in enumerate(((0.2, 0.78), (0.11, 0.58))):
        shade = blend(blend((30, 70, 96), water.far, 0.4), water.far, far)
        swell(
            picture, spec.rng(f"reef {k}"), horizon, tall * horizon, 0.06 * horizon, shade, water.far, cells=5
        )
    floor = sand(spec.rng("sand"), _seen((196, 196, 158), water), ripples=0.05)
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(_caustics(spec, floor, water), 6.0, drift=(0.0, 0.0))],
        light=water.light,
        haze=blend(water.far, water.mid, 0.25),
        haze_distance=13.0,
        mist=0.92,
        weather=("bubbles", "rays") if spec.time != "night" else ("bubbles", "fireflies"),
        roof=True,
        bloom=0.4,
        bloom_from=140 if spec.time == "night" else 190,
    )
    rng = spec.rng("reef")
    corals = _corals(spec, water)
    weeds = [grounded(kelp(rng, 56, t, _seen((92, 132, 56), water)), 56, 0.35) for t in (3.4, 4.6, 2.6)]
    stones = [
        grounded(rock(rng, 76, t, _seen((120, 122, 128), water)), 76, 0.5, sink=0.06) for t in (0.6, 1.1)
    ]
    fish = [
        Thing(shoal(rng, 60, 3.4, 1.5, _seen(c, water, 1.25)), 60)
        for c in ((250, 196, 70), (220, 230, 240), (240, 120, 90))
    ]
    cards = place.cards
    if spec.forward:
        cards += along(rng, corals, 20, 1.1, 6.0)
        cards += along(rng, weeds, 13, 1.7, 7.0)
        cards += along(rng, stones, 8, 1.5, 7.0)
        cards += along(rng, fish, 6, 1.8, 6.0, y=2.4)
        return place
    cards.append(band(rng, [*weeds, *corals], 24, 20.0, 30, 4.8, period=48.0))
    cards += across(rng, corals, 14, 6.7, 10.0)
    cards += across(rng, weeds, 8, 7.6, 13.0)
    cards += across(rng, stones, 5, 7.0, 11.0)
    cards += across(rng, fish, 3, 8.0, 12.0, y=2.2)
    cards += framing(rng, corals[:2], 4, y=-0.22)
    return place


def _seen(colour: Rgb, water: _Depth, bright: float = 1.0) -> Rgb:
    """A colour through some metres of water."""
    k = water.dim * bright
    return blend((colour[0] * k, colour[1] * k, colour[2] * k), water.mid, 0.2)


def _corals(spec: SetSpec, water: _Depth) -> list[Thing]:
    rng = spec.rng("corals")
    lift = 1.25 if spec.time == "night" else 1.0
    pink, orange, violet = (_seen(c, water, lift) for c in ((240, 104, 140), (246, 150, 70), (160, 110, 220)))
    pictures = [
        fan_coral(rng, 90, 1.1, pink), tube_coral(rng, 90, 0.8, orange), brain_coral(rng, 90, 0.6, violet),
        fan_coral(rng, 90, 0.8, violet), anemone(rng, 110, 0.5, pink),
        tube_coral(rng, 90, 0.6, _seen((240, 220, 110), water, lift)),
    ]  # fmt: skip
    return [
        grounded(picture, ppm, 0.45, sink=0.03)
        for picture, ppm in zip(pictures, (90, 90, 90, 90, 110, 90), strict=True)
    ]


def _surface(spec: SetSpec, picture: Paint, horizon: int, water: _Depth) -> None:
    """The glittering surface far above and the light that falls through it."""
    rng = spec.rng("surface")
    height, width = picture.shape[:2]
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)
    sun = (0.6 * width, 0.2 * horizon)
    away = np.hypot((column - sun[0]) / width, (row - sun[1]) / horizon * 0.5)
    glint = noise(rng, height, width // 3, 26, octaves=4)
    glint = cv2.resize(glint, (width, height), interpolation=cv2.INTER_CUBIC)
    high = np.clip(1 - row / (0.5 * horizon), 0, 1) ** 1.3
    light = np.exp(-away * 5.5) * 120 + np.clip(glint, 0, 3) * high * 26
    angle = np.arctan2(column - sun[0], row + 0.5 * horizon)
    beams = np.zeros_like(light)
    for _ in range(14):
        beams += np.exp(-(((angle - rng.uniform(-1.0, 1.0)) / rng.uniform(0.012, 0.045)) ** 2)) * rng.uniform(
            0.3, 1.0
        )
    light += beams * 34 * np.clip(1 - row / (1.02 * horizon), 0, 1)
    picture += light[..., None] * np.array(bgr(water.top), np.float32) / 255


def _caustics(spec: SetSpec, floor: Image, water: _Depth) -> Image:
    """Nets of light on the sand."""
    side = floor.shape[0]
    rng = spec.rng("caustics")
    a, b = (noise(rng, side, side, 8, octaves=2, gain=0.4, tile=True) for _ in range(2))
    net = np.exp(-((a / 0.16) ** 2)) * 0.6 + np.exp(-((b / 0.2) ** 2)) * 0.4
    net = cv2.GaussianBlur(np.pad(net, 8, mode="wrap"), (0, 0), 1.6)[8:-8, 8:-8]
    colour = floor[..., :3].astype(np.float32) * (0.82 + 0.2 * net[..., None])
    colour += net[..., None] * np.array(bgr(water.top), np.float32) * 0.3
    return np.dstack([colour.clip(0, 255).astype(np.uint8), floor[..., 3]])
