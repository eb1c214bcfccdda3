"""A tall forest: trunks in the haze, ferns and bushes along the way, boughs overhead; fireflies by night."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from klingo1.draft.flora import autumnal, crown, treeline, trunk
from klingo1.draft.ground import Ground
from klingo1.draft.paint import blend, finish, noise, smoothstep
from klingo1.draft.scenery_light import Hour, hour
from klingo1.draft.scenery_planting import PERIOD, Thing, across, along, band, framing, grounded, pool
from klingo1.draft.scenery_plants import fern, tuft
from klingo1.draft.sets import Limits, Set, SetSpec
from klingo1.draft.stage import Image, Paint, Rgb, bgr
from klingo1.draft.tiles import grass, snow, soil

BARK: Rgb = (104, 82, 64)
LEAF: Rgb = (104, 142, 58)
FERN: Rgb = (98, 150, 62)
_GLADE: dict[str, Rgb] = {
    "day": (226, 232, 178), "dawn": (255, 226, 178), "dusk": (255, 178, 110), "night": (104, 152, 178),
}  # fmt: skip
"""The light that stands between the far trunks."""


def build(spec: SetSpec) -> Set:
    """The set; falling leaves turn it to autumn, snow to winter."""
    now = hour(spec, sun_x=0.6)
    autumn, winter = "leaves" in spec.weather, "snow" in spec.weather
    glade = blend(_GLADE[now.time], now.tone.haze, 0.35 if not spec.looks else 0.6)
    if winter:
        glade = blend(glade, now.paint((204, 216, 234)), 0.75)
    picture, horizon = now.sky(spec, clouds=0.0)
    _woods(spec, picture, horizon, now, glade, frost=0.5 if winter else 0.0)
    rng = spec.rng("floor")
    floor = snow(rng, now.paint((214, 222, 236))) if winter else _floor(rng, now, autumn=autumn)
    place = Set(
        sky=finish(picture),
        horizon=horizon,
        grounds=[Ground(floor, 5.0)],
        light=now.tone.light,
        haze=glade,
        haze_distance=21.0 * now.air,
        mist=0.9,
        weather=_air(spec, now),
        bloom=0.4,
        bloom_from=120 if now.dark else (228 if winter else 178),
        limits=Limits(rise=1.4),
    )
    _plant(spec, place, now, autumn=autumn, winter=winter)
    return place


def _floor(rng: Generator, now: Hour, *, autumn: bool) -> Image:
    """Leaf litter, with moss and short grass where the light falls."""
    earth = soil(rng, now.paint((112, 94, 58)), litter=1500 if autumn else 700)
    if autumn:
        return earth
    green = grass(rng, now.paint((112, 132, 58)), flowers=30)
    lit = noise(rng, earth.shape[0], earth.shape[1], 3, octaves=5, gain=0.55, tile=True)
    share = (smoothstep(-0.5, 0.9, lit) * 0.85)[..., None]
    return (earth * (1 - share) + green * share).astype(np.uint8)


def _air(spec: SetSpec, now: Hour) -> tuple[str, ...]:
    if now.dark:
        return () if "snow" in spec.weather else ("fireflies",)
    return () if {"rain", "snow"} & set(spec.weather) else ("rays",)


def _woods(spec: SetSpec, picture: Paint, horizon: int, now: Hour, glade: Rgb, *, frost: float) -> None:
    """Behind everything: rows of trees melting into the light of a clearing."""
    height, width = picture.shape[:2]
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)
    open_ = np.exp(-(((column / width - 0.56) / 0.3) ** 2) - ((row / horizon - 0.92) / 0.42) ** 2)[..., None]
    light = np.array(bgr(glade), np.float32)
    picture += (light - picture) * (0.25 + 0.6 * open_)
    rng, unit = spec.rng("woods"), now.reach(spec)
    wood = blend(now.paint((70, 98, 66)), glade, frost)
    for tall, far in ((0.5, 0.8), (0.36, 0.66), (0.22, 0.46)):
        strip = treeline(rng, round(tall * unit), width, wood, sharp=1.3)
        part = picture[horizon - strip.shape[0] : horizon]
        cover = strip[..., 3:].astype(np.float32) / 255
        colour = strip[..., :3].astype(np.float32)
        part += (colour + (light - colour / np.maximum(cover, 0.01)) * cover * far - part * cover) * 1.0
    picture[:horizon] += (light * 0.16) * open_[:horizon] ** 2


def _plant(spec: SetSpec, place: Set, now: Hour, *, autumn: bool, winter: bool) -> None:
    rng = spec.rng("plants")
    bark, green = now.paint(BARK), now.paint(LEAF)
    white: Rgb = now.paint((226, 232, 242))

    def leaf() -> Rgb:
        if winter:
            return blend(green, white, 0.75)
        return (
            autumnal(rng, green)
            if autumn
            else blend(green, now.paint((70, 120, 60)), float(rng.uniform(0, 0.8)))
        )

    moss = white if winter else now.paint((96, 118, 52))
    stems = [
        grounded(_open_above(trunk(rng, 48, 12.5, r, bark, moss=moss)), 48, 0.6, spread=1.6)
        for r in (0.2, 0.27, 0.34, 0.44)
    ]
    bushes = [
        grounded(crown(rng, 62, w, t, leaf(), leaf=0.085, clumps=13, dense=52), 62, 0.55, sink=0.1)
        for w, t in ((2.6, 1.3), (1.9, 1.0), (3.2, 1.7))
    ]
    fresh = blend(now.paint(FERN), white, 0.55 if winter else 0.0)
    ferns = [grounded(fern(rng, 120, t, fresh), 120, 0.5) for t in (0.62, 0.8, 0.5)]
    tufts = pool(lambda: tuft(rng, 120, 0.42, (leaf(), green)), 120, 2, shadow=0.3)
    boughs = [
        Thing(crown(rng, 36, w, 3.8, leaf(), leaf=0.12, clumps=26, dense=44), 36) for w in (6.6, 5.6, 7.6)
    ]
    cards = place.cards
    if spec.forward:
        cards += along(rng, stems, 20, 1.7, 9.0, crowd=1.2)
        cards += along(rng, bushes, 9, 2.4, 7.5)
        cards += along(rng, ferns, 13, 1.05, 4.0)
        cards += along(rng, tufts, 8, 1.0, 3.0)
        for k in range(12):
            x = (-1 if k % 2 else 1) * float(rng.uniform(1.0, 4.6))
            cards.append(
                boughs[k % 3].card(x, float(rng.uniform(4.8, 8.2)), PERIOD / 12 * k + 3.0, wrap_z=PERIOD)
            )
        return
    cards.append(band(rng, stems, 26, 26.0, 20, 13.0))
    cards.append(band(rng, bushes, 24, 21.0, 26, 2.2))
    cards.append(band(rng, boughs, 18, 19.0, 22, 7.4, y=6.2, deep=2.6))
    cards += across(rng, stems, 9, 7.6, 15.0)
    cards += across(rng, bushes, 6, 7.2, 11.0)
    cards += across(rng, [*ferns, *tufts], 16, 6.6, 8.4)
    cards += [
        boughs[k % 3].card(PERIOD / 6 * k, 4.3 + 0.4 * (k % 2), 8.4 + 0.7 * (k % 3), wrap_x=PERIOD)
        for k in range(6)
    ]
    cards += framing(rng, ferns, 5, y=-0.12)


def _open_above(stem: Image) -> Image:
    """The stem gone in the light of the canopy at its upper end, where no picture shows that it was cut."""
    rows = stem.shape[0]
    fade = np.clip(np.arange(rows, dtype=np.float32) / (0.28 * rows), 0, 1)[:, None, None]
    return np.ascontiguousarray((stem * fade).astype(np.uint8))
