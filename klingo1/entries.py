"""The ledger as one worker's jobs use it: off the event loop, with that worker's name on every transition."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from klingo1.errors import LedgerError
from klingo1.job import Job, Problem, State
from klingo1.ledger import Ledger
from klingo1.retry import Clock
from klingo1.uploads import sent_references

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_SECONDS = 5.0


class Entries:
    """Asynchronous reads and writes. Every call may raise LedgerError, but for `insist`."""

    def __init__(self, ledger: Ledger, *, clock: Clock, worker: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._worker = worker
        # Writes go one after another anyway: in a thread of their own they keep nobody else from theirs.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="klingo1-ledger")

    def close(self) -> None:
        """Let the last write end."""
        self._writer.shutdown()

    async def mine(self, job_id: str) -> Job | None:
        """The job as it stands now; None when another worker has taken it over."""
        return await self._call(self._ledger.job_of_worker, job_id, self._worker)

    def is_submitting(self, job: Job) -> bool:
        """Whether this worker holds the job and its submit may leave; a quick look that blocks."""
        now = self._ledger.job_of_worker(job.id, self._worker)
        return now is not None and now.state is State.SUBMITTING

    async def record(self, job: Job) -> Any:
        """The raw row: uploads, attempts, the time of the submit."""
        return await self._call(self._ledger.record, job.id)

    async def known_predictions(self) -> set[str]:
        """Predictions that belong to a job already."""
        return await self._call(self._ledger.prediction_ids)

    async def advance(self, job: Job, to: State, *, problem: Problem | None = None, **facts: Any) -> bool:
        """Leave the state that `job` was read in; False when it has been left already."""
        facts["problem"] = None if problem is None else problem.as_json()
        return await self._write(
            self._ledger.advance,
            job.id,
            leave=[job.state],
            to=to,
            now=self._clock.time(),
            worker=self._worker,
            **facts,
        )

    async def insist(
        self,
        job: Job,
        to: State,
        *,
        leave: Collection[State] = (State.SUBMITTING,),
        problem: Problem | None = None,
        **facts: Any,
    ) -> bool:
        """Commit the outcome of a submit, however long the ledger refuses; nothing else happens meanwhile.

        False when the job has left these states, or the prediction belongs to another one.
        """
        facts["problem"] = None if problem is None else problem.as_json()

        async def write() -> bool:
            now = self._clock.time()
            return await self._write(self._ledger.advance, job.id, leave=leave, to=to, now=now, **facts)

        return await self._at_last(write, job, f"{to.value} ({facts.get('prediction_id', 'no prediction')})")

    async def record_at_last(self, job: Job) -> Any:
        """The raw row, however long the ledger cannot be read."""
        return await self._at_last(lambda: self.record(job), job, "its outcome")

    async def _at_last(self, call: Callable[[], Awaitable[T]], job: Job, what: str) -> T:
        while True:
            try:
                return await call()
            except LedgerError as error:
                log.error("job %s: %s is not written yet: %s", job.id, what, error)
                await self._clock.sleep(RETRY_SECONDS)

    async def note(
        self, job: Job, *, problem: Problem | None = None, during: State | None = None, **facts: Any
    ) -> None:
        """Write facts that change no state; with `during`, only while the job is in that one."""
        if problem is not None:
            facts["problem"] = problem.as_json()
        await self._write(self._ledger.note, job.id, now=self._clock.time(), during=during, **facts)

    async def others_unsettled(self, job: Job) -> list[list[str]]:
        """The references of other paid jobs whose submit is on its way or was lost."""
        others = await self._call(self._ledger.unsettled)
        return [sent_references(other, uploads) for other, uploads in others if other.id != job.id]

    async def _write(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        work = functools.partial(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    async def _call(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await asyncio.to_thread(call, *args, **kwargs)
