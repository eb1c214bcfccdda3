"""A street market: stalls under striped awnings on both sides, strings of lights, old houses behind."""

from __future__ import annotations

import cv2

from klingo1.draft.cards import Card, Wall
from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.paint import blend, finish, scaled
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_planting import PERIOD, Thing, band, grounded
from klingo1.draft.scenery_stalls import AWNINGS, stall
from klingo1.draft.sets import Limits, Set, SetSpec
from klingo1.draft.signs import lights_on_a_string
from klingo1.draft.stage import Rgb
from klingo1.draft.streets import DAY, NIGHT, facade
from klingo1.draft.tiles import paving

LAMP: Rgb = (255, 190, 110)
_STRINGS: tuple[Rgb, ...] = ((255, 180, 90), (255, 120, 90), (255, 214, 130))
HALF_WIDTH = 5.6


def build(spec: SetSpec) -> Set:
    """The set; from dusk on the lamps are lit, rain and "wet" make the stones shine."""
    now = hour(spec)
    lit = spec.time in ("dusk", "night")
    wet = 1.0 if "wet" in spec.looks or "rain" in spec.weather else (0.35 if lit else 0.0)
    picture, horizon = now.sky(spec, clouds=0.5)
    haze = blend(now.tone.haze, (230, 150, 90), 0.35) if spec.time == "night" else now.tone.haze
    stones = paving(spec.rng("stones"), now.paint((160, 148, 134)), wet=0.5 if wet else 0.0)
    light = (
        Light((0.92, 0.8, 0.72), (1.0, 0.7, 0.4), (1.0, 0.6, 0.45), 0.12, 0.8, 0.55)
        if spec.time == "night"
        else now.tone.light
    )
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(stones, 6.0)],
        light=light,
        haze=haze,
        haze_distance=34.0 * now.air,
        mist=0.8,
        wetness=wet,
        bloom={"night": 0.42, "dusk": 0.26}.get(spec.time, 0.22),
        bloom_from={"night": 140, "dusk": 190}.get(spec.time, 222),
        limits=Limits(side=1.0, rise=1.2),
    )
    palette = NIGHT if spec.time == "night" else DAY
    houses = facade(spec.rng("houses"), palette, PERIOD, 9.5, 40 if spec.forward else 46)
    if spec.time == "dusk":
        houses = cv2.convertScaleAbs(houses, alpha=0.78)
        houses[..., 3] = cv2.convertScaleAbs(houses[..., 3], alpha=1.3)
    rng = spec.rng("stalls")
    shine = (LAMP if spec.time == "night" else scaled(LAMP, 0.62)) if lit else None

    def colour(rgb: Rgb) -> Rgb:
        return scaled(now.paint(rgb), 1.25) if spec.time == "night" else now.paint(rgb)

    ppm = 78.0
    stalls = [
        grounded(stall(rng, ppm, colour, wide=w, lamp=shine, awning=cloth), ppm, 0.5, spread=0.5)
        for w, cloth in zip((2.6, 3.0, 2.3, 2.8, 2.5), AWNINGS, strict=True)
    ]
    strings = [Thing(lights_on_a_string(rng, 9.0, 1.0, 52, (c,)), 52) for c in _STRINGS] if lit else []
    if spec.forward:
        place.walls = [Wall(houses, 40, -HALF_WIDTH), Wall(houses, 40, HALF_WIDTH)]
        count = 22
        order = [int(n) for r in range(5) for n in rng.permutation(5)]
        for k in range(count):
            side = -1 if k % 2 else 1
            x = side * (3.25 + float(rng.uniform(-0.15, 0.5)))
            place.cards.append(stalls[order[k]].card(x, 0, PERIOD * k / count + 1.0, wrap_z=PERIOD))
        for k in range(9 if strings else 0):
            thing = strings[k % 3]
            hung = Card(
                thing.image,
                52,
                0,
                4.3 + 0.4 * (k % 3),
                PERIOD * k / 9 + 2.5,
                (thing.image.shape[1] / 2, 0),
                wrap_z=PERIOD,
            )
            place.cards.append(hung)
        return place
    place.cards.append(Card(cv2.GaussianBlur(houses, (0, 0), 0.8), 46, 0, 0, 12.5, wrap_x=PERIOD))
    place.cards.append(band(rng, stalls, 13, 10.6, 56, 3.2, deep=0.02))
    at = 0.0
    for k in range(9):
        thing = stalls[(0, 3, 1, 4, 2, 0, 4, 1, 3)[k]]
        place.cards.append(thing.card(at, 0, 7.8 + 0.3 * (k % 2), wrap_x=PERIOD))
        at += PERIOD / 9
    for k in range(6 if strings else 0):
        thing = strings[k % 3]
        anchor = (thing.image.shape[1] / 2, 0.0)
        place.cards.append(Card(thing.image, 52, PERIOD / 6 * k, 4.0, 9.2, anchor, wrap_x=PERIOD))
    return place
