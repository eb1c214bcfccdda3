"""Waiting for tasks to end: each in its rhythm, all of one key at its pace, through outages of any length."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from typing import Any

from klingo1.census import CROWD, DIRECT_SECONDS, Census
from klingo1.errors import NotFound, RateLimited, Unavailable
from klingo1.prediction import Prediction
from klingo1.retry import Clock, Pace, Patience
from klingo1.rhythm import Rhythm

MADE_MAX = 2000
"""Tasks whose age is kept until somebody waits for them."""
OWN_TURNS = 3
"""What a task brings of its own: short ones that are made one after another are not held up."""
Ask = Callable[[float], Coroutine[Any, Any, Prediction]]
"""Asks for one task, whose turn has come; of many that wait for theirs, what was born later has it sooner."""


class Waiting:
    """All waits of one client. `ask_page` gives a page of its list, in its turn."""

    def __init__(
        self,
        *,
        clock: Clock,
        pace: Pace,
        patience: Patience,
        ask_page: Callable[[int], Awaitable[Sequence[Prediction]]],
    ) -> None:
        self._clock, self._pace, self._grace = clock, pace, patience.unknown
        self._rhythm = Rhythm(
            first=patience.first_wait,
            least=patience.least_wait,
            share=patience.share,
            learns=patience.learns,
        )
        self._census = Census(ask_page, clock)
        self._made: OrderedDict[str, float] = OrderedDict()

    def close(self) -> None:
        """Ask for nothing any more."""
        self._census.close()

    def note_made(self, prediction: Prediction) -> None:
        """A task was created just now, so its age is known when somebody waits for it."""
        if not self._pace.waiting:
            self._pace.grant(OWN_TURNS)
        if not prediction.status.ended:
            self._made[prediction.id] = self._clock.monotonic()
            if len(self._made) > MADE_MAX:
                self._made.popitem(last=False)

    async def until_ended(
        self,
        task: str,
        ask: Ask,
        *,
        kind: Hashable,
        on_update: Callable[[Prediction], None] | None,
    ) -> Prediction:
        """See Client.wait."""
        with self._census.watching(task):
            return await self._until_ended(task, ask, kind, on_update)

    async def _until_ended(
        self, task: str, ask: Ask, kind: Hashable, on_update: Callable[[Prediction], None] | None
    ) -> Prediction:
        born = direct = self._clock.monotonic()
        watch = self._rhythm.watch(kind, born=self._made.pop(task, None), now=born)
        if watch.known:
            await self._clock.sleep(watch.pause(born))
        unknown_since: float | None = None
        while True:
            asked_to_wait = word = None
            try:
                if self._pace.waiting < CROWD or self._clock.monotonic() - direct >= DIRECT_SECONDS:
                    await self._pace.turn(born)
                else:
                    word = await self._word_before_turn(task, born)
                if word is None:
                    prediction = await ask(born)
                    direct = self._clock.monotonic()
                else:
                    prediction = word
            except (Unavailable, RateLimited) as error:
                asked_to_wait = error.retry_after
            except NotFound:
                now = self._clock.monotonic()
                unknown_since = now if unknown_since is None else unknown_since
                if now - unknown_since >= self._grace:
                    raise
            else:
                unknown_since = None
                if on_update is not None:
                    on_update(prediction)
                if prediction.status.ended:
                    watch.end(self._clock.monotonic())
                    return prediction
            pause = watch.pause(self._clock.monotonic())
            await self._clock.sleep(max(pause, asked_to_wait or 0.0))

    async def _word_before_turn(self, task: str, born: float) -> Prediction | None:
        """What the list says of the task before its turn; None when its turn has come."""
        turn = asyncio.ensure_future(self._pace.turn(born))
        listed = asyncio.ensure_future(self._census.word_of(task))
        try:
            await asyncio.wait({turn, listed}, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done() and (word := listed.result()) is not None:
                return word
            await turn
            return None
        finally:
            turn.cancel()
            listed.cancel()
