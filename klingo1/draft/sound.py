"""The reference video's sound, cut or filled with silence to the film's exact length."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from klingo1.draft.encode import SOUND_RATE


def sound_of(path: Path, seconds: float) -> NDArray[np.float32] | None:
    """The first `seconds` of a video's sound: float32, 2 x samples at 48 kHz; None when there is none.

    It begins with the first picture, as the film does: a sound track that starts later is preceded by
    silence, what one that starts earlier plays before is left out. One that ends early is followed by
    silence. Damage in the middle of a track ends the sound there instead of failing the film.
    """
    wanted = round(seconds * SOUND_RATE)
    sound = np.zeros((2, wanted), np.float32)
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            begin = _begin(container)
            resampler = av.AudioResampler("fltp", "stereo", SOUND_RATE)
            position: int | None = None
            for packet in container.demux(stream):
                for frame in packet.decode():
                    if position is None:
                        late = float(frame.time or 0.0) - begin
                        position = round(late * SOUND_RATE)
                    for piece in resampler.resample(frame):
                        position = _put(sound, position, piece.to_ndarray().astype(np.float32))
                if position is not None and position >= wanted:
                    break
            if position is None:
                return None
            if position < wanted:
                for piece in resampler.resample(None):
                    position = _put(sound, position, piece.to_ndarray().astype(np.float32))
    except av.FFmpegError:
        return sound if sound.any() else None
    return sound


def _begin(container: InputContainer) -> float:
    """When the first picture is shown, in seconds of the file."""
    for video in container.streams.video:
        if video.start_time is not None and video.time_base is not None:
            return float(video.start_time * video.time_base)
    return float(container.start_time or 0) / 1_000_000


def _put(sound: NDArray[np.float32], position: int, block: NDArray[np.float32]) -> int:
    """Copy a block to its place, as far as that lies within the film; returns where the next one goes."""
    end = position + int(block.shape[1])
    first, last = max(0, position), min(sound.shape[1], end)
    if last > first:
        sound[:, first:last] = block[:, first - position : last - position]
    return end
