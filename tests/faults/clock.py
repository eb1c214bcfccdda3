"""Clocks that do not wait: sleeping moves them on."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time

from klingo1.retry import SystemClock


class FakeClock:
    """Starts at `start` seconds since 1970; `slept` lists every wait in seconds."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.now = start
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class SwiftClock:
    """The machine's clock for which every wait passes at once: time jumps by what was slept. `waits` lists
    every wait in seconds; `step` is how far the calendar is off.
    """

    def __init__(self) -> None:
        self._skipped = 0.0
        self._lock = threading.Lock()
        self.step = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def time(self) -> float:
        return time.time() + self._skipped + self.step

    def skip(self, seconds: float) -> None:
        with self._lock:
            self._skipped += seconds

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.skip(seconds)
        await asyncio.sleep(0.002)


class HastyClock(SystemClock):
    """The machine's clock, for a studio that waits only a moment wherever it waits."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.02))


class OrderlyClock:
    """Time for many sleepers at once: nobody wakes before those who sleep shorter. Every few milliseconds of
    the machine the one who is next wakes, and the time is theirs.
    """

    def __init__(self) -> None:
        self._now = time.time()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._waking = False

    def monotonic(self) -> float:
        return self._now

    def time(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._numbers), woken))
        self._plan()
        await woken

    def _plan(self) -> None:
        if self._sleepers and not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_later(0.003, self._wake)

    def _wake(self) -> None:
        self._waking = False
        while self._sleepers:
            at, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._now = max(self._now, at)
                woken.set_result(None)
                break
        self._plan()
