"""A clock that does not wait: sleeping moves it on."""

from __future__ import annotations

import asyncio


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
