"""A finished job in the form somebody asked for: one call for the page and the command line.

One is made at a time, since encoders use every core; who asks again gets the file that was made before.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from klingo1.decoding import unreadable
from klingo1.errors import InvalidRequest
from klingo1.export import write_frame, write_identity_sheet
from klingo1.handover import write_page
from klingo1.job import Job, State
from klingo1.recipe import metadata_of, read_recipe, stamp
from klingo1.request import Engine
from klingo1.transcode import Form, Size, transcode

PAGE_VIDEO_MAX = 40_000_000
"""Bytes of video from which a hand-over page plays the 720p version: mail and phones take no more."""
HANDED = "handed"
"""The folder beside a job's video for what is made of it, so that it goes when the job goes."""
_MAKING = threading.Lock()


class Kind(StrEnum):
    """What a job can be handed out as; the value is the file's suffix without the dot."""

    MP4 = "mp4"
    WEBM = "webm"
    GIF = "gif"
    PAGE = "html"
    SHEET = "png"


def kind_of(path: Path) -> Kind:
    """The kind that a file name asks for. Raises InvalidRequest for any other suffix."""
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in set(Kind):
        known = ", ".join(f".{kind}" for kind in Kind)
        raise InvalidRequest(
            "to", "Its ending names no form that is made here.", f"End it in one of {known}."
        )
    return Kind(suffix)


def deliver(
    job: Job, kind: Kind, folder: Path, *, size: Size = Size.ORIGINAL, with_cost: bool = False
) -> Path:
    """The file in `folder`, made now or before. Takes seconds, so call it from a thread.

    The folder has to belong to this job alone: names in it are ours, such as clip-720p.webm or
    page-cost.html. Raises as `write`.
    """
    name = {Kind.PAGE: "page", Kind.SHEET: "sheet"}.get(kind, "clip")
    name += f"-{size}" if name != "sheet" and size is not Size.ORIGINAL else ""
    name += "-cost" if kind is Kind.PAGE and with_cost else ""
    to = folder / f"{name}.{kind}"
    if not _fresh(to, job):
        with _MAKING:
            if not _fresh(to, job):
                write(job, kind, to, size=size, with_cost=with_cost)
    return to


def shown(job: Job) -> Path | None:
    """The video as a page plays it and a person saves it; None while there is none.

    A draft's own file tells how it was made. Of a paid result a copy is stamped with its recipe, once, its
    packets bit for bit; the file that was downloaded stays as it came. What cannot be stamped is shown plain.
    """
    video = at_hand(job)
    if video is None or video != job.video or job.engine is Engine.DRAFT:
        return video
    try:
        return stamp(video, _stamped(video), job)
    except (InvalidRequest, OSError):
        return video


def at_hand(job: Job) -> Path | None:
    """As `shown`, but nothing is made: a paid result of which there is no stamped copy yet is plain."""
    if job.state is not State.DONE or job.video is None or not job.video.is_file():
        return None
    if job.engine is Engine.DRAFT:
        return job.video
    with suppress(InvalidRequest, OSError):
        if _fresh(to := _stamped(job.video), job):
            return to
    return job.video


def _stamped(video: Path) -> Path:
    return video.parent / HANDED / "clip.mp4"


def write(job: Job, kind: Kind, to: Path, *, size: Size = Size.ORIGINAL, with_cost: bool = False) -> None:
    """Write a finished job to `to`, whole or not at all.

    Raises InvalidRequest when the job has no video or it cannot be read, OSError when `to` cannot be written.
    """
    video = _video(job)
    if kind is Kind.SHEET:
        write_identity_sheet(job, to)
    elif kind is Kind.PAGE:
        to.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=to.parent, prefix=".page-") as folder:
            film = Path(folder) / "film.mp4"
            large = size is Size.ORIGINAL and video.stat().st_size > PAGE_VIDEO_MAX
            wanted = Size.P720 if large else size
            transcode(video, film, form=Form.MP4, size=wanted, metadata=_metadata(job, video))
            write_page(job, to, video=film, with_cost=with_cost)
    else:
        transcode(video, to, form=Form(kind.value), size=size, metadata=_metadata(job, video))


def write_still(job: Job, seconds: float, to: Path) -> None:
    """Write one picture of a finished job, PNG or JPEG after the suffix of `to`. Raises as `write`."""
    write_frame(_video(job), seconds, to)


def _video(job: Job) -> Path:
    if job.state is not State.DONE or job.video is None:
        raise unreadable("This run has no video yet.", "Wait until it is done, or resume it.")
    if not job.video.is_file():
        raise unreadable("The video of this run was deleted.", "Make it again.")
    return job.video


def _metadata(job: Job, video: Path) -> dict[str, str]:
    """Title and recipe; a draft keeps the recipe that its engine wrote, which tells the whole plan."""
    ours = metadata_of(job)
    if job.engine is Engine.DRAFT:
        carried = read_recipe(video)
        if carried is not None and carried.engine is Engine.DRAFT:
            del ours["comment"]
    return ours


def _fresh(to: Path, job: Job) -> bool:
    """Whether it was made already, and not before the video."""
    try:
        return to.stat().st_mtime >= _video(job).stat().st_mtime
    except FileNotFoundError:
        return False
