"""A film from a request: cut out, direct, build, shoot, encode.

Every frame is a function of the request, the references and its number: the same request gives the same film.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from klingo1.draft.chunks import starts_of
from klingo1.draft.cutout import Cutout, cast_of
from klingo1.draft.director import direct
from klingo1.draft.encode import Encoder, Section
from klingo1.draft.frames import Film
from klingo1.draft.light import picture_of
from klingo1.draft.looking import look_at
from klingo1.draft.means import Means
from klingo1.draft.plan import FPS, Plan, with_everyone
from klingo1.draft.sound import sound_of
from klingo1.draft.stage import Image
from klingo1.request import VideoRequest
from klingo1.version import VERSION

_POSTER_FRAME = 12
"""The frame that stands for the film; until it is there, the first one does."""
_BOX_EVERY = 6
_PATIENCE = 0.1
"""Seconds between two looks at the stop file while a set is being built."""
_PROGRESS_EVERY = 0.25
"""Seconds between two notes of progress, at least."""


class RenderStopped(Exception):
    """The stop file was there; nothing is left behind."""


@dataclass(frozen=True, slots=True)
class RenderTask:
    """One film to make; can be pickled for a spawned process.

    `request` names local files only. `output` is written as `.part` and renamed; `poster.jpg` appears beside
    it. `progress` is rewritten at most four times a second: a fraction 0 to 1, and a word for the phase.
    When `stop` exists the render ends within half a second. `cache` keeps cut-outs, `corrections` what people
    said about pictures; `model` is an ONNX network that cuts photographs.
    """

    request: VideoRequest
    output: Path
    progress: Path | None = None
    stop: Path | None = None
    cache: Path | None = None
    corrections: Path | None = None
    model: Path | None = None
    part: tuple[int, int] = (0, 1)
    """Which of how many parts: then `output` gets packets for encode.join, and the poster is in the first."""


def render(task: RenderTask) -> dict[str, Any]:
    """Make the film and report what is in it.

    Raises RenderStopped when told to stop, InvalidRequest when a picture is unreadable.
    """
    started = time.monotonic()
    cv2.setNumThreads(2)
    cv2.setRNGSeed(1)  # GrabCut and RANSAC draw from a generator that outlives a film
    watch = _Watch(task)
    request = task.request
    watch.note(0.0, "reading")
    cutouts, roles = references_of(task, watch)
    cast = cast_of(cutouts, roles=roles, groups=request.draft.groups)
    plan = direct(request.prompt, cast, duration=request.duration, aspect_ratio=request.aspect_ratio)
    plan = with_everyone(plan)
    watch.note(0.08, "building")
    section, stop = section_of(plan, task.part)
    film = Film(request, plan, cutouts, first=section.first)
    sound = None
    video = request.video
    if isinstance(video, Path) and request.keep_original_sound and section.first == 0:
        sound = sound_of(video, request.duration)
    boxes: dict[str, list[int]] = {}
    recipe = _recipe(request, plan)
    title = " ".join(request.prompt.split())[:120]
    task.output.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(film)
        encoder = stack.enter_context(
            Encoder(
                task.output, film.width, film.height, title=title, recipe=recipe, sound=sound, section=section
            )
        )
        for number in range(section.first, stop):
            watch.check()
            while not film.ready(number, _PATIENCE):
                watch.check()
            planes, box = film.frame(number)
            encoder.add(planes)
            if box is not None and number % _BOX_EVERY == 0:
                boxes[str(number)] = [round(v) for v in box]
            if number in {0, min(_POSTER_FRAME, plan.frames - 1)}:
                _write_poster(task.output.with_name("poster.jpg"), picture_of(planes))
            share = (number + 1 - section.first) / (stop - section.first)
            watch.note(0.12 + 0.86 * share, "shooting")
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
                "role": roles[i] or c.role,
                "method": c.method,
                "confidence": round(float(c.confidence), 3),
                "views": [view.name for view in c.views],
            }
            for i, c in enumerate(cutouts)
        ],
        "seconds_taken": round(time.monotonic() - started, 3),
    }


def section_of(plan: Plan, part: tuple[int, int]) -> tuple[Section, int]:
    """What the encoder of part (number, of so many) gets, and the frame at which it ends.

    A film of few pieces has fewer parts than were asked for: the last ones are empty.
    """
    starts = starts_of(plan)
    number, count = part
    edges = [*starts, plan.frames]
    first, stop = (edges[min(len(starts), -(-len(starts) * n // count))] for n in (number, number + 1))
    return Section(starts, first, partial=count > 1), stop


def references_of(task: RenderTask, watch: _Watch | None = None) -> tuple[list[Cutout], list[str]]:
    """The cut-outs in one look, and the roles that a person chose ("" for none)."""
    images = [image for image in task.request.images if isinstance(image, Path)]  # all are local by now
    watch = watch or _Watch(task)
    means = Means(task.cache, task.corrections, task.model)

    def note(done: int) -> None:
        watch.note(0.08 * done / len(images), "reading")

    return look_at(images, task.request.draft, means, remember=True, before=note)


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


def _write_poster(path: Path, picture: Image) -> None:
    """A frame for the page to show while the rest is made."""
    part = path.with_name(path.name + ".part")
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
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
