"""What may be repeated, and when: clock, patience, Retry-After, growing waits, one pace for a key's calls."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol

import httpx

from klingo1.gate import Gate

RETRY_AFTER_MAX = 120.0
"""Seconds. A service that asks for more is asked again after this; a wait is never unbounded."""

_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{0,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_NEVER_SENT = (
    httpx.ConnectError,  # refused, unreachable, DNS, TLS
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,  # raised for a tunnel that was not opened
)  # not InvalidURL and UnsupportedProtocol: httpx also raises them for the Location of an answer


class Clock(Protocol):
    """Where time comes from; a test hands in one that does not wait."""

    def monotonic(self) -> float:
        """Seconds that only grow; the start is arbitrary."""

    def time(self) -> float:
        """Seconds since 1970, for dates that others wrote."""

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """As time.monotonic."""
        return time.monotonic()

    def time(self) -> float:
        """As time.time."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """As asyncio.sleep."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, before a call counts as lost. None of these ends a running task."""

    connect: float = 10.0
    silence: float = 60.0
    """Without a single byte, in either direction."""
    answer: float = 60.0
    """For a whole answer of a read."""
    submit: float = 180.0
    """For the whole answer of a submit, which is never repeated and so deserves more."""
    polls_per_second: float = 1.0
    """In the long run, over all jobs of this client; ten at once are let through."""
    first_wait: float = 0.25
    """Before the first poll of a new task."""
    least_wait: float = 1.0
    """Between two polls of a task of which nothing is known (see rhythm.py)."""
    share: float = 0.18
    """Of such a task's age, added to the wait, up to 30 seconds."""
    unknown: float = 60.0
    """During which a task that the service does not know yet is asked for again."""
    learns: bool = True
    """Whether tasks are asked for when earlier ones of their kind ended."""


def certainly_not_sent(error: BaseException) -> bool:
    """Whether no byte of the request can have reached the service, so that repeating it is safe.

    A reset, a closed connection and a read timeout are not among these: the service may have acted already.
    """
    return isinstance(error, _NEVER_SENT)


def parse_retry_after(value: str | None, *, now: float) -> float | None:
    """Seconds to wait, 0 to 120, from a Retry-After header; None when absent or senseless. Never raises.

    Seconds (fractions are tolerated) or an HTTP date, which is compared with `now` (seconds since 1970).
    What lies in the past is 0; what is further away than 120 seconds is 120.
    """
    text = (value or "").strip()
    if not text or len(text) > 100:
        return None
    try:
        wait = float(text) if _NUMBER.fullmatch(text) else _moment(text) - now
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None  # the date parser has its own ideas about garbage
    return min(RETRY_AFTER_MAX, max(0.0, wait)) if math.isfinite(wait) else None


def parse_date(value: str | None) -> float | None:
    """Seconds since 1970 of an HTTP date; None when it is absent or senseless. Never raises."""
    try:
        return _moment(value[:100]) if value else None
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


def _moment(text: str) -> float:
    moment = parsedate_to_datetime(text)
    if moment.tzinfo is None:  # "-0000" says: UTC, zone unknown
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


class Backoff:
    """Waits that grow by `factor` from `first` to `limit` seconds, blurred so that jobs fall out of step."""

    def __init__(
        self,
        *,
        first: float = 0.25,
        factor: float = 1.3,
        limit: float = 30.0,
        blur: Callable[[], float] = random.random,
    ) -> None:
        self._next = first
        self._factor = factor
        self._limit = limit
        self._blur = blur

    def wait(self, *, at_least: float | None = None) -> float:
        """The next wait in seconds, 85 to 100 % of the step, and not below what the service asked for."""
        step, self._next = self._next, min(self._limit, self._next * self._factor)
        return max(step * (0.85 + 0.15 * self._blur()), at_least or 0.0)


class Pace:
    """`per_second` turns in the long run and `burst` at once, and silence while the service asks for it.

    One instance stands for one key, so that a "too many requests" to one job slows all of them down.
    """

    def __init__(self, clock: Clock, *, per_second: float, burst: int = 10) -> None:
        self._clock = clock
        self._gap = 1.0 / per_second
        self._slack = self._gap * (burst - 1)
        self._slot = -math.inf
        self._quiet_until = -math.inf
        self._gate = Gate(1)

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return self._gate.waiting

    async def turn(self, born: float = math.inf) -> None:
        """Wait for this call's turn: of those who wait, the youngest and the longest waiting go in turn."""
        async with self._gate.passing(born):
            while True:
                await self._silence()
                now = self._clock.monotonic()
                slot = max(self._slot, now)
                if (wait := slot - self._slack - now) > 0:
                    await self._clock.sleep(wait)
                if self._clock.monotonic() >= self._quiet_until:
                    self._slot = slot + self._gap
                    return

    def grant(self, turns: int) -> None:
        """So many turns more, but never more than a burst at once."""
        self._slot = max(self._slot - turns * self._gap, self._clock.monotonic())

    def hold(self, seconds: float) -> None:
        """Nobody gets a turn for `seconds` from now."""
        self._quiet_until = max(self._quiet_until, self._clock.monotonic() + seconds)

    async def _silence(self) -> None:
        while (wait := self._quiet_until - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)
