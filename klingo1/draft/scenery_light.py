"""The light of the hour out of doors: the table of skies.py, richer at the horizon, graded by the looks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from klingo1.draft.light import Light
from klingo1.draft.paint import blend
from klingo1.draft.scenery_clouds import banks, veil
from klingo1.draft.scenery_weather import clouded, cloudiness
from klingo1.draft.skies import Daylight, daylight, sky

if TYPE_CHECKING:
    from klingo1.draft.sets import SetSpec
    from klingo1.draft.stage import Paint, Rgb

Stops = tuple[tuple[float, "Rgb"], ...]
_STOPS: dict[str, Stops] = {
    "day": ((0, (38, 98, 190)), (0.45, (66, 142, 220)), (0.8, (150, 202, 238)), (1, (226, 240, 242))),
    "dawn": (
        (0, (88, 116, 176)), (0.45, (136, 152, 204)), (0.7, (218, 182, 202)), (0.88, (252, 206, 174)),
        (1, (255, 230, 196)),
    ),
    "dusk": (
        (0, (36, 40, 104)), (0.45, (92, 68, 140)), (0.66, (192, 96, 136)), (0.84, (250, 142, 98)),
        (1, (255, 208, 132)),
    ),
    "night": ((0, (8, 14, 48)), (0.4, (20, 42, 96)), (0.75, (56, 100, 154)), (1, (134, 178, 204))),
}  # fmt: skip
_HAZE: dict[str, Rgb] = {"night": (84, 124, 162), "dusk": (246, 168, 122)}
_DIM = {"night": 0.44, "dusk": 0.84, "dawn": 0.9}
_WASH: dict[str, Rgb] = {"dawn": (1.05, 0.97, 0.95), "dusk": (1.12, 0.92, 0.84), "night": (0.84, 0.98, 1.2)}
"""Factors on painted colours: what the light of the hour does to green grass."""
_CLOUD: dict[str, tuple[Rgb, Rgb]] = {
    "day": ((255, 255, 255), (178, 200, 224)),
    "dawn": ((255, 236, 220), (188, 172, 202)),
    "dusk": ((255, 196, 140), (150, 88, 138)),
    "night": ((150, 178, 210), (48, 74, 122)),
}
"""Clouds: their lit and their shaded side."""


@dataclass(frozen=True, slots=True)
class Hour:
    """A time of day with the prompt's looks mixed in. `air` scales distances in the haze (less: thicker)."""

    time: str
    tone: Daylight
    air: float
    sun_x: float
    sun_y: float
    cloud: tuple[Rgb, Rgb]
    wash: Rgb = (1.0, 1.0, 1.0)
    """Factors that the looks lay over every painted colour."""
    cover: float = 0.0
    """How much of the sky the weather hides."""

    def paint(self, colour: Rgb, distance: float = 0.0) -> Rgb:
        """A colour as it looks now, `distance` (0-1) of the way into the haze."""
        red, green, blue = (part * factor for part, factor in zip(colour, self.wash, strict=True))
        return self.tone.paint((red, green, blue), distance)

    @staticmethod
    def reach(spec: SetSpec) -> float:
        """Pixels that heights on the sky card are measured by: hills stay hills in tall pictures."""
        return min(0.8 * spec.height, 0.7 * spec.width)

    @property
    def dark(self) -> bool:
        """Whether it is night."""
        return self.time == "night"

    def sky(
        self, spec: SetSpec, *, clouds: float = 0.6, heaps: float = 0.0, stops: Stops | None = None
    ) -> tuple[Paint, int]:
        """A sky for a set, and its horizon's row: gradient, sun, a layer of clouds, heaps of them far off."""
        width, horizon = round(spec.width * 1.5), round(spec.height * 0.8)
        height = horizon + round(spec.height * 0.2)
        picture = sky(
            spec.rng("sky"), width, height, horizon, self.time,
            clouds=0.0, sun_x=self.sun_x, sun_y=self.sun_y, stops=stops or self.tone.stops,
            clear=1 - self.cover,
        )  # fmt: skip
        sun = (self.sun_x * width, self.sun_y * horizon)
        if self.dark and self.cover < 0.5:
            _moon(spec, picture, sun, 0.055 * horizon)
        clouds = max(clouds, 0.95 * self.cover) if clouds > 0 else clouds
        if clouds > 0:
            veil(spec.rng("clouds"), picture, horizon, sun, *self.cloud, amount=clouds)
        if heaps > 0:
            lit, shaded = self.cloud
            banks(
                spec.rng("heaps"),
                picture,
                horizon,
                heaps,
                lit,
                shaded,
                blend(self.tone.stops[-1][1], lit, 0.2),
            )
        return picture, horizon


def hour(spec: SetSpec, *, sun_x: float = 0.64) -> Hour:
    """The hour that the spec names; looks such as golden, misty, moody, cold or neon shift it."""
    time = spec.time if spec.time in _STOPS else "day"
    base = daylight(time)
    tone = replace(
        base,
        stops=_STOPS[time],
        haze=_HAZE.get(time, base.haze),
        dim=_DIM.get(time, 1.0),
        halo=base.halo * 0.85,
    )
    looks = set(spec.looks)
    air = 1.0
    wash = _WASH.get(time, (1.0, 1.0, 1.0))
    if "golden" in looks and time in ("day", "dawn"):
        tone, wash = _mixed(tone, daylight("dusk"), (255, 214, 138), 0.42), (1.12, 1.0, 0.8)
    if "neon" in looks:
        light = replace(tone.light, rim_left=(1.0, 0.3, 0.85), rim_right=(0.25, 0.85, 1.0))
        tone = replace(tone, light=light)
    if "moody" in looks or "rain" in spec.weather:
        tone = replace(tone, dim=tone.dim * 0.86)
    for tint, share in _tints(spec, looks, tone, time):
        tone, wash = _tinted(tone, tint, share), _washed(wash, tint, share)
    if "misty" in looks or "fog" in spec.weather:
        air = 0.5
    cover = cloudiness(spec.weather)
    if cover:
        tone = clouded(tone, time, cover)
    lit, shaded = _CLOUD[time]
    cloud = (blend(lit, tone.stops[1][1], 0.6 * cover), blend(shaded, tone.stops[0][1], 0.6 * cover))
    sun_y = {"night": 0.62, "day": 0.7}.get(time, 0.8)
    return Hour(time, tone, air, sun_x, sun_y, cloud, wash, cover)


def _tints(spec: SetSpec, looks: set[str], tone: Daylight, time: str) -> list[tuple[Rgb, float]]:
    """The colours that looks and weather lay over the light, and how strongly."""
    found: list[tuple[Rgb, float]] = []
    if "warm" in looks:
        found.append(((255, 196, 120), 0.18))
    if "cold" in looks:
        found.append(((120, 176, 236), 0.28))
    if "neon" in looks:
        found.append(((190, 70, 220), 0.3))
    if "moody" in looks or "rain" in spec.weather:
        found.append(((112, 122, 140), 0.4))
    if looks & {"dream", "pastel"}:
        found.append(((244, 206, 236), 0.22))
    if "misty" in looks or "fog" in spec.weather:
        found.append((blend(tone.haze, (214, 220, 224), 0.0 if time == "night" else 0.3), 0.3))
    return found


def _washed(wash: Rgb, tint: Rgb, share: float) -> Rgb:
    """The factors with a tint added; brightness stays."""
    mean = sum(tint) / 3
    red, green, blue = (f * (1 + share * (part / mean - 1)) for f, part in zip(wash, tint, strict=True))
    return red, green, blue


def _mixed(tone: Daylight, other: Daylight, gold: Rgb, share: float) -> Daylight:
    light = tone.light
    return replace(
        tone,
        stops=tuple((at, blend(colour, gold, share * (0.25 + 0.75 * at))) for at, colour in tone.stops),
        haze=blend(tone.haze, gold, share),
        sun=blend(tone.sun, other.sun, 0.5),
        halo=max(tone.halo, 0.6),
        disc=other.disc,
        light=Light((1.06, 0.95, 0.82), light.rim_left, (1.0, 0.8, 0.45), 0.22, light.foot, light.shadow),
    )


def _tinted(tone: Daylight, colour: Rgb, share: float) -> Daylight:
    ambient = blend(tone.light.ambient, (colour[0] / 220, colour[1] / 220, colour[2] / 220), 0.5 * share)
    return replace(
        tone,
        stops=tuple((at, blend(seen, _level(colour, seen), share)) for at, seen in tone.stops),
        haze=blend(tone.haze, _level(colour, tone.haze), share),
        light=replace(tone.light, ambient=ambient),
    )  # fmt: skip


def _level(colour: Rgb, like: Rgb) -> Rgb:
    """The colour, as bright as another."""
    k = sum(like) / max(1.0, sum(colour))
    return min(255.0, colour[0] * k), min(255.0, colour[1] * k), min(255.0, colour[2] * k)


def _moon(spec: SetSpec, picture: Paint, at: tuple[float, float], radius: float) -> None:
    """Grey seas on the moon's face, and a wide glow."""
    rng = spec.rng("moon")
    reach = round(15 * radius)
    x0, y0 = max(0, round(at[0]) - reach), max(0, round(at[1]) - reach)
    part = picture[y0 : round(at[1]) + reach, x0 : round(at[0]) + reach]
    row, column = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32)
    row, column = row + (y0 - at[1]), column + (x0 - at[0])
    away = np.hypot(column, row)
    glow = np.exp(-away / (radius * 3.4)) * 0.3 * np.clip(away - radius, 0, 1)
    part += glow[..., None] * np.array([226, 214, 190], np.float32)
    near = slice(max(0, round(at[1] - radius) - y0 - 2), round(at[1] + radius) - y0 + 2)
    side = slice(max(0, round(at[0] - radius) - x0 - 2), round(at[0] + radius) - x0 + 2)
    row, column, disc = row[near, side], column[near, side], part[near, side]
    face = np.clip(radius - away[near, side], 0, 1)
    for _ in range(7):
        angle, far = rng.uniform(0, 6.28), rng.uniform(0, 0.75)
        x, y = radius * far * np.cos(angle), radius * far * np.sin(angle)
        sea = np.exp(-((np.hypot(column - x, row - y) / (radius * rng.uniform(0.14, 0.36))) ** 2))
        disc *= (1 - 0.16 * sea * face)[..., None]
