"""On a moon: craters and boulders under a sky of nebulae, with a great ringed planet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.paint import blend, finish, vertical_gradient
from klingo1.draft.rocks import rock
from klingo1.draft.scenery_heavens import craters, nebula, planet, stars
from klingo1.draft.scenery_hills import swell
from klingo1.draft.scenery_planting import across, along, band, framing, grounded
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Rgb, bgr


@dataclass(frozen=True, slots=True)
class _Mood:
    """The colours of one hour: sky from above to the horizon, clouds of gas, ground, planet, light."""

    deep: Rgb
    low: Rgb
    gas: tuple[Rgb, ...]
    ground: Rgb
    bands: tuple[Rgb, ...]
    air: Rgb
    light: Light


_BANDS: tuple[Rgb, ...] = ((236, 196, 150), (206, 140, 92), (248, 222, 184), (168, 96, 66), (226, 170, 120))
_ICE: tuple[Rgb, ...] = ((150, 210, 236), (96, 160, 214), (206, 236, 246), (70, 120, 190))
_MOODS = {
    "night": _Mood(
        (8, 8, 26), (34, 24, 66), ((126, 62, 206), (40, 120, 210), (214, 70, 150)), (112, 108, 132), _BANDS,
        (255, 176, 110), Light((0.86, 0.84, 0.98), (0.55, 0.35, 0.95), (1.0, 0.78, 0.55), 0.22, 0.74, 0.6),
    ),
    "day": _Mood(
        (14, 22, 56), (52, 92, 150), ((50, 110, 220), (60, 180, 200), (150, 110, 220)), (158, 156, 162), _ICE,
        (140, 210, 255), Light((1.0, 1.0, 1.02), (0.4, 0.55, 0.8), (1.0, 0.97, 0.9), 0.25, 0.78, 0.6),
    ),
    "dawn": _Mood(
        (12, 20, 44), (70, 88, 120), ((40, 150, 170), (230, 120, 150), (90, 90, 200)), (146, 132, 134), _ICE,
        (255, 214, 190), Light((0.98, 0.94, 0.94), (0.35, 0.6, 0.7), (1.0, 0.84, 0.7), 0.25, 0.76, 0.6),
    ),
    "dusk": _Mood(
        (24, 10, 30), (112, 48, 58), ((220, 90, 60), (160, 50, 140), (240, 160, 70)), (150, 104, 92), _BANDS,
        (255, 170, 110), Light((1.02, 0.86, 0.8), (0.7, 0.3, 0.5), (1.0, 0.72, 0.42), 0.25, 0.74, 0.6),
    ),
}  # fmt: skip


def build(spec: SetSpec) -> Set:
    """The set; the hour chooses the colours, for there is no day out here."""
    mood = _MOODS.get(spec.time, _MOODS["night"])
    width, horizon = round(spec.width * 1.5), round(spec.height * 0.8)
    height = horizon + round(spec.height * 0.2)
    share = horizon / height
    picture = vertical_gradient(
        height, width, [(0, mood.deep), (0.55 * share, mood.deep), (share, mood.low), (1, mood.low)]
    )
    sky = picture[: horizon + 4]
    nebula(spec.rng("gas"), sky, mood.gas, strength=0.9)
    stars(spec.rng("stars"), sky, round(width * horizon / 480))
    rng = spec.rng("planets")
    unit = min(width / 1.5, 1.4 * horizon)
    planet(
        rng,
        sky,
        (width * 0.62, horizon * 0.66),
        0.2 * unit,
        mood.bands,
        mood.air,
        ring=blend(mood.bands[0], mood.air, 0.3),
    )
    planet(rng, sky, (width * 0.33, horizon * 0.5), 0.045 * unit, (mood.low, mood.ground, mood.low), mood.air)
    glow = np.exp(-(((np.arange(horizon + 4, dtype=np.float32) - horizon) / (0.14 * horizon)) ** 2))
    sky += glow[:, None, None] * np.array(bgr(blend(mood.low, mood.air, 0.35)), np.float32) * 0.4
    for k, (tall, far) in enumerate(((0.07, 0.5), (0.025, 0.2))):
        swell(
            picture, spec.rng(f"rim {k}"), horizon, tall * horizon, 0.022 * horizon,
            blend(mood.ground, mood.low, far + 0.15), blend(mood.ground, mood.low, far), cells=4,
        )  # fmt: skip
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(craters(spec.rng("craters"), mood.ground), 8.0)],
        light=mood.light,
        haze=blend(mood.low, mood.ground, 0.35),
        haze_distance=40.0,
        mist=0.42,
        roof=True,
        bloom=0.45,
        bloom_from=150,
    )
    rng = spec.rng("rocks")
    stones = [
        grounded(rock(rng, 76, t, mood.ground, facets=18, wide=w), 76, 0.6, sink=0.08)
        for t, w in ((0.45, 1.8), (0.8, 1.6), (1.5, 1.5), (2.4, 1.1), (0.6, 2.2))
    ]
    if spec.forward:
        place.cards += along(rng, stones, 22, 1.4, 10.0)
        return place
    place.cards.append(band(rng, stones, 14, 26.0, 26, 3.0, period=60.0))
    place.cards += across(rng, stones, 14, 7.0, 15.0)
    place.cards += framing(rng, stones[:1], 3, y=-0.22)
    return place
