"""The side of a studio that hosting needs: limits, the line, forgetting, health."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from klingo1.background import Background
from klingo1.crowd import Crowd
from klingo1.decisions import Decisions
from klingo1.engines import Engines
from klingo1.errors import JobNotFound, LedgerError
from klingo1.files import Files
from klingo1.job import Job
from klingo1.ledger import Ledger
from klingo1.money import Caps
from klingo1.request import Engine
from klingo1.retention import Retention, quiet_sweep
from klingo1.retry import Clock
from klingo1.settings import Settings
from klingo1.usual import Usual
from klingo1.visitors import DESK, SignIn, is_token

SWEEP_SECONDS = 20.0
OWNER_PAID, OWNER_DRAFTS = 1, 3
"""Runs of one visitor that a hosted page works on at once."""
HEALTH_SECONDS = 5.0
_END_SECONDS = 20.0


def caps_of(settings: Settings) -> Caps:
    """The limits that admission knows. A desk's runs are one person's: only money is limited there."""
    budgets = {
        "run": settings.budget_run,
        "owner_day": settings.budget_visitor_day,
        "day": settings.budget_day,
    }
    if not settings.hosted:
        return Caps(**budgets)
    return Caps(**budgets, owner_paid=OWNER_PAID, owner_drafts=OWNER_DRAFTS, drafts=settings.draft_queue)


class Housekeeping:
    """Base of Studio, which sets what is declared here before it calls `_keep_house`."""

    settings: Settings
    _clock: Clock
    _ledger: Ledger
    _files: Files
    _engines: Engines
    _background: Background
    _decisions: Decisions
    _sign_in: SignIn
    _health: tuple[float, dict[str, Any]] | None = None

    def _keep_house(self) -> None:
        self._retention = Retention(
            self.settings,
            self._ledger,
            self._files,
            self._clock,
            stop=self._end,
            forget_drafts=self._forget,
        )
        self._crowd = Crowd(self._works)
        self._background.start("housekeeping", self._sweep_for_ever)

    def now(self) -> float:
        """Seconds since 1970 by the clock that all times of runs go by."""
        return self._clock.time()

    # -- visitors

    def sign_in(self, username: str) -> str:
        """The owner for a user name that the host has verified. Never call it with what a visitor typed."""
        return self._sign_in.owner_of(username)

    def pass_of(self, owner: str) -> str:
        """What the browser of a signed-in owner shows from now on, for a day."""
        return self._sign_in.pass_of(owner, now=self._clock.time())

    def owner_of(self, token: object) -> str:
        """The visitor whose browser shows this, a random token of its own or a pass; "" for neither."""
        if is_token(token):
            return str(token)
        return self._sign_in.owner_shown(token, now=self._clock.time()) if isinstance(token, str) else ""

    def lends_key(self, owner: str) -> bool:
        """Whether this owner's paid runs go on the server's key, because they are signed in and have none."""
        return self.settings.hosted and self._engines.is_lent(owner)

    def bring(self, job: Job) -> Job:
        """Have a run's files in this home, where another replica made them; returns the run."""
        return self._files.bring(job)

    # -- the line

    def place_in_line(self, job: Job) -> int:
        """How many drafts must end before this one is made; 0 when it is its turn, or it is no draft."""
        if job.engine is not Engine.DRAFT or not job.state.active:
            return 0
        ahead = self._ledger.drafts_in_work(before=job.created_at)
        return max(0, ahead - self.settings.draft_workers + 1)

    def usual(self, job: Job) -> Usual | None:
        """How long the owner's earlier runs of this engine and length took; None while they are few."""
        return self._ledger.usual(job)

    # -- what is open

    def undecided(self, owner: str = DESK) -> list[Job]:
        """Runs of which only a person can say whether they were billed; deleted ones are left out."""
        return self._ledger.undecided(owner)

    # -- forgetting

    def delete(self, job_id: str, *, owner: str = DESK) -> Job:
        """Delete a run: hidden now, its files and text removed after half a minute; id and cost are kept.

        A paid run that is on its way is billed all the same, and one of which nobody knows keeps its hold.
        Returns the run as it was left. Raises JobNotFound.
        """
        return self._retention.delete(self._ledger.job(job_id, owner=owner))

    def restore(self, job_id: str, *, owner: str = DESK) -> Job:
        """Take a deletion back; what was in work stays stopped. Raises JobNotFound when too late."""
        self._ledger.restore(job_id, owner=owner)
        return self._ledger.job(job_id, owner=owner)

    def delete_all(self, owner: str = DESK, *, uploads: Sequence[str] = ()) -> int:
        """Remove everything of this owner from the disk, down to the bytes, and forget their key; `uploads`
        are files in Gradio's cache that go along.

        Returns how many runs could not be emptied yet, because a submit of theirs is still being settled.
        """
        waiting = self._retention.delete_all(owner, uploads=uploads)
        self._engines.forget_key(owner)
        return waiting

    def has_room(self, size: int = 0) -> bool:
        """Whether a file of `size` bytes may still be taken; always at a desk."""
        return self._retention.has_room(size)

    def sweep(self) -> int:
        """What happens by itself every 20 seconds: forget what is due. Returns how many runs that were."""
        return self._retention.sweep()

    # -- health

    def health(self) -> dict[str, Any]:
        """Facts for a host's probe; `ok` sums them up. Nothing in it concerns a visitor. At most one write
        in five seconds, however often it is asked for.
        """
        now = self._clock.monotonic()
        if self._health is None or not 0 <= now - self._health[0] < HEALTH_SECONDS:
            self._health = (now, self._examine())
        return self._health[1]

    def _examine(self) -> dict[str, Any]:
        alive = self._background.loop.is_running()
        try:
            self._ledger.touch(now=self._clock.time())
            in_work = self._ledger.drafts_in_work()
        except LedgerError:
            return {"ok": False, "loop": alive, "ledger": "not writable", "drafts": None}
        return {"ok": alive, "loop": alive, "ledger": "writable", "drafts": in_work}

    # -- inside

    def _works(self, owner: str, job_id: str) -> bool:
        with contextlib.suppress(JobNotFound):
            return self._ledger.job(job_id, owner=owner).state.active
        return False

    def _end(self, job: Job) -> Job:
        """Stop a run's work and wait until nothing of it is at work any more."""
        ended = self._decisions.stop(job)
        if job.state.active and ended.state.ended:
            with contextlib.suppress(TimeoutError):
                self._background.call(self._background.cancel(job.id)).result(timeout=_END_SECONDS)
        return ended

    def _forget(self, ids: Sequence[str]) -> None:
        async def forget() -> None:
            client = await self._engines.client(Engine.DRAFT, DESK)
            await client.delete(list(ids))

        self._background.call(forget()).result(timeout=_END_SECONDS)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.to_thread(quiet_sweep, self._retention)
            await asyncio.sleep(SWEEP_SECONDS)
