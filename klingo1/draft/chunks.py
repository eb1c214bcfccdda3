"""Encoded pieces of a film, and the file that they make.

A film is encoded in pieces of at most two and a half seconds, each by an encoder that knows nothing of the
one before. So it does not matter where a piece was made: pieces that several processes have made side by side
are joined by writing their packets one after the other, and the file is the one that a single process writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from klingo1.draft.plan import FPS, Plan
from klingo1.draft.stage import Image

SOUND_RATE = 48_000
PIECE_MAX = 60
"""Frames of a piece, at most."""
_SOUND_BLOCK = 1024
"""Samples in an AAC frame."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """An encoded packet. Times are frames for pictures, samples for sound."""

    data: bytes
    pts: int
    dts: int
    duration: int
    is_key: bool
    is_sound: bool = False


def starts_of(plan: Plan) -> list[int]:
    """The frames with which pieces begin: every shot's first, and more inside a long shot."""
    starts = []
    for shot in plan.shots:
        length = shot.stop - shot.start
        count = -(-length // PIECE_MAX)
        starts += [shot.start + length * number // count for number in range(count)]
    return starts


class Pieces:
    """Encodes frames in rising order; a fresh encoder begins with each frame of `starts`.

    `width` x `height` must be even. Frames are I420, height x 1.5 rows.
    """

    def __init__(self, width: int, height: int, starts: Iterable[int], *, first: int = 0) -> None:
        self._size = (width, height)
        self._starts = frozenset(starts)
        self._number = first
        self._context: VideoCodecContext | None = None

    def encode(self, planes: Image) -> Iterator[Chunk]:
        """What the encoder has ready after the next frame."""
        if self._context is None or self._number in self._starts:
            yield from self.rest()
            self._context = encoder_of(*self._size)
        frame = picture_of(planes, *self._size)
        frame.pts, frame.time_base = self._number, Fraction(1, FPS)
        self._number += 1
        yield from map(_chunk, self._context.encode(frame))

    def rest(self) -> Iterator[Chunk]:
        """What the encoder still holds."""
        if self._context is not None:
            yield from map(_chunk, self._context.encode(None))


def encoder_of(width: int, height: int) -> VideoCodecContext:
    """A fresh H.264 encoder with the film's settings."""
    context = av.CodecContext.create("libx264", "w")
    _set_up(context, width, height)
    context.flags |= av.codec.context.Flags.global_header
    return context


def _set_up(context: VideoCodecContext, width: int, height: int) -> None:
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    # Its macroblock tree reads memory that it never wrote where the width is no multiple of 64, and the same
    # frames then give other files. What going without it costs is measured by benchmarks/draft_encoder.py.
    context.options = {"preset": "veryfast", "crf": "21", "x264-params": "mbtree=0"}
    context.thread_count = 2
    # OpenCV converts by BT.601 with limited range; players must be told, or yellows turn green.
    context.color_range, context.colorspace = 1, 6
    context.color_primaries, context.color_trc = 6, 6


def _chunk(packet: Any) -> Chunk:
    return Chunk(bytes(packet), packet.pts, packet.dts, packet.duration, packet.is_keyframe)


def picture_of(planes: Image, width: int, height: int) -> av.VideoFrame:
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


def sound_chunks(sound: NDArray[np.float32]) -> list[Chunk]:
    """Sound (float32, 2 x samples at 48 kHz) as AAC of exactly that many samples."""
    context = cast("Any", av.CodecContext.create("aac", "w"))
    context.sample_rate, context.layout, context.format = SOUND_RATE, "stereo", "fltp"
    context.time_base = Fraction(1, SOUND_RATE)
    context.flags |= av.codec.context.Flags.global_header
    packets = []
    for start in range(0, sound.shape[1], _SOUND_BLOCK):
        block = np.ascontiguousarray(sound[:, start : start + _SOUND_BLOCK])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate = SOUND_RATE
        frame.pts, frame.time_base = start, Fraction(1, SOUND_RATE)
        packets += context.encode(frame)
    packets += context.encode(None)
    return [Chunk(bytes(p), p.pts, p.dts, p.duration, is_key=True, is_sound=True) for p in packets]


def write_film(
    path: Path, width: int, height: int, chunks: Iterable[Chunk], *, metadata: dict[str, str], has_sound: bool
) -> None:
    """An MP4 of these packets as they come, its index in front; nothing is encoded here."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata.update(metadata)
        video: Any = container.add_stream("libx264", rate=FPS)
        _set_up(video.codec_context, width, height)
        video.time_base = Fraction(1, FPS)
        audio: Any = container.add_stream("aac", rate=SOUND_RATE, layout="stereo") if has_sound else None
        container.start_encoding()  # the streams' own encoders give the headers, and never a packet
        for chunk in chunks:
            packet = av.Packet(chunk.data)
            packet.stream = audio if chunk.is_sound else video
            packet.time_base = Fraction(1, SOUND_RATE if chunk.is_sound else FPS)
            packet.pts, packet.dts, packet.duration = chunk.pts, chunk.dts, chunk.duration
            packet.is_keyframe = chunk.is_key
            container.mux_one(packet)
