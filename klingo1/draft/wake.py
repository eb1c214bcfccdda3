"""What speed leaves behind: puffs of dust on the ground and streaks in the air."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from klingo1.draft.paint import cut_out
from klingo1.draft.scenery import Standing
from klingo1.draft.sprites import paint_sprite
from klingo1.draft.stage import Camera, Image, Rgb, bgr

RAISES_DUST = frozenset(("drive", "ride", "run"))
_EVERY = 0.07
"""Seconds between two puffs."""
_LASTS = 0.8
"""Seconds until a puff is gone."""
_STREAKS = 7


@dataclass(frozen=True, slots=True)
class Wake:
    """The dust and the streaks behind somebody who moves `speed` metres a second, sideways or along z.

    `height` and `half` are the mover's height and half its width in metres. Everything is a function of time.
    """

    dust: Image
    streak: Image
    speed: float
    lateral: bool
    height: float
    half: float

    @classmethod
    def of(cls, action: str, *, haze: Rgb, speed: float, lateral: bool, height: float, half: float) -> Wake:
        """Dust in the colour of the place's air; runners leave no streaks."""
        radius = np.hypot(*np.mgrid[-1:1:65j, -1:1:65j])
        cover = (0.85 * np.exp(-((1.9 * radius) ** 2)) * np.clip(1.2 - radius, 0, 1)).astype(np.float32)
        dust = cut_out(np.full((65, 65, 3), bgr(haze), np.float32) * 0.4 + 130, cover)
        streak = _streak() if action != "run" else np.zeros((0, 0, 4), np.uint8)
        return cls(dust, streak, speed, lateral, height, half)

    def standing(self, camera: Camera, at: tuple[float, float], t: float) -> Standing | None:
        """How to paint it `t` seconds into the shot behind somebody who is at (x, z) now."""
        if not self.speed:
            return None
        behind = not self.lateral and self.speed < 0
        depth = at[1] - camera.z + (0.1 if behind else -0.06)
        return Standing(depth, lambda frame: self._paint(frame, camera, at, t)) if depth > 0.6 else None

    def _paint(self, frame: Image, camera: Camera, at: tuple[float, float], t: float) -> None:
        heading = math.copysign(1.0, self.speed)
        newest = math.floor(t / _EVERY)
        for number in range(max(0, newest - int(_LASTS / _EVERY)), newest + 1):
            age = t - number * _EVERY
            if not 0 <= age < _LASTS:
                continue
            back = abs(self.speed) * age + (0.8 * self.half if self.lateral else 0.0)
            wander = math.sin(number * 12.9898) * 43758.5453 % 1
            x = at[0] - (heading * back if self.lateral else (wander - 0.5) * 1.6 * self.half)
            z = at[1] - (0.0 if self.lateral else heading * back)
            size = (0.18 + 0.5 * age) * (0.5 + 0.5 * self.height)
            place = (x, 0.35 * size + 0.25 * age * wander, min(z, at[1] + 1.0))
            gain = 0.85 * (1 - age / _LASTS)
            half = self.dust.shape[0] / 2
            paint_sprite(
                frame, camera, self.dust, ppm=2 * half / size, anchor=(half, half), at=place, gain=gain
            )
        if not self.lateral or not self.streak.size:
            return
        tall, long = self.streak.shape[:2]
        for number in range(_STREAKS):
            life = (t * (1.6 + 0.17 * number) + number * 0.37) % 1
            y = self.height * (0.12 + 0.8 * ((number * 0.618) % 1))
            back = self.half * (0.7 + 0.3 * math.cos(number)) + (0.2 + 1.1 * life)
            gain = 0.75 * math.sin(math.pi * life)
            paint_sprite(
                frame, camera, self.streak, ppm=long / (0.5 + 0.5 * life), anchor=(long / 2, tall / 2),
                at=(at[0] - heading * back, y, at[1]), gain=gain,
            )  # fmt: skip


def _streak() -> Image:
    """A thin white dash with soft ends, premultiplied."""
    across = np.exp(-(((np.arange(9) - 4) / 1.6) ** 2))[:, None]
    along = np.sin(np.linspace(0, math.pi, 160))[None]
    cover = (0.9 * across * along).astype(np.float32)
    return cut_out(np.full((*cover.shape, 3), 255, np.float32), cover)
