"""The frames of a plan: sets are built ahead, shots follow each other, the label goes on every picture."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Lock
from typing import Self

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from klingo1.draft.cutout import Cutout, views_of
from klingo1.draft.motion import Clip
from klingo1.draft.plan import CastMember, Plan, Shot
from klingo1.draft.player import Costume
from klingo1.draft.prints import framed
from klingo1.draft.scenery import Box, scenery_size
from klingo1.draft.sets import Set, SetSpec, build
from klingo1.draft.shoot import Shooting, Studio, heading
from klingo1.draft.stage import Image, premultiply
from klingo1.draft.views import View
from klingo1.request import VideoRequest

LABEL = "DRAFT  ·  no AI model used"
SIZES = {
    ("720p", "16:9"): (1280, 720), ("720p", "9:16"): (720, 1280), ("720p", "1:1"): (960, 960),
    ("1080p", "16:9"): (1920, 1080), ("1080p", "9:16"): (1080, 1920), ("1080p", "1:1"): (1440, 1440),
}  # fmt: skip
_DISSOLVE = 10
"""Frames that a dissolve takes."""


class Film:
    """The frames of a plan. A context manager: leaving it ends the thread that builds the next shot."""

    def __init__(
        self, request: VideoRequest, plan: Plan, cutouts: Sequence[Cutout], *, first: int = 0
    ) -> None:
        """`first` is the first frame that will be asked for; shots before it are not built."""
        self.width, self.height = SIZES[request.draft.size, request.aspect_ratio]
        self._plan, self._cutouts = plan, cutouts
        self._seed = _seed(request)
        self._inner = scenery_size(self.width, self.height, request.draft.size)
        video = request.video
        self._clip = Clip(video, plan.frames) if isinstance(video, Path) else None
        self._studio = Studio(
            self.width,
            self.height,
            self._inner,
            plan,
            {i: _costume(member, cutouts) for i, member in enumerate(plan.cast)},
            self._clip.camera_path() if self._clip is not None else None,
        )
        self._chip = _chip(self.width, self.height)
        _return_memory()
        self._sets: dict[tuple[str, str, int | None, str], Future[Set]] = {}
        self._claiming = Lock()
        self._builder = ThreadPoolExecutor(2, thread_name_prefix="set")
        self._first = first
        self._current = _first_shot(plan, first) - 1
        # The first two side by side: nothing else has to be done yet.
        self._ahead: dict[int, Future[Shooting]] = {}
        self._prepare_ahead(2)
        self._shooting: Shooting | None = None
        self._previous: Shooting | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Whoever was told to stop does not wait for a set that nobody will see.
        self._builder.shutdown(wait=kind is None, cancel_futures=True)

    def ready(self, number: int, patience: float) -> bool:
        """Whether the shot of a frame is built; waits for it, at most `patience` seconds."""
        if self._shooting is not None and number < self._plan.shots[self._current].stop:
            return True
        wait([self._ahead[self._current + 1]], timeout=patience)
        return self._ahead[self._current + 1].done()

    def frame(self, number: int) -> tuple[Image, Box | None]:
        """Frame `number` as I420, height x 1.5 rows, and the lead's box.

        Frames are asked for in rising order.
        """
        shots = self._plan.shots
        while self._shooting is None or number >= shots[self._current].stop:
            self._current += 1
            following = self._ahead.pop(self._current).result()
            self._previous = self._shooting if shots[self._current].dissolve else None
            self._shooting = following
            self._release()
            _return_memory()
            self._prepare_ahead(1)
        shooting, shot = self._shooting, shots[self._current]
        if number == self._first:
            self._lead_in(number)
        planes, box = shooting.frame(number)
        into = number - shot.start
        if shot.dissolve and self._previous is not None and into < _DISSOLVE:
            before, _ = self._previous.frame(number)
            share = (into + 1) / (_DISSOLVE + 1)
            cv2.addWeighted(planes, share, before, 1 - share, 0, dst=planes)
        elif self._previous is not None:
            self._previous = None
            _return_memory()
        if self._clip is not None:
            self._clip.show(planes, number)
        self._sign(planes)
        return planes, box

    def _lead_in(self, number: int) -> None:
        """Begun in the middle, shots see the frame before first: a mirror is painted every second one."""
        for one in (self._previous, self._shooting):
            if one is not None and one.shot.start < number:
                one.frame(number - 1)

    def _sign(self, planes: Image) -> None:
        """Put the label on luma, after the vignette, so that it reads on every picture."""
        cover, light = self._chip
        height, width = cover.shape
        margin = round(0.024 * min(self.width, self.height))
        part = planes[: self.height][
            self.height - margin - height : self.height - margin, margin : margin + width
        ]
        cv2.multiply(part, cv2.bitwise_not(cover), dst=part, scale=1 / 255)
        cv2.add(part, light, dst=part)

    def _prepare_ahead(self, count: int) -> None:
        for index in range(self._current + 1, min(self._current + 1 + count, len(self._plan.shots))):
            if index not in self._ahead:
                self._ahead[index] = self._builder.submit(self._prepare, index)

    def _prepare(self, index: int) -> Shooting:
        shot = self._plan.shots[index]
        return Shooting(self._studio, shot, index, self._set_for(shot), self._seed)

    def _set_for(self, shot: Shot) -> Set:
        key = _set_key(shot)
        with self._claiming:
            known = key in self._sets
            made = self._sets.setdefault(key, Future())
        if not known:
            # Shots that share a set see it as the first of them has it, wherever the film was begun.
            owner = next(one for one in self._plan.shots if _set_key(one) == key)
            try:
                made.set_result(build(self._spec(owner)))
            except Exception as error:
                made.set_exception(error)
        return made.result()

    def _spec(self, shot: Shot) -> SetSpec:
        picture = None
        if shot.scene is not None:
            picture = self._cutouts[self._plan.cast[shot.scene].images[0] - 1].plate
        return SetSpec(
            self._inner[0],
            self._inner[1],
            place="picture" if picture is not None else shot.place,
            time=self._plan.time,
            heading=heading(shot),
            looks=self._plan.looks,
            weather=self._plan.weather,
            colours=self._plan.colours,
            seed=self._seed,
            picture=picture,
            framing=shot.framing,
        )

    def _release(self) -> None:
        """Forget the sets that no later shot needs."""
        needed = {_set_key(shot) for shot in self._plan.shots[self._current :]}
        with self._claiming:
            for key in [k for k in self._sets if k not in needed]:
                del self._sets[key]


def _first_shot(plan: Plan, frame: int) -> int:
    """The shot that a frame needs first: its own, or the one that it still dissolves from."""
    index = next((i for i, shot in enumerate(plan.shots) if frame < shot.stop), len(plan.shots) - 1)
    shot = plan.shots[index]
    return index - 1 if index and shot.dissolve and frame - shot.start < _DISSOLVE else index


def _set_key(shot: Shot) -> tuple[str, str, int | None, str]:
    """What makes two shots share a set; a photograph is cropped for each framing."""
    return shot.place, heading(shot), shot.scene, shot.framing if shot.scene is not None else ""


def _costume(member: CastMember, cutouts: Sequence[Cutout]) -> Costume:
    """A member's views; a place or a style that has none is shown as a print where it must stand."""
    views = views_of(member, cutouts)
    if views:
        methods = {cutouts[number - 1].method for number in member.images}
        return Costume(member.role, views, printed=not member.cut, shines="sticker" not in methods)
    return Costume(member.role, (View(framed(cutouts[member.images[0] - 1].plate)),), printed=True)


def _return_memory() -> None:
    """Give the system what was freed: the GNU C library keeps it in pieces, more with each shot."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other systems' libraries do it themselves
        ctypes.CDLL(None).malloc_trim(0)


def _seed(request: VideoRequest) -> int:
    """A number from what is asked for, not from when or where."""
    text = f"{request.prompt}\0{request.aspect_ratio}\0{request.duration}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _chip(width: int, height: int) -> tuple[Image, Image]:
    """The label for the luma plane: how much it covers, and the light it adds."""
    size = max(14, round(0.024 * min(width, height)))
    font = ImageFont.load_default(size)
    left, _, right, _ = font.getbbox(LABEL)
    pad = size // 2
    picture = Pillow.new("RGBA", (int(right - left) + 2 * pad, round(1.2 * size) + pad), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(
        (0, 0, picture.width - 1, picture.height - 1), round(0.4 * size), fill=(16, 16, 18, 150)
    )
    draw.text((pad - left, 0.45 * size), LABEL, font=font, fill=(255, 255, 255, 235))
    bgra = premultiply(np.ascontiguousarray(np.asarray(picture)[..., [2, 1, 0, 3]]))
    return np.ascontiguousarray(bgra[..., 3]), np.ascontiguousarray(bgra[..., 1])
