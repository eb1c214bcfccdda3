"""A job's references on their way to the service: which stand there already, and sending the rest."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from klingo1 import errors
from klingo1.client import Client
from klingo1.errors import ApiError, InvalidRequest
from klingo1.job import Job
from klingo1.request import Engine, Reference, VideoRequest
from klingo1.retry import Clock

PREPARED = "prepared"
LIFE_SECONDS = 6 * 24 * 3600.0
"""Uploads are kept 7 days there (documentation of the service); older ones are sent again in time."""
_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
}


def job_folder(home: Path, job_id: str) -> Path:
    """Everything that belongs to one job."""
    return home / "jobs" / job_id


def prepared(folder: Path, name: str) -> Path | None:
    """The clean copy of a picture ("1", "2", …) or of the "video", if it is there."""
    return next(
        (folder / f"{name}{suffix}" for suffix in _TYPES if (folder / f"{name}{suffix}").exists()), None
    )


class Uploads:
    """Addresses by field ("images[0]", "video"), as the ledger keeps them."""

    def __init__(self, standing: dict[str, dict[str, Any]]) -> None:
        self._standing = standing

    @classmethod
    def read(cls, text: str, *, now: float) -> Uploads:
        """From the ledger's column; those too old to be there at `now` are left out."""
        rows = json.loads(text)
        return cls({row["field"]: row for row in rows if row["at"] > now - LIFE_SECONDS})

    def rows(self) -> list[dict[str, Any]]:
        """For the ledger's column."""
        return list(self._standing.values())

    async def complete(self, job: Job, client: Client, *, folder: Path, clock: Clock) -> VideoRequest:
        """Send what is missing, side by side; returns the job's request over addresses.

        Raises the first failure after all have ended: InvalidRequest naming the field, KeyRejected.
        What came through is kept either way.
        """
        files = _local_files(job, folder)
        standing = self._standing
        missing = [
            self._send(field, file, client, clock) for field, file in files.items() if field not in standing
        ]
        outcomes = await asyncio.gather(*missing, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        images = [
            image if isinstance(image, str) else str(self._standing[f"images[{n}]"]["url"])
            for n, image in enumerate(job.request.images)
        ]
        video = job.request.video
        sent = job.request.with_references(
            images, str(self._standing["video"]["url"]) if isinstance(video, Path) else video
        )
        masks = [
            str(self._standing[f"masks[{n}]"]["url"]) if f"masks[{n}]" in files else _word(mask)
            for n, mask in enumerate(job.request.draft.masks)
        ]
        return replace(sent, draft=sent.draft.with_masks(masks))

    async def _send(self, field: str, file: Path, client: Client, clock: Clock) -> None:
        # The person's own file name stays here: the service gets a neutral one.
        name = f"reference-{field.removeprefix('images[').replace('[', '-').rstrip(']')}{file.suffix}"
        content_type = _TYPES.get(file.suffix, "application/octet-stream")
        try:
            url = await client.upload(file, filename=name, content_type=content_type)
        except (errors.KeyRejected, errors.OutOfCredit):
            raise
        except ApiError as error:
            raise InvalidRequest(field, f"It could not be uploaded. {error}", "Try again later.") from error
        self._standing[field] = {"field": field, "url": url, "at": clock.time()}


def _word(mask: Reference | None) -> str | None:
    """What is no file: an address, or GUESS."""
    return mask if isinstance(mask, str) else None


def sent_references(job: Job, column: str) -> list[str]:
    """Every address that a submit of this job named: uploads, and references that were addresses."""
    named = [r for r in (*job.request.images, job.request.video) if isinstance(r, str)]
    # Masks are an extension of ours: no service's record of a submit repeats them.
    sent = [str(row["url"]) for row in json.loads(column) if not str(row["field"]).startswith("masks")]
    return sent + named


def _local_files(job: Job, folder: Path) -> dict[str, Path]:
    files = {
        f"images[{number - 1}]": prepared(folder / PREPARED, str(number)) or image
        for number, image in enumerate(job.request.images, 1)
        if isinstance(image, Path)
    }
    if isinstance(job.request.video, Path):
        files["video"] = prepared(folder / PREPARED, "video") or job.request.video
    if job.engine is Engine.DRAFT:
        masks = enumerate(job.request.draft.masks)
        files |= {
            f"masks[{n}]": prepared(folder / PREPARED, f"mask{n + 1}") or mask
            for n, mask in masks
            if isinstance(mask, Path)
        }
    return files
