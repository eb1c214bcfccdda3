"""Anywhere: soft hills under the sky of the hour, a smooth ground; graded by the prompt's colours."""

from __future__ import annotations

from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish, parse_hex
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.skies import daylight, ridge, sky
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import sand

EARTH: Rgb = (176, 158, 132)
HILLS: Rgb = (92, 110, 122)


def build(spec: SetSpec) -> Set:
    """The set; the first colour that the prompt names tints sky, hills and ground."""
    tone = daylight(spec.time)
    named = next((c for c in map(parse_hex, spec.colours) if c is not None), None)
    share = 0.0 if named is None else 0.45
    tint = named or EARTH
    stops = tuple(
        (at, blend(colour, tone.paint(tint), share * (0.4 + 0.6 * at))) for at, colour in tone.stops
    )
    width, horizon = round(spec.width * 1.5), round(spec.height * 0.8)
    height = horizon + round(spec.height * 0.2)
    picture = sky(spec.rng("sky"), width, height, horizon, spec.time, clouds=0.5, stops=stops)
    haze = blend(tone.haze, stops[-1][1], share)
    hills = blend(HILLS, tint, share)
    for number, (tall, far) in enumerate(((0.26, 0.72), (0.16, 0.52), (0.08, 0.32))):
        ridge(
            picture, spec.rng(f"hills {number}"), horizon, tall * horizon, 0.05 * horizon,
            blend(tone.paint(hills), haze, far), blend(tone.paint(hills), haze, min(1.0, far + 0.25)),
            cells=2, octaves=5, gain=0.45,
        )  # fmt: skip
    floor = tone.paint(blend(EARTH, tint, share))
    return Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(sand(spec.rng("ground"), floor, ripples=0.02), 9.0)],
        light=tone.light,
        haze=haze,
        haze_distance=30.0,
        mist=0.8,
        weather=("dust",) if spec.time != "night" else ("fireflies",),
        bloom_from=200 if spec.time != "night" else 130,
    )
