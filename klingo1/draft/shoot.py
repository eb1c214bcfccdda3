"""One shot: the cast on its marks, the camera on its path, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from klingo1.draft.acting import act
from klingo1.draft.blocking import HIGH, Blocking, Body, block
from klingo1.draft.camera import move
from klingo1.draft.light import Finish
from klingo1.draft.motion import Path3
from klingo1.draft.plan import FPS, Plan, Shot
from klingo1.draft.player import Costume, Player
from klingo1.draft.scenery import Box, Scenery, Standing
from klingo1.draft.sets import Set
from klingo1.draft.stage import Camera, Image, Rgb, lens
from klingo1.draft.travel import Travel, travel
from klingo1.draft.wake import RAISES_DUST, Wake
from klingo1.draft.weather import Weather

_AIRBORNE = frozenset(("fly", "float"))
_SKY = {"room": 0.25, "studio": 0.25, "picture": 0.0, "sky": 0.0, "space": 0.9, "underwater": 0.5}
"""Metres up that a flyer goes, where it is not the open air above the ground."""
_STEP = 7.3
"""Metres between the places where two shots in the same set begin, so that each shows another part of it."""
_NO_DUST = frozenset(("underwater", "space", "sky", "room", "studio"))
_FROM_ABOVE = frozenset(("rain", "snow", "leaves"))
_SWINGS = frozenset(("pan", "whip"))
"""Moves that shift the whole picture: what leaps before them counts double."""
_SECOND_LIGHT = {"studio": 0.86, "": 0.92}
"""Where there is nothing but a backdrop every other shot has less light, so that a cut is seen as one."""


def heading(shot: Shot) -> str:
    """How the shot's set must run: sideways for a lead who is seen from the side and goes somewhere."""
    lead = shot.parts[0] if shot.parts else None
    return "lateral" if lead is not None and lead.view == "side" else "forward"


@dataclass(frozen=True, slots=True)
class Studio:
    """What all shots share: the film's and the scenery's size in pixels, the plan, and the wardrobe."""

    width: int
    height: int
    inner: tuple[int, int]
    plan: Plan
    wardrobe: Mapping[int, Costume]
    path: Path3 | None = None
    _skies: dict[tuple[tuple[str, ...], Rgb], Weather] = field(default_factory=dict)

    def weather(self, place: Set, seed: int) -> Weather:
        """What falls and floats in a place; shots under the same sky share it."""
        both = dict.fromkeys((*self.plan.weather, *place.weather))
        names = tuple(name for name in both if not (place.roof and name in _FROM_ABOVE))
        found = self._skies.get((names, place.haze))
        if found is None:
            rng = np.random.default_rng(seed + 99)
            found = self._skies[names, place.haze] = Weather(names, self.width, self.height, place.haze, rng)
        return found


class Shooting:
    """A shot ready to be filmed. Building it lights the cast and lays the weather out: about 0.1 s."""

    def __init__(self, studio: Studio, shot: Shot, number: int, place: Set, seed: int) -> None:
        self.shot = shot
        self._studio = studio
        self._scenery = Scenery(place, studio.width, studio.height, studio.inner)
        self._set = place
        self._heading = heading(shot)
        bodies = self._bodies(shot)
        self._blocking = block(bodies, shot.framing, studio.width, studio.height, _SKY.get(shot.place, HIGH))
        self._players = self._cast(shot, bodies, self._blocking, place)
        self._start = 0.0 if place.backdrop is not None else _STEP * number
        slow = 0.7 if "slow" in studio.plan.looks else 1.0
        self._travel = self._ways(shot, bodies, slow)
        self._slow = slow < 1
        self._wake = self._leave_wake(shot, bodies, place)
        self._weather = studio.weather(place, seed)
        self._finish = Finish(
            studio.width, studio.height, bloom=place.bloom, bloom_from=place.bloom_from,
            grain=1.0 if "grain" in studio.plan.looks else 0.0,
            exposure=_SECOND_LIGHT.get(shot.place, 1.0) if number % 2 else 1.0,
        )  # fmt: skip

    def frame(self, number: int) -> tuple[Image, Box | None]:
        """Frame `number` of the film (I420) and the lead's box in it, in pixels."""
        shot = self.shot
        t = (number - shot.start) / FPS
        u = t / max(shot.seconds, 1e-6)
        camera, mark = self._camera(number, t, u)
        standing: list[Standing] = []
        box: Box | None = None
        for index, player in enumerate(self._players):
            pose = act(
                player.action, t + (0.0 if player.carries else 0.37 * index), seconds=shot.seconds,
                legs=player.legs, solid=player.solid,
                slow=self._slow, all_round=player.all_round, calm=player.calm, prone=player.prone,
                vigour=player.vigour,
            )  # fmt: skip
            x, z = self._travel.player(index, t)
            here = player.standing(camera, (mark[0] + x, mark[1] + z), pose, number / FPS, keep=index == 0)
            if here is None:
                continue
            standing.append(here)
            if index == 0:
                box = here.keep
        if self._wake is not None:
            x, z = self._travel.lead(t)
            trail = self._wake.standing(camera, (mark[0] + x, mark[1] + z), t)
            standing += [] if trail is None else [trail]
        frame = self._scenery.paint(
            camera, number / FPS, standing, lambda image: self._weather.draw_behind(image, number / FPS)
        )
        weather, seconds = self._weather, number / FPS
        weather.draw(frame, seconds)
        wash = weather.wash(seconds)
        return self._finish.planes(frame, number, wash, lambda luma: weather.draw_rain(luma, seconds)), box

    def _camera(self, number: int, t: float, u: float) -> tuple[Camera, tuple[float, float]]:
        """The camera, and where the lead's mark is (x and z)."""
        studio, set_, blocking, way = self._studio, self._set, self._blocking, self._travel
        distance = blocking.distance
        lateral = self._heading == "lateral"
        camera_x, camera_z = way.camera(t)
        if way.follows:
            reach = min(0.1 * abs(way.speed) * self.shot.seconds, 0.16 * distance)
            camera_x += 0.3 - 0.25 * u if lateral and way.speed else 0.0
            camera_z -= 0.0 if lateral else math.copysign(reach, way.speed) * u
        offset = move(self.shot.camera, u, number / FPS, self.shot.seconds)
        if studio.path is not None:
            pan, tilt, zoom = studio.path.between(self.shot.start, number)
            offset = replace(offset, pan=offset.pan + pan, tilt=offset.tilt + tilt, zoom=offset.zoom + zoom)
        limits = set_.limits
        side = min(max(offset.side * distance, -limits.side), limits.side)
        rise = min(max(offset.rise * 1.7, -min(limits.sink, 0.7 * blocking.camera_height)), limits.rise)
        focal = lens(studio.width, studio.height) * math.exp(offset.zoom)
        z = camera_z + min(offset.forward, 0.4) * distance
        away = max(0.4, distance + way.lead(t)[1] - z)
        camera = Camera(
            studio.width,
            studio.height,
            x=camera_x + side + (self._start if lateral else 0.0),
            y=blocking.camera_height + rise,
            z=z + (0.0 if lateral else self._start),
            focal=focal,
            horizon=blocking.horizon + offset.tilt * studio.height - 0.92 * focal * rise / away,
            centre=studio.width * (0.5 + offset.pan) + offset.aim * focal * side / away,
        )
        return camera, (self._start if lateral else 0.0, distance + (0.0 if lateral else self._start))

    def _bodies(self, shot: Shot) -> list[Body]:
        bodies = []
        for order, part in enumerate(shot.parts):
            costume = self._studio.wardrobe[part.member]
            lead = self._studio.wardrobe[shot.parts[0].member]
            if part.carries:
                bodies.append(Body(costume.aspect(part), costume.kind(part), carries=True))
                continue
            small = order > 0 and costume.role == "prop" and lead.role == "character" and not lead.printed
            # A prop that does something of its own is no accessory.
            along = part.action == "still" or part.action == shot.parts[0].action
            small = small and not costume.printed and along and part.action not in ("drive", "ride")
            held = small and part.action in ("still", "walk", "run")
            aloft = part.action in _AIRBORNE and not small
            bodies.append(
                Body(costume.aspect(part), costume.kind(part), companion=small, held=held, aloft=aloft)
            )
        return bodies

    def _cast(self, shot: Shot, bodies: Sequence[Body], blocking: Blocking, place: Set) -> list[Player]:
        players = []
        focal = lens(self._studio.width, self._studio.height)
        for part, body, mark in zip(shot.parts, bodies, blocking.marks, strict=True):
            pixels = focal * mark.height / max(0.5, blocking.distance + mark.z) * 1.12
            costume = self._studio.wardrobe[part.member]
            share = (pixels / 1.12) ** 2 * body.aspect / (self._studio.width * self._studio.height)
            if not _SWINGS.isdisjoint(shot.camera):
                share *= 2
            pixels = min(pixels, 1.6 * self._studio.height)
            players.append(Player(costume, part, body, mark, place, pixels, share))
        return players

    def _leave_wake(self, shot: Shot, bodies: Sequence[Body], place: Set) -> Wake | None:
        lead = shot.parts[0] if shot.parts else None
        if lead is None or lead.action not in RAISES_DUST or shot.place in _NO_DUST or not self._travel.speed:
            return None
        widest = next((i for i, body in enumerate(bodies) if body.carries), 0)
        mark = self._blocking.marks[widest]
        half = 0.5 * mark.height * bodies[widest].aspect
        return Wake.of(lead.action, haze=place.haze, speed=self._travel.speed,
                       lateral=self._heading == "lateral", height=mark.height, half=half)  # fmt: skip

    def _ways(self, shot: Shot, bodies: Sequence[Body], slow: float) -> Travel:
        studio, distance = self._studio, self._blocking.distance
        rightward = [studio.wardrobe[part.member].faces_right(part) for part in shot.parts]
        visible = distance * studio.width / lens(studio.width, studio.height)
        held_back = self._set.backdrop is not None
        return travel(shot.parts, bodies, rightward, shot.seconds, distance, visible,
                      lateral=self._heading == "lateral", held_back=held_back, slow=slow)  # fmt: skip
