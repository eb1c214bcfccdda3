"""Lists of runs that were admitted on a page: fed by the studio itself, at their pace, until all is made.

The command line feeds its own lists while it runs; these belong to the ledger. Their name says the pace, so
any studio on the ledger goes on with them after a restart, and several keep one pace between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import secrets
from collections.abc import Sequence

from klingo1.batch import TIERS, Limits
from klingo1.batch_file import Line
from klingo1.bulk import BulkStudio
from klingo1.errors import Busy, InvalidRequest, LedgerError, QuoteRefused
from klingo1.groups import NO_USE, Pace, Standing
from klingo1.job import Job, State
from klingo1.leases import LEASE_SECONDS
from klingo1.pricing import Price, price_of
from klingo1.request import Engine

ON_PAGE = "batch/page/"
TICK_SECONDS, IDLE_SECONDS = 0.5, 30.0
"""Between two looks at the lists, while one waits and while none does; what is admitted wakes it."""
LINES_MAX, VISITOR_LINES_MAX = 1_000, 40
"""Runs of one list on a desk's page, and runs of one visitor of a hosted page that wait in lists."""
_TICKET = re.compile(r"[0-9a-f]{16}")
log = logging.getLogger(__name__)


class BatchStudio(BulkStudio):
    """A studio that feeds the lists of its page. Use it in a `with` block."""

    def start(self) -> None:
        """As BulkStudio.start, and go on with every list that waits."""
        super().start()
        self._admitted = asyncio.Event()
        self._background.start("batches", self._feed_for_ever)

    def new_ticket(self) -> str:
        """What makes two clicks on one offer one list."""
        return secrets.token_hex(8)

    def admit_batch(
        self, lines: Sequence[Line], *, engine: Engine, tier: str, owner: str, ticket: str, expected: Price
    ) -> str:
        """Hold the price of every line or of none; returns the list's name. Lines have passed `check_lines`.

        A ticket that was used before gives the list that it has made. Raises InvalidRequest, QuoteRefused,
        BudgetReached, Busy, KeyMissing, LedgerError.
        """
        group = self._group(engine, tier, owner, ticket)
        if self.standing(group, owner=owner):
            return group
        price = Price(sum(price_of(line.request, engine).micro for line in lines))
        if price != expected:
            raise QuoteRefused(f"The price is now {price}, not {expected}. Click again to accept it.")
        self.check_count(len(lines), owner)
        self.admit_lines(group, lines, engine=engine, owner=owner)
        self._background.loop.call_soon_threadsafe(self._admitted.set)
        return group

    def check_count(self, count: int, owner: str) -> None:
        """Raise InvalidRequest for too long a list, Busy for a visitor who has too many runs waiting."""
        most = VISITOR_LINES_MAX if self.settings.hosted else LINES_MAX
        if count > most:
            raise InvalidRequest("requests", f"It holds {count:,} requests.", f"Give at most {most:,} here.")
        if not self.settings.hosted:
            return
        groups = (group for group, whose in self._groups.waiting(ON_PAGE) if whose == owner)
        waiting = sum(not one.begun for group in groups for one in self.standing(group, owner=owner))
        if waiting + count > most:
            raise Busy(f"{waiting} runs of your lists wait already.", what="list", limit=most)

    def batches(self, owner: str, *, limit: int = 5) -> list[str]:
        """Names of the owner's lists, newest first."""
        return self._groups.groups_of(owner, ON_PAGE, limit=limit)

    def is_halted(self, group: str) -> bool:
        """Whether it waits for a person: for a key, or for credit."""
        return self._groups.halted(group)

    def carry_on(self, group: str, *, owner: str) -> None:
        """A person has mended what halted the list: its refused runs are sent once more; none was billed.

        Raises KeyMissing and BudgetReached.
        """
        for one in self.standing(group, owner=owner):
            if one.state in {State.NEEDS_KEY, State.REFUSED}:
                job = self.job(one.job_id, owner=owner)
                if job.problem is not None and job.problem.kind in NO_USE:
                    self.resume(job.id, owner=owner)

    def withdraw_batch(self, group: str, *, owner: str) -> int:
        """Give up what has not been begun; returns how many runs that were."""
        return self.withdraw(group) if self.standing(group, owner=owner) else 0

    def batch_jobs(self, group: str, *, owner: str) -> list[tuple[Standing, Job]]:
        """Every run of a list; those that were deleted are left out."""
        made = self._groups.jobs_of(group, owner=owner)
        return [(one, made[one.job_id]) for one in self.standing(group, owner=owner) if one.job_id in made]

    # -- feeding

    def _group(self, engine: Engine, tier: str, owner: str, ticket: str) -> str:
        if tier not in TIERS:
            raise InvalidRequest("tier", "There is no such tier.", f"Choose {', '.join(TIERS)}.")
        if not _TICKET.fullmatch(ticket):
            raise QuoteRefused("This offer is not known here. Add the list again.")
        whose = hashlib.blake2b(owner.encode(), digest_size=6).hexdigest()
        return f"{ON_PAGE}{engine.value}/{tier}/{whose}/{ticket}"

    def _pace(self, group: str, owner: str) -> tuple[Engine, Pace]:
        engine_name, tier = group.removeprefix(ON_PAGE).split("/")[:2]
        engine = Engine(engine_name)
        limits = TIERS[tier] if engine is Engine.KLING else Limits(None, self.settings.draft_workers + 1)
        # A hosted page's visitors each pay with an account of their own; a desk has one.
        of = owner if self.settings.hosted and engine is Engine.KLING else None
        return engine, Pace(limits.per_minute, limits.at_once, of)

    def _feed(self) -> bool:
        """Begin what there is room for, list by list in turn; says whether anything waits."""
        waiting = self._groups.waiting(ON_PAGE)
        left = list(waiting)
        while left:
            left = [(group, owner) for group, owner in left if self._begin_next(group, owner)]
        return bool(waiting)

    def _begin_next(self, group: str, owner: str) -> bool:
        engine, pace = self._pace(group, owner)
        job_id = self._groups.begin_next(
            group, owner=owner, engine=engine, worker=self._worker.name, now=self._clock.time(),
            lease=LEASE_SECONDS, pace=pace, caps=self._caps,
        )  # fmt: skip
        if job_id is None:
            return False
        self._leases.start(job_id)
        return True

    async def _feed_for_ever(self) -> None:
        while True:
            waits = False
            self._admitted.clear()
            try:
                waits = await asyncio.to_thread(self._feed)
            except LedgerError as error:
                log.error("the ledger cannot be read: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._admitted.wait(), TICK_SECONDS if waits else IDLE_SECONDS)
