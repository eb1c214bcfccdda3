"""Clocks that do not wait: sleeping moves them on."""

from __future__ import annotations

import asyncio
import time


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
        self.step = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def time(self) -> float:
        return time.time() + self._skipped + self.step

    def skip(self, seconds: float) -> None:
        self._skipped += seconds

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._skipped += seconds
        await asyncio.sleep(0.002)
