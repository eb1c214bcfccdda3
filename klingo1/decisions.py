"""What a person decides about a job: stop it, wake it, take one over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from klingo1.background import Background
from klingo1.engines import NO_KEY, Engines
from klingo1.errors import ApiError, KeyMissing
from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.money import Caps
from klingo1.recovery import adopted_job
from klingo1.request import Engine
from klingo1.retry import Clock


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
        """End a draft, or the waiting for a paid run."""
        if job.state.ended or job.state in {State.SUBMITTING, State.UNKNOWN}:
            return job  # ended, or its money is not certain: it must be seen through
        if job.money is Money.FREE:
            money = Money.FREE
        else:
            money = Money.SPENT if job.prediction_id else Money.RELEASED
        now = self._clock.time()
        if self._ledger.advance(job.id, leave=[job.state], to=State.STOPPED, now=now, money=money):
            self._background.call(self._end_work(job))
        return self._ledger.job(job.id)

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
            to, facts["prediction_id"] = State.RUNNING, prediction_id
        elif job.state is State.UNKNOWN:
            to = State.UNKNOWN
        elif job.prediction_id and not (job.engine is Engine.DRAFT and job.state in _ENDED_DRAFT):
            to = State.RUNNING
        else:
            return self._send_again(job)
        if self._ledger.advance(job.id, leave=[job.state], to=to, now=self._clock.time(), **facts):
            self._drive(job.id)
        return self._ledger.job(job.id)

    def _send_again(self, job: Job) -> Job:
        """Nothing of this run exists there: hold its price again, under the caps of today, and start over."""
        if job.engine is Engine.KLING and not self._engines.key_of(job.owner):
            raise KeyMissing(NO_KEY)
        if self._ledger.readmit(job, caps=self._caps, now=self._clock.time()):
            self._drive(job.id)
        return self._ledger.job(job.id)

    def adopt(self, prediction_id: str, *, owner: str) -> Job:
        """A job for a prediction found at the service; the one that has it already, if any."""

        async def ask() -> Job:
            client = await self._engines.client(Engine.KLING, owner)
            return adopted_job(await client.result(prediction_id), owner=owner, now=self._clock.time())

        job = self._ledger.adopt(self._background.call(ask()).result())
        self._drive(job.id)
        return job


_ENDED_DRAFT = frozenset({State.STOPPED, State.FAILED})
"""A draft that was stopped or failed is rendered anew; it costs nothing."""
