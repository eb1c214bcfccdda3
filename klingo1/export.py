"""What is made from a finished video: its poster, and contact sheets for judging it at a glance."""

from __future__ import annotations

import logging
from pathlib import Path

from klingo1.errors import InvalidRequest

log = logging.getLogger(__name__)

_MP4 = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2"}
"""The only demuxers a result needs; others may open files that a text names."""
SHEET_WIDTH = 480
POSTER_AT = 0.35
"""Seconds into the film; the very first frame may still be fading in."""


def write_poster(video: Path, poster: Path) -> bool:
    """Write a JPEG of an early frame beside the video; False when the video cannot be read."""
    import av  # noqa: PLC0415 - `import klingo1` leaves the decoders unloaded

    try:
        with av.open(str(video), options=_MP4) as container:
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


def write_sheet(video: Path, to: Path, *, frames: int = 9, columns: int = 3) -> None:
    """Write `frames` evenly spaced frames as one picture, `columns` abreast, 480 px wide each.

    Raises InvalidRequest when the video cannot be read.
    """
    import av  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415 - as above

    try:
        with av.open(str(video), options=_MP4) as container:
            total = sum(1 for _ in container.decode(video=0))
        wanted = {round(k * (total - 1) / max(1, frames - 1)) for k in range(frames)}
        with av.open(str(video), options=_MP4) as container:
            pictures = [
                frame.to_image()  # type: ignore[no-untyped-call] # PyAV's stub
                for number, frame in enumerate(container.decode(video=0))
                if number in wanted
            ]
    except (av.FFmpegError, OSError, IndexError) as error:
        raise InvalidRequest("video", "The file is no video that can be read.", "Choose an MP4.") from error
    if not pictures:
        raise InvalidRequest("video", "The file holds no picture.", "Choose an MP4.")
    height = round(SHEET_WIDTH * pictures[0].height / pictures[0].width)
    sheet = Image.new("RGB", (columns * SHEET_WIDTH, -(-len(pictures) // columns) * height))
    for number, picture in enumerate(pictures):
        at = (number % columns * SHEET_WIDTH, number // columns * height)
        sheet.paste(picture.resize((SHEET_WIDTH, height)), at)
    sheet.save(to)
