"""Weather and floating things, laid over the finished scene.

Rain and snow are tall seamless tiles that scroll: one addition a frame each. Fireflies, embers, confetti and
leaves are sprites on paths that are functions of time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from klingo1.draft.cards import place
from klingo1.draft.paint import finish, glow_sprite, noise, polygon
from klingo1.draft.stage import Image, Paint, Rgb, bgr


@dataclass(frozen=True, slots=True)
class _Scroll:
    """A seamless tile, twice as tall as the frame, that falls `speed` pixels a second and sways."""

    tile: Image
    speed: float
    sway: float = 0.0

    def draw(self, frame: Image, t: float) -> None:
        height, width = frame.shape[:2]
        top = round(-self.speed * t) % height
        source = self.tile[top : top + height]
        shift = round(self.sway * math.sin(t * 0.9 + self.speed)) % width
        for to, from_ in (
            (frame[:, shift:], source[:, : width - shift]),
            (frame[:, :shift], source[:, width - shift :]),
        ):
            if to.size:
                cv2.add(to, from_, dst=to)


@dataclass(frozen=True, slots=True)
class _Veil:
    """Fog banks that drift sideways: a soft cover of haze, thickest at the horizon and low down."""

    cover: Image
    colour: Rgb
    speed: float

    def draw(self, frame: Image, t: float, strength: float = 1.0) -> None:
        size = frame.shape[1], frame.shape[0]
        columns = self.cover.shape[1] // 2
        left = round(self.speed * t) % columns
        bank = cv2.convertScaleAbs(self.cover[:, left : left + columns], alpha=strength)
        # Coloured while it is small: on every pixel of a frame the same step takes eight milliseconds.
        tint = cv2.transform(bank, np.array([*bgr(self.colour), 255], np.float32)[:, None] / 255)
        kept = cv2.resize(cv2.bitwise_not(bank), size, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(frame, cv2.cvtColor(kept, cv2.COLOR_GRAY2BGRA), dst=frame, scale=1 / 255)
        cv2.add(frame, cv2.resize(tint, size, interpolation=cv2.INTER_LINEAR), dst=frame)


@dataclass(frozen=True, slots=True)
class _Rays:
    """Slanting sunbeams; they swell and fade slowly."""

    beams: Image

    def draw(self, frame: Image, t: float) -> None:
        glow = cv2.convertScaleAbs(self.beams, alpha=0.78 + 0.22 * math.sin(t * 1.4))
        height, width = frame.shape[:2]
        cv2.add(frame, cv2.resize(glow, (width, height), interpolation=cv2.INTER_LINEAR), dst=frame)


@dataclass(frozen=True, slots=True)
class _Mote:
    x: float
    y: float
    size: int
    phase: float
    pace: float
    reach: float
    kind: int = 0


@dataclass(frozen=True, slots=True)
class _Motes:
    """Floating sprites. `rise` is pixels a second upwards (negative: they fall); `tumble` turns them."""

    motes: tuple[_Mote, ...]
    sprites: tuple[tuple[Image, ...], ...]
    rise: float
    tumble: bool = False
    twinkle: bool = True

    def draw(self, frame: Image, t: float) -> None:
        height, width = frame.shape[:2]
        for mote in self.motes:
            sway = math.sin(mote.pace * t * 1.3 + mote.phase) + 0.4 * math.sin(
                mote.pace * t * 3 + mote.phase * 2
            )
            x = (mote.x + mote.reach * sway) % width
            climb = self.rise * t * (0.5 + mote.pace)
            y = (
                mote.y + 0.7 * mote.reach * math.cos(mote.pace * t * 1.1 + mote.phase * 1.7) - climb
            ) % height
            bright = (
                0.55 + 0.45 * math.sin(t * (1.2 + mote.pace * 2) + mote.phase * 3) if self.twinkle else 1.0
            )
            if bright < 0.12:
                continue
            sprite = self.sprites[mote.kind][mote.size]
            half = sprite.shape[0] / 2
            angle = mote.phase + t * (2 + 3 * mote.pace) if self.tumble else 0.0
            squash = 0.25 + 0.75 * abs(math.cos(t * 3 * mote.pace + mote.phase)) if self.tumble else 1.0
            cos, sin = math.cos(angle), math.sin(angle)
            turn = np.array([[cos, -sin * squash, 0.0], [sin, cos * squash, 0.0]])
            turn[:, 2] = (x, y) - turn[:, :2] @ (half, half)
            place(frame, sprite, turn, gain=bright, glow=not self.tumble)


class Weather:
    """Everything that falls, floats or drifts in one shot."""

    def __init__(self, names: Sequence[str], width: int, height: int, haze: Rgb, rng: Generator) -> None:
        self._layers: list[_Scroll | _Veil | _Rays | _Motes] = []
        for name in dict.fromkeys(names):
            self._layers += _layers(name, width, height, haze, rng)

    def draw(self, frame: Image, t: float) -> None:
        """Add it to a finished frame (BGRA), `t` seconds into the film; of fog a thin veil alone."""
        for layer in self._layers:
            if isinstance(layer, _Veil):
                layer.draw(frame, t + 7, 0.22)
            else:
                layer.draw(frame, t)

    def draw_behind(self, frame: Image, t: float) -> None:
        """Add what hangs behind the cast: fog, which would hide faces if it lay over them."""
        for layer in self._layers:
            if isinstance(layer, _Veil):
                layer.draw(frame, t)


def _layers(
    name: str, width: int, height: int, haze: Rgb, rng: Generator
) -> list[_Scroll | _Veil | _Rays | _Motes]:
    unit = min(width, height) / 720
    match name:
        case "rain":
            return [
                _Scroll(_streaks(rng, width, height, 150, 46 * unit, 70, 1), 1500 * unit),
                _Scroll(_streaks(rng, width, height, 60, 80 * unit, 80, 2), 2300 * unit),
            ]
        case "drizzle":
            return [_Scroll(_streaks(rng, width, height, 90, 34 * unit, 48, 1), 1300 * unit)]
        case "snow":
            return [
                _Scroll(_flakes(rng, width, height, 260, (0.8, 1.6), 0.6, 250), 70 * unit, 8 * unit),
                _Scroll(_flakes(rng, width, height, 90, (1.8, 3.2), 1.2, 250), 120 * unit, 16 * unit),
                _Scroll(_flakes(rng, width, height, 16, (6, 11), 4, 118), 210 * unit, 30 * unit),
            ]
        case "fog":
            return [_Veil(_banks(rng, width, height), haze, 5.0 * unit)]
        case "rays":
            return [_Rays(_beams(rng, width, height))]
        case "fireflies":
            return [_motes(rng, width, height, 46, (3, 11), [(225, 235, 90)], rise=0)]
        case "embers":
            return [_motes(rng, width, height, 60, (3, 9), [(255, 120, 40)], rise=34 * unit)]
        case "dust":
            return [_motes(rng, width, height, 54, (2, 6), [(255, 225, 170)], rise=0)]
        case "bubbles":
            return [_motes(rng, width, height, 40, (3, 9), [(150, 220, 255)], rise=60 * unit)]
        case "confetti":
            colours: list[Rgb] = [
                (255, 70, 90),
                (255, 200, 40),
                (70, 170, 255),
                (80, 210, 120),
                (200, 110, 255),
            ]
            return [_motes(rng, width, height, 70, (5, 9), colours, rise=-90 * unit, paper=True)]
        case "leaves":
            colours = [(214, 120, 40), (190, 70, 36), (228, 172, 60), (150, 130, 50)]
            return [_motes(rng, width, height, 34, (7, 13), colours, rise=-60 * unit, paper=True)]
        case _:
            return []


def _twice(tile: Paint) -> Image:
    """Stack a tile on itself so that any window of its height can be cut out; alpha 0 (it only adds
    light).
    """
    light = finish(np.dstack([tile, np.zeros(tile.shape[:2], np.float32)]))
    return np.concatenate([light, light])


def _streaks(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator, width: int, height: int, count: int, length: float, bright: float, thick: int
) -> Image:
    tile = np.zeros((height, width), np.float32)
    thickness = max(1, round(thick * min(width, height) / 720))
    for _ in range(count):
        x, y = rng.uniform(-0.1 * width, 1.1 * width), rng.uniform(0, height)
        long, value = length * rng.uniform(0.6, 1.3), bright * rng.uniform(0.4, 1)
        for top in (y, y - height):
            start, end = (
                (round(x * 8), round(top * 8)),
                (round((x - long * 0.1) * 8), round((top + long) * 8)),
            )
            cv2.line(tile, start, end, value, thickness, cv2.LINE_AA, 3)
    tile = cv2.GaussianBlur(tile, (0, 0), 0.7, borderType=cv2.BORDER_REFLECT)
    return _twice(np.repeat(tile[..., None], 3, axis=2))


def _flakes(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator,
    width: int,
    height: int,
    count: int,
    radii: tuple[float, float],
    blur: float,
    bright: float,
) -> Image:
    unit = min(width, height) / 720
    tile = np.zeros((height, width, 3), np.float32)
    for _ in range(count):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius, value = rng.uniform(*radii) * unit, bright * rng.uniform(0.35, 1)
        for dx in (-width, 0, width):
            for dy in (-height, 0, height):
                centre = (round((x + dx) * 8), round((y + dy) * 8))
                cv2.circle(tile, centre, round(radius * 8), (value,) * 3, -1, cv2.LINE_AA, 3)
    return _twice(cv2.GaussianBlur(tile, (0, 0), blur * unit))


def _banks(rng: Generator, width: int, height: int) -> Image:
    rows, columns = max(8, height // 16), max(8, width // 16)
    cloud = noise(rng, rows * 2, columns, 4, octaves=3, tile=False)[:rows]
    bank = np.clip(0.36 + 0.2 * cloud, 0, 0.8)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    bank = bank * np.exp(-(((down - 0.55) / 0.4) ** 2))
    mirrored = np.concatenate([bank, bank[:, ::-1]], axis=1)
    return np.ascontiguousarray((np.concatenate([mirrored, mirrored], axis=1) * 255).astype(np.uint8))


def _beams(rng: Generator, width: int, height: int) -> Image:
    rows, columns = height // 4, width // 4
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    from_x, from_y = columns * 0.72, -rows * 0.5
    angle = np.arctan2(x - from_x, y - from_y)
    light = np.zeros((rows, columns), np.float32)
    for _ in range(9):
        light += np.exp(-(((angle - rng.uniform(-1.0, 0.45)) / rng.uniform(0.012, 0.04)) ** 2)) * rng.uniform(
            0.4, 1
        )
    light *= np.clip(1 - (np.hypot(x - from_x, y - from_y) / (rows * 1.75)) ** 2, 0, 1)
    light = cv2.GaussianBlur(light, (0, 0), 3) * 48
    return finish(light[..., None] * np.array([0.62, 0.86, 1.0, 0.0], np.float32))


def _motes(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator, width: int, height: int, count: int, sizes: tuple[int, int], colours: Sequence[Rgb],
    *, rise: float, paper: bool = False,
) -> _Motes:  # fmt: skip
    unit = min(width, height) / 720
    steps = [max(2, round(unit * s)) for s in range(sizes[0], sizes[1] + 1)]
    sprites = tuple(
        tuple(_scrap(step, colour) if paper else glow_sprite(step * 3, colour, 1.0) for step in steps)
        for colour in colours
    )
    motes = tuple(
        _Mote(
            x=float(rng.uniform(0, width)),
            y=float(rng.uniform(0.05, 0.95) * height),
            size=int(rng.integers(len(steps))),
            phase=float(rng.uniform(0, 2 * math.pi)),
            pace=float(rng.uniform(0.3, 1)),
            reach=float(rng.uniform(8, 30) * unit),
            kind=int(rng.integers(len(colours))),
        )
        for _ in range(count)
    )
    return _Motes(motes, sprites, rise, tumble=paper, twinkle=not paper)


def _scrap(size: int, colour: Rgb) -> Image:
    """A piece of paper or a leaf: a small lens shape."""
    side = 2 * size + 3
    picture = np.zeros((side, side, 4), np.float32)
    middle = side / 2
    points = [
        (middle + size * math.cos(a), middle + size * 0.55 * math.sin(a))
        for a in np.linspace(0, 2 * math.pi, 14, endpoint=False)
    ]
    polygon(picture, points, colour)
    return finish(picture)
