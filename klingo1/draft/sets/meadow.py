"""A flowering meadow under a wide sky: hills, single trees, tall grass at the edges of the picture."""

from __future__ import annotations

from klingo1.draft.flora import autumnal, crown, tree, treeline
from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish
from klingo1.draft.scenery_hills import stand_on, swell
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_planting import across, along, band, framing, grounded, pool
from klingo1.draft.scenery_plants import tuft
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import grass

GREEN: Rgb = (122, 164, 66)
_FLOWERS: tuple[Rgb, ...] = ((252, 250, 240), (248, 196, 70), (226, 96, 110), (150, 120, 220))


def build(spec: SetSpec) -> Set:
    """The set; falling leaves colour the trees."""
    now = hour(spec)
    picture, horizon = now.sky(spec, clouds=0.6, heaps=0.34)
    haze, unit = now.tone.haze, now.reach(spec)
    for k, (tall, far) in enumerate(((0.2, 0.62), (0.12, 0.46), (0.05, 0.26))):
        swell(
            picture, spec.rng(f"hill {k}"), horizon, tall * unit, 0.035 * unit,
            now.paint((112, 158, 74), far), now.paint((136, 176, 88), far + 0.1), sun_x=now.sun_x,
        )  # fmt: skip
        if k:
            strip = treeline(
                spec.rng(f"wood {k}"),
                round(0.07 * unit),
                picture.shape[1],
                now.paint((58, 98, 54), far),
                conifers=False,
            )
            stand_on(
                picture, strip, round(horizon - (0.075 if k == 1 else 0.0) * horizon), spec.rng(f"gap {k}")
            )
    tile = grass(spec.rng("grass"), now.paint(GREEN), flowers=420)
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(tile, 6.0)],
        light=now.tone.light,
        haze=haze,
        haze_distance=48.0 * now.air,
        mist=0.62 if now.air == 1 else 0.9,
        weather=("fireflies",) if now.dark else (),
        bloom=0.3,
        bloom_from=130 if now.dark else 215,
    )
    rng = spec.rng("plants")
    leaf, bark = now.paint((98, 146, 58)), now.paint((110, 86, 66))

    def green() -> Rgb:
        return (
            autumnal(rng, leaf)
            if "leaves" in spec.weather
            else blend(leaf, now.paint((70, 124, 64)), float(rng.random()))
        )

    trees = [grounded(tree(rng, 46, t, green(), bark), 46, 0.5, spread=0.7) for t in (5.6, 6.6, 4.6, 7.4)]
    bushes = [
        grounded(crown(rng, 64, w, 1.2, green(), leaf=0.08, clumps=12), 64, 0.5, sink=0.1) for w in (2.0, 2.8)
    ]
    blades: tuple[Rgb, ...] = (now.paint((130, 172, 72)), now.paint((98, 146, 60)), now.paint((162, 184, 92)))
    petals = tuple(now.paint(c) for c in _FLOWERS)
    tufts = [
        grounded(
            tuft(rng, 130, t, blades, blades=44, spread=1.9, flowers=(petals[k], petals[(k + 1) % 4])),
            130,
            0.3,
        )
        for k, t in enumerate((0.5, 0.62, 0.42, 0.56))
    ]
    cards = place.cards
    if spec.forward:
        cards += along(rng, trees, 9, 3.0, 13.0)
        cards += along(rng, bushes, 6, 2.6, 10.0)
        cards += along(rng, tufts, 26, 1.1, 6.0)
        return place
    cards.append(band(rng, trees, 7, 30.0, 22, 8.0, period=70.0))
    cards.append(band(rng, bushes, 9, 21.0, 28, 1.8, period=50.0))
    cards += across(rng, trees, 4, 9.0, 15.0)
    cards += across(rng, tufts, 20, 6.6, 9.4)
    cards += framing(rng, tufts, 8, y=-0.12)
    cards += framing(rng, pool(lambda: tuft(rng, 120, 0.8, blades), 120, 2), 3, z=1.6, y=-0.25)
    return place
