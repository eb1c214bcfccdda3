"""The time by the ledger's server: replicas whose own clocks differ agree on leases, days and ages."""

from __future__ import annotations

from collections.abc import Callable

from klingo1.retry import Clock


class ServerClock:
    """`clock`, its calendar moved to that of a server. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = 0.0

    def follow(self, server_time: Callable[[], float]) -> None:
        """Ask the server for its time (seconds since 1970) and go by it until the next call."""
        before = self._clock.time()
        there = server_time()
        self._ahead = there - (before + self._clock.time()) / 2

    def monotonic(self) -> float:
        """As the clock's own."""
        return self._clock.monotonic()

    def time(self) -> float:
        """Seconds since 1970 by the server."""
        return self._clock.time() + self._ahead

    async def sleep(self, seconds: float) -> None:
        """As the clock's own."""
        await self._clock.sleep(seconds)
