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
from klingo1.draft.light import Wash
from klingo1.draft.paint import glow_sprite
from klingo1.draft.stage import Image, Rgb, bgr
from klingo1.draft.weather_tiles import flakes, fog_banks, scrap, streaks, sunbeams


@dataclass(frozen=True, slots=True)
class _Scroll:
    """A seamless tile, twice as tall as the frame, that falls `speed` pixels a second and sways. A tile
    without colours (two axes) is light for the luma of a picture.
    """

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

    def wash(self, t: float, strength: float = 1.0) -> tuple[Image, Image]:
        """What shows through the banks (one channel), and their own light (BGRA), small."""
        columns = self.cover.shape[1] // 2
        left = round(self.speed * t) % columns
        bank = cv2.convertScaleAbs(self.cover[:, left : left + columns], alpha=strength)
        # Coloured while it is small: on every pixel of a frame the same step takes eight milliseconds.
        tint = cv2.transform(bank, np.array([*bgr(self.colour), 255], np.float32)[:, None] / 255)
        return cv2.bitwise_not(bank), tint

    def draw(self, frame: Image, t: float) -> None:
        size = frame.shape[1], frame.shape[0]
        shown, tint = self.wash(t)
        kept = cv2.resize(shown, size, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(frame, cv2.cvtColor(kept, cv2.COLOR_GRAY2BGRA), dst=frame, scale=1 / 255)
        cv2.add(frame, cv2.resize(tint, size, interpolation=cv2.INTER_LINEAR), dst=frame)


@dataclass(frozen=True, slots=True)
class _Rays:
    """Slanting sunbeams; they swell and fade slowly."""

    beams: Image

    def light(self, t: float) -> Image:
        """The beams' own light (BGR), small."""
        glow: Image = cv2.convertScaleAbs(self.beams, alpha=0.78 + 0.22 * math.sin(t * 1.4))
        return glow


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
        """Add what has an outline to a finished frame (BGRA), `t` seconds into the film."""
        for layer in self._layers:
            if isinstance(layer, _Motes) or (isinstance(layer, _Scroll) and layer.tile.ndim > 2):
                layer.draw(frame, t)

    def draw_rain(self, luma: Image, t: float) -> None:
        """Add streaks, which have no colour, to the luma of a finished frame: a quarter of the work."""
        for layer in self._layers:
            if isinstance(layer, _Scroll) and layer.tile.ndim == 2:
                layer.draw(luma, t)

    def wash(self, t: float) -> Wash | None:
        """What is soft and lies before everything: sunbeams, and of fog a thin veil."""
        kept, added = np.full((2, 2), 255, np.uint8), None
        for layer in self._layers:
            if isinstance(layer, _Veil):
                kept, tint = layer.wash(t + 7, 0.22)
                light = cv2.cvtColor(tint, cv2.COLOR_BGRA2BGR)
            elif isinstance(layer, _Rays):
                light = layer.light(t)
            else:
                continue
            if added is not None:
                light = cv2.add(light, cv2.resize(added, light.shape[1::-1], interpolation=cv2.INTER_LINEAR))
            added = light
        return None if added is None else Wash(kept, added)

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
                _Scroll(streaks(rng, width, height, 150, 46 * unit, 70, 1), 1500 * unit),
                _Scroll(streaks(rng, width, height, 60, 80 * unit, 80, 2), 2300 * unit),
            ]
        case "drizzle":
            return [_Scroll(streaks(rng, width, height, 90, 34 * unit, 48, 1), 1300 * unit)]
        case "snow":
            return [
                _Scroll(flakes(rng, width, height, 260, (0.8, 1.6), 0.6, 250), 70 * unit, 8 * unit),
                _Scroll(flakes(rng, width, height, 90, (1.8, 3.2), 1.2, 250), 120 * unit, 16 * unit),
                _Scroll(flakes(rng, width, height, 16, (6, 11), 4, 118), 210 * unit, 30 * unit),
            ]
        case "fog":
            return [_Veil(fog_banks(rng, width, height), haze, 5.0 * unit)]
        case "rays":
            return [_Rays(sunbeams(rng, width, height))]
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


def _motes(  # noqa: PLR0917 - one caller, which has them all at hand
    rng: Generator, width: int, height: int, count: int, sizes: tuple[int, int], colours: Sequence[Rgb],
    *, rise: float, paper: bool = False,
) -> _Motes:  # fmt: skip
    unit = min(width, height) / 720
    steps = [max(2, round(unit * s)) for s in range(sizes[0], sizes[1] + 1)]
    sprites = tuple(
        tuple(scrap(step, colour) if paper else glow_sprite(step * 3, colour, 1.0) for step in steps)
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
