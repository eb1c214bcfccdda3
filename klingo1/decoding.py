"""Reading finished videos: opened safely, frames picked without holding more than one of them.

FFmpeg opens playlists that name other files or hosts, whatever a file is called, so only MP4 and Matroska are
demuxed and no protocol but `file` is spoken. Import costs nothing: PyAV is loaded by the first call.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from klingo1.errors import InvalidRequest
from klingo1.probe import check_size

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from PIL import Image

BYTES_MAX = 2_000_000_000
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
    "protocol_whitelist": "file",
    "max_streams": "32",
    "max_pixels": str(4096 * 4096),
}
PLAIN = 12.0
"""Levels of 255 by which the tones of a picture differ at least when there is something to be seen."""
_SECONDS_OPEN = 15.0
_SEEK_OVER = 6.0
"""Seconds ahead from which looking for a key frame is cheaper than decoding what lies between."""
_PACKETS_MAX = 500_000
_OUR_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}


def unreadable(reason: str, remedy: str = "Choose an MP4 that plays.") -> InvalidRequest:
    """The error for a video that cannot be used; both are sentences."""
    return InvalidRequest("video", reason, remedy)


@contextmanager
def opened(video: Path) -> Iterator[InputContainer]:
    """The container. What FFmpeg says inside the block becomes InvalidRequest, a full disk OSError."""
    import av  # noqa: PLC0415 - `import klingo1` leaves the decoders unloaded

    try:
        if video.stat().st_size > BYTES_MAX:
            raise unreadable("The video is larger than 2 GB.")
    except (OSError, ValueError) as error:
        raise unreadable("The video is not there any more.") from error
    try:
        # The full path, so that a name like "concat:a|b" cannot be read as a protocol.
        with av.open(
            str(video.resolve()),
            options=_OPTIONS,
            timeout=(_SECONDS_OPEN, _SECONDS_OPEN),
            metadata_errors="replace",
        ) as container:
            yield container
    except (av.FFmpegError, ValueError, IndexError) as error:
        number = getattr(error, "errno", None)
        if number in _OUR_FAULTS:
            raise OSError(number, "a video cannot be written") from error
        raise unreadable("The file is no video that can be read.") from error


def moving(container: InputContainer) -> VideoStream:
    """The first stream that is a film and no cover. Raises InvalidRequest when there is none."""
    from av.stream import Disposition  # noqa: PLC0415 - as above

    for stream in container.streams.video:
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
            check_size(stream.codec_context.width, stream.codec_context.height)
            stream.codec_context.thread_count = 2
            return stream
    raise unreadable("The file holds no moving picture.")


def clockwise(frame: VideoFrame) -> int:
    """How far a frame has to be turned to stand upright: 0, 90, 180 or 270 degrees."""
    return round(-frame.rotation / 90) * 90 % 360


def upright(frame: VideoFrame) -> Image.Image:
    """The frame as a picture (RGB) that stands as players show it."""
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call] # PyAV's stub
    turn = clockwise(frame)
    return picture.rotate(-turn, expand=True) if turn else picture


def spaced_pictures(video: Path, count: int) -> Iterator[tuple[float, Image.Image]]:
    """`count` pictures (fewer when there are not so many) from the first to the last, with their seconds.

    Raises InvalidRequest when the video cannot be read.
    """
    with opened(video) as container:
        stream = moving(container)
        stamps = _stamps(container, stream)
        last = len(stamps) - 1
        wanted = sorted({round(k * last / max(1, count - 1)) for k in range(count)})
        for frame in _frames_at(container, stream, [stamps[k] for k in wanted]):
            yield max(0.0, _seconds(frame, stamps[0])), upright(frame)


def picture_at(video: Path, seconds: float) -> Image.Image:
    """The picture that is shown `seconds` into the video; the first or last one when that is outside of it.

    Raises InvalidRequest when the video cannot be read.
    """
    with opened(video) as container:
        stream = moving(container)
        stamps = _stamps(container, stream)
        base = float(stream.time_base or 1)
        # Half a tick of grace: 1.25 s must not miss the frame at 1.2499.
        shown = [stamp for stamp in stamps if (stamp - stamps[0] - 0.5) * base <= seconds]
        for frame in _frames_at(container, stream, [shown[-1] if shown else stamps[0]]):
            return upright(frame)
    raise unreadable("The file holds no picture that can be decoded.")


def early_picture(video: Path, after: float) -> Image.Image:
    """The first picture; where nothing is to be seen in it, as films may begin dark, the one `after` seconds
    later. Raises InvalidRequest when the video cannot be read.
    """
    with opened(video) as container:
        stream = moving(container)
        stream.codec_context.thread_count = 1  # for one picture, a second thread has nothing to do
        start, early = 0, None
        for frame in container.decode(stream):
            if frame.pts is None:
                continue
            check_size(frame.width, frame.height)
            if early is None:
                start = frame.pts
                if not _is_plain(frame):
                    return upright(frame)
            elif _seconds(frame, start) > after:
                break
            early = frame
        if early is not None:
            return upright(early)
    raise unreadable("The file holds no picture that can be decoded.")


def frame_rate(video: Path) -> float:
    """Frames a second, on average where they come unevenly. Raises InvalidRequest when it cannot be told."""
    with opened(video) as container:
        stream = moving(container)
        rate = float(stream.average_rate or stream.guessed_rate or 0)
    if not rate > 0:
        raise unreadable("The video does not tell how fast its pictures follow.")
    return rate


def _is_plain(frame: VideoFrame) -> bool:
    """Whether the frame is of one tone: dark, or still fading in."""
    small = frame.reformat(width=32, height=18, format="gray").to_ndarray()
    return float(small.std()) < PLAIN


def _seconds(frame: VideoFrame, start: int) -> float:
    return float(((frame.pts or 0) - start) * (frame.time_base or 0))


def _stamps(container: InputContainer, stream: VideoStream) -> list[int]:
    """Every frame's time stamp in order, read without decoding. Raises InvalidRequest when there is none."""
    stamps: list[int] = []
    until = time.monotonic() + _SECONDS_OPEN
    for packet in container.demux(stream):
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None and packet.size and not packet.is_discard:
            stamps.append(stamp)
        if len(stamps) >= _PACKETS_MAX or time.monotonic() > until:
            break
    if not stamps:
        raise unreadable("The file holds no picture.")
    return sorted(stamps)


def _frames_at(container: InputContainer, stream: VideoStream, stamps: Sequence[int]) -> Iterator[VideoFrame]:
    """For each of the rising stamps the first frame at or after it; the last one there is at the end."""
    far = _SEEK_OVER / float(stream.time_base or 1)
    at: int | None = None
    spare: VideoFrame | None = None
    decoded: Iterator[VideoFrame] = iter(())
    for stamp in stamps:
        if at is None or stamp - at > far:
            container.seek(stamp, stream=stream, backward=True)
            decoded = container.decode(stream)
        for frame in decoded:
            if frame.pts is None:
                continue
            check_size(frame.width, frame.height)
            at, spare = frame.pts, frame
            if at >= stamp:
                yield frame
                spare = None
                break
    if spare is not None:
        yield spare
