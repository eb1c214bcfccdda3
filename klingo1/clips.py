"""Intake of a reference video: judge it for the engine that is to use it, and strip it before it is sent.

Kling's published limits (MP4 or MOV, 3 to 10 s, 720 to 2,160 px a side, 24 to 60 fps, at most 200 MB) are
errors for the paid engine and advice for a draft, which takes whatever can be decoded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from klingo1.coach import Advice
from klingo1.errors import InvalidRequest
from klingo1.pictures import foreign_name, format_of
from klingo1.probe import AGAIN_REMEDY, EXPORT_REMEDY, Probe, copy_streams, probe, refusal
from klingo1.request import Engine

__all__ = ["Clip", "check_clip", "check_clip_url", "normalise_clip"]

BYTES_MAX = 200_000_000
SECONDS_MIN, SECONDS_MAX = 3.0, 10.0
SIDE_MIN, SIDE_MAX = 720, 2160
FPS_MIN, FPS_MAX = 24.0, 60.0
URL_MAX = 2000
# Containers round: 23.976 and 59.94 are 24 and 60 to people, and ten seconds may end a frame later.
_SECONDS_SLACK, _FPS_SLACK = 0.05, 0.1
_UNEVEN = 0.1


@dataclass(frozen=True, slots=True)
class Clip:
    """What a check found: size in pixels as shown (after `rotation` degrees), seconds, frames a second.

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
        found = probe(path)
    except InvalidRequest:
        raise
    except Exception as error:  # whatever a hostile file can still provoke is the file's fault
        raise refusal("The clip is damaged; it cannot be played.", AGAIN_REMEDY) from error
    broken = _limits_broken(found, family)
    if broken and engine is Engine.KLING:
        raise refusal(broken[0].reason, broken[0].remedy)
    advice = _observations(found)
    for kind, reason, _ in broken:
        uses = (
            " The draft uses its first seconds." if kind == "length" and found.seconds > SECONDS_MAX else ""
        )
        advice.append(Advice(kind, reason + uses))
    return Clip(
        width=found.width,
        height=found.height,
        seconds=found.seconds,
        fps=found.fps,
        has_sound=found.has_sound,
        rotation=found.rotation,
        codec=found.codec,
        advice=tuple(advice),
    )


def normalise_clip(path: Path, to: Path) -> Path:
    """Write a copy that holds picture and sound and nothing else; the way a clip is sent. Returns its path.

    Not encoded again, so nothing is lost and a rotation stays; place, date, device and hidden bytes are gone.
    The suffix of `to` becomes .mp4, .mov or .mkv after the container. Raises InvalidRequest, or OSError when
    the target cannot be written.
    """
    family = _family(path)
    if not to.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {to.parent}")
    form, suffix = {"mp4": ("mp4", ".mp4"), "mov": ("mov", ".mov"), "webm": ("matroska", ".mkv")}[family]
    target = to.with_suffix(suffix)
    copy_streams(path, target, form=form)
    return target


def check_clip_url(url: str, *, engine: Engine) -> None:
    """Whether `url` may stand for a reference video; only its form is judged, nothing is fetched.

    Both engines take https addresses without credentials, at most 2,000 characters. Raises InvalidRequest.
    """
    whose = "Kling O1" if engine is Engine.KLING else "The draft"
    remedy = "Give the https:// address of an MP4 file, or add the file itself."
    if len(url) > URL_MAX:
        raise refusal(f"The address has {len(url):,} characters; the limit is {URL_MAX:,}.", remedy)
    if any(not "!" <= c <= "~" for c in url) or "\\" in url:
        raise refusal("The address holds characters that no address has.", remedy)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise refusal("This is not a complete address.", remedy) from error
    if parts.scheme != "https" or not host or not host.strip("."):
        raise refusal(f"{whose} takes only addresses that start with https:// and name a host.", remedy)
    if parts.username is not None or parts.password is not None:
        raise refusal("The address holds a user name or password.", "Give an address without them.")


def _family(path: Path) -> str:
    """One of "mp4", "mov", "webm" by the first bytes. Raises InvalidRequest for others and over 200 MB."""
    try:
        if not path.is_file():
            raise refusal("The clip is not there any more.", "Add it again.")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(1024)
    except (OSError, ValueError) as error:
        raise refusal("The clip cannot be read.", "Add it again.") from error
    if not head:
        raise refusal("The clip is an empty file (0 bytes).", AGAIN_REMEDY)
    picture, foreign = format_of(head), foreign_name(head)
    if picture or foreign == "a HEIC picture":
        raise refusal(f"The clip is a picture ({picture or 'HEIC'}).", "Add it as a picture instead.")
    webm = head.startswith(b"\x1aE\xdf\xa3")
    if not webm and head[4:8] not in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}:
        named = "no video that can be read here" if foreign.startswith("no ") else foreign
        raise refusal(f"The clip is {named}.", EXPORT_REMEDY)
    if size > BYTES_MAX:
        megabytes = math.ceil(size / 100_000) / 10
        raise refusal(f"The clip has {megabytes:,.1f} MB; the limit is 200 MB.", "Cut or compress it.")
    if webm:
        return "webm"
    return "mp4" if head[4:8] == b"ftyp" and head[8:12] != b"qt  " else "mov"


def _observations(found: Probe) -> list[Advice]:
    """What is worth saying whichever engine is used."""
    advice = []
    if found.damaged:
        advice.append(Advice("damaged", "Some of its pictures cannot be decoded."))
    if found.rotation:
        advice.append(Advice("turned", "It was filmed on its side and is turned upright."))
    if found.uneven > _UNEVEN:
        advice.append(Advice("uneven", "Its pictures follow each other unevenly; movement may stutter."))
    return advice


def _limits_broken(found: Probe, family: str) -> list[_Broken]:
    broken = []
    seconds, fps = found.seconds, found.fps
    if found.promised - seconds > max(0.5, 0.1 * found.promised):
        reason = f"The clip was cut off: it should last {found.promised:.1f} s, {seconds:.1f} s are there."
        broken.append(_Broken("truncated", reason, AGAIN_REMEDY))
    if family == "webm":
        broken.append(_Broken("container", "Kling O1 takes MP4 or MOV; this clip is a WebM.", EXPORT_REMEDY))
    if not SECONDS_MIN - _SECONDS_SLACK <= seconds <= SECONDS_MAX + _SECONDS_SLACK:
        reason = f"Kling O1 takes {SECONDS_MIN:g}–{SECONDS_MAX:g} s; this clip has {_plain(seconds)} s."
        remedy = "Cut it to 10 s." if seconds > SECONDS_MAX else "Use a longer clip."
        broken.append(_Broken("length", reason, remedy))
    if not SIDE_MIN <= min(found.width, found.height) <= max(found.width, found.height) <= SIDE_MAX:
        size = f"{found.width:,} × {found.height:,} px"
        reason = f"Kling O1 takes {SIDE_MIN}–{SIDE_MAX:,} px a side; this clip is {size}."
        broken.append(_Broken("size", reason, "Export it as 1280 × 720 or 1920 × 1080."))
    if not FPS_MIN - _FPS_SLACK <= fps <= FPS_MAX + _FPS_SLACK:
        reason = f"Kling O1 takes {FPS_MIN:g}–{FPS_MAX:g} frames a second; this clip has {_plain(fps)}."
        broken.append(_Broken("fps", reason, "Export it with 30 frames a second."))
    return broken


def _plain(value: float) -> str:
    """One decimal, or two where one would look like the limit itself."""
    return f"{value:.1f}" if round(value, 1) not in {3.0, 10.0, 24.0, 60.0} else f"{value:.2f}"
