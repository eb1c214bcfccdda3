"""The reference video's sound, cut or filled with silence to the film's exact length."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from klingo1.draft.encode import SOUND_RATE


def sound_of(path: Path, seconds: float) -> NDArray[np.float32] | None:
    """The first `seconds` of a video's sound: float32, 2 x samples at 48 kHz; None when there is none.

    A sound track that starts late is preceded by silence, one that ends early is followed by it. Damage in
    the middle of a track ends the sound there instead of failing the film.
    """
    wanted = round(seconds * SOUND_RATE)
    sound = np.zeros((2, wanted), np.float32)
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            begin = float(container.start_time or 0) / 1_000_000
            resampler = av.AudioResampler("fltp", "stereo", SOUND_RATE)
            position: int | None = None
            for packet in container.demux(stream):
                for frame in packet.decode():
                    if position is None:
                        late = float(frame.time or 0.0) - begin
                        position = max(0, round(late * SOUND_RATE))
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


def _put(sound: NDArray[np.float32], position: int, block: NDArray[np.float32]) -> int:
    room = max(0, min(block.shape[1], sound.shape[1] - position))
    sound[:, position : position + room] = block[:, :room]
    return position + int(block.shape[1])
