"""GIFs, in two passes over the film: one for the best 256 colours, one that uses them.

A single pass would have to keep every frame until the palette is known; so only one frame is held at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from klingo1.decoding import moving, opened, unreadable
from klingo1.filters import Steps, deadline, encode_all, palette_pipe, pipe_of, rate_of, scale
from klingo1.whole import whole

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

FPS_MAX = 15
PALETTE_SIDE, PALETTE_PICTURES = 180, 64
SECONDS_MAX = 30.0
"""A GIF has some 4 MB a second at 720p; half a minute is as long as anybody can send."""


def write_gif(video: Path, to: Path, *, steps: Steps, size: tuple[int, int]) -> None:
    """Write an endlessly repeating GIF of `size`, after the filters `steps`, at most 15 frames a second.

    Raises InvalidRequest when the video cannot be read or lasts more than 30 s.
    """
    import av  # noqa: PLC0415 - `import klingo1` leaves the decoders unloaded

    check = deadline()
    palette, pace = _palette(video, steps, size, check)
    with (
        opened(video) as source,
        whole(to) as part,
        av.open(str(part), "w", format="gif", container_options={"loop": "0"}) as target,
    ):
        stream = moving(source)
        pipe = palette_pipe(stream, [*steps, ("fps", f"fps={pace}"), scale(stream, size, rgb=True)], palette)
        picture = target.add_stream("gif", rate=pace)
        picture.width, picture.height, picture.pix_fmt = *size, "pal8"
        picture.time_base = 1 / pace
        for frame in source.decode(stream):
            check()
            encode_all(target, picture, pipe.through(frame))
        encode_all(target, picture, pipe.through(None))
        target.mux(picture.encode(None))


def _palette(
    video: Path, steps: Steps, size: tuple[int, int], check: Callable[[], None]
) -> tuple[VideoFrame, Fraction]:
    """The colours that serve the whole film best, and the pace of the GIF in frames a second."""
    with opened(video) as source:
        if source.duration and source.duration > SECONDS_MAX * 1e6:
            raise unreadable(f"A GIF may last {SECONDS_MAX:g} s; the video is longer.")
        stream = moving(source)
        # Every second or every third picture and so on: an even pace.
        full = rate_of(stream)
        pace = full / math.ceil(full / FPS_MAX)
        # Finding a palette grows slow with the number of different colours: small pictures, not all of them,
        # and colours in steps of four (at most 262,144) are the same to the eye.
        factor = min(1.0, PALETTE_SIDE / min(size))
        small = max(2, round(size[0] * factor)), max(2, round(size[1] * factor))
        seconds = Fraction(source.duration or 0, 1_000_000)
        sampled = min(pace, PALETTE_PICTURES / seconds) if seconds else pace
        sampled = sampled.limit_denominator(1001)
        coarse = ":".join(f"{channel}='bitand(val,252)+2'" for channel in "rgb")
        chain = [*steps, ("fps", f"fps={sampled}"), scale(stream, small, rgb=True)]
        finding = [("format", "rgb32"), ("lutrgb", coarse), ("palettegen", "stats_mode=full")]
        pipe = pipe_of(stream, [*chain, *finding])
        for frame in source.decode(stream):
            check()
            for _ in pipe.through(frame):
                pass
        for palette in pipe.through(None):
            return palette, pace
    raise unreadable("The file holds no picture.")
