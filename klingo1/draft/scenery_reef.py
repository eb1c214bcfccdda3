"""What grows and swims on a reef: corals, anemones, kelp, shoals of fish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import noise, scaled
from klingo1.draft.scenery_strokes import leaves, ribbon, sheet, spikes, tones
from klingo1.draft.stage import Image, Rgb, bgr

if TYPE_CHECKING:
    from numpy.random import Generator


def fan_coral(rng: Generator, ppm: float, tall: float, colour: Rgb) -> Image:
    """A flat tree of thin, forking branches."""
    height, width = tall * ppm, 1.25 * tall * ppm
    picture = sheet(height, width)
    t = np.linspace(0, 1, 6)

    def grow(x: float, y: float, angle: float, long: float, thick: float, level: int) -> None:  # noqa: PLR0917 - what, where and its colours: a painter's natural order
        end = x + np.sin(angle) * long, y - np.cos(angle) * long
        bend = 0.12 * long * rng.normal()
        path = np.stack([x + (end[0] - x) * t + bend * np.sin(np.pi * t), y + (end[1] - y) * t], axis=-1)
        red, green, blue = tones(colour, np.array([0.62 + 0.11 * level + rng.normal(0, 0.03)]))[0]
        ribbon(picture, path, thick * (1 - 0.3 * t), (float(red), float(green), float(blue)))
        if level < 5:
            for side in (-1, 1) if level else (-1, 0, 1):
                turn = angle + side * rng.uniform(0.24, 0.5) + rng.normal(0, 0.08)
                grow(
                    float(end[0]), float(end[1]), turn, long * rng.uniform(0.7, 0.86), thick * 0.74, level + 1
                )

    grow(width / 2, height, 0.0, 0.25 * height, 0.075 * height, 0)
    return picture


def tube_coral(rng: Generator, ppm: float, tall: float, colour: Rgb) -> Image:
    """A cluster of open tubes."""
    height, width = tall * ppm, 1.3 * tall * ppm
    picture = sheet(height, width)
    t = np.linspace(0, 1, 8)
    for lean in sorted(rng.uniform(-0.55, 0.55, 9), key=lambda a: -abs(a)):
        long = height * rng.uniform(0.5, 0.85) * (1 - 0.3 * abs(lean))
        path = np.stack([width / 2 + np.sin(lean) * long * t**1.2 * 1.1, height - long * t], axis=-1)
        thick = height * (0.075 + 0.05 * t)
        red, green, blue = tones(colour, np.array([rng.uniform(0.7, 1.05)]))[0]
        tone: Rgb = (float(red), float(green), float(blue))
        ribbon(picture, path, thick, scaled(tone, 0.8))
        ribbon(picture, path + np.array([thick.mean() * 0.16, 0]), thick * 0.5, scaled(tone, 1.12))
        mouth = path[-1][None]
        radius = np.array([thick[-1] * 0.52])
        leaves(picture, mouth, radius * 1.05, radius * 0.5, np.array([lean]), tones(tone, np.array([1.2])))
        leaves(picture, mouth, radius * 0.75, radius * 0.32, np.array([lean]), tones(tone, np.array([0.34])))
    return picture


def brain_coral(rng: Generator, ppm: float, tall: float, colour: Rgb) -> Image:
    """A dome with winding grooves."""
    height, width = round(tall * ppm), round(1.7 * tall * ppm)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    far = np.hypot(x, y)
    cover = np.clip((1 - far) * height + 0.5, 0, 1)
    maze = np.sin(noise(rng, height, width, 7, octaves=2) * 7)
    tone = (0.62 + 0.3 * y + 0.16 * x + 0.14 * maze) * (0.6 + 0.4 * np.sqrt(np.clip(1 - far**2, 0, 1)))
    picture = np.array(bgr(colour), np.float32) * tone.clip(0.15, 1.4)[..., None]
    return np.dstack([picture.clip(0, 255) * cover[..., None], cover * 255]).astype(np.uint8)


def anemone(rng: Generator, ppm: float, tall: float, colour: Rgb) -> Image:
    """Soft arms that wave in all directions, with bright tips."""
    height, width = tall * ppm, 1.6 * tall * ppm
    picture = sheet(height, width)
    t = np.linspace(0, 1, 8)
    for angle in sorted(rng.uniform(-1.35, 1.35, 34), key=lambda a: -abs(a)):
        long = height * rng.uniform(0.66, 0.95)
        path = np.stack(
            [
                width / 2 + np.sin(angle) * long * 0.8 * t + 0.05 * long * np.sin(t * 5 + rng.uniform(0, 6)),
                height - np.cos(angle) * long * t - 0.14 * long * t * abs(np.sin(angle)),
            ],
            axis=-1,
        )
        bright = rng.uniform(0.66, 1.05)
        red, green, blue = tones(colour, np.array([bright]))[0]
        ribbon(picture, path, 0.07 * height * (1 - 0.45 * t), (float(red), float(green), float(blue)))
        size = np.array([0.036 * height])
        leaves(
            picture, path[-1][None], size, size, np.zeros(1), tones((250, 240, 220), np.array([bright * 0.9]))
        )
    return picture


def kelp(rng: Generator, ppm: float, tall: float, green: Rgb) -> Image:
    """Long waving fronds with leaves on both sides."""
    height, width = tall * ppm, 0.44 * tall * ppm
    picture = sheet(height, width)
    t = np.linspace(0, 1, 26)
    for k in range(4):
        foot = width * (0.5 + 0.2 * (k - 1.5) / 1.5 + rng.normal(0, 0.03))
        long = height * rng.uniform(0.6, 0.98)
        sway = rng.uniform(0.05, 0.13) * width * np.sin(t * rng.uniform(4, 7) + rng.uniform(0, 6)) * (0.3 + t)
        path = np.stack([foot + sway + rng.normal(0, 0.12) * width * t, height - long * t], axis=-1)
        bright = 0.6 + 0.11 * k
        red, dense, blue = tones(green, np.array([bright]))[0]
        ribbon(picture, path, 0.035 * ppm * (1 - 0.6 * t) + 1, (float(red), float(dense), float(blue)))
        for side in (-1, 1):
            tip = path[1:] + np.stack(
                [side * 0.13 * width * (1.1 - 0.6 * t[1:]), np.full(25, -0.05 * long)], axis=-1
            )
            tip += rng.normal(0, 0.012 * width, tip.shape)
            spikes(
                picture, path[1:], tip, np.full(25, 0.04 * ppm + 1),
                tones(green, bright * (1.0 if side > 0 else 0.8) + rng.normal(0, 0.05, 25)),
            )  # fmt: skip
    return picture


def shoal(rng: Generator, ppm: float, wide: float, tall: float, colour: Rgb, *, fish: int = 26) -> Image:
    """Small fish that swim together to the left."""
    picture = sheet(tall * ppm, wide * ppm)
    height, width = picture.shape[:2]
    for _ in range(fish):
        far = np.clip(rng.normal(0, 0.36, 2), -0.85, 0.85)
        size = float(rng.uniform(0.055, 0.1) * ppm)
        x, y = width * (0.5 + 0.48 * far[0]), height * (0.5 + 0.42 * far[1])
        tone = tones(colour, np.array([rng.uniform(0.7, 1.1)]))
        tail = np.array([[x + size * 1.7, y]])
        spikes(picture, tail, np.array([[x + size * 0.6, y]]), np.array([size * 0.9]), tone * 0.85)
        leaves(picture, np.array([[x, y]]), np.array([size]), np.array([size * 0.42]), np.zeros(1), tone)
        belly = np.array([[x - 0.05 * size, y + 0.14 * size]])
        leaves(
            picture,
            belly,
            np.array([size * 0.7]),
            np.array([size * 0.18]),
            np.zeros(1),
            np.minimum(tone * 1.25, 255),
        )
        cv2.circle(
            picture,
            (round(x - 0.62 * size), round(y - 0.06 * size)),
            max(1, round(size * 0.1)),
            (20, 20, 20, 255),
            -1,
        )
    return picture
