"""A made video on its way home: fetched whole, kept where all replicas find it, shown by a poster."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from klingo1 import errors
from klingo1.client import Client
from klingo1.download import is_whole_mp4
from klingo1.entries import Entries
from klingo1.errors import FilesUnreachable
from klingo1.export import write_poster
from klingo1.files import Files
from klingo1.gate import Gate
from klingo1.job import Job, Problem, State
from klingo1.moments import Moment, reached
from klingo1.prediction import outputs_of
from klingo1.problems import problem_of
from klingo1.retry import Clock
from klingo1.whole import whole

log = logging.getLogger(__name__)

FETCHING = 4
"""Jobs that download at once."""
DECODING = 2
"""Posters made at once: the threads are the ledger's, too."""
OUTAGE_SECONDS = 24 * 3600.0
"""How long the video's host may be out of reach before a person is told; outputs live for days."""


PREVIEW = "preview.jpg"
"""An early frame in a run's folder, until the film is there."""
_JPEG = b"\xff\xd8\xff"


class Results:
    """Brings the videos of a worker's jobs into their folders."""

    def __init__(self, entries: Entries, files: Files, clock: Clock) -> None:
        self._entries = entries
        self._files = files
        self._clock = clock
        self._fetching = Gate(FETCHING)
        self._decoding = asyncio.Semaphore(DECODING)

    async def bring(self, job: Job, client: Client, folder: Path) -> tuple[Path, Path | None]:
        """The video and its poster, whole and kept; the poster is None when none could be made.

        Raises FilesUnreachable when they cannot be kept just now, ApiErrors and OSError.
        """
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        video, poster = folder / "video.mp4", folder / "poster.jpg"
        try:
            await asyncio.to_thread(
                self._files.fetch, [video]
            )  # kept already by one who did not live to say so
            if not await asyncio.to_thread(is_whole_mp4, video):  # it is there when only the commit was lost
                await self._fetch_patiently(job, client, video)
            async with self._decoding:
                made = await asyncio.to_thread(write_poster, video, poster)
            await asyncio.to_thread((folder / PREVIEW).unlink, missing_ok=True)
            await asyncio.to_thread(self._files.keep, [video, poster] if made else [video])
        except FilesUnreachable as error:
            problem = Problem("DiskError", str(error))
            await self._entries.note(job, problem=problem, during=State.DOWNLOADING)
            raise
        return video, poster if made else None

    async def preview(self, job: Job, client: Client, url: str, folder: Path) -> Path | None:
        """An early frame of a film that is being made; None when it cannot be had, which is no loss."""
        to = folder / PREVIEW
        try:
            picture = await client.picture(url)
            if not picture.startswith(_JPEG):
                return None
            await asyncio.to_thread(_write, to, picture)
        except (errors.KlingoError, ValueError, OSError):
            log.info("job %s: no early frame", job.id)
            return None
        return to

    async def _fetch_patiently(self, job: Job, client: Client, to: Path) -> None:
        """An outage or a full disk: the partial file stays, the job waits, a person can read why."""
        pause, since = 5.0, self._clock.monotonic()
        known = next(iter(outputs_of(job.details)), "")  # of the first try: later ones ask anew
        while True:
            try:
                async with self._fetching.passing(job.created_at):
                    await self._fetch(job, client, to, known)
                return
            except (errors.Unavailable, errors.NotSent, errors.RateLimited, errors.DownloadFailed) as error:
                for_good = isinstance(error, errors.DownloadFailed) and not error.retriable
                if for_good or self._clock.monotonic() - since > OUTAGE_SECONDS:
                    raise
                problem = problem_of(error)
            except OSError as error:
                problem = Problem("DiskError", f"The video cannot be written here: {error.strerror}.")
            log.warning("job %s: its download waits (%s)", job.id, problem.kind)
            await self._entries.note(job, problem=problem, during=State.DOWNLOADING)
            await self._clock.sleep(pause)
            known, pause = "", min(120.0, pause * 2)

    async def _fetch(self, job: Job, client: Client, to: Path, known: str) -> None:
        async def address() -> str:
            outputs = (await client.result(job.prediction_id)).outputs
            if not outputs:
                raise errors.DownloadFailed("The service names no video any more.", expired=True)
            return outputs[0]

        await client.download(
            known or await address(), to, refresh=address, on_progress=lambda *_: reached(Moment.MID_DOWNLOAD)
        )


def _write(to: Path, data: bytes) -> None:
    with whole(to) as part:
        part.write_bytes(data)
