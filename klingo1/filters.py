"""FFmpeg's filters as a pipe for frames, and what every way of writing a video needs beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from klingo1.decoding import unreadable

if TYPE_CHECKING:
    from av.filter.context import FilterContext
    from av.filter.graph import Graph
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

DEADLINE_SECONDS = 600.0
Steps = Sequence[tuple[str, str]]
"""Names of filters, each with its options."""


@dataclass(frozen=True, slots=True)
class Pipe:
    """Frames in, frames out. The graph is held because its ends do not keep it alive."""

    graph: Graph
    entry: FilterContext
    end: FilterContext

    def through(self, frame: Any) -> Iterator[VideoFrame]:
        """Put one frame in (None at the end) and take out what is ready."""
        self.entry.push(frame)
        while True:
            try:
                yield self.end.pull()  # type: ignore[misc] # video in, video out
            except (BlockingIOError, EOFError):
                return


def pipe_of(stream: VideoStream, steps: Steps) -> Pipe:
    """Filters in a row, fed with the frames of `stream`."""
    from av.filter import Graph  # noqa: PLC0415 - `import klingo1` leaves the decoders unloaded

    graph = Graph()
    nodes = [graph.add_buffer(template=stream), *(graph.add(name, words) for name, words in steps)]
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    return Pipe(graph, nodes[0], nodes[-1])


def palette_pipe(stream: VideoStream, steps: Steps, palette: VideoFrame) -> Pipe:
    """Filters in a row, whose frames then use the 256 colours of `palette` (from the filter palettegen)."""
    from av.filter import Graph  # noqa: PLC0415 - as above

    graph = Graph()
    nodes = [graph.add_buffer(template=stream), *(graph.add(name, words) for name, words in steps)]
    for before, after in pairwise(nodes):
        before.link_to(after)
    colours = graph.add_buffer(
        width=palette.width, height=palette.height, format=palette.format, time_base=Fraction(1, 1)
    )
    # An ordered dither stays still where the film does, so that unchanged parts cost nothing.
    use = graph.add("paletteuse", "dither=bayer:bayer_scale=3:diff_mode=rectangle")
    end = graph.add("buffersink")
    nodes[-1].link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    use.link_to(end)
    graph.configure()
    palette.pts = 0
    colours.push(palette)
    colours.push(None)
    return Pipe(graph, nodes[0], end)


def scale(stream: VideoStream, size: tuple[int, int], *, rgb: bool = False) -> tuple[str, str]:
    """The filter that brings frames to `size` (width, height in pixels); `rgb` when colours are converted."""
    words = f"w={size[0]}:h={size[1]}:flags=lanczos"
    context = stream.codec_context
    if rgb and context.colorspace in {0, 2} and min(context.width, context.height) >= 720:
        words += ":in_color_matrix=bt709"  # what players assume for HD that does not say
    return "scale", words


def encode_all(target: Any, stream: VideoStream, frames: Iterator[VideoFrame]) -> None:
    """Encode frames and write the packets."""
    for frame in frames:
        frame.pict_type = 0  # the source's key frames are not ours
        target.mux(stream.encode(frame))


def rate_of(stream: VideoStream) -> Fraction:
    """Frames a second; 24 where the file says nothing that can be true."""
    rate = stream.average_rate or stream.guessed_rate
    return Fraction(rate).limit_denominator(1001) if rate and 1 <= rate <= 240 else Fraction(24)


def deadline() -> Callable[[], None]:
    """A check that raises InvalidRequest once ten minutes have passed."""
    until = time.monotonic() + DEADLINE_SECONDS

    def check() -> None:
        if time.monotonic() > until:
            raise unreadable("Writing the video took more than ten minutes.")

    return check
