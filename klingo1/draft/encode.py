"""The encoder: frames through a short queue into a thread that writes H.264, and sound behind them.

Rendering and encoding overlap: OpenCV and libx264 both let go of the interpreter. The file is written under a
`.part` name and renamed when it is whole.
"""

from __future__ import annotations

import json
import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from klingo1.draft.plan import FPS
from klingo1.draft.stage import Image

SOUND_RATE = 48_000
_QUEUE = 4
"""Frames in flight: enough to even out, few enough to keep memory flat."""
_SOUND_BLOCK = 1024
"""Samples in an AAC frame."""


class Encoder:
    """Write one film; a context manager. On a clean exit the file stands complete at `path`.

    `width` x `height` must be even. With `sound` (float32, 2 x samples at 48 kHz) the film carries AAC of
    exactly that many samples; without it there is no sound track. Frames are I420, height x 1.5 rows.
    """

    def __init__(
        self, path: Path, width: int, height: int, *, title: str, recipe: dict[str, Any],
        sound: NDArray[np.float32] | None = None,
    ) -> None:  # fmt: skip
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._sound = sound
        self._size = (width, height)
        self._metadata = {"title": title, "comment": json.dumps(recipe, ensure_ascii=False)}
        self._frames: queue.Queue[Image | None] = queue.Queue(_QUEUE)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def add(self, planes: Image) -> None:
        """Hand over the next frame; waits while the queue is full. Raises what the encoder failed with."""
        self._frames.put(planes)
        if self._failure is not None:
            raise self._failure

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frames.put(None)
        self._thread.join()
        if kind is not None or self._failure is not None:
            self._part.unlink(missing_ok=True)
            if kind is None and self._failure is not None:
                raise self._failure
            return
        self._part.replace(self._path)

    def _run(self) -> None:
        try:
            self._write()
        except Exception as error:
            self._failure = error
            while self._frames.get() is not None:
                pass  # let the renderer run into the failure instead of a full queue

    def _write(self) -> None:
        options = {"movflags": "+faststart"}
        with av.open(str(self._part), "w", format="mp4", options=options) as container:
            container.metadata.update(self._metadata)
            video = _video_stream(container, *self._size)
            audio = (
                container.add_stream("aac", rate=SOUND_RATE, layout="stereo")
                if self._sound is not None
                else None
            )
            number = 0
            while (planes := self._frames.get()) is not None:
                frame = _picture(planes, *self._size)
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(video.encode(frame))
                number += 1
            container.mux(video.encode())
            if audio is not None and self._sound is not None:
                _write_sound(container, audio, self._sound)


def _picture(planes: Image, width: int, height: int) -> av.VideoFrame:
    """The planes as a frame with nothing left to chance.

    A row of chroma is padded to a multiple of 16 bytes; libx264 with several threads reads that padding, and
    whatever happened to be in memory there changed the film by a few bits from run to run.
    """
    frame = av.VideoFrame(width, height, "yuv420p")
    flat, at = planes.reshape(-1), 0
    for index, plane in enumerate(frame.planes):
        wide, tall = (width, height) if index == 0 else (width // 2, height // 2)
        rows = np.frombuffer(cast("memoryview[int]", plane), np.uint8)[: tall * plane.line_size].reshape(
            tall, plane.line_size
        )
        rows[:, :wide] = flat[at : at + wide * tall].reshape(tall, wide)
        rows[:, wide:] = 128
        at += wide * tall
    return frame


def _video_stream(container: Any, width: int, height: int) -> VideoStream:
    stream: VideoStream = container.add_stream("libx264", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.time_base = Fraction(1, FPS)
    # Its macroblock tree reads memory that it never wrote where the width is no multiple of 64, and the same
    # frames then give other files; without it, files of the same size look the same.
    stream.options = {"preset": "veryfast", "crf": "21", "x264-params": "mbtree=0"}
    context = stream.codec_context
    context.thread_count = 2
    # OpenCV converts by BT.601 with limited range; players must be told, or yellows turn green.
    context.color_range, context.colorspace = 1, 6
    context.color_primaries, context.color_trc = 6, 6
    return stream


def _write_sound(container: Any, stream: Any, sound: NDArray[np.float32]) -> None:
    for start in range(0, sound.shape[1], _SOUND_BLOCK):
        block = np.ascontiguousarray(sound[:, start : start + _SOUND_BLOCK])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate = SOUND_RATE
        frame.pts, frame.time_base = start, Fraction(1, SOUND_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
