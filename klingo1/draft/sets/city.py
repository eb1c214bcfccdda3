"""A street in a big city: neon and wet asphalt by night, pale houses, trees and a blue sky by day."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from klingo1.draft.cards import Card, Wall
from klingo1.draft.flora import autumnal, tree
from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.paint import add_glow, blend, box, canvas, disc, finish, noise, scaled, vertical_gradient
from klingo1.draft.scenery_light import Hour, hour
from klingo1.draft.scenery_planting import Thing, grounded
from klingo1.draft.sets import Set, SetSpec
from klingo1.draft.signs import lights_on_a_string, sign
from klingo1.draft.stage import Image, Paint, Rgb, bgr
from klingo1.draft.streets import DAY, NEON, NIGHT, Palette, box3, facade, pick
from klingo1.draft.tiles import asphalt, paving

STREET = 48.0
"""Metres after which the street repeats."""
HALF_WIDTH = 5.2
HEIGHT, HEIGHT_DAY = 22.0, 14.0
"""Of the tallest house; by day the street is lower and shows more sky."""
HAZE_NIGHT: Rgb = (150, 52, 122)


def build(spec: SetSpec) -> Set:
    """The set. After dark, or when the prompt says neon, the signs are on; rain and "wet" leave puddles."""
    dark = spec.time in ("night", "dusk") or "neon" in spec.looks
    palette = NIGHT if dark else DAY
    now = hour(spec)
    tone = now.tone
    wet = 1.0 if "wet" in spec.looks or "rain" in spec.weather else (0.8 if dark else 0.0)
    haze = HAZE_NIGHT if dark else tone.haze
    width, horizon = round(spec.width * 1.45), round(spec.height * 0.8)
    height = horizon + round(spec.height * 0.2)
    if dark:
        backdrop = _neon_skyline(spec, width, height, horizon)
        light = Light((0.66, 0.7, 0.88), (1.0, 0.25, 0.8), (0.2, 0.8, 1.0), 0.15, 0.74, 0.6)
    else:
        backdrop, horizon = now.sky(spec, clouds=0.5, heaps=0.3)
        _towers(spec.rng("towers"), backdrop, horizon, now.paint((150, 160, 176)), haze, lit=None)
        light = tone.light
    rng, mirror = spec.rng("road"), 0.82 if wet else 0.0
    road = (
        asphalt(rng, (26, 26, 38), wet=mirror)
        if dark
        else paving(rng, now.paint((178, 162, 142)), slabs=8, wet=0.6 * mirror)
    )
    place = Set(
        sky=finish(backdrop),
        horizon=horizon,
        grounds=[Ground(road, 7.0)],
        light=light,
        haze=haze,
        haze_distance=27.0 if dark else 60.0,
        mist=0.86,
        wetness=wet,
        weather=("drizzle",) if dark and wet else (),
        bloom=0.5 if dark else 0.2,
        bloom_from=126 if dark else 220,
    )
    houses = facade(
        spec.rng("houses"), palette, STREET, HEIGHT if dark else HEIGHT_DAY, 40 if spec.forward else 46
    )
    if spec.forward:
        _down_the_street(spec, place, palette, houses, dark=dark)
    else:
        _along_the_street(spec, place, palette, houses, dark=dark)
    if not dark:
        _trees(spec, place, now)
    return place


def _sunlit(houses: Image, *, shaded: bool) -> Image:
    """A row of houses by day: in the sun, or across the street in the cool shade."""
    factors = (1.02, 0.92, 0.84, 1.0) if shaded else (0.94, 1.04, 1.12, 1.0)
    lit = cv2.multiply(houses, np.array(factors, np.float64))
    return np.asarray(np.minimum(lit, houses[..., 3:]), np.uint8)


def _trees(spec: SetSpec, place: Set, now: Hour) -> None:
    """Young trees between the lamps."""
    rng = spec.rng("trees")
    leaf, bark = now.paint((104, 150, 66)), now.paint((108, 86, 68))
    things: list[Thing] = []
    for tall in (3.6, 4.2, 3.9):
        green = autumnal(rng, leaf) if "leaves" in spec.weather else leaf
        things.append(grounded(tree(rng, 52, tall, green, bark), 52, 0.5, spread=0.6))
    for k in range(8):
        if spec.forward:
            x = (-1 if k % 2 else 1) * (HALF_WIDTH - 1.15)
            place.cards.append(things[k % 3].card(x, 0, 6.0 * k + 5.2, wrap_z=STREET))
        else:
            place.cards.append(things[k % 3].card(6.0 * k, 0, 9.8 + 0.2 * (k % 2), wrap_x=STREET))


def _down_the_street(spec: SetSpec, place: Set, palette: Palette, houses: Image, *, dark: bool) -> None:
    other = np.roll(houses, houses.shape[1] // 2, axis=1)
    if not dark:
        houses, other = _sunlit(houses, shaded=False), _sunlit(other, shaded=True)
    place.walls = [Wall(houses, 40, -HALF_WIDTH), Wall(other, 40, HALF_WIDTH)]
    rng = spec.rng("signs")
    for k in range(20):
        side = -1 if k % 2 else 1
        upright = rng.random() < 0.68
        wide, tall = _size(rng, upright=upright)
        picture, margin = sign(rng, palette, wide, tall, 90)
        z = STREET / 20 * k + 3 + float(rng.uniform(-0.6, 0.6))
        anchor = (picture.shape[1] / 2, picture.shape[0] - margin)
        x = side * (HALF_WIDTH - wide / 2 - 0.15)
        place.cards.append(Card(picture, 90, x, float(rng.uniform(3.4, 8.5)), z, anchor, wrap_z=STREET))
    if dark:
        strings = [
            lights_on_a_string(rng, 2 * HALF_WIDTH, 1.1, 60, (c,)) for c in ((255, 170, 70), NEON[0], NEON[1])
        ]
        for k in range(8):
            picture = strings[k % 3]
            hung = Card(
                picture, 60, 0, 5.6 + 0.5 * (k % 3), 6.0 * k + 4.5, (picture.shape[1] / 2, 0.0), wrap_z=STREET
            )
            place.cards.append(hung)
    lamp = _lamp(spec, dark=dark)
    for k in range(12):
        x = (-1 if k % 2 else 1) * (HALF_WIDTH - 1.5)
        place.cards.append(Card(lamp, 60, x, 0, 4.0 * k + 2, wrap_z=STREET, reflects=dark))


def _along_the_street(spec: SetSpec, place: Set, palette: Palette, houses: Image, *, dark: bool) -> None:
    ppm = 46.0
    if not dark:
        houses = _sunlit(houses, shaded=False)
    place.cards.append(
        Card(cv2.GaussianBlur(houses, (0, 0), 0.9 if dark else 1.5), ppm, 0, 0, 11.5, wrap_x=STREET)
    )
    rng = spec.rng("signs")
    for k in range(14):
        upright = rng.random() < 0.6
        wide, tall = _size(rng, upright=upright)
        picture, margin = sign(rng, palette, wide, min(tall, 3.2), 80)
        anchor = (picture.shape[1] / 2, picture.shape[0] - margin)
        x = STREET / 14 * k + float(rng.uniform(-0.8, 0.8))
        card = Card(picture, 80, x, float(rng.uniform(3.3, 5.4)), 10.6, anchor, wrap_x=STREET)
        place.cards.append(card)
    lamp = _lamp(spec, dark=dark)
    for k in range(4):
        place.cards.append(Card(lamp, 60, 12.0 * k + 3, 0, 9.4, wrap_x=STREET, reflects=dark))


def _size(rng: Generator, *, upright: bool) -> tuple[float, float]:
    """A sign's width and height in metres."""
    if upright:
        return float(rng.uniform(0.7, 1.05)), float(rng.uniform(2.2, 4.4))
    return float(rng.uniform(1.6, 2.6)), float(rng.uniform(0.7, 1.1))


def _lamp(spec: SetSpec, *, dark: bool) -> Image:
    """A street lamp, 4.6 m."""
    ppm, rng = 60, spec.rng("lamp")
    rows, columns = round(5.2 * ppm), round(2.4 * ppm)
    picture = canvas(rows, columns)
    middle, top = columns / 2, 0.7 * ppm
    iron: Rgb = (20, 16, 22) if dark else (70, 74, 80)
    box(picture, middle - 0.05 * ppm, top, middle + 0.05 * ppm, rows, iron)
    box(picture, middle - 0.1 * ppm, rows - 0.5 * ppm, middle + 0.1 * ppm, rows, iron)
    box(picture, middle - 0.3 * ppm, top, middle + 0.3 * ppm, top + 0.06 * ppm, iron)
    light = np.zeros((rows, columns, 3), np.float32)
    for side in (-1, 1):
        disc(light, (middle + side * 0.3 * ppm, top + 0.16 * ppm), 0.12 * ppm, pick(rng, ((255, 214, 160),)))
    if dark:
        picture[..., :3] += light
        add_glow(picture, light, 0.12 * ppm, 0.8)
        add_glow(picture, light, 0.34 * ppm, 0.7)
    else:
        cover = light.max(axis=2, keepdims=True) > 0
        picture = np.where(cover, np.array([230, 236, 240, 255], np.float32), picture)
    return finish(picture)


def _neon_skyline(spec: SetSpec, width: int, height: int, horizon: int) -> Paint:
    """Violet sky, a large moon, three rows of towers with lit windows, and the glow of the city."""
    rng = spec.rng("skyline")
    share = horizon / height
    stops: list[tuple[float, Rgb]] = [
        (0, (10, 10, 32)), (0.45 * share, (36, 20, 68)), (0.86 * share, (100, 38, 110)),
        (share, (190, 70, 120)),
        (1, (60, 24, 60)),
    ]  # fmt: skip
    picture = vertical_gradient(height, width, stops)
    picture *= (1 + 0.1 * noise(rng, height, width, 5, octaves=4)[..., None]).clip(0.5, 1.6)
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)
    moon, radius = (width * 0.37, horizon * 0.36), horizon * 0.13
    away = np.hypot(column - moon[0], row - moon[1])
    picture += (np.exp(-((away / (radius * 2.6)) ** 2)) * 0.35)[..., None] * np.array(
        bgr((255, 150, 200)), np.float32
    )
    face = (np.clip(radius - away + 0.5, 0, 1) * 0.85)[..., None]
    picture += (np.array(bgr((255, 208, 216)), np.float32) - picture) * face
    _towers(
        rng,
        picture,
        horizon,
        (14, 12, 34),
        (150, 58, 118),
        lit=((255, 196, 130), (120, 220, 255), (255, 120, 190)),
    )
    return picture


def _towers(
    rng: Generator, picture: Paint, horizon: int, near: Rgb, far: Rgb, *, lit: tuple[Rgb, ...] | None
) -> None:
    """Three rows of high-rises from far to near, with lit windows when `lit` names their colours."""
    width = picture.shape[1]
    light = np.zeros_like(picture)
    unit = width / 1400
    for rank, (top, air, wide) in enumerate(((0.5, 0.74, 26), (0.4, 0.5, 40), (0.26, 0.26, 64))):
        colour = blend(near, far, air)
        x = 0
        while x < width:
            span = max(4, int(rng.uniform(0.6, 1.7) * wide * unit))
            middle = abs((x + span / 2) / width - 0.5) * 2
            tall = horizon * (1 - top) * rng.uniform(0.3, 1.0) ** 1.3 * (0.7 + 0.6 * middle)
            roof = int(horizon - tall)
            fade = (1 - 0.35 * np.linspace(1, 0, horizon + 2 - roof, dtype=np.float32))[:, None, None]
            block = np.array(bgr(scaled(colour, float(rng.uniform(0.85, 1.15)))), np.float32) * fade
            picture[roof : horizon + 2, x : x + span] = block
            if lit is not None:
                _lit_windows(
                    rng, light, (x, min(x + span, width), roof, horizon), (4, 5, 7)[rank], 1 - air, lit
                )
                if rng.random() < 0.22:
                    box3(
                        light, x + span // 3, roof + 8, x + span // 3 + 3, roof + tall * 0.5, pick(rng, NEON)
                    )
            x += span + int(rng.uniform(0, 0.25) * wide * unit)
    picture += light
    if lit is not None:
        glow = np.zeros((*picture.shape[:2], 4), np.float32)
        add_glow(glow, light, 7, 0.8)
        picture += glow[..., :3]


def _lit_windows(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator,
    light: Paint,
    area: tuple[int, int, int, int],
    step: int,
    near: float,
    colours: tuple[Rgb, ...],
) -> None:
    left, right, top, bottom = area
    rows, columns = (bottom - 8 - top) // step, (right - left - 4) // step
    if rows < 1 or columns < 1:
        return
    grid = (rng.random((rows, columns)) < 0.26) * rng.uniform(0.25, 0.9, (rows, columns)) * (0.5 + 0.5 * near)
    cell = np.zeros((step, step), np.float32)
    cell[: (step + 1) // 2, : (step + 1) // 2] = 1
    panes = np.kron(grid.astype(np.float32), cell)[..., None] * np.array(bgr(pick(rng, colours)), np.float32)
    part = light[top + 5 : top + 5 + panes.shape[0], left + 2 : left + 2 + panes.shape[1]]
    np.maximum(part, panes[: part.shape[0], : part.shape[1]], out=part)
