"""The one moment when money may be spent: sending a submit once, and finding out what became of it.

`submitting` is committed before the POST and its outcome after it. What certainly never left, or was clearly
refused for being one too many, may be sent again; whatever else happens, the answer is looked for and nothing
is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from klingo1 import errors
from klingo1.client import Client
from klingo1.entries import Entries
from klingo1.errors import ApiError
from klingo1.job import Job, State
from klingo1.lookup import WAITS, find_lost
from klingo1.prediction import Prediction
from klingo1.problems import NEVER_CREATED, problem_of, released, several
from klingo1.retry import Clock

log = logging.getLogger(__name__)

TRIES = 3


class Submission:
    """Sends submits and looks lost ones up, for all jobs of a worker."""

    def __init__(self, entries: Entries, clock: Clock) -> None:
        self._entries = entries
        self._clock = clock
        self._underway: set[asyncio.Future[None]] = set()

    async def settle(self, seconds: float) -> None:
        """Let submits that are on their way come to an end, at most `seconds`."""
        if self._underway:
            await asyncio.wait(self._underway, timeout=seconds)

    async def send(self, job: Job, client: Client, body: Mapping[str, Any]) -> None:
        """Commit `submitting`, send once, commit the outcome; a cancelled caller does not stop it."""
        if not await self._entries.advance(job, State.SUBMITTING, submitted_at=self._clock.time()):
            return
        submit = asyncio.ensure_future(self._send(job, client, body))
        self._underway.add(submit)
        submit.add_done_callback(self._underway.discard)
        await asyncio.shield(submit)

    async def _send(self, job: Job, client: Client, body: Mapping[str, Any]) -> None:
        entries = self._entries
        try:
            prediction = await client.submit(body)
        except errors.SubmitUncertain as error:
            log.warning("job %s: the answer to its submit was lost; looking it up", job.id)
            await entries.insist(job, State.UNKNOWN, details={"lost": error.detail})
        except (errors.NotSent, errors.RateLimited) as error:
            await self._try_again_later(job, error)
        except errors.KlingoError as error:
            await entries.insist(job, State.REFUSED, problem=problem_of(error), money=released(job))
        else:
            log.info("job %s is prediction %s", job.id, prediction.id)
            details = prediction.as_details()
            await entries.insist(job, State.RUNNING, prediction_id=prediction.id, details=details)

    async def _try_again_later(self, job: Job, error: ApiError) -> None:
        """Nothing was created: wait and go back one state, at most three times; then a person is asked."""
        attempts = (await self._entries.record(job)).attempts + 1
        if attempts >= TRIES:
            problem = problem_of(error)
            await self._entries.insist(job, State.NOT_CREATED, problem=problem, money=released(job))
            return
        await self._clock.sleep(5.0 * attempts if error.retry_after is None else error.retry_after)
        await self._entries.insist(job, State.UPLOADING, attempts=attempts)

    async def look_up(self, job: Job, client: Client, *, submitted_at: float, sent: Sequence[str]) -> None:
        """Three looks over ten minutes: one match goes on, none was never created, several ask a person."""
        for wait in WAITS:
            await self._clock.sleep(wait)
            found = await self._listed(client, submitted_at, sent)
            if len(found) == 1:
                details = found[0].as_details()
                await self._entries.advance(job, State.RUNNING, prediction_id=found[0].id, details=details)
                return
            if found:
                await self._entries.note(job, problem=several(found))
                return
        await self._entries.advance(job, State.NOT_CREATED, problem=NEVER_CREATED, money=released(job))

    async def _listed(self, client: Client, submitted_at: float, sent: Sequence[str]) -> list[Prediction]:
        """One look that succeeds, however long the list cannot be read."""
        pause = 5.0
        while True:
            known = await self._entries.known_predictions()
            try:
                return await find_lost(client, submitted_at=submitted_at, references=sent, known=known)
            except errors.KeyRejected:
                raise
            except ApiError as error:
                await self._clock.sleep(error.retry_after or pause)
                pause = min(120.0, pause * 2)
