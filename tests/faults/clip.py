"""One small, real MP4, made once a session; the fake generator delivers it."""

from __future__ import annotations

import functools
import io

import av
import numpy as np


@functools.cache
def clip(*, frames: int = 24, size: int = 0) -> bytes:
    """A grey film of 64 × 36 pixels at 24 frames a second, with a `free` box up to `size` bytes."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("h264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(frames):
            shade = np.full((36, 64, 3), 40 + 5 * number % 160, dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    film = out.getvalue()
    missing = size - len(film)
    if missing > 8:
        film += missing.to_bytes(4, "big") + b"free" + bytes(i % 251 for i in range(missing - 8))
    return film
