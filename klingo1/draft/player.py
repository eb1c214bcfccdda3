"""The cast in front of the camera: what each member wears, and how one stands in one frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from klingo1.draft.acting import Pose
from klingo1.draft.anatomy import stance
from klingo1.draft.blocking import Body, Mark
from klingo1.draft.light import Light, glow_of
from klingo1.draft.paint import glow_sprite
from klingo1.draft.plan import Part
from klingo1.draft.rig import Posed, Puppet
from klingo1.draft.scenery import Standing
from klingo1.draft.sets import Set
from klingo1.draft.sprites import paint_sprite, shade_ground
from klingo1.draft.stage import Camera, Image, halved
from klingo1.draft.views import View

_AT_EASE, _MIRRORED = 0.09, 2.5
"""Share of the picture up to which a figure may leap at full strength; a larger one would only flicker. Its
mirror image on wet ground moves against it, and at half the rate: it counts for more.
"""


@dataclass(slots=True)
class Costume:
    """Everything a cast member can show: its views, its role, whether it is a print, and whether
    it may be a lamp (`shines`: a drawing or a clean cut-out, not a photograph in full sun).
    """

    role: str
    views: Sequence[View]
    printed: bool = False
    shines: bool = True
    _kinds: dict[int, str] = field(default_factory=dict, repr=False)

    def view(self, name: str, take: int = 0) -> View:
        """The view of that name (`take` counts those of one name), or the nearest thing to it."""
        same = [view for view in self.views if view.name == name]
        if same:
            return same[min(take, len(same) - 1)]
        wanted = ("front", "side", "back")
        return min(self.views, key=lambda v: wanted.index(v.name) if v.name in wanted else 9)

    def aspect(self, part: Part) -> float:
        """Width divided by height."""
        height, width = self.view(part.view, part.take).pixels.shape[:2]
        return float(width) / max(1, int(height))

    def faces_right(self, part: Part) -> bool:
        """Which way a side view looks."""
        return self.view(part.view, part.take).faces_right

    def kind(self, part: Part) -> str:
        """person, bust, figure, thing or print (see blocking.Body)."""
        if self.printed:
            return "print"
        if self.role != "character":
            return "thing"
        view = self.view(part.view, part.take)
        key = id(view.pixels)
        if key not in self._kinds:
            self._kinds[key] = stance(view.pixels)
        return self._kinds[key]


class Player:
    """One member of the cast on its mark in one shot, lit by the place."""

    def __init__(  # noqa: PLR0917 - one caller, which has them all at hand
        self, costume: Costume, part: Part, body: Body, mark: Mark, place: Set, pixels: float,
        share: float,
    ) -> None:  # fmt: skip
        """`pixels` is how tall it will be seen at most, `share` how much of the picture it fills."""
        self.action = part.action
        self.solid = body.kind in ("thing", "print")
        self.calm = body.kind == "print"
        self.vigour = min(1.0, _AT_EASE / max(share * (1 + _MIRRORED * place.mirror()), 1e-6))
        self.carries = body.carries
        self._mark, self._place, self._body = mark, place, body
        light = place.light
        view = costume.view(part.view, part.take)
        colour = (
            None
            if body.kind == "print"
            else (glow_of(view.pixels) if body.kind == "thing" and costume.shines else None)
        )
        if colour is not None or body.kind == "print":
            # A lamp is lit by itself; a print must stay legible.
            ambient = light.ambient
            light = Light(
                (min(1.05, ambient[0] * 1.2), min(1.05, ambient[1] * 1.2), min(1.05, ambient[2] * 1.2)),
                light.rim_left, light.rim_right, 0.5 * light.side, 1.0, light.shadow,
            )  # fmt: skip
        self._glow = None if colour is None else _halo(colour)
        self._light, self._pixels = light, pixels
        self._puppet = self._dress(view, legs=body.kind == "person")
        self.legs = self._puppet.hip is not None
        self.prone = self._puppet.facing if self.legs and view.name == "side" else 0
        self._others: dict[str, Puppet] = {}
        names = {v.name for v in costume.views}
        self.all_round = {"front", "side", "back"} <= names and part.action in ("spin", "turn")
        if self.all_round:
            self._others = {n: self._dress(costume.view(n), legs=False) for n in ("front", "side", "back")}
        self._mirror = place.mirror()

    def _dress(self, view: View, *, legs: bool) -> Puppet:
        facing = 1 if view.faces_right else -1
        return Puppet.of(view.pixels, view.name, self._light, self._pixels, legs=legs, facing=facing)

    def standing(
        self, camera: Camera, anchor: tuple[float, float], pose: Pose, seconds: float, *, keep: bool
    ) -> Standing | None:
        """How to paint the player for one frame; None when out of sight behind the camera."""
        mark = self._mark
        x = anchor[0] + mark.x + pose.sway * mark.height
        z = anchor[1] + mark.z
        depth = z - camera.z
        if depth < 0.35:
            return None
        y = pose.lift * mark.height + mark.raised
        turn = pose.turn
        if self._body.held:
            turn += 0.05 * math.sin(seconds * 2.1)
            y += 0.012 * math.sin(seconds * 5.8)
        puppet = self._others.get(pose.view, self._puppet)
        ppm = puppet.height / mark.height
        posed = puppet.pose(pose.cycle, pose.phase, camera.focal / (depth * ppm))
        shrink = posed.image.shape[0] / puppet.image.shape[0]
        middle = 0.5 * puppet.height if pose.about_middle else 0.0
        pivot = (puppet.centre * shrink, (puppet.foot - middle) * shrink)
        centre = y + (0.5 * mark.height if pose.about_middle else 0.0)

        def paint(frame: Image) -> None:
            self._ground(frame, camera, (x, y, z), posed, pose, turn, puppet)
            if self._glow is not None:
                flicker = 0.86 + 0.1 * math.sin(seconds * 7.3) + 0.06 * math.sin(seconds * 17.1 + 1)
                reach = self._glow.shape[0] / (2.6 * mark.height)
                half = self._glow.shape[0] / 2
                paint_sprite(frame, camera, self._glow, ppm=reach, anchor=(half, half),
                             at=(x, y + 0.45 * mark.height, z), glow=True, gain=flicker)  # fmt: skip
            paint_sprite(
                frame, camera, posed.image, ppm=ppm * shrink, anchor=pivot, at=(x, centre, z),
                turn=turn, wide=pose.wide, tall=pose.tall, box=posed.box,
            )  # fmt: skip

        return Standing(depth, paint, self._box(camera, puppet, pose, (x, y, z)) if keep else None)

    def _box(
        self, camera: Camera, puppet: Puppet, pose: Pose, at: tuple[float, float, float]
    ) -> tuple[float, float, float, float]:
        """The pixels that the figure itself covers, upright."""
        scale = camera.focal / (at[2] - camera.z)
        ppm = puppet.height / self._mark.height
        column, row = camera.project(*at)
        tall = self._mark.height * pose.tall * scale
        half = 0.5 * puppet.width / ppm * pose.wide * scale
        middle = column + (puppet.image.shape[1] / 2 - puppet.centre) / ppm * scale
        spread = abs(math.sin(pose.turn)) * tall * 0.5
        return middle - half - spread, row - tall, middle + half + spread, row

    def _ground(  # noqa: PLR0917 - one caller, which has them all at hand
        self, frame: Image, camera: Camera, at: tuple[float, float, float], posed: Posed, pose: Pose,
        turn: float, puppet: Puppet,
    ) -> None:  # fmt: skip
        """Contact shadow and mirror image."""
        x, y, z = at
        mark = self._mark
        column, row = camera.project(x, 0.0, z)
        scale = camera.focal / (z - camera.z)
        lying = 0.62 if self._body.kind in ("person", "bust") else 0.5
        reach = min(lying * self._body.aspect * mark.height, 0.7 * mark.height) * scale
        flat = max(0.12, min(0.4, camera.y / max(0.6, z - camera.z)))
        strength = self._place.light.shadow / (1 + 2.2 * max(0.0, y))
        for share, size in ((0.5, 1.25), (0.7, 0.75)):
            shade_ground(
                frame,
                (column, row - 0.1 * reach * flat),
                (reach * size, reach * flat * size),
                share * strength,
            )
        if self._mirror > 0.02 and not pose.about_middle and row < frame.shape[0]:
            image = self._fading(posed)
            scaled = image.shape[0] / puppet.image.shape[0]
            paint_sprite(
                frame, camera, image, ppm=scaled * puppet.height / mark.height,
                anchor=(puppet.centre * scaled, puppet.foot * scaled), at=(x, y, z), turn=-turn,
                wide=pose.wide, tall=pose.tall, mirrored=True,
            )  # fmt: skip

    def _fading(self, posed: Posed) -> Image:
        """A pose for the mirror, half as large: gone towards the head, a little smeared."""
        if posed.mirrored is None:
            half = halved(posed.image)
            ramp = np.clip(np.linspace(-0.25, 1.0, half.shape[0], dtype=np.float32), 0, 1) ** 1.2
            table = (ramp * 255 * self._mirror).astype(np.uint8)
            fade = np.ascontiguousarray(np.broadcast_to(table[:, None, None], half.shape))
            posed.mirrored = cv2.blur(cv2.multiply(half, fade, scale=1 / 255), (3, 5))
        return posed.mirrored


def _halo(colour: tuple[float, float, float]) -> Image:
    """The light round a lamp; warm lamps get a warmer halo than their glass."""
    blue, green, red = colour
    if red > blue:
        blue, green, red = 0.6 * blue + 36, 0.6 * green + 68, 0.6 * red + 102
    return glow_sprite(96, (red, green, blue), 0.6)
