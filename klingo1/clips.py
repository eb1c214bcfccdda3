"""Intake of a reference video: probe it for real, and judge it for the engine that is to use it.

FFmpeg opens playlists that name other files or hosts, whatever their suffix is. So the first bytes must show
MP4, MOV or WebM, only those demuxers may run, and no protocol but `file`. Kling's limits (MP4 or MOV, 3 to
10 s, 720 to 2,160 px a side, 24 to 60 fps, at most 200 MB) are errors for the paid engine and advice for a
draft.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from klingo1.coach import Advice
from klingo1.errors import InvalidRequest
from klingo1.pictures import foreign_name, format_of
from klingo1.request import Engine

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["Clip", "check_clip", "check_clip_url"]

BYTES_MAX = 200_000_000
SECONDS_MIN, SECONDS_MAX = 3.0, 10.0
SIDE_MIN, SIDE_MAX = 720, 2160
FPS_MIN, FPS_MAX = 24.0, 60.0
DRAFT_SIDE_MIN, DRAFT_SIDE_MAX = 32, 4096
URL_MAX = 2000
# Containers round: 23.976 and 59.94 are 24 and 60 to people, and ten seconds may end a frame later.
_SECONDS_SLACK, _FPS_SLACK = 0.05, 0.1
_PROBE_SECONDS = 5.0
_UNEVEN = 0.1
_AGAIN = "Save or download it once more and add it again."
_EXPORT = "Export it as MP4 (H.264) and add it again."
_PIXELS_MAX = str(DRAFT_SIDE_MAX * DRAFT_SIDE_MAX)
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
    "protocol_whitelist": "file",
    "max_streams": "32",
    "max_pixels": _PIXELS_MAX,
}


@dataclass(frozen=True, slots=True)
class Clip:
    """What a probe found: size in pixels as shown (after `rotation` degrees), seconds, frames a second.

    `codec` is FFmpeg's name, e.g. h264. `seconds` and `fps` are measured over the packets that really are
    there.
    """

    width: int
    height: int
    seconds: float
    fps: float
    has_sound: bool
    rotation: int
    codec: str
    advice: tuple[Advice, ...]


class _Broken(NamedTuple):
    """One of Kling's limits that a clip breaks; `reason` and `remedy` are sentences."""

    kind: str
    reason: str
    remedy: str


def check_clip(path: Path, *, engine: Engine) -> Clip:
    """Probe a local video and decode frames at its start, middle and end.

    Raises InvalidRequest("video", …), and nothing else, for what `engine` cannot use. For a draft that is
    only what cannot be decoded; Kling's limits are advice then.
    """
    family = _family(path)
    try:
        clip, promised = _probe(path)
    except InvalidRequest:
        raise
    except Exception as error:
        raise _refusal("The clip is damaged or was cut off; it cannot be played.", _AGAIN) from error
    broken = _limits_broken(clip, family)
    advice = list(clip.advice)
    if promised - clip.seconds > max(0.5, 0.1 * promised):
        cut = f"The clip was cut off: it should last {promised:.1f} s, {clip.seconds:.1f} s are there."
        broken.insert(0, _Broken("truncated", cut, _AGAIN))
    if broken and engine is Engine.KLING:
        raise _refusal(broken[0].reason, broken[0].remedy)
    for kind, reason, _ in broken:
        uses = " The draft uses its first seconds." if kind == "length" and clip.seconds > SECONDS_MAX else ""
        advice.append(Advice(kind, reason + uses))
    return replace(clip, advice=tuple(advice))


def check_clip_url(url: str, *, engine: Engine) -> None:
    """Whether `url` may stand for a reference video; only its form is judged, nothing is fetched.

    Both engines take https addresses without credentials, at most 2,000 characters. Raises InvalidRequest.
    """
    remedy = "Give the https:// address of an MP4 file, or add the file itself."
    if engine not in set(Engine):
        raise ValueError(f"no such engine: {engine!r}")
    if len(url) > URL_MAX:
        raise _refusal(f"The address has {len(url):,} characters; the limit is {URL_MAX:,}.", remedy)
    if any(not "!" <= c <= "~" for c in url) or "\\" in url:
        raise _refusal("The address holds characters that no address has.", remedy)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _refusal("This is not a complete address.", remedy) from error
    if parts.scheme != "https" or not host or not host.strip("."):
        raise _refusal("The address must start with https:// and name a host.", remedy)
    if parts.username is not None or parts.password is not None:
        raise _refusal("The address holds a user name or password.", "Give an address without them.")


def _family(path: Path) -> str:
    """The family, mov or webm, by the first bytes. Raises InvalidRequest for others and for over 200 MB."""
    try:
        if not path.is_file():
            raise _refusal("The clip is not there any more.", "Add it again.")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(1024)
    except (OSError, ValueError) as error:
        raise _refusal("The clip cannot be read.", "Add it again.") from error
    if not head:
        raise _refusal("The clip is an empty file (0 bytes).", _AGAIN)
    picture = format_of(head)
    if picture or (foreign := foreign_name(head)) == "a HEIC picture":
        raise _refusal(f"The clip is a picture ({picture or 'HEIC'}).", "Add it as a picture instead.")
    webm = head.startswith(b"\x1aE\xdf\xa3")
    if not webm and head[4:8] not in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}:
        named = foreign if not foreign.startswith("no picture") else "no video that can be read here"
        raise _refusal(f"The clip is {named}.", _EXPORT)
    if size > BYTES_MAX:
        megabytes = math.ceil(size / 100_000) / 10
        raise _refusal(f"The clip has {megabytes:,.1f} MB; the limit is 200 MB.", "Cut or compress it.")
    return "webm" if webm else "mov"


def _probe(path: Path) -> tuple[Clip, float]:
    """The clip without a verdict, and the seconds that its header promises (0 when it tells none)."""
    import av  # noqa: PLC0415 - FFmpeg is loaded only when there is a clip

    deadline = time.monotonic() + _PROBE_SECONDS
    with av.open(
        str(path.resolve()),
        options=_OPTIONS,
        timeout=(_PROBE_SECONDS, _PROBE_SECONDS),
        metadata_errors="replace",
    ) as container:
        stream = _moving_stream(container)
        if stream is None:
            raise _refusal("The clip has no moving picture, only sound or a cover.", _EXPORT)
        context = stream.codec_context
        _check_size(context.width, context.height)
        context.options = {"max_pixels": _PIXELS_MAX}
        context.thread_count = 1
        seconds, fps, uneven = _measure(container, stream, deadline)
        first = _frame_at(container, stream, 0.0, deadline)
        later = [_frame_at(container, stream, seconds * part, deadline) for part in (0.5, 0.9)]
        if first is None:
            raise _refusal("The clip's first pictures cannot be decoded.", _EXPORT)
        width, height, rotation = first.width, first.height, -first.rotation % 360
        if rotation in {90, 270}:
            width, height = height, width
        advice = []
        if None in later:
            advice.append(Advice("damaged", "Some of its pictures cannot be decoded."))
        if rotation:
            advice.append(Advice("turned", "It was filmed on its side and is turned upright."))
        if uneven > _UNEVEN:
            advice.append(Advice("uneven", "Its pictures follow each other unevenly; movement may stutter."))
        sound = bool(container.streams.audio)
        clip = Clip(width, height, seconds, fps, sound, rotation, context.name, tuple(advice))
        return clip, _promised_seconds(container, stream)


def _moving_stream(container: InputContainer) -> VideoStream | None:
    from av.stream import Disposition  # noqa: PLC0415 - as above

    for stream in container.streams.video:
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
            return stream
    return None


def _promised_seconds(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # A WebM header gives one length for all streams; it is the picture's when there is no sound.
    return container.duration / 1e6 if container.duration and not container.streams.audio else 0.0


def _measure(container: InputContainer, stream: VideoStream, deadline: float) -> tuple[float, float, float]:
    """Seconds, frames a second and the share of uneven steps, from every packet's time stamp."""
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
        raise _refusal("The clip holds no pictures.", _EXPORT)
    times.sort()
    steps = [after - before for before, after in pairwise(times)]
    usual = median(steps) if steps else last
    seconds = round(times[-1] - times[0] + (last or usual), 3)
    uneven = sum(abs(step - usual) > 0.5 * usual for step in steps) / max(1, len(steps))
    return seconds, round(len(times) / seconds, 3) if seconds > 0 else 0.0, uneven


def _frame_at(
    container: InputContainer, stream: VideoStream, seconds: float, deadline: float
) -> VideoFrame | None:
    """The first frame that can be decoded from the key frame before `seconds`; None when there is none."""
    try:
        container.seek(int(seconds * 1_000_000))
        for packet in container.demux(stream):
            for frame in packet.decode():
                _check_size(frame.width, frame.height)
                return frame
            if time.monotonic() > deadline:
                return None
    except OSError:
        return None
    return None


def _check_size(width: int, height: int) -> None:
    if max(width, height) > DRAFT_SIDE_MAX or min(width, height) < DRAFT_SIDE_MIN:
        raise _refusal(
            f"The clip is {width:,} × {height:,} px; Kling O1 takes {SIDE_MIN}–{SIDE_MAX:,} px a side, "
            f"a draft {DRAFT_SIDE_MIN}–{DRAFT_SIDE_MAX:,} px.",
            "Export it as 1280 × 720 or 1920 × 1080.",
        )


def _limits_broken(clip: Clip, family: str) -> list[_Broken]:
    broken = []
    if family != "mov":
        broken.append(_Broken("container", "Kling O1 takes MP4 or MOV; this clip is a WebM.", _EXPORT))
    if not SECONDS_MIN - _SECONDS_SLACK <= clip.seconds <= SECONDS_MAX + _SECONDS_SLACK:
        reason = f"Kling O1 takes {SECONDS_MIN:g}–{SECONDS_MAX:g} s; this clip has {clip.seconds:.1f} s."
        remedy = "Cut it to 10 s." if clip.seconds > SECONDS_MAX else "Use a longer clip."
        broken.append(_Broken("length", reason, remedy))
    if not SIDE_MIN <= min(clip.width, clip.height) <= max(clip.width, clip.height) <= SIDE_MAX:
        size = f"{clip.width:,} × {clip.height:,} px"
        reason = f"Kling O1 takes {SIDE_MIN}–{SIDE_MAX:,} px a side; this clip is {size}."
        broken.append(_Broken("size", reason, "Export it as 1280 × 720 or 1920 × 1080."))
    if not FPS_MIN - _FPS_SLACK <= clip.fps <= FPS_MAX + _FPS_SLACK:
        reason = f"Kling O1 takes {FPS_MIN:g}–{FPS_MAX:g} frames a second; this clip has {clip.fps:.1f}."
        broken.append(_Broken("fps", reason, "Export it with 30 frames a second."))
    return broken


def _refusal(reason: str, remedy: str) -> InvalidRequest:
    return InvalidRequest("video", reason, remedy)
