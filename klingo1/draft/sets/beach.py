"""A beach: one walks along the waterline, or past the sea with the horizon behind; palms and dune grass."""

from __future__ import annotations

from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish
from klingo1.draft.rocks import rock
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_planting import across, along, band, framing, grounded, pool
from klingo1.draft.scenery_plants import palm, tuft
from klingo1.draft.scenery_shore import Shore
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.skies import ridge
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import sand, water

_SEA: dict[str, Rgb] = {
    "day": (44, 150, 178),
    "dawn": (116, 140, 168),
    "dusk": (122, 88, 122),
    "night": (28, 66, 104),
}


def build(spec: SetSpec) -> Set:
    """The set; the sea lies on the right of a forward way, behind a lateral one."""
    now = hour(spec, sun_x=0.62)
    picture, horizon = now.sky(spec, clouds=0.55, heaps=0.3 if spec.time == "day" else 0.2)
    haze, unit = now.tone.haze, now.reach(spec)
    for k, (tall, far) in enumerate(((-0.02, 0.7), (-0.045, 0.5))):
        land = now.paint((70, 112, 92), far)
        ridge(
            picture,
            spec.rng(f"cape {k}"),
            horizon,
            tall * unit,
            0.05 * unit,
            land,
            blend(land, haze, 0.4),
            octaves=6,
        )
    sea = blend(_SEA[now.time], haze, 0.12 + 0.45 * now.cover)
    waves = water(spec.rng("sea"), sea, mirror=0.62)
    edge = 3.0 if spec.forward else 11.0
    shore = Shore(
        waves,
        6.0,
        drift=(0.0, 0.5) if not spec.forward else (0.45, 0.1),
        along="z" if spec.forward else "x",
        edge=edge,
    )
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(sand(spec.rng("sand"), now.paint((226, 192, 142))), 8.0), shore],
        light=now.tone.light,
        haze=haze,
        haze_distance=70.0 * now.air,
        mist=0.6 if now.air == 1 else 0.85,
        wetness=0.75,
        bloom=0.4,
        bloom_from=130 if now.dark else 205,
    )
    rng = spec.rng("plants")
    green, bark = now.paint((70, 134, 70)), now.paint((158, 124, 90))
    palms = [grounded(palm(rng, 52, t, green, bark), 52, 0.5, spread=0.35) for t in (6.4, 5.2, 7.4)]
    straw: tuple[Rgb, ...] = (now.paint((150, 164, 84)), now.paint((196, 182, 108)))
    tufts = pool(lambda: tuft(rng, 120, 0.55, straw, blades=40), 120, 3, shadow=0.35)
    stones = [
        grounded(rock(rng, 90, t, now.paint((150, 132, 118))), 90, 0.5, sink=0.06) for t in (0.5, 0.8, 0.34)
    ]
    if spec.forward:
        palmy = along(rng, palms, 10, 2.0, 8.0)
        low = along(rng, tufts, 14, 1.2, 6.0) + along(rng, stones, 8, 1.3, 5.0)
        for card in palmy + low:
            card.x = -abs(card.x)  # nothing grows in the sea
        place.cards += palmy + low
        place.cards += [c for c in along(rng, stones, 5, 6.0, 14.0) if c.x > 0]
        return place
    place.cards.append(band(rng, stones, 7, 17.0, 40, 1.4, period=56.0))
    place.cards += across(rng, palms, 5, 8.0, 10.2)
    place.cards += across(rng, tufts, 12, 6.8, 9.6)
    place.cards += across(rng, stones, 6, 7.0, 10.4)
    place.cards += framing(rng, tufts, 4, y=-0.1)
    return place
