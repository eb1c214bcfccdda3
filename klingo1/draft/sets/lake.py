"""A lake among hills: still water that mirrors the ranges, reeds, a jetty's worth of shore to walk on."""

from __future__ import annotations

from klingo1.draft.flora import autumnal, conifer, tree, treeline
from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish
from klingo1.draft.rocks import rock
from klingo1.draft.scenery_hills import peaks, stand_on, swell
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_planting import across, along, framing, grounded
from klingo1.draft.scenery_plants import reeds, tuft
from klingo1.draft.scenery_shore import Shore
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import grass, water

_GLOW: dict[str, Rgb] = {
    "day": (248, 250, 255),
    "dawn": (255, 216, 204),
    "dusk": (255, 178, 146),
    "night": (160, 186, 222),
}


def build(spec: SetSpec) -> Set:
    """The set; forward, the water lies to the left and closes the view; lateral, it lies behind."""
    now = hour(spec)
    picture, horizon = now.sky(spec, clouds=0.6)
    haze, unit = now.tone.haze, now.reach(spec)
    peaks(
        picture,
        spec.rng("range"),
        horizon,
        0.36 * unit,
        now.paint((108, 114, 138)),
        haze,
        _GLOW[now.time],
        cells=3,
        air=0.44,
        snowline=0.62,
    )
    for k, (tall, far) in enumerate(((0.13, 0.56), (0.06, 0.34))):
        swell(
            picture,
            spec.rng(f"hill {k}"),
            horizon,
            tall * unit,
            0.035 * unit,
            now.paint((74, 104, 112), far),
            now.paint((92, 122, 116), far + 0.14),
            cells=3,
            sun_x=now.sun_x,
        )
    strip = treeline(spec.rng("wood"), round(0.085 * unit), picture.shape[1], now.paint((52, 86, 70), 0.2))
    stand_on(picture, strip, horizon)
    surface = water(
        spec.rng("water"), blend(now.paint((46, 96, 122)), now.tone.stops[1][1], 0.5), mirror=0.92
    )
    edge = -2.5 if spec.forward else 8.0
    shore = Shore(
        surface,
        7.0,
        drift=(0.12, 0.1),
        along="z" if spec.forward else "x",
        edge=edge,
        surf=0.22,
        closes=24.0 if spec.forward else 1e9,
    )
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(grass(spec.rng("grass"), now.paint((124, 150, 74)), flowers=260), 6.0), shore],
        light=now.tone.light,
        haze=haze,
        haze_distance=60.0 * now.air,
        mist=0.5 if now.air == 1 else 0.88,
        wetness=0.85,
        weather=("fireflies",) if now.dark else (),
        bloom=0.35,
        bloom_from=130 if now.dark else 208,
    )
    rng = spec.rng("plants")
    leaf, bark = now.paint((96, 140, 62)), now.paint((104, 82, 64))
    crowns = [autumnal(rng, leaf) if "leaves" in spec.weather else leaf for _ in range(2)]
    trees = [
        grounded(tree(rng, 46, t, c, bark), 46, 0.5, spread=0.7)
        for t, c in zip((6.2, 4.8), crowns, strict=True)
    ]
    trees += [
        grounded(conifer(rng, 46, t, now.paint((66, 108, 76)), bark), 46, 0.5, spread=0.9) for t in (5.4, 6.8)
    ]
    stalks = [
        grounded(reeds(rng, 100, t, now.paint((132, 148, 72)), now.paint((116, 74, 44))), 100, 0.35)
        for t in (1.5, 1.2)
    ]
    stones = [grounded(rock(rng, 80, t, now.paint((140, 140, 144))), 80, 0.5, sink=0.06) for t in (0.35, 0.6)]
    blades: tuple[Rgb, ...] = (now.paint((136, 160, 78)), now.paint((108, 144, 66)))
    petals: tuple[Rgb, ...] = (now.paint((252, 252, 246)), now.paint((246, 214, 110)))
    tufts = [grounded(tuft(rng, 120, t, blades, spread=1.8, flowers=petals), 120, 0.3) for t in (0.4, 0.5)]
    cards = place.cards
    if spec.forward:
        dry = along(rng, trees, 10, 2.4, 9.0, reflects=False) + along(
            rng, tufts, 16, 1.1, 5.0, reflects=False
        )
        for card in dry:
            card.x = abs(card.x) if card.x < edge + 1.2 else card.x
        wet = along(rng, stalks, 13, 1.9, 3.2) + along(rng, stones, 7, 1.6, 3.4)
        for card in wet:
            card.x = -abs(card.x)
        cards += dry + wet
        return place
    cards += across(rng, stalks, 9, 7.3, 9.0)
    cards += across(rng, stones, 6, 6.8, 9.4)
    cards += across(rng, tufts, 14, 6.5, 7.4, reflects=False)
    cards += across(rng, trees[:2], 2, 7.0, 7.4)
    cards += framing(rng, tufts, 6, y=-0.1)
    return place
