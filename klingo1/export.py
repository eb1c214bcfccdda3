"""What is made from a finished video. The poster is its first picture worth showing."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger(__name__)

POSTER_AT = 0.35
"""Seconds into the film; the very first frame may still be fading in."""


def write_poster(video: Path, poster: Path) -> bool:
    """Write a JPEG of an early frame beside the video; False when the video cannot be read."""
    import av  # noqa: PLC0415 - `import klingo1` leaves the decoders unloaded

    try:
        with av.open(str(video), options={"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2"}) as container:
            chosen = None
            for frame in container.decode(video=0):
                chosen = frame
                if frame.time is not None and frame.time >= POSTER_AT:
                    break
            if chosen is None:
                return False
            part = poster.with_suffix(".part.jpg")
            chosen.to_image().save(part, quality=88)  # type: ignore[no-untyped-call] # PyAV's stub
            part.replace(poster)
    except (av.FFmpegError, OSError, IndexError):
        log.warning("no poster could be made for %s", poster.parent.name)
        return False
    return True
