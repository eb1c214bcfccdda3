"""Which jobs this process drives: held by a lease that runs out unless it is renewed, and gained from others.

A job that this process holds but that no task of it drives, for whatever reason, is driven again from its
last committed state; so is one of a process that has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from klingo1.background import Background, Worker
from klingo1.errors import LedgerError
from klingo1.ledger import Ledger
from klingo1.retry import Clock
from klingo1.server_clock import ServerClock

log = logging.getLogger(__name__)

LEASE_SECONDS = 12.0
HEARTBEAT_SECONDS = 3.0


class Leases:
    """The jobs of one worker. `run` is the coroutine that drives a job."""

    def __init__(
        self,
        ledger: Ledger,
        background: Background,
        clock: Clock,
        *,
        worker: Worker,
        run: Callable[[str], Coroutine[Any, Any, None]],
    ) -> None:
        self._ledger = ledger
        self._background = background
        self._clock = clock
        self._worker = worker
        self._run = run

    def start(self, job_id: str) -> None:
        """Go on with a job that this worker holds."""
        self._background.start(job_id, lambda: self._run(job_id))

    def drive(self, job_id: str) -> None:
        """Hold a job that this worker has just made or woken, and go on with it."""
        self._ledger.take(job_id, worker=self._worker.name, now=self._clock.time(), lease=LEASE_SECONDS)
        self.start(job_id)

    def claim(self) -> None:
        """Take over what no process works on, and drive what this one holds without a task for it."""
        me, gone = self._worker.name, self._worker.gone(self._ledger.workers())
        self._ledger.claim(worker=me, now=self._clock.time(), lease=LEASE_SECONDS, gone=gone)
        for job_id in self._ledger.held(me):
            if not self._background.runs(job_id):
                self.start(job_id)

    def renew(self) -> None:
        """Say that this worker lives, by the time of the ledger's server where there is one."""
        if isinstance(self._clock, ServerClock):
            self._clock.follow(self._ledger.server_time)
        self._ledger.renew(worker=self._worker.name, now=self._clock.time(), lease=LEASE_SECONDS)

    async def keep(self) -> None:
        """Renew and claim, for ever."""
        loop = asyncio.get_running_loop()
        renewed, claiming = loop.time(), loop.time()
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                await asyncio.to_thread(self.renew)
                # After a pause of the ledger all leases are over: the living have the time of one to renew.
                if loop.time() - renewed >= LEASE_SECONDS:
                    claiming = loop.time() + LEASE_SECONDS
                renewed = loop.time()
                if renewed >= claiming:
                    await asyncio.to_thread(self.claim)
            except Exception as error:  # whatever it is, the next beat comes
                log.error("a heartbeat failed: %s: %s", type(error).__name__, error)

    def let_go(self) -> None:
        """Others may take up at once what this worker held."""
        with contextlib.suppress(LedgerError):
            self._ledger.leave(worker=self._worker.name)
        self._worker.end()
