"""A desert: dunes and table mountains in the heat, saguaros, stones, dry grass."""

from __future__ import annotations

from klingo1.draft.ground import Ground
from klingo1.draft.paint import finish
from klingo1.draft.rocks import rock
from klingo1.draft.scenery_hills import mesas, swell
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_planting import across, along, band, framing, grounded
from klingo1.draft.scenery_plants import cactus, tuft
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import sand

SAND: Rgb = (222, 168, 110)


def build(spec: SetSpec) -> Set:
    """The set."""
    now = hour(spec)
    picture, horizon = now.sky(spec, clouds=0.38)
    haze, unit = now.tone.haze, now.reach(spec)
    mesas(picture, spec.rng("far mesas"), horizon, 0.22 * unit, now.paint((196, 118, 86)), haze, air=0.55)
    mesas(picture, spec.rng("mesas"), horizon, 0.3 * unit, now.paint((188, 98, 62)), haze, air=0.26)
    for k, (tall, far) in enumerate(((0.075, 0.45), (0.035, 0.24))):
        swell(
            picture, spec.rng(f"dunes {k}"), horizon, tall * unit, 0.022 * unit,
            now.paint((230, 176, 116), far), now.paint((206, 142, 90), far * 0.7), cells=3, sun_x=now.sun_x,
        )  # fmt: skip
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(sand(spec.rng("sand"), now.paint(SAND), ripples=0.07), 7.0)],
        light=now.tone.light,
        haze=haze,
        haze_distance=60.0 * now.air,
        mist=0.55 if now.air == 1 else 0.88,
        weather=("dust",),
        bloom=0.35,
        bloom_from=130 if now.dark else 210,
    )
    rng = spec.rng("plants")
    cacti = [
        grounded(cactus(rng, 70, t, now.paint((96, 134, 84))), 70, 0.5, spread=0.8)
        for t in (2.4, 3.2, 4.0, 1.7)
    ]
    red = now.paint((184, 116, 80))
    stones = [grounded(rock(rng, 80, t, red, facets=20), 80, 0.5, sink=0.05) for t in (0.4, 0.75, 1.3, 0.55)]
    straw: tuple[Rgb, ...] = (now.paint((196, 164, 92)), now.paint((160, 136, 78)))
    dry = [grounded(tuft(rng, 120, t, straw, blades=34, spread=1.7), 120, 0.35) for t in (0.4, 0.52)]
    cards = place.cards
    if spec.forward:
        cards += along(rng, cacti, 11, 2.0, 10.0)
        cards += along(rng, stones, 13, 1.4, 8.0)
        cards += along(rng, dry, 14, 1.1, 6.0)
        return place
    cards.append(band(rng, [*cacti, *stones], 14, 26.0, 26, 4.6, period=60.0))
    cards += across(rng, cacti, 6, 8.0, 14.0)
    cards += across(rng, stones, 9, 6.9, 12.0)
    cards += across(rng, dry, 11, 6.6, 10.0)
    cards += framing(rng, [*dry, stones[0]], 6, y=-0.12)
    return place
