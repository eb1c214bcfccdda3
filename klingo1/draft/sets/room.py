"""A living room: a large window, panelled walls, boards, sofa, books, a lamp that is lit in the evening."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from klingo1.draft.cards import Card, Wall, place
from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.paint import blend, disc, finish, parse_hex, polyline, scaled
from klingo1.draft.scenery_furniture import bookcase, hang, lamp, pendant, pot_plant, sofa, wall_paper, window
from klingo1.draft.scenery_hills import swell
from klingo1.draft.scenery_light import Hour, hour
from klingo1.draft.scenery_planting import Thing, grounded
from klingo1.draft.sets import Limits, Set, SetSpec
from klingo1.draft.stage import Camera, Image, Paint, Rgb, bgr
from klingo1.draft.tiles import planks

WIDE, DEEP = 10.0, 8.4
"""The room's width and the distance to its back wall, in metres."""
_BEAMS = 1.5
"""Metres from one ceiling beam to the next."""
PPM = 78.0
_TINT: dict[str, Rgb] = {
    "day": (226, 214, 194),
    "dawn": (230, 208, 190),
    "dusk": (222, 178, 144),
    "night": (142, 116, 98),
}
_LIGHT = {
    "day": Light((1.0, 0.98, 0.95), (0.5, 0.5, 0.5), (0.95, 0.92, 0.85), 0.18, 0.8, 0.5),
    "dawn": Light((1.0, 0.95, 0.9), (0.5, 0.5, 0.5), (1.0, 0.85, 0.7), 0.2, 0.8, 0.5),
    "dusk": Light((1.0, 0.85, 0.74), (0.8, 0.5, 0.3), (1.0, 0.66, 0.4), 0.2, 0.78, 0.5),
    "night": Light((0.92, 0.78, 0.66), (1.0, 0.7, 0.4), (0.4, 0.55, 0.85), -0.2, 0.76, 0.5),
}


@dataclass(slots=True)
class Chamber:
    """Ceiling, floor, side walls and back wall of the room; fills the whole frame."""

    tall: float
    floor: Ground
    back: Image
    sides: tuple[Wall, Wall]
    ceiling: Rgb
    beam: Rgb
    """What the window's light adds where it falls on the floor."""

    def draw(self, frame: Image, camera: Camera) -> None:
        """Paint the room into a frame."""
        height = frame.shape[0]
        top = max(0, min(height, round(camera.horizon)))
        rows = np.arange(top, dtype=np.float32)
        depth = camera.focal * (self.tall - camera.y) / np.maximum(camera.horizon - rows, 1)
        tone = np.clip(0.72 + 0.28 * depth / DEEP, 0.7, 1.02)
        into = (depth + camera.z + 0.4) % _BEAMS / _BEAMS
        tone = np.where(into < 0.16, tone * (0.56 + 1.2 * into), tone)[:, None, None]
        colour = np.array([*bgr(self.ceiling), 255.0], np.float32)
        lines = np.minimum(tone * colour, 255).astype(np.uint8)
        lines[..., 3] = 255
        frame[:top] = lines
        self.floor.draw(frame, camera)
        frame[top:, :, 3] = 255
        self._shine(frame, camera)
        away = max(1.0, DEEP - camera.z)
        for wall in self.sides:
            wall.far = away
            wall.draw(frame, camera)
        scale = camera.focal / (away * PPM)
        left, _ = camera.project(-WIDE / 2, 0, DEEP)
        _, roof = camera.project(0, self.tall, DEEP)
        place(frame, self.back, np.array([[scale, 0.0, left], [0.0, scale, roof]]))

    def _shine(self, frame: Image, camera: Camera) -> None:
        """A patch of window light on the boards."""
        if sum(self.beam) < 6:
            return
        near = camera.z + 0.7
        corners = [(0.4, 7.6), (2.9, 7.6), (1.6, near), (-1.6, near)]
        spots = np.array([camera.project(x, 0.0, z) for x, z in corners]) / 4
        patch = np.zeros((frame.shape[0] // 4 + 1, frame.shape[1] // 4 + 1), np.uint8)
        cv2.fillConvexPoly(patch, (spots * 8).round().astype(np.int32), 255, cv2.LINE_AA, 3)
        patch = cv2.blur(cv2.blur(patch, (9, 3)), (7, 3))
        left, top, wide, tall = cv2.boundingRect(patch)
        if not wide:
            return
        tint = np.array([*bgr(self.beam), 0], np.float32)[:, None] / 255
        glow = cv2.transform(patch[top : top + tall, left : left + wide], tint)
        glow = cv2.resize(glow, (4 * wide, 4 * tall), interpolation=cv2.INTER_LINEAR)
        part = frame[4 * top : 4 * (top + tall), 4 * left : 4 * (left + wide)]
        cv2.add(part, glow[: part.shape[0], : part.shape[1]], dst=part)


def build(spec: SetSpec) -> Set:
    """The set; a colour in the prompt paints the walls."""
    now = hour(spec)
    time = now.time
    named = next((c for c in map(parse_hex, spec.colours) if c is not None), None)
    tint = _TINT[time]
    wall = tint if named is None else blend(tint, scaled(named, sum(tint) / 660), 0.5)
    lit = time in ("dusk", "night")
    shade = {"day": 1.0, "dawn": 0.95, "dusk": 0.86, "night": 0.62}[time]

    def paint(colour: Rgb) -> Rgb:
        warm: Rgb = (colour[0] * 1.06, colour[1] * 0.94, colour[2] * 0.82) if lit else colour
        return scaled(warm, shade)

    rng = spec.rng("room")
    wood = paint((150, 104, 68))
    tall = 3.2 if spec.width > 1.2 * spec.height else (3.7 if spec.width > 0.8 * spec.height else 4.6)
    back = _back_wall(spec, now, wall, wood, tall, lit=lit)
    side = wall_paper(rng, 10 * 48, round(tall * 48), scaled(wall, 0.84), 48)
    hang(
        side,
        rng,
        (2.6 * 48, (tall - 2.4) * 48, 4.0 * 48, (tall - 1.5) * 48),
        wood,
        (paint((186, 206, 214)), paint((120, 142, 110)), paint((86, 104, 84))),
    )
    floor = Ground(
        planks(rng, paint((160, 122, 88) if time == "dusk" else (176, 126, 82)), boards=12, gloss=0.0), 4.0
    )
    beam: Rgb = {"day": (62.0, 56.0, 40.0), "dawn": (66.0, 46.0, 30.0), "dusk": (58.0, 34.0, 18.0)}.get(
        time, (10.0, 18.0, 34.0)
    )
    chamber = Chamber(
        tall,
        floor,
        back,
        (Wall(side, 48, -WIDE / 2), Wall(np.ascontiguousarray(side[:, ::-1]), 48, WIDE / 2)),
        scaled(wall, 1.04),
        beam,
    )
    result = Set(
        sky=np.full((2, 2, 4), 255, np.uint8),
        horizon=1.0,
        grounds=[],
        light=_LIGHT[time],
        haze=wall,
        haze_distance=200.0,
        mist=0.0,
        gloss=0.12,
        bloom=0.4 if lit else 0.25,
        bloom_from=150 if lit else 225,
        limits=Limits(side=0.9, rise=0.7, sink=0.4),
        backdrop=chamber,
        roof=True,
        weather=("dust",) if time in ("day", "dawn") and "rays" in spec.looks else (),
    )
    things: list[tuple[Thing, float, float]] = [
        (grounded(bookcase(rng, 76, wood, paint), 76, 0.5, spread=0.4), -3.9, 7.9),
        (grounded(bookcase(rng, 76, wood, paint), 76, 0.5, spread=0.4), -2.55, 7.9),
        (grounded(sofa(84, paint((92, 124, 132)), wood), 84, 0.55, spread=0.5), -2.3, 6.7),
        (grounded(lamp(84, paint((70, 62, 58)), lit=lit), 84, 0.3, spread=0.5), -4.0, 6.6),
        (
            grounded(pot_plant(rng, 84, paint((92, 146, 78)), paint((190, 112, 76))), 84, 0.5, spread=0.7),
            3.7,
            6.8,
        ),
        (
            grounded(pot_plant(rng, 70, paint((110, 150, 84)), paint((206, 196, 180))), 70, 0.5, spread=0.7),
            -0.9,
            7.6,
        ),
    ]
    result.cards = [thing.card(x, 0, z, reflects=False) for thing, x, z in things]
    globe = pendant(84, tall - 2.25, lit=lit)
    result.cards.append(Card(globe, 84, -1.3, 2.25, 6.9, reflects=False))
    return result


def _back_wall(spec: SetSpec, now: Hour, wall: Rgb, wood: Rgb, tall: float, *, lit: bool) -> Image:
    """The wall opposite, its window and what is seen through it, lamplight on the plaster."""
    rng = spec.rng("back wall")
    picture = wall_paper(rng, round(WIDE * PPM), round(tall * PPM), wall, PPM)
    small = replace(spec, width=320, height=180)
    view, horizon = now.sky(small, clouds=0.6)
    for k, (high, far) in enumerate(((0.2, 0.5), (0.1, 0.25))):
        swell(
            view, spec.rng(f"outside {k}"), horizon, high * horizon, 0.05 * horizon,
            now.paint((96, 138, 84), far), now.paint((120, 156, 92), far),
        )  # fmt: skip
    _falling(view, spec)
    crop = finish(view[round(0.34 * horizon) : horizon, 120:400])
    left = (WIDE / 2 + 0.1) * PPM
    window(
        picture,
        crop,
        (left, (0.52 + 0.3 * (tall - 3.2)) * PPM, left + 3.0 * PPM, (tall - 0.95) * PPM),
        PPM,
        scaled(wall, 1.16),
        _curtain(wall),
    )
    at = (WIDE / 2 - 1.75) * PPM
    hang(
        picture,
        rng,
        (at, (tall - 2.5) * PPM, at + 1.0 * PPM, (tall - 1.75) * PPM),
        wood,
        (scaled(wall, 1.05), (150, 120, 96), (104, 92, 84)),
    )
    row, column = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32) / PPM
    if lit:
        away = np.hypot(column - (WIDE / 2 - 4.0), row - (tall - 1.5))
        glow = (np.exp(-((away / 1.5) ** 2)) * 0.9)[..., None] * np.array([0.55, 0.8, 1.05], np.float32)
        picture[..., :3] = np.minimum(picture[..., :3] * (1 + glow), 255).astype(np.uint8)
    return picture


def _falling(view: Paint, spec: SetSpec) -> None:
    """Rain or snow outside the window."""
    rng = spec.rng("outside weather")
    rows, columns = view.shape[:2]
    for _ in range(420 if {"rain", "snow"} & set(spec.weather) else 0):
        x, y = float(rng.uniform(0, columns)), float(rng.uniform(0, rows))
        if "rain" in spec.weather:
            polyline(view, [(x, y), (x - 1.5, y + float(rng.uniform(6, 16)))], (176, 190, 206), 0.7)
        else:
            disc(view, (x, y), float(rng.uniform(0.5, 1.4)), (244, 247, 252))


def _curtain(wall: Rgb) -> Rgb:
    return blend(wall, (190, 110, 92), 0.55)
