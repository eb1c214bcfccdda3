"""FFmpeg let loose on a stranger's video, on a short lead.

FFmpeg opens playlists that name other files or hosts, whatever their suffix is, and knows hundreds of codecs.
So only MP4, MOV and Matroska are demuxed, only current codecs decoded, no protocol but `file` is spoken, and
probing has a deadline. Import costs nothing: PyAV is loaded by the first call.
"""

from __future__ import annotations

import errno
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from klingo1.errors import InvalidRequest

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

SIDE_MIN, SIDE_MAX = 32, 4096
AGAIN_REMEDY = "Save or download it once more and add it again."
EXPORT_REMEDY = "Export it as MP4 (H.264) and add it again."
_SECONDS = 10.0  # enough to read 200 MB from a slow disk
_PIXELS_MAX = str(SIDE_MAX * SIDE_MAX)
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
    "protocol_whitelist": "file",
    "max_streams": "32",
    "max_pixels": _PIXELS_MAX,
}
_OUR_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}
_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "prores"})


@dataclass(frozen=True, slots=True)
class Probe:
    """Size in pixels as shown, seconds, frames a second, the share (0 to 1) of frames that come unevenly.

    `promised` is the length in seconds that the header tells, 0 when it tells none; `damaged` says that a
    later frame could not be decoded; `rotation` is clockwise, in degrees.
    """

    width: int
    height: int
    seconds: float
    fps: float
    uneven: float
    promised: float
    has_sound: bool
    rotation: int
    codec: str
    damaged: bool


class _Timing(NamedTuple):
    start: float
    seconds: float
    fps: float
    uneven: float


def probe(path: Path) -> Probe:
    """Read every packet's time stamp and decode frames at the start, the middle and near the end.

    Raises InvalidRequest("video", …) for what cannot be played here.
    """
    deadline = time.monotonic() + _SECONDS
    with _opened(path) as container:
        stream = _moving_stream(container)
        context = stream.codec_context
        check_size(context.width, context.height)
        context.options = {"max_pixels": _PIXELS_MAX}
        context.thread_count = 1
        timing = _measure(container, stream, deadline)
        first, *later = [
            _frame_at(container, stream, timing.start + timing.seconds * part, deadline)
            for part in (0, 0.5, 0.9)
        ]
        if first is None:
            raise refusal("The clip's first pictures cannot be decoded.", EXPORT_REMEDY)
        rotation = -first.rotation % 360
        width, height = first.width, first.height
        if rotation in {90, 270}:
            width, height = height, width
        return Probe(
            width=width,
            height=height,
            seconds=timing.seconds,
            fps=timing.fps,
            uneven=timing.uneven,
            promised=_promised_seconds(container, stream),
            has_sound=bool(container.streams.audio),
            rotation=rotation,
            codec=context.codec.canonical_name,
            damaged=None in later,
        )


def copy_streams(path: Path, to: Path, *, form: str) -> None:
    """The picture and the first sound of a clip in a new container, not encoded again; nothing else is kept.

    Places, dates, device names, telemetry and covers stay behind. `form` is mp4, mov or matroska. Sound that
    the container cannot hold is left out. Written under another name and renamed when whole. Raises
    InvalidRequest for a broken clip, OSError when the target cannot be written.
    """
    import av  # noqa: PLC0415 - FFmpeg is loaded only when there is a clip

    part = to.with_name(f".{secrets.token_hex(8)}.part")
    try:
        plain = {"fflags": "+bitexact"}  # the same packets give the same bytes
        with (
            _opened(path) as source,
            av.open(str(part.resolve()), "w", format=form, container_options=plain) as target,
        ):
            stream = _moving_stream(source)
            pairs: dict[int, Stream] = {stream.index: target.add_stream_from_template(stream, opaque=True)}
            for sound in source.streams.audio[:1]:
                try:
                    pairs[sound.index] = target.add_stream_from_template(sound, opaque=True)
                except ValueError:
                    pass  # this container has no place for that codec
            for packet in source.demux([source.streams[index] for index in pairs]):
                if packet.dts is not None and packet.size and not packet.is_corrupt:
                    packet.stream = pairs[packet.stream.index]
                    target.mux(packet)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


def check_size(width: int, height: int) -> None:
    """A side from 32 to 4,096 px; more takes too much memory. Raises InvalidRequest."""
    if max(width, height) > SIDE_MAX or min(width, height) < SIDE_MIN:
        raise refusal(
            f"The clip is {width:,} × {height:,} px; Kling O1 takes 720–2,160 px a side, "
            f"a draft {SIDE_MIN}–{SIDE_MAX:,} px.",
            "Export it as 1280 × 720 or 1920 × 1080.",
        )


def refusal(reason: str, remedy: str) -> InvalidRequest:
    """An error of the field `video`."""
    return InvalidRequest("video", reason, remedy)


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """The container; whatever FFmpeg says about the file inside the block becomes InvalidRequest."""
    import av  # noqa: PLC0415 - as above

    try:
        # The full path, so that a name like "concat:a|b" cannot be read as a protocol.
        with av.open(
            str(path.resolve()), options=_OPTIONS, timeout=(_SECONDS, _SECONDS), metadata_errors="replace"
        ) as container:
            yield container
    except (av.FFmpegError, ValueError) as error:
        number = getattr(error, "errno", None)
        if number in _OUR_FAULTS:
            raise OSError(number, "a clip cannot be copied") from error
        raise refusal("The clip is damaged or was cut off; it cannot be played.", AGAIN_REMEDY) from error


def _moving_stream(container: InputContainer) -> VideoStream:
    from av.stream import Disposition  # noqa: PLC0415 - as above

    still = Disposition.attached_pic | Disposition.timed_thumbnails
    for stream in container.streams.video:
        if not stream.disposition & still:
            codec = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
            if codec not in _CODECS:
                raise refusal(f"The clip is encoded as {codec}, which is not read here.", EXPORT_REMEDY)
            return stream
    raise refusal("The clip has no moving picture, only sound or a cover.", EXPORT_REMEDY)


def _promised_seconds(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # A WebM header gives one length for all streams; it is the picture's when there is no sound.
    return container.duration / 1e6 if container.duration and not container.streams.audio else 0.0


def _measure(container: InputContainer, stream: VideoStream, deadline: float) -> _Timing:
    times, last = [], 0.0
    base = float(stream.time_base or 0)
    try:
        for packet in container.demux(stream):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is not None and packet.size and not packet.is_corrupt:
                times.append(stamp * base)
                last = (packet.duration or 0) * base
            if time.monotonic() > deadline:
                break
    except OSError:
        pass  # the end of a file that was cut off: what came before counts
    if not times:
        raise refusal("The clip holds no pictures.", EXPORT_REMEDY)
    times.sort()
    steps = [after - before for before, after in pairwise(times)]
    usual = median(steps) if steps else last
    seconds = round(times[-1] - times[0] + (last or usual), 3)
    uneven = sum(abs(step - usual) > 0.5 * usual for step in steps) / max(1, len(steps))
    return _Timing(times[0], seconds, round(len(times) / seconds, 3) if seconds > 0 else 0.0, uneven)


def _frame_at(
    container: InputContainer, stream: VideoStream, seconds: float, deadline: float
) -> VideoFrame | None:
    """The first frame that can be decoded from the key frame before `seconds`; None when there is none."""
    try:
        container.seek(int(seconds * 1_000_000))
        for packet in container.demux(stream):
            for frame in packet.decode():
                check_size(frame.width, frame.height)
                return frame
            if time.monotonic() > deadline:
                return None
    except OSError:
        return None
    return None
