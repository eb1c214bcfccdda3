"""Anywhere: rolling hills under the sky of the hour, smooth grass; graded by the prompt's colours."""

from __future__ import annotations

from klingo1.draft.flora import crown, treeline
from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish, parse_hex
from klingo1.draft.scenery_hills import stand_on, swell
from klingo1.draft.scenery_light import hour
from klingo1.draft.scenery_planting import across, along, framing, grounded
from klingo1.draft.scenery_plants import tuft
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import grass

EARTH: Rgb = (146, 164, 88)
HILLS: Rgb = (104, 138, 92)
WOODS: Rgb = (66, 100, 66)
_BLADES: tuple[Rgb, ...] = ((148, 170, 84), (112, 146, 72), (184, 184, 104))
_PETALS: tuple[Rgb, ...] = ((250, 246, 232), (244, 206, 104), (214, 168, 214))


def build(spec: SetSpec) -> Set:
    """The set; the first colour that the prompt names tints sky, hills and ground."""
    now = hour(spec)
    named = next((c for c in map(parse_hex, spec.colours) if c is not None), None)
    share = 0.0 if named is None else 0.45
    tint = named or EARTH
    stops = tuple(
        (at, blend(colour, now.paint(tint), share * (0.4 + 0.6 * at))) for at, colour in now.tone.stops
    )
    picture, horizon = now.sky(spec, clouds=0.62, heaps=0.36, stops=stops)
    haze, unit = blend(now.tone.haze, stops[-1][1], share), now.reach(spec)
    hills = blend(HILLS, tint, share)
    for number, (tall, far) in enumerate(((0.27, 0.62), (0.16, 0.44), (0.07, 0.26))):
        top, foot = (blend(now.paint(hills), haze, k) for k in (far, min(1.0, far + 0.2)))
        swell(
            picture, spec.rng(f"hills {number}"), horizon, tall * unit, 0.06 * unit, top, foot,
            cells=2 + number, sun_x=now.sun_x,
        )  # fmt: skip
        if number:
            wood = blend(now.paint(blend(WOODS, tint, share)), haze, far)
            strip = treeline(spec.rng(f"wood {number}"), round(0.06 * unit), picture.shape[1], wood)
            low = round(horizon - (0.1 if number == 1 else 0.0) * horizon)
            stand_on(picture, strip, low, spec.rng(f"gap {number}"))
    floor = now.paint(blend(EARTH, tint, share))
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(grass(spec.rng("ground"), floor, flowers=60), 8.0)],
        light=now.tone.light,
        haze=haze,
        haze_distance=34.0 * now.air,
        mist=0.72,
        weather=("fireflies",) if now.dark else ("dust",),
        bloom=0.32,
        bloom_from=130 if now.dark else 212,
    )
    rng = spec.rng("tufts")
    blades = tuple(now.paint(blend(colour, tint, share)) for colour in _BLADES)
    petals = tuple(now.paint(blend(colour, tint, share)) for colour in _PETALS)
    tufts = [
        grounded(tuft(rng, 130, t, blades, blades=40, spread=1.7, flowers=(petals[k],)), 130, 0.3)
        for k, t in enumerate((0.34, 0.46, 0.28))
    ]
    leaf = now.paint(blend(WOODS, tint, share))
    bushes = [
        grounded(
            crown(rng, 56, w, 0.9, blend(leaf, blades[0], 0.35), leaf=0.08, clumps=10), 56, 0.5, sink=0.1
        )
        for w in (1.5, 2.3)
    ]
    if spec.forward:
        place.cards += along(rng, bushes, 6, 3.2, 12.0)
        place.cards += along(rng, tufts, 22, 1.15, 7.0)
        return place
    place.cards += across(rng, bushes, 5, 9.0, 15.0)
    place.cards += across(rng, tufts, 18, 6.6, 10.0)
    place.cards += framing(rng, tufts, 6, y=-0.14)
    return place
