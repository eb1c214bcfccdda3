"""The one moment when money may be spent: sending a submit once, and finding out what became of it.

`submitting` is committed before the POST and its outcome after it. What certainly never left, or was clearly
refused for being one too many, may be sent again; whatever else happens, the answer is looked for and nothing
is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from klingo1 import errors
from klingo1.client import Client
from klingo1.entries import Entries
from klingo1.errors import ApiError
from klingo1.gate import Gate
from klingo1.job import Job, Money, State
from klingo1.lookup import LISTED_SECONDS, WAITS, Found, Lost, list_around, match_submit
from klingo1.moments import Moment, reached
from klingo1.prediction import Prediction
from klingo1.problems import (
    FETCHED_ELSEWHERE,
    NEVER_CREATED,
    TOO_LONG_AGO,
    TOO_MANY,
    UNDER_ANOTHER_KEY,
    problem_of,
    released,
    several,
    unlisted,
)
from klingo1.retry import Clock

log = logging.getLogger(__name__)

TRIES = 3
REFUSALS = 6
"""Clear refusals of the list in a row, over some minutes, after which a person is asked."""
_LATE = (State.SUBMITTING, State.UNKNOWN, State.NOT_CREATED)
"""States that an answer ends, however late it comes: an id is the strongest fact there is."""
_LIST_GAP = 1.0
"""Seconds between two looks of one key: many lost submits must not become a stampede."""


class Submission:
    """Sends submits and looks lost ones up, for all jobs of a worker."""

    def __init__(self, entries: Entries, clock: Clock) -> None:
        self._entries = entries
        self._clock = clock
        self._underway: set[asyncio.Future[float]] = set()
        self._looking: dict[int, Gate] = {}

    async def settle(self, seconds: float) -> None:
        """Let submits that are on their way come to an end, at most `seconds`."""
        if self._underway:
            await asyncio.wait(self._underway, timeout=seconds)

    async def send(self, job: Job, client: Client, body: Mapping[str, Any], *, account: str) -> None:
        """Commit `submitting`, send once, commit the outcome; a cancelled caller does not stop it."""
        submit = asyncio.ensure_future(self._send(job, client, body, account))
        self._underway.add(submit)
        submit.add_done_callback(self._underway.discard)
        submit.add_done_callback(lambda done: done.cancelled() or done.exception())
        if (pause := await asyncio.shield(submit)) > 0:
            await self._clock.sleep(pause)

    async def _send(self, job: Job, client: Client, body: Mapping[str, Any], account: str) -> float:
        """Returns how long to wait before this job goes on."""
        at, ahead = self._clock.time(), client.ahead
        if not await self._entries.advance(
            job, State.SUBMITTING, submitted_at=at, ahead=ahead, account=account
        ):
            return 0.0
        reached(Moment.BEFORE_POST)
        try:
            prediction = await client.submit(body, on_sending=lambda: self._check_mine(job))
        except errors.KlingoError as error:
            reached(Moment.AFTER_POST)
            return await self._not_created(job, error, lasted=self._clock.time() - at)
        reached(Moment.AFTER_POST)
        log.info("job %s is prediction %s", job.id, prediction.id)
        facts: dict[str, Any] = {
            "prediction_id": prediction.id,
            "details": prediction.as_details(),
            "money": job.money,
        }
        if await self._entries.insist(job, State.RUNNING, leave=_LATE, **facts):
            reached(Moment.ID_COMMITTED)
        else:
            log.error("job %s: prediction %s has a run already", job.id, prediction.id)
            await self._entries.insist(job, State.NOT_CREATED, problem=FETCHED_ELSEWHERE, money=released(job))
        return 0.0

    def _check_mine(self, job: Job) -> None:
        """Just before the first byte leaves. Raises NotSent when another process has taken the run over.

        A process that stood still for long is taken for gone, and its submit for lost; when it wakes before
        its connection has carried anything, nothing must leave any more.
        """
        try:
            mine = self._entries.is_submitting(job)
        except errors.LedgerError as error:
            raise errors.NotSent(f"The ledger cannot be read: {error}") from error
        if not mine:
            raise errors.NotSent("Another process has taken this run over.")

    async def _not_created(self, job: Job, error: errors.KlingoError, *, lasted: float) -> float:
        entries = self._entries
        if isinstance(error, errors.SubmitUncertain):
            log.warning("job %s: the answer to its submit was lost; looking it up", job.id)
            await entries.insist(job, State.UNKNOWN, details={"lost": error.detail, "lasted": lasted})
        elif isinstance(error, errors.NotSent | errors.RateLimited):
            attempts = (await entries.record_at_last(job)).attempts + 1
            if attempts < TRIES:
                await entries.insist(job, State.UPLOADING, attempts=attempts)
                return 5.0 * attempts if error.retry_after is None else error.retry_after
            problem = problem_of(error)
            await entries.insist(job, State.NOT_CREATED, problem=problem, money=released(job))
        else:
            await entries.insist(job, State.REFUSED, problem=problem_of(error), money=released(job))
        return 0.0

    async def look_up(self, job: Job, client: Client, lost: Lost, *, same_account: bool) -> None:
        """Three looks over ten minutes: one match goes on, none was never created, several ask a person."""
        if job.money is Money.FREE:
            await self._look_up_draft(job, client, lost)
            return
        found, rivals = Found(), False
        for wait in WAITS:
            await self._clock.sleep(wait)
            try:
                found, rivals = await self._listed(job, client, lost)
            except errors.KeyRejected:
                raise
            except errors.Refused as error:
                await self._entries.note(job, problem=unlisted(error))
                return
            if len(found.certain) > 1:
                break
            # Where the list repeats no addresses, one task could be that of another click in flight.
            one = found.certain or ([] if rivals else found.possible)
            if len(one) == 1 and await self._take(job, one[0]):
                return
        candidates = [*found.certain, *found.possible]
        if candidates:
            await self._entries.note(job, problem=several(candidates))
        elif not same_account:
            await self._entries.note(job, problem=UNDER_ANOTHER_KEY)
        elif self._clock.time() - lost.at > LISTED_SECONDS:
            await self._entries.note(job, problem=TOO_LONG_AGO)
        elif found.cut:
            await self._entries.note(job, problem=TOO_MANY)
        else:
            await self._entries.advance(job, State.NOT_CREATED, problem=NEVER_CREATED, money=released(job))

    async def was_created(self, job: Job, client: Client, lost: Lost) -> bool:
        """Before a lost run is sent anew: whether its submit made a task after all; if so it goes on."""
        try:
            found, _ = await self._listed(job, client, lost)
        except errors.KeyRejected:
            raise
        except errors.Refused:
            return False  # nobody can know, and a person wants it to be sent
        return len(found.certain) == 1 and await self._take(job, found.certain[0])

    async def _look_up_draft(self, job: Job, client: Client, lost: Lost) -> None:
        """A draft costs nothing: one look, and when it is not there it is sent again."""
        found, _ = await self._listed(job, client, lost)
        if not (len(found.certain) == 1 and await self._take(job, found.certain[0])):
            attempts = (await self._entries.record(job)).attempts + 1
            if attempts < TRIES:
                await self._entries.advance(job, State.UPLOADING, attempts=attempts)
            else:
                await self._entries.advance(job, State.NOT_CREATED, problem=NEVER_CREATED)

    async def _take(self, job: Job, prediction: Prediction) -> bool:
        details = prediction.as_details()
        taken = await self._entries.advance(job, State.RUNNING, prediction_id=prediction.id, details=details)
        if taken:
            log.info("job %s was found to be prediction %s", job.id, prediction.id)
            reached(Moment.RECONCILED)
        return taken

    async def _listed(self, job: Job, client: Client, lost: Lost) -> tuple[Found, bool]:
        """One look that succeeds, however long the list cannot be read; and whether other submits of this
        ledger are unsettled. Raises Refused when the service keeps saying clearly that it does not list.
        """
        pause, refusals = 5.0, 0
        while True:
            try:
                async with self._looking.setdefault(id(client), Gate(1)).passing(job.created_at):
                    listed = await list_around(client, lost.seen_from(client.ahead))
                    lost = lost.seen_from(client.ahead)  # as the answer says it
                    others = await self._entries.others_unsettled(job)
                    known = await self._entries.known_predictions()
                    if len(others) > 1:
                        await self._clock.sleep(_LIST_GAP)
                return match_submit(listed, lost, known=known, others=others), bool(others)
            except errors.KeyRejected:
                raise
            except ApiError as error:
                clear = isinstance(error, errors.Refused) and not isinstance(error, errors.RateLimited)
                refusals = refusals + 1 if clear else 0
                if refusals >= REFUSALS:
                    raise
                await self._clock.sleep(error.retry_after or pause)
                pause = min(120.0, pause * 2)
