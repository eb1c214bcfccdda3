"""Films without a file: the frames of a request, what the encoder would get, and what a viewer would see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from klingo1.draft.cutout import cast_of, cut_out
from klingo1.draft.director import direct
from klingo1.draft.frames import Film
from klingo1.request import DraftOptions, VideoRequest

ASSETS = Path(__file__).parents[2] / "assets"
FOX = tuple(ASSETS / f"character_{view}.jpg" for view in ("front", "side", "back"))
SHAPES = ("16:9", "9:16", "1:1")
PROMPTS = {
    "": "walking, seen from everywhere",
    "city": "walking through a futuristic city at night, neon lights reflecting on wet streets",
    "market": "walking through a street market in the evening",
    "forest": "walking through a forest at dawn, mist between the trees",
    "beach": "walking along a beach at sunset",
    "desert": "riding through a desert at dusk, dust in the air",
    "snow": "dancing in falling snow",
    "mountains": "walking in the mountains, clear morning",
    "meadow": "running across a meadow on a sunny day",
    "lake": "walking by a lake at dawn, golden light",
    "underwater": "floating underwater among corals",
    "space": "floating in space above a planet",
    "sky": "flying through the sky above the clouds at sunset",
    "room": "sitting in a cosy room in the evening",
    "studio": "waving in a photo studio, slow push in",
}


@cache
def cutout_of(path):
    """A picture's cut-out, made once for all tests of a run."""
    return cut_out(path)


@dataclass
class Take:
    """A film ready to be shot: its plan, and how to open it."""

    request: VideoRequest
    plan: object
    cutouts: list

    def open(self):
        return Film(self.request, self.plan, self.cutouts)


def take(prompt, images=FOX, *, duration=3, aspect_ratio="16:9", roles=(), cutouts=None):
    request = VideoRequest(
        prompt, tuple(images), duration=duration, aspect_ratio=aspect_ratio, draft=DraftOptions(roles=roles)
    )
    if cutouts is None:
        cutouts = [
            cut_out(image, role=roles[i]) if i < len(roles) and roles[i] else cutout_of(image)
            for i, image in enumerate(images)
        ]
    cast = cast_of(cutouts, roles=roles)
    plan = direct(prompt, cast, duration=duration, aspect_ratio=aspect_ratio)
    return Take(request, plan, list(cutouts))


def turned(cutout, degrees=100):
    """The same cut-out with its hues turned: same shape, other colours."""
    views = []
    for view in cutout.views:
        hsv = cv2.cvtColor(np.ascontiguousarray(view.pixels[..., :3]), cv2.COLOR_BGR2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + degrees // 2) % 180
        views.append(
            replace(view, pixels=np.dstack([cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), view.pixels[..., 3]]))
        )
    return replace(cutout, views=tuple(views))


def small(planes):
    """A frame as the encoder gets it, seen 160 pixels wide, as BGR floats."""
    picture = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    size = (160, round(160 * picture.shape[0] / picture.shape[1]))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def luma(picture):
    return picture @ np.array([0.114, 0.587, 0.299], np.float32)


def seen(shots, *, runs=None, length=3):
    """Frame numbers to look at: all, or `runs` short runs in each shot and both sides of each cut."""
    if runs is None:
        return list(range(shots[-1].stop))
    numbers = set()
    for shot in shots:
        for at in np.linspace(shot.start, shot.stop - length, runs).astype(int):
            numbers.update(range(int(at), int(at) + length))
        numbers.update((shot.start, shot.stop - 1))
    return sorted(numbers)


@dataclass
class Seen:
    """What the bars of the design are about."""

    luma: float
    contrast: float
    inside: np.ndarray
    cuts: list


def watch(film_take, *, runs=None):
    """Shoot (a sample of) a film and measure it."""
    shots = film_take.plan.shots
    pictures = {}
    with film_take.open() as film:
        for number in seen(shots, runs=runs):
            planes, _ = film.frame(number)
            pictures[number] = small(planes)
    starts = {shot.start for shot in shots[1:]}
    change = {b: np.abs(pictures[b] - pictures[a]).mean() for a, b in pairwise(pictures) if b == a + 1}
    lumas = [luma(picture) for picture in pictures.values()]
    return Seen(
        min(float(v.mean()) for v in lumas),
        min(float(v.std()) for v in lumas),
        np.array([v for number, v in change.items() if number not in starts]),
        [float(v) for number, v in change.items() if number in starts],
    )
