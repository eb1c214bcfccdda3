"""High mountains: two ranges with snow, woods at their foot, an alpine pasture with boulders and spruces."""

from __future__ import annotations

from klingo1.draft.flora import conifer, treeline
from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish
from klingo1.draft.rocks import rock
from klingo1.draft.scenery_hills import peaks, stand_on
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_planting import across, along, band, framing, grounded
from klingo1.draft.scenery_plants import tuft
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import grass

_GLOW: dict[str, Rgb] = {
    "day": (250, 252, 255),
    "dawn": (255, 214, 200),
    "dusk": (255, 172, 132),
    "night": (170, 194, 226),
}
"""Snow in the light of the hour: rosy at dawn, aglow at dusk."""


def build(spec: SetSpec) -> Set:
    """The set."""
    now = hour(spec)
    picture, horizon = now.sky(spec, clouds=0.55)
    haze, unit = now.tone.haze, now.reach(spec)
    stone, snow = now.paint((116, 116, 132)), _GLOW[now.time]
    peaks(
        picture,
        spec.rng("far range"),
        horizon,
        0.54 * unit,
        stone,
        haze,
        snow,
        cells=4,
        air=0.42,
        snowline=0.4,
    )
    peaks(
        picture, spec.rng("range"), horizon, 0.36 * unit, now.paint((98, 102, 112)), haze, snow,
        cells=3, air=0.2, snowline=0.66,
    )  # fmt: skip
    for k, (tall, far) in enumerate(((0.16, 0.5), (0.09, 0.28))):
        strip = treeline(
            spec.rng(f"wood {k}"), round(tall * unit), picture.shape[1], now.paint((54, 88, 70), far)
        )
        stand_on(picture, strip, horizon)
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(grass(spec.rng("grass"), now.paint((116, 144, 72)), flowers=240), 6.0)],
        light=now.tone.light,
        haze=haze,
        haze_distance=42.0 * now.air,
        mist=0.7 if now.air == 1 else 0.92,
        bloom=0.28,
        bloom_from=130 if now.dark else 220,
    )
    rng = spec.rng("plants")
    green, bark = now.paint((64, 106, 72)), now.paint((98, 76, 60))
    spruces = [
        grounded(
            conifer(rng, 46, t, blend(green, now.paint((92, 124, 66)), float(rng.random()) * 0.5), bark),
            46,
            0.5,
            spread=0.9,
        )
        for t in (4.6, 6.0, 7.4, 5.2)
    ]
    moss = now.paint((112, 134, 70))
    stones = [
        grounded(
            rock(rng, 80, t, now.paint((148, 146, 150)), cap=moss if t < 0.7 else None, capped=0.2),
            80,
            0.5,
            sink=0.06,
        )
        for t in (0.45, 0.8, 1.3, 0.6)
    ]
    blades: tuple[Rgb, ...] = (now.paint((136, 158, 78)), now.paint((106, 138, 66)))
    petals: tuple[Rgb, ...] = (
        now.paint((250, 250, 246)),
        now.paint((120, 110, 214)),
        now.paint((246, 206, 86)),
    )
    tufts = [grounded(tuft(rng, 120, t, blades, spread=1.9, flowers=petals), 120, 0.3) for t in (0.36, 0.46)]
    cards = place.cards
    if spec.forward:
        cards += along(rng, spruces, 14, 2.6, 11.0)
        cards += along(rng, stones, 12, 1.3, 7.0)
        cards += along(rng, tufts, 16, 1.1, 5.0)
        return place
    cards.append(band(rng, spruces, 20, 30.0, 22, 8.0, period=64.0))
    cards.append(band(rng, stones, 10, 20.0, 30, 1.8, period=50.0))
    cards += across(rng, spruces, 7, 8.4, 15.0)
    cards += across(rng, stones, 8, 6.9, 10.0)
    cards += across(rng, tufts, 12, 6.6, 9.0)
    cards += framing(rng, tufts, 6, y=-0.1)
    return place
