"""A photographer's studio: a seamless backdrop with a pool of light and a polished floor."""

from __future__ import annotations

import numpy as np

from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.paint import blend, finish, parse_hex, scaled, vertical_gradient
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.skies import daylight
from klingo1.draft.stage import Rgb
from klingo1.draft.tiles import plain

GREY: Rgb = (192, 198, 212)
_LAMPS = np.array([-0.07, 0.0, 0.07], np.float32)
"""How a cool lamp on the left and a warm one on the right tint the backdrop (BGR)."""


def build(spec: SetSpec) -> Set:
    """The set; a colour in the prompt tints the backdrop, night turns the room lights down."""
    named = next((c for c in map(parse_hex, spec.colours) if c is not None), None)
    tone = GREY if named is None else blend(GREY, named, 0.55)
    tone = scaled(tone, {"night": 0.62, "dusk": 0.84}.get(spec.time, 1.0))
    width, horizon = round(spec.width * 1.5), round(spec.height * 0.8)
    height = horizon + round(spec.height * 0.2)
    wall = vertical_gradient(
        height, width, [(0, scaled(tone, 0.4)), (0.62, scaled(tone, 0.78)), (0.8, tone), (1, tone)]
    )
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)
    pool = np.exp(-(((column / width - 0.5) / 0.22) ** 2) - ((row / horizon - 0.62) / 0.36) ** 2)
    wall *= (0.78 + 0.56 * pool)[..., None]
    wall *= 1 + np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * _LAMPS
    ambient = daylight(spec.time).light.ambient if spec.time in ("night", "dusk") else (1.0, 1.0, 1.02)
    return Set(
        sky=finish(wall),
        horizon=horizon,
        grounds=[Ground(plain(scaled(tone, 0.94)), 8.0)],
        light=Light(ambient, (0.5, 0.55, 0.6), (0.6, 0.6, 0.6), side=0.15, foot=0.86, shadow=0.55),
        haze=tone,
        haze_distance=3.5,
        mist=1.0,
        gloss=0.3,
        bloom=0.15,
        bloom_from=235,
    )
