"""Deep winter: white ground, laden spruces, mountains in the frosty air, snowfall."""

from __future__ import annotations

from klingo1.draft.flora import conifer, treeline
from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish
from klingo1.draft.rocks import rock
from klingo1.draft.scenery_hills import peaks, stand_on, swell
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_planting import across, along, band, framing, grounded
from klingo1.draft.scenery_plants import tuft
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import snow as snowfield

_SNOW: dict[str, Rgb] = {
    "day": (232, 240, 250),
    "dawn": (246, 222, 224),
    "dusk": (240, 190, 180),
    "night": (150, 178, 222),
}
_GROUND: dict[str, Rgb] = {
    "day": (212, 224, 240),
    "dawn": (222, 210, 224),
    "dusk": (198, 164, 184),
    "night": (98, 124, 170),
}


def build(spec: SetSpec) -> Set:
    """The set."""
    now = hour(spec)
    white = _SNOW[now.time]
    picture, horizon = now.sky(spec, clouds=0.5, heaps=0.16)
    haze = blend(now.tone.haze, white, 0.45 if now.time != "night" else 0.12)
    stone, unit = now.paint((108, 118, 140)), now.reach(spec)
    peaks(
        picture,
        spec.rng("far range"),
        horizon,
        0.5 * unit,
        stone,
        haze,
        white,
        cells=4,
        air=0.4,
        snowline=0.24,
    )
    peaks(
        picture,
        spec.rng("range"),
        horizon,
        0.3 * unit,
        now.paint((92, 104, 126)),
        haze,
        white,
        air=0.22,
        snowline=0.36,
    )
    for k, (tall, far) in enumerate(((0.15, 0.58), (0.09, 0.36))):
        strip = treeline(
            spec.rng(f"wood {k}"), round(tall * unit), picture.shape[1],
            blend(now.paint((60, 88, 92)), white, 0.3 + 0.3 * far), sharp=1.2,
        )  # fmt: skip
        stand_on(picture, strip, horizon)
    swell(
        picture,
        spec.rng("drift"),
        horizon,
        0.02 * unit,
        0.012 * unit,
        white,
        _GROUND[now.time],
        sun_x=now.sun_x,
    )
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(snowfield(spec.rng("snow"), _GROUND[now.time]), 9.0)],
        light=now.tone.light,
        haze=haze,
        haze_distance=30.0 * now.air,
        mist=0.72 if now.air == 1 else 0.9,
        weather=("snow",),
        bloom=0.25,
        bloom_from=150 if now.dark else 232,
    )
    rng = spec.rng("plants")
    green, bark = now.paint((58, 92, 82)), now.paint((92, 76, 66))
    spruces = [
        grounded(conifer(rng, 48, t, green, bark, snow=white, slim=0.5), 48, 0.42, spread=0.9)
        for t in (4.2, 5.8, 7.2, 3.0)
    ]
    stones = [
        grounded(rock(rng, 80, t, now.paint((126, 130, 142)), cap=white, capped=0.42), 80, 0.4, sink=0.07)
        for t in (0.4, 0.7, 1.1)
    ]
    straw: tuple[Rgb, ...] = (now.paint((186, 172, 140)), now.paint((150, 140, 120)))
    dry = [grounded(tuft(rng, 120, t, straw, blades=18, spread=1.3), 120, 0.25) for t in (0.4, 0.55)]
    cards = place.cards
    if spec.forward:
        cards += along(rng, spruces, 18, 2.2, 10.0)
        cards += along(rng, stones, 9, 1.4, 7.0)
        cards += along(rng, dry, 8, 1.1, 4.0)
        return place
    cards.append(band(rng, spruces, 26, 30.0, 22, 8.0, period=64.0))
    cards += across(rng, spruces, 9, 8.0, 16.0)
    cards += across(rng, stones, 7, 6.9, 10.5)
    cards += across(rng, dry, 7, 6.6, 9.0)
    cards += framing(rng, [*stones[:1], *dry], 5, y=-0.16)
    return place
