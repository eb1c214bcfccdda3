"""Above the clouds: a floor of cloud to the horizon, towers of cumulus drifting by, the sun in the open."""

from __future__ import annotations

import cv2
import numpy as np

from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish, noise, scaled
from klingo1.draft.scenery_clouds import banks, cloud
from klingo1.draft.scenery_light import Hour, hour
from klingo1.draft.scenery_planting import Thing, across, along, band, framing
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.stage import Image, Rgb, bgr


def build(spec: SetSpec) -> Set:
    """The set."""
    now = hour(spec)
    picture, horizon = now.sky(spec, clouds=0.42)
    lit, shaded = _tones(now)
    haze = blend(now.tone.stops[-2][1], lit, 0.3)
    for k, tall in enumerate((0.42, 0.24)):
        air = 0.35 - 0.2 * k
        banks(
            spec.rng(f"bank {k}"),
            picture,
            horizon,
            tall,
            blend(lit, haze, air),
            blend(shaded, haze, air),
            haze,
        )
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(_floor(spec, now), 13.0, drift=(0.25, 0.12))],
        light=now.tone.light,
        haze=haze,
        haze_distance=24.0 * now.air,
        mist=0.82,
        bloom=0.4,
        bloom_from=150 if now.dark else 226,
    )
    rng = spec.rng("clouds")
    things = [
        Thing(cloud(rng, 42, w, t, lit, shaded), 42, round(0.22 * t * 42))
        for w, t in ((6.0, 3.0), (4.4, 2.0), (8.0, 3.6), (3.2, 1.3))
    ]
    wisps = [Thing(cloud(rng, 70, w, 0.8, lit, blend(shaded, lit, 0.2)), 70, 14) for w in (2.2, 3.0)]
    cards = place.cards
    if spec.forward:
        cards += along(rng, things, 12, 2.8, 10.0)
        cards += along(rng, wisps, 12, 1.5, 4.0, y=-0.1)
        return place
    cards.append(band(rng, things, 15, 30.0, 22, 5.0, period=64.0))
    cards += across(rng, things, 7, 8.0, 16.0)
    cards += across(rng, wisps, 11, 6.6, 9.0, y=-0.1)
    cards += framing(rng, wisps, 5, y=-0.15)
    return place


def _floor(spec: SetSpec, now: Hour) -> Image:
    """The upper side of a sea of clouds: billows lit from the sun's side."""
    side = 512
    level = noise(spec.rng("floor"), side, side, 4, octaves=5, gain=0.46, tile=True)
    level = np.asarray(np.abs(level) ** 0.8, np.float32)
    level = cv2.GaussianBlur(np.pad(level, 16, mode="wrap"), (0, 0), 4)[16:-16, 16:-16]
    slope = (
        np.roll(level, -4, 1) - np.roll(level, 4, 1) + 0.6 * (np.roll(level, 4, 0) - np.roll(level, -4, 0))
    )
    lit, shaded = _tones(now)
    tone = np.clip(0.42 - 1.5 * slope + 0.16 * (level - level.mean()), 0, 1)[..., None]
    dark: Rgb = shaded
    colour = np.array(bgr(dark), np.float32) * (1 - tone) + np.array(bgr(lit), np.float32) * tone
    return np.dstack([colour.clip(0, 255), np.zeros((side, side, 1), np.float32)]).astype(np.uint8)


def _tones(now: Hour) -> tuple[Rgb, Rgb]:
    """The lit and the shaded side of the clouds: deep enough that they stand out from each other."""
    lit, shaded = now.cloud
    return lit, scaled(
        blend(shaded, now.tone.stops[1][1], 0.65), {"dawn": 0.62, "dusk": 0.8}.get(now.time, 0.96)
    )
