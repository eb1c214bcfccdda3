"""What a person decides about a job: stop it, wake it, take one over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from klingo1.background import Background
from klingo1.engines import Engines
from klingo1.errors import ApiError, InvalidRequest, JobNotFound, KlingoError, NotFound, Refused
from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.money import Caps
from klingo1.prediction import Prediction, is_prediction_id
from klingo1.problems import NOT_BILLED
from klingo1.recovery import find_run, unrecorded
from klingo1.request import Engine
from klingo1.retry import Clock

_LOOKS, _BETWEEN_LOOKS = 60, 0.05
"""How often, and after how many seconds each, a stop looks whether a draft's submit is over."""


class Decisions:
    """Each one is safe at any moment: it names the state it leaves, and gives way when somebody was first."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        engines: Engines,
        background: Background,
        drive: Callable[[str], None],
        caps: Caps,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._engines = engines
        self._background = background
        self._drive = drive
        self._caps = caps
        self._clock = clock

    def stop(self, job: Job) -> Job:
        """End a draft, or the waiting for a paid run, also when it takes its next step in this moment."""
        looks = _LOOKS
        while not job.state.ended and job.state is not State.UNKNOWN:
            if job.state is State.SUBMITTING:
                # A draft's costs nothing and is over in a moment. A paid one must be seen through, as what
                # is unknown: its money is not certain.
                if job.money is not Money.FREE or looks == 0:
                    break
                looks -= 1
                time.sleep(_BETWEEN_LOOKS)
            else:
                self._stop_in(job)
            job = self._ledger.job(job.id)
        return job

    def _stop_in(self, job: Job) -> None:
        if job.money is Money.FREE:
            money = Money.FREE
        else:
            money = Money.SPENT if job.prediction_id else Money.RELEASED
        now = self._clock.time()
        if self._ledger.advance(job.id, leave=[job.state], to=State.STOPPED, now=now, money=money):
            self._background.call(self._end_work(job))

    async def _end_work(self, job: Job) -> None:
        await self._background.cancel(job.id)
        if job.engine is Engine.DRAFT and job.prediction_id:
            client = await self._engines.client(job.engine, job.owner)
            with contextlib.suppress(ApiError):
                await client.delete([job.prediction_id])

    def resume(self, job: Job, *, prediction_id: str = "") -> Job:
        """What has an id is asked for, what is unknown is looked up, what never was is sent."""
        facts: dict[str, Any] = {"problem": None, "finished_at": None}
        if job.state is State.DONE or (job.state.active and not job.problem):
            return job
        if prediction_id and job.state is State.UNKNOWN:
            if not is_prediction_id(prediction_id) or self._ledger.job_of_prediction(prediction_id):
                raise InvalidRequest(
                    "prediction_id", "It is no prediction, or belongs to another run here.", "Choose another."
                )
            to, facts["prediction_id"] = State.RUNNING, prediction_id
        elif job.state.active:
            to = job.state
        elif job.prediction_id and not (job.engine is Engine.DRAFT and job.state in _ENDED_DRAFT):
            if job.money is Money.RELEASED:  # should it come after all, it has room under the caps
                return self._admit_again(job)
            to = State.RUNNING
        else:
            return self._admit_again(job)
        if self._ledger.advance(job.id, leave=[job.state], to=to, now=self._clock.time(), **facts):
            self._drive(job.id)
        return self._ledger.job(job.id)

    def _admit_again(self, job: Job) -> Job:
        """Nothing is held for this run: hold its price again, under the caps of today, and go on with it."""
        if job.engine is Engine.KLING:
            self._engines.check_paid(job.owner)
        if self._ledger.readmit(job, caps=self._caps, now=self._clock.time()):
            self._drive(job.id)
        return self._ledger.job(job.id)

    def wake(self, owner: str | None = None) -> None:
        """Go on with what waits for a key and has one now. At a start (no `owner`) only with what is paid for
        already: nobody is there to see a run begin.
        """
        for job in self._ledger.in_state(State.NEEDS_KEY, State.UNKNOWN):
            waiting = job.state is State.NEEDS_KEY or (job.problem and job.problem.kind in _KEY_PROBLEMS)
            wanted = job.owner == owner if owner is not None else job.prediction_id or job.state.active
            if waiting and wanted and self._engines.key_of(job.owner):
                with contextlib.suppress(KlingoError):  # one run over its budget does not hold up the others
                    self.resume(job)

    def release(self, job: Job) -> Job:
        """A person has seen that a failed or unknown run is not on the bill: give its hold back.

        Only runs that wait for a person can be released; others are returned as they are.
        """
        now = self._clock.time()
        if job.state is State.FAILED:
            self._ledger.release(job.id, leave=job.state, to=job.state, now=now)
        elif job.state is State.UNKNOWN and job.problem:
            said = NOT_BILLED.as_json()
            self._ledger.release(job.id, leave=job.state, to=State.NOT_CREATED, now=now, problem=said)
        return self._ledger.job(job.id)

    def find_lost(self, owner: str) -> list[Prediction]:
        """What the service's last days hold and this ledger does not, newest first."""
        self._engines.check_own(owner)

        async def ask() -> list[Prediction]:
            client = await self._engines.client(Engine.KLING, owner)
            try:
                return await unrecorded(client, self._ledger)
            except NotFound as error:
                raise Refused(NO_LIST, status_code=error.status_code) from error

        return self._background.call(ask()).result()

    def adopt(self, prediction_id: str, *, owner: str) -> Job:
        """A job for a prediction found at the service; the one that has it already, if any."""
        for lost in self._ledger.in_state(State.UNKNOWN):
            if lost.owner == owner and lost.problem and prediction_id in lost.problem.prediction_ids:
                with contextlib.suppress(
                    JobNotFound
                ):  # its text is gone: the found one gets a row of its own
                    self._ledger.restore(lost.id, owner=owner)  # deleted before anybody knew
                    return self.resume(lost, prediction_id=prediction_id)
        self._engines.check_own(owner)

        async def ask() -> tuple[Job, float]:
            client = await self._engines.client(Engine.KLING, owner)
            try:
                return await find_run(client, prediction_id, owner=owner, now=self._clock.time())
            except NotFound as error:
                raise NotFound(UNHEARD_OF, status_code=error.status_code) from error

        found, since = self._background.call(ask()).result()
        job = self._ledger.adopt(found, since=since)
        self._drive(job.id)
        return job


UNHEARD_OF = "Neither this computer nor the service, under this key, knows a run of this id."
NO_LIST = "The service does not list its runs."
_ENDED_DRAFT = frozenset({State.STOPPED, State.FAILED})
"""A draft that was stopped or failed is rendered anew; it costs nothing."""
_KEY_PROBLEMS = frozenset({"KeyMissing", "KeyRejected"})
