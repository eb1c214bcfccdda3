"""The reference video: its movement becomes the camera's path, and it plays in a corner of the film.

It is read twice: once small, for the path; once while the film is made, picture by picture, so that memory
does not grow with its length. Times come from the file, so a variable frame rate is no special case.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from klingo1.draft.plan import FPS
from klingo1.draft.stage import Image, planes_of

_FLOW = (160, 90)
_SMOOTHING = 9
_EDGE = 2
"""Pixels of white round the inset."""
_REACH = (0.16, 0.10, 0.25)
"""How far the path may lead the camera: shares of width and height, and the logarithm of the zoom."""


@dataclass(frozen=True, slots=True)
class Path3:
    """The camera's path: for each frame of the film pan, tilt (shares of the width) and log zoom, summed
    up.
    """

    steps: NDArray[np.float64]

    def between(self, start: int, number: int) -> tuple[float, float, float]:
        """Pan, tilt and zoom at a frame relative to another (its shot's first), softly limited."""
        last = len(self.steps) - 1
        if last < 0:
            return 0.0, 0.0, 0.0
        change = self.steps[min(number, last)] - self.steps[min(start, last)]
        pan, tilt, zoom = (limit * math.tanh(v / limit) for v, limit in zip(change, _REACH, strict=True))
        return pan, tilt, zoom


class Clip:
    """A reference video of any length, rate, size and rotation. Unreadable ones play nothing and move
    nothing.
    """

    def __init__(self, path: Path, frames: int) -> None:
        self._path = path
        self._frames = frames
        self._player: Iterator[Image] | None = None
        self._shown: Image | None = None
        self._next = 0

    def camera_path(self) -> Path3:
        """Follow the picture's global movement through the first `frames` frames of the film."""
        steps: list[NDArray[np.float64]] = []
        total, before = np.zeros(3), None
        for number, picture in enumerate(self._pictures(*_FLOW, once=True)):
            if number % 2 == 0 or before is None:
                grey = cv2.cvtColor(picture, cv2.COLOR_BGRA2GRAY)
                if before is not None:
                    total = total + _movement(before, grey)
                before = grey
            steps.append(total.copy())
            if len(steps) >= self._frames:
                break
        if not steps:
            return Path3(np.zeros((0, 3)))
        path = np.array(steps)
        kernel = np.ones(_SMOOTHING) / _SMOOTHING
        half = _SMOOTHING // 2
        smooth = [np.convolve(np.pad(path[:, i], half, mode="edge"), kernel, "valid") for i in range(3)]
        return Path3(np.stack(smooth, axis=1))

    def show(self, planes: Image, number: int) -> None:
        """Lay the inset over a frame of the film (I420), top right with a thin white edge; call in rising
        order.
        """
        height, width = planes.shape[0] * 2 // 3, planes.shape[1]
        if self._player is None:
            self._player = self._pictures(round(width * 0.3), round(height * 0.2), once=False)
        while self._next <= number:
            self._shown = next(self._player, self._shown)
            self._next += 1
        if self._shown is None:
            return
        # Chroma has half the size: everything lies on even pixels.
        tall, wide = self._shown.shape[0] // 2 * 2, self._shown.shape[1] // 2 * 2
        margin = round(0.015 * min(width, height)) * 2
        edged = cv2.copyMakeBorder(
            self._shown[:tall, :wide],
            _EDGE,
            _EDGE,
            _EDGE,
            _EDGE,
            cv2.BORDER_CONSTANT,
            value=(240, 244, 246, 255),
        )
        left, top = (width - wide - margin - _EDGE) // 2 * 2, margin - _EDGE
        inset = planes_of(cv2.cvtColor(edged, cv2.COLOR_BGRA2YUV_I420))
        for plane, part, step in zip(planes_of(planes), inset, (1, 2, 2), strict=True):
            y, x = top // step, left // step
            plane[y : y + part.shape[0], x : x + part.shape[1]] = part

    def _pictures(self, width: int, height: int, *, once: bool) -> Iterator[Image]:
        """One BGRA picture for each frame of the film, fitted into width x height; starts over unless
        `once`.
        """
        number, offset = 0, 0.0
        while True:
            length, begin = 0.0, None
            held: Image | None = None
            try:
                with av.open(str(self._path)) as container:
                    stream = container.streams.video[0]
                    stream.thread_type = "AUTO"
                    for frame in container.decode(stream):
                        time = float(frame.time) if frame.time is not None else length + 1 / FPS
                        begin = time if begin is None else begin
                        length = max(length, time - begin)
                        while held is not None and offset + time - begin > number / FPS + 1e-6:
                            yield held
                            number += 1
                        if held is None or offset + time - begin + 0.06 > number / FPS:
                            held = _fitted(frame, width, height)
            except (av.FFmpegError, IndexError):
                pass  # what could be decoded has been shown
            if held is None:
                return
            yield held
            number += 1
            if once or length <= 0:
                return
            offset = number / FPS


def _fitted(frame: Any, width: int, height: int) -> Image:
    """The picture upright and no larger than width x height, opaque BGRA."""
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    wide, tall = (frame.height, frame.width) if turns % 2 else (frame.width, frame.height)
    share = min(width / wide, height / tall)
    size = (max(2, round(wide * share)), max(2, round(tall * share)))
    if turns % 2:
        size = size[::-1]
    picture: Image = frame.reformat(size[0], size[1], "bgra").to_ndarray()
    picture[..., 3] = 255
    # The display matrix counts anticlockwise, as rot90 does.
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def _movement(before: Image, after: Image) -> NDArray[np.float64]:
    """Pan and tilt (shares of the width) and log zoom between two small grey pictures; zero when unsure."""
    still = np.zeros(3)
    if before.shape != after.shape:
        return still
    points = cv2.goodFeaturesToTrack(before, 80, 0.01, 6)
    if points is None or len(points) < 8:
        return still
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, winSize=(15, 15))
    good = found[:, 0] == 1
    if int(good.sum()) < 7:
        return still
    matrix, _ = cv2.estimateAffinePartial2D(points[good], moved[good], ransacReprojThreshold=1.0)
    if matrix is None:
        return still
    height, width = before.shape
    middle = np.array([width / 2, height / 2])
    shift = matrix[:, :2] @ middle + matrix[:, 2] - middle
    zoom = math.log(min(2.0, max(0.5, math.hypot(matrix[0, 0], matrix[1, 0]))))
    return np.array([shift[0] / width, shift[1] / width, zoom])
