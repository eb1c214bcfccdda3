"""The ledger as one worker's jobs use it: off the event loop, with that worker's name on every transition."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from klingo1.errors import LedgerError
from klingo1.job import Job, Problem, State
from klingo1.ledger import Ledger
from klingo1.retry import Clock

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_SECONDS = 5.0


class Entries:
    """Asynchronous reads and writes. Every call may raise LedgerError, but for `insist`."""

    def __init__(self, ledger: Ledger, *, clock: Clock, worker: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._worker = worker

    async def mine(self, job_id: str) -> Job | None:
        """The job as it stands now; None when another worker has taken it over."""
        return await self._call(self._ledger.job_of_worker, job_id, self._worker)

    async def record(self, job: Job) -> Any:
        """The raw row: uploads, attempts, the time of the submit."""
        return await self._call(self._ledger.record, job.id)

    async def known_predictions(self) -> set[str]:
        """Predictions that belong to a job already."""
        return await self._call(self._ledger.prediction_ids)

    async def advance(self, job: Job, to: State, *, problem: Problem | None = None, **facts: Any) -> bool:
        """Leave the state that `job` was read in; False when it has been left already."""
        if problem is not None:
            facts["problem"] = problem.as_json()
        return await self._call(
            self._ledger.advance,
            job.id,
            leave=[job.state],
            to=to,
            now=self._clock.time(),
            worker=self._worker,
            **facts,
        )

    async def insist(self, job: Job, to: State, *, problem: Problem | None = None, **facts: Any) -> None:
        """Commit the outcome of a submit, however long the ledger refuses; nothing else happens meanwhile."""
        if problem is not None:
            facts["problem"] = problem.as_json()
        while True:
            try:
                await self._call(
                    self._ledger.advance,
                    job.id,
                    leave=[State.SUBMITTING],
                    to=to,
                    now=self._clock.time(),
                    **facts,
                )
                return
            except LedgerError as error:
                known = facts.get("prediction_id", "no prediction")
                log.error("job %s: %s (%s) is not written yet: %s", job.id, to.value, known, error)
                await self._clock.sleep(RETRY_SECONDS)

    async def note(self, job: Job, *, problem: Problem | None = None, **facts: Any) -> None:
        """Write facts that change no state."""
        if problem is not None:
            facts["problem"] = problem.as_json()
        await self._call(self._ledger.note, job.id, now=self._clock.time(), **facts)

    async def _call(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await asyncio.to_thread(call, *args, **kwargs)
