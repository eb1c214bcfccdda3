"""Asking for many tasks at once: a page of the service's list tells of a hundred, one poll of a single one.

Tasks are polled at a modest pace, all of one key together. When more wait for their turn than the pace lets
through, every second turn is spent on the list. It is believed where it says that a task runs, or that it is
done and where its video lies; whatever else it says, or leaves out, is asked of the task itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from klingo1.errors import KlingoError
from klingo1.prediction import Prediction, Status
from klingo1.retry import Clock

PAGE = 100
CROWD = 4
"""So many wait in line before the list is asked instead."""
DIRECT_SECONDS = 600.0
"""A task that was not asked for itself for so long is: a list that stands still must hide no end."""
USEFUL, OFF_SECONDS = 0.25, 60.0
"""A list that knows fewer than this share of the tasks is not asked again for a while."""
_RUNS = frozenset({Status.CREATED, Status.PROCESSING, Status.UNKNOWN})
_log = logging.getLogger("klingo1.client")


class Census:
    """What the list says of one key's tasks. `ask(page)` waits for its turn; the newest tasks come first."""

    def __init__(self, ask: Callable[[int], Awaitable[Sequence[Prediction]]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._wanted: dict[str, asyncio.Future[Prediction | None]] = {}
        self._round: asyncio.Task[None] | None = None
        self._off_until = float("-inf")
        self._begun = 0
        self._ahead: dict[str, int] = {}

    @contextmanager
    def watching(self, task: str) -> Iterator[None]:
        """For as long as this task is waited for. Of the tasks that were waited for together with it, and of
        those begun since, any may stand before it in the list: so far down it is looked for.
        """
        self._begun += 1
        self._ahead[task] = len(self._ahead) + 1 - self._begun
        try:
            yield
        finally:
            self._ahead.pop(task, None)

    async def word_of(self, task: str) -> Prediction | None:
        """What the list says of this task; None when it must be asked for itself."""
        if self._clock.monotonic() < self._off_until:
            return None
        if task not in self._wanted:
            self._wanted[task] = asyncio.get_running_loop().create_future()
        word = self._wanted[task]
        if self._round is None:
            self._round = asyncio.create_task(self._go_round(), name="klingo1-census")
        return await asyncio.shield(word)

    def close(self) -> None:
        """Ask no more."""
        if self._round is not None:
            self._round.cancel()

    async def _go_round(self) -> None:
        """Page after page until nobody waits for a word."""
        try:
            while self._wanted:
                await self._one_round()
        finally:
            self._round = None
            for task in list(self._wanted):
                self._tell(task, None)

    async def _one_round(self) -> None:
        asked, answered, page = set(self._wanted), 0, 0
        try:
            while page < self._depth(asked) // PAGE + 2:
                page += 1
                listed = await self._ask(page)
                for one in listed:
                    answered += one.id in asked
                    asked.discard(one.id)
                    self._tell(one.id, one if _is_enough(one) else None)
                if not asked or len(listed) < PAGE:
                    break
        except KlingoError as error:
            _log.info("list: not usable (%s)", type(error).__name__)
        if answered < USEFUL * (answered + len(asked)):
            self._off_until = self._clock.monotonic() + OFF_SECONDS
            asked |= set(self._wanted)
        for task in asked:
            self._tell(task, None)

    def _depth(self, tasks: AbstractSet[str]) -> int:
        """How many of ours may stand before the last of these tasks, itself counted in."""
        ahead = max((self._ahead.get(task, 0) for task in tasks), default=0)
        return max(ahead + self._begun, len(tasks))

    def _tell(self, task: str, word: Prediction | None) -> None:
        waiting = self._wanted.pop(task, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(word)


def _is_enough(listed: Prediction) -> bool:
    return listed.status in _RUNS or (listed.status is Status.COMPLETED and bool(listed.outputs))
