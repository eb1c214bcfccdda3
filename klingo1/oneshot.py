"""The synchronous face: one call, one video on disk."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from klingo1 import errors
from klingo1.job import Job, State
from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    DURATION_DEFAULT,
    DraftOptions,
    Engine,
    Reference,
    VideoRequest,
)
from klingo1.settings import Settings
from klingo1.studio import Studio
from klingo1.visitors import DESK


def generate(
    prompt: str,
    images: Sequence[str | Path],
    *,
    video: str | Path | None = None,
    duration: int = DURATION_DEFAULT,
    aspect_ratio: str = ASPECT_RATIO_DEFAULT,
    keep_original_sound: bool = True,
    engine: Engine | str = Engine.DRAFT,
    output: str | Path | None = None,
    draft: DraftOptions | None = None,
    settings: Settings | None = None,
    on_update: Callable[[Job], None] | None = None,
) -> Path:
    """Make a video and return where it lies: a copy at `output`, else the file in the home folder.

    `images` and `video` are local files or https addresses, `duration` whole seconds. `on_update` gets the
    job after each change. Raises what Studio.submit raises, GenerationFailed, and SubmitUncertain when
    the money of a run is not certain yet; the job then goes on at the next start.
    """
    request = VideoRequest(
        prompt=prompt,
        images=tuple(as_reference(image) for image in images),
        video=None if video is None else as_reference(video),
        keep_original_sound=keep_original_sound,
        aspect_ratio=aspect_ratio,
        duration=duration,
        draft=draft or DraftOptions(),
    )
    with Studio(settings or Settings.read(os.environ, dotenv_file=Path(".env"))) as studio:
        job = studio.submit(request, engine=engine)
        job = asyncio.run(follow(studio, job, on_update))
    raise_for(job)
    if output is None:
        return job.video or Path()
    return Path(shutil.copyfile(job.video or Path(), output))


def as_reference(value: str | Path) -> Reference:
    """An address stays text; everything else is a local file."""
    if isinstance(value, str) and value.lower().startswith(("https://", "http://")):
        return value
    return Path(value)


async def follow(
    studio: Studio, job: Job, on_update: Callable[[Job], None] | None = None, *, owner: str = DESK
) -> Job:
    """Wait until the job has ended or waits for a person; returns it as it is then."""
    latest = job
    async for latest in studio.watch(job.id, owner=owner):
        if on_update is not None:
            on_update(latest)
    return latest


def raise_for(job: Job) -> None:
    """Raise the error that an ended job stands for; nothing when it is done."""
    if job.state is State.DONE:
        return
    text = job.problem.text if job.problem else f"The run ended as {job.state.value}."
    if job.state in {State.FAILED, State.EXPIRED}:
        raise errors.GenerationFailed(text, prediction_id=job.prediction_id, status=job.state.value)
    if job.state is State.NEEDS_KEY:
        raise errors.KeyMissing(text)
    if job.state in {State.REFUSED, State.NOT_CREATED} and job.problem:
        if job.problem.field:
            raise errors.InvalidRequest(job.problem.field, text, job.problem.remedy)
        kind = getattr(errors, job.problem.kind, errors.Refused)
        raise (kind if isinstance(kind, type) and issubclass(kind, errors.ApiError) else errors.Refused)(text)
    if job.state is State.STOPPED:
        raise errors.GenerationFailed("It was stopped.", prediction_id=job.prediction_id, status="stopped")
    raise errors.SubmitUncertain(text)
