"""A gate for many who wait: the youngest and the one who waits longest go through in turn.

What somebody has just asked for gets through after two others at most, however many older jobs wait; and each
of those gets through after at most twice as many turns as there are jobs before it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FOR_ALL = -math.inf
"""Born before all: who asks on behalf of everybody has the turn of the one who waits longest."""


class Gate:
    """Lets `at_once` through together. Use it on one event loop."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []
        self._youngest_next = True

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    @asynccontextmanager
    async def passing(self, born: float) -> AsyncIterator[None]:
        """Wait for a place, and keep it for the length of the block; `born` is larger for what is younger."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(born)
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, born: float) -> None:
        called = asyncio.get_running_loop().create_future()
        place = (born, called)
        self._waiting.append(place)
        try:
            await called
        except asyncio.CancelledError:
            if place in self._waiting:
                self._waiting.remove(place)
            elif not called.cancelled():
                self._leave()  # called and cancelled in one moment: the place is another's
            raise

    def _leave(self) -> None:
        while self._waiting:
            if self._youngest_next:
                chosen = max(self._waiting, key=lambda place: place[0])
            else:
                chosen = next((one for one in self._waiting if one[0] == FOR_ALL), self._waiting[0])
            self._waiting.remove(chosen)
            if not chosen[1].done():
                self._youngest_next = not self._youngest_next
                chosen[1].set_result(None)
                return
        self._free += 1
