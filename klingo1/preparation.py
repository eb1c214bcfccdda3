"""Clean copies of a job's references, made beside the originals before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from klingo1.intake_process import Intake
from klingo1.request import VideoRequest
from klingo1.uploads import PREPARED, prepared

AT_ONCE = 2
"""Decoding a large picture takes some 250 MB, and the threads are the ledger's, too."""


async def prepare(
    request: VideoRequest, folder: Path, intake: Intake, *, places: asyncio.Semaphore | None = None
) -> None:
    """Write what is not there yet into `folder`/prepared: oriented, within the limits, without metadata.

    References go side by side in threads, as many as there are `places`, which jobs may share. Raises the
    first failure, in the order of the references, after all have ended: InvalidRequest naming the field,
    OSError.
    """
    places = places or asyncio.Semaphore(AT_ONCE)
    to = folder / PREPARED
    to.mkdir(parents=True, exist_ok=True)
    steps: list[tuple[Callable[..., Any], Path, Path, dict[str, str]]] = [
        (intake.normalise_picture, image, to / f"{number}.jpg", {"field": f"images[{number - 1}]"})
        for number, image in enumerate(request.images, 1)
        if isinstance(image, Path) and prepared(to, str(number)) is None
    ]
    if isinstance(request.video, Path) and prepared(to, "video") is None:
        steps.append((intake.normalise_clip, request.video, to / "video.mp4", {}))
    steps += [
        (intake.normalise_mask, mask, to / f"mask{number}.png", {"field": f"masks[{number - 1}]"})
        for number, mask in enumerate(request.draft.masks, 1)
        if isinstance(mask, Path) and prepared(to, f"mask{number}") is None
    ]

    async def take(step: Callable[..., Any], source: Path, made: Path, field: dict[str, str]) -> None:
        async with places:
            await asyncio.to_thread(step, source, made, **field)

    for outcome in await asyncio.gather(*(take(*step) for step in steps), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
