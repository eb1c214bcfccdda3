"""Seamless ground textures: square BGRA tiles, their alpha the strength of the mirror (see ground.Ground)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import disc, ellipse, finish, noise, scaled
from klingo1.draft.stage import Image, Paint, Rgb, bgr

if TYPE_CHECKING:
    from numpy.random import Generator

SIDE = 512
"""Pixels; with six to nine metres a tile that is one texel per 1.5 cm, enough under a lens at eye height."""


def _grain(rng: Generator, side: int, blur_x: float = 0.0, blur_y: float = 0.0) -> Paint:
    """Fine seamless noise, mean 0, deviation 1, smeared by the given pixels."""
    fine = rng.standard_normal((side, side), dtype=np.float32)
    if blur_x or blur_y:
        margin = 24
        smeared = cv2.GaussianBlur(
            np.pad(fine, margin, mode="wrap"), (0, 0), sigmaX=max(blur_x, 0.3), sigmaY=max(blur_y, 0.3)
        )
        fine = smeared[margin:-margin, margin:-margin]
    return fine / max(float(fine.std()), 1e-6)


def _ground(rng: Generator, base: Rgb, spread: float, side: int, cells: int = 5) -> Paint:
    """The base colour with large soft patches."""
    patches = noise(rng, side, side, cells, octaves=5, gain=0.55, tile=True)
    return np.array(bgr(base), np.float32)[None, None] * (1 + spread * patches[..., None])


def _tile(colour: Paint, mirror: Paint | float = 0.0) -> Image:
    side = colour.shape[0]
    alpha = np.broadcast_to(np.asarray(mirror, np.float32), (side, side)) * 255
    return finish(np.dstack([colour, alpha]))


def grass(rng: Generator, base: Rgb = (104, 134, 66), *, flowers: int = 160, side: int = SIDE) -> Image:
    """Short grass with blades and a few flowers."""
    colour = _ground(rng, base, 0.1, side) * (1 + 0.17 * _grain(rng, side, 0.6, 2.4)[..., None])
    for _ in range(flowers):
        tint: Rgb = ((250, 240, 170), (255, 255, 250), (250, 170, 150))[rng.integers(3)]
        at = (float(rng.uniform(4, side - 4)), float(rng.uniform(4, side - 4)))
        disc(colour, at, float(rng.uniform(0.7, 1.8)), scaled(tint, sum(base) / 300))
    return _tile(colour)


def sand(rng: Generator, base: Rgb = (214, 168, 116), *, ripples: float = 0.05, side: int = SIDE) -> Image:
    """Sand with wind ripples."""
    row, column = np.mgrid[0:side, 0:side].astype(np.float32) * np.float32(2 * np.pi / side)
    patches = noise(rng, side, side, 4, octaves=4, tile=True)
    waves = np.sin(row * 14 + 2.2 * patches + 0.8 * np.sin(column * 3))
    colour = _ground(rng, base, 0.05, side)
    return _tile(colour * (1 + ripples * waves + 0.035 * _grain(rng, side))[..., None])


def snow(rng: Generator, base: Rgb = (206, 214, 228), *, side: int = SIDE) -> Image:
    """Snow with soft hollows and single glints."""
    colour = _ground(rng, base, 0.045, side) * (1 + 0.015 * _grain(rng, side)[..., None])
    colour[rng.random((side, side)) > 0.9985] = 255
    return _tile(colour)


def soil(rng: Generator, base: Rgb = (66, 62, 40), *, litter: int = 900, side: int = SIDE) -> Image:
    """Forest floor: earth with fallen leaves."""
    colour = _ground(rng, base, 0.16, side) * (1 + 0.16 * _grain(rng, side, 1.0, 1.0)[..., None])
    bright = sum(base) / 170
    for _ in range(litter):
        leaf: Rgb = ((122, 86, 44), (86, 62, 34), (70, 84, 40), (140, 110, 60))[rng.integers(4)]
        at = (float(rng.uniform(6, side - 6)), float(rng.uniform(6, side - 6)))
        radii = (float(rng.uniform(1, 3)), float(rng.uniform(0.5, 1.5)))
        tone = bright * float(rng.uniform(0.6, 1.1))
        ellipse(colour, at, radii, scaled(leaf, tone), float(rng.uniform(0, 180)))
    return _tile(colour)


def asphalt(rng: Generator, base: Rgb = (44, 44, 48), *, wet: float = 0.0, side: int = SIDE) -> Image:
    """Road surface; `wet` (0-1) spreads puddles that mirror."""
    patches = noise(rng, side, side, 4, octaves=5, gain=0.55, tile=True)
    puddle = 1 / (1 + np.exp(-(patches - 0.15) * 3.2))
    dry = 1 + 0.16 * (1 - puddle) if wet else 1 + 0.08 * patches
    colour = (
        np.array(bgr(base), np.float32)[None, None]
        * (dry * (1 + 0.055 * _grain(rng, side, 0.7, 0.7)))[..., None]
    )
    return _tile(colour, np.clip((0.3 + 0.7 * puddle) * wet, 0, 1))


def paving(
    rng: Generator, base: Rgb = (120, 116, 110), *, slabs: int = 6, wet: float = 0.0, side: int = SIDE
) -> Image:
    """Stone slabs, each of its own tone, with joints."""
    tones = np.kron(rng.normal(1, 0.06, (slabs, slabs)), np.ones((side // slabs + 1, side // slabs + 1)))
    colour = _ground(rng, base, 0.06, side) * tones[:side, :side, None].astype(np.float32)
    colour *= (1 + 0.05 * _grain(rng, side))[..., None]
    for k in range(slabs):
        at = k * side // slabs
        colour[at : at + 2] *= 0.7
        colour[:, at : at + 2] *= 0.7
    return _tile(colour, wet)


def water(rng: Generator, base: Rgb = (30, 84, 108), *, mirror: float = 0.6, side: int = SIDE) -> Image:
    """A lake's or sea's surface: low waves, streaked across the view."""
    streaks = _grain(rng, side, 12.0, 2.0)
    swell = noise(rng, side, side, 6, octaves=4, tile=True)
    colour = np.array(bgr(base), np.float32)[None, None] * (1 + 0.1 * streaks + 0.06 * swell)[..., None]
    return _tile(colour, np.clip(mirror * (1 + 0.12 * streaks), 0, 1))


def planks(
    rng: Generator, base: Rgb = (128, 92, 60), *, boards: int = 10, gloss: float = 0.1, side: int = SIDE
) -> Image:
    """Floor boards that run away from the viewer."""
    fibre = _grain(rng, side, 1.0, 20.0)
    colour = _ground(rng, base, 0.04, side) * (1 + 0.07 * fibre)[..., None]
    width = side // boards
    for k in range(boards):
        left, right = k * width, side if k == boards - 1 else (k + 1) * width
        colour[:, left:right] *= float(rng.normal(1, 0.07))
        colour[:, left : left + 2] *= 0.62
        seam = int(rng.integers(0, side - 2))
        colour[seam : seam + 2, left:right] *= 0.62
    return _tile(colour, gloss)


def plain(base: Rgb, *, mirror: float = 0.0, side: int = 64) -> Image:
    """One even colour: a studio floor."""
    return _tile(np.broadcast_to(np.array(bgr(base), np.float32), (side, side, 3)), mirror)
