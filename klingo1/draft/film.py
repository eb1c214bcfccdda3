"""A film from a request: cut out, direct, build, shoot, encode.

Every frame is a function of the request, the references and its number: the same request gives the same film.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from klingo1.draft.cutout import Cutout, cast_of, cut_out, views_of
from klingo1.draft.director import direct
from klingo1.draft.encode import Encoder
from klingo1.draft.motion import Clip
from klingo1.draft.plan import FPS, CastMember, Part, Plan, Shot
from klingo1.draft.player import Costume
from klingo1.draft.prints import framed
from klingo1.draft.scenery import Box, scenery_size
from klingo1.draft.sets import Set, SetSpec, build
from klingo1.draft.shoot import Shooting, Studio, heading
from klingo1.draft.sound import sound_of
from klingo1.draft.stage import Image, premultiply
from klingo1.draft.views import View
from klingo1.request import VideoRequest
from klingo1.version import VERSION

LABEL = "DRAFT  ·  no AI model used"
SIZES = {
    ("720p", "16:9"): (1280, 720), ("720p", "9:16"): (720, 1280), ("720p", "1:1"): (960, 960),
    ("1080p", "16:9"): (1920, 1080), ("1080p", "9:16"): (1080, 1920), ("1080p", "1:1"): (1440, 1440),
}  # fmt: skip
_DISSOLVE = 10
"""Frames that a dissolve takes."""
_POSTER_FRAME = 12
_BOX_EVERY = 6
_PROGRESS_EVERY = 0.25
"""Seconds between two notes of progress, at least."""


class RenderStopped(Exception):
    """The stop file was there; nothing is left behind."""


@dataclass(frozen=True, slots=True)
class RenderTask:
    """One film to make; can be pickled for a spawned process.

    `request` names local files only. `output` is written as `.part` and renamed; `poster.jpg` appears beside
    it. `progress` is rewritten at most four times a second: a fraction 0 to 1, and a word for the phase.
    When `stop` exists the render ends within half a second. `cache` keeps cut-outs; `masks` has one entry for
    each picture that a person corrected.
    """

    request: VideoRequest
    output: Path
    progress: Path | None = None
    stop: Path | None = None
    cache: Path | None = None
    masks: tuple[Path | None, ...] = ()


def render(task: RenderTask) -> dict[str, Any]:
    """Make the film and report what is in it.

    Raises RenderStopped when told to stop, InvalidRequest when a picture is unreadable.
    """
    started = time.monotonic()
    cv2.setNumThreads(2)
    watch = _Watch(task)
    request = task.request
    watch.note(0.0, "reading")
    cutouts = _cut_out(task, watch)
    roles = request.draft.roles
    cast = cast_of(cutouts, roles=roles)
    plan = direct(request.prompt, cast, duration=request.duration, aspect_ratio=request.aspect_ratio)
    plan = with_everyone(plan)
    watch.note(0.08, "building")
    film = Film(request, plan, cutouts)
    sound = None
    video = request.video
    if isinstance(video, Path) and request.keep_original_sound:
        sound = sound_of(video, request.duration)
    boxes: dict[str, list[int]] = {}
    recipe = _recipe(request, plan)
    title = " ".join(request.prompt.split())[:120]
    task.output.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(film)
        encoder = stack.enter_context(
            Encoder(task.output, film.width, film.height, title=title, recipe=recipe, sound=sound)
        )
        for number in range(plan.frames):
            watch.check()
            frame, planes, box = film.frame(number)
            encoder.add(planes)
            if box is not None and number % _BOX_EVERY == 0:
                boxes[str(number)] = [round(v) for v in box]
            if number == min(_POSTER_FRAME, plan.frames - 1):
                _write_poster(task.output.with_name("poster.jpg"), frame)
            watch.note(0.12 + 0.86 * (number + 1) / plan.frames, "shooting")
    watch.note(1.0, "done")
    return {
        **plan.as_json(),
        "boxes": boxes,
        "frames": plan.frames,
        "size": [film.width, film.height],
        "fps": FPS,
        "sound": sound is not None,
        "cutouts": [
            {
                "role": (roles[i] if i < len(roles) else "") or c.role,
                "method": c.method,
                "confidence": round(float(c.confidence), 3),
                "views": [view.name for view in c.views],
            }
            for i, c in enumerate(cutouts)
        ],
        "seconds_taken": round(time.monotonic() - started, 3),
    }


class Film:
    """The frames of a plan. A context manager: leaving it ends the thread that builds the next shot."""

    def __init__(self, request: VideoRequest, plan: Plan, cutouts: Sequence[Cutout]) -> None:
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
        self._sets: dict[tuple[str, str, int | None, str], Set] = {}
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="set")
        self._next = self._builder.submit(self._prepare, 0)
        self._current = -1
        self._shooting: Shooting | None = None
        self._previous: Shooting | None = None

    def __enter__(self) -> Film:
        return self

    def __exit__(self, *_: object) -> None:
        self._builder.shutdown(wait=True, cancel_futures=True)

    def frame(self, number: int) -> tuple[Image, Image, Box | None]:
        """Frame `number` as BGRA (valid until the next call), for the encoder, and the lead's box.

        Frames are asked for in rising order.
        """
        shots = self._plan.shots
        while self._shooting is None or number >= shots[self._current].stop:
            self._previous, self._shooting = self._shooting, self._next.result()
            self._current += 1
            self._release()
            if self._current + 1 < len(shots):
                self._next = self._builder.submit(self._prepare, self._current + 1)
        shooting, shot = self._shooting, shots[self._current]
        frame, box = shooting.frame(number)
        into = number - shot.start
        if shot.dissolve and self._previous is not None and into < _DISSOLVE:
            before, _ = self._previous.frame(number)
            share = (into + 1) / (_DISSOLVE + 1)
            cv2.addWeighted(frame, share, before, 1 - share, 0, dst=frame)
        elif into >= _DISSOLVE:
            self._previous = None
        if self._clip is not None:
            self._clip.show(frame, number)
        planes = shooting.planes(frame, number)
        self._sign(planes)
        return frame, planes, box

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

    def _prepare(self, index: int) -> Shooting:
        shot = self._plan.shots[index]
        return Shooting(self._studio, shot, index, self._set_for(shot), self._seed)

    def _set_for(self, shot: Shot) -> Set:
        key = _set_key(shot)
        found = self._sets.get(key)
        if found is None:
            found = self._sets[key] = build(self._spec(shot))
        return found

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
        for key in [k for k in self._sets if k not in needed]:
            del self._sets[key]


def with_everyone(plan: Plan) -> Plan:
    """The same plan with whoever no shot shows standing in the first wide one: every reference is seen."""
    seen = {part.member for shot in plan.shots for part in shot.parts}
    seen |= {shot.scene for shot in plan.shots if shot.scene is not None}
    missing = [i for i in range(len(plan.cast)) if i not in seen]
    if not missing:
        return plan
    order = {"wide": 0, "full": 1, "medium": 2}
    index = min(range(len(plan.shots)), key=lambda i: (order.get(plan.shots[i].framing, 3), i))
    shot = plan.shots[index]
    extras = tuple(
        Part(i, "still", plan.cast[i].views[0] if plan.cast[i].views else "front") for i in missing
    )
    framing = shot.framing if shot.framing in order else "wide"
    shots = list(plan.shots)
    shots[index] = replace(shot, parts=(*shot.parts, *extras), framing=framing)
    return replace(plan, shots=tuple(shots))


def _set_key(shot: Shot) -> tuple[str, str, int | None, str]:
    """What makes two shots share a set; a photograph is cropped for each framing."""
    return shot.place, heading(shot), shot.scene, shot.framing if shot.scene is not None else ""


def _cut_out(task: RenderTask, watch: _Watch) -> list[Cutout]:
    cutouts = []
    request = task.request
    for i, image in enumerate(request.images):
        watch.check()
        role = request.draft.roles[i] if i < len(request.draft.roles) else ""
        mask = task.masks[i] if i < len(task.masks) else None
        assert isinstance(image, Path)  # references are local files by now
        cutouts.append(cut_out(image, role=role, mask=mask, cache=task.cache))
        watch.note(0.08 * (i + 1) / len(request.images), "reading")
    return cutouts


def _costume(member: CastMember, cutouts: Sequence[Cutout]) -> Costume:
    """A member's views; a place or a style that has none is shown as a print where it must stand."""
    views = views_of(member, cutouts)
    if views:
        methods = {cutouts[number - 1].method for number in member.images}
        return Costume(member.role, views, printed=not member.cut, shines="sticker" not in methods)
    return Costume(member.role, (View(framed(cutouts[member.images[0] - 1].plate)),), printed=True)


def _seed(request: VideoRequest) -> int:
    """A number from what is asked for, not from when or where."""
    text = f"{request.prompt}\0{request.aspect_ratio}\0{request.duration}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _recipe(request: VideoRequest, plan: Plan) -> dict[str, Any]:
    return {
        "draft": True,
        "engine": "klingo1 draft, no AI model used",
        "version": VERSION,
        "prompt": request.prompt,
        "duration": request.duration,
        "aspect_ratio": request.aspect_ratio,
        "keep_original_sound": request.keep_original_sound,
        "images": len(request.images),
        "video": request.video is not None,
        "size": request.draft.size,
        "plan": plan.as_json(),
    }


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


def _write_poster(path: Path, frame: Image) -> None:
    """The first good frame, for the page to show while the rest is made."""
    part = path.with_name(path.name + ".part")
    done, data = cv2.imencode(".jpg", frame[..., :3], [cv2.IMWRITE_JPEG_QUALITY, 88])
    if done:
        part.write_bytes(data.tobytes())
        part.replace(path)


class _Watch:
    """Progress out, the wish to stop in."""

    def __init__(self, task: RenderTask) -> None:
        self._progress, self._stop = task.progress, task.stop
        self._last = -1.0
        self._phase = ""

    def check(self) -> None:
        """Raise RenderStopped when the stop file exists."""
        if self._stop is not None and self._stop.exists():
            raise RenderStopped

    def note(self, fraction: float, phase: str) -> None:
        """Rewrite the progress file, unless that was done a moment ago."""
        self.check()
        now = time.monotonic()
        if self._progress is None or (now - self._last < _PROGRESS_EVERY and phase != "done"):
            return
        self._last = now
        part = self._progress.with_name(self._progress.name + ".part")
        part.write_text(f"{fraction:.4f}\n{phase}\n", encoding="utf-8")
        part.replace(self._progress)
