"""Waits: Retry-After in all its forms, growing intervals, and the pace that a key's calls share."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from faults.clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from klingo1.retry import Backoff, Pace, certainly_not_sent, parse_retry_after

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("0", 0.0),
        ("2", 2.0),
        (" 2 ", 2.0),
        ("+2", 2.0),
        ("2.5", 2.5),
        ("1e1", 10.0),
        ("-10", 0.0),
        ("120", 120.0),
        ("121", 120.0),
        ("86400", 120.0),
        ("1e35", 120.0),
        ("9" * 39, 120.0),
        ("9" * 400, None),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("1e999", None),
        ("1_0", None),
        ("٣", None),
        ("soon", None),
        ("2, 5", None),
        ("0x10", None),
        ("\x00", None),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Friday, 15-Jan-27 08:00:30 GMT", 30.0),
        ("Fri Jan 15 08:00:30 2027", 30.0),
        ("Fri, 15 Jan 2027 09:00:30 +0100", 30.0),
        ("Fri, 15 Jan 2027 08:00:30 -0000", 30.0),
        ("Fri, 15 Jan 2027 07:59:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 120.0),
        ("Fri, 31 Dec 100000 23:59:59 GMT", None),
        ("Fri, 32 Jan 2027 08:00:00 GMT", None),
    ],
)
def test_f07_retry_after_is_read_capped_and_never_negative(value, expected):
    """Seconds and dates are understood, nonsense is as if absent, and no wait is negative or over 120 s."""
    assert parse_retry_after(value, now=NOW) == expected


@given(st.text(max_size=120))
def test_f07_retry_after_never_raises(value):
    """Whatever a server writes, the result is nothing or 0 to 120 seconds."""
    wait = parse_retry_after(value, now=NOW)
    assert wait is None or 0 <= wait <= 120


def test_backoff_grows_from_quick_to_its_limit():
    """Waits grow by their factor and stop at the limit."""
    backoff = Backoff(first=0.25, factor=1.3, limit=30, blur=lambda: 1.0)
    waits = [backoff.wait() for _ in range(40)]
    assert waits[:3] == pytest.approx([0.25, 0.325, 0.4225])
    assert waits == sorted(waits)
    assert waits[-1] == 30


def test_backoff_obeys_a_longer_wish_of_the_service_and_is_blurred():
    """What the service asks for is a floor; otherwise two clients do not march in step."""
    assert Backoff(first=1).wait(at_least=17) == 17
    assert Backoff(first=1, blur=lambda: 0.0).wait() == pytest.approx(0.85)


async def seconds_for(turns, pace, clock):
    """How long so many turns take, one after another."""
    start = clock.now
    for _ in range(turns):
        await pace.turn()
    return clock.now - start


async def test_f52_pace_lets_a_burst_through_and_then_one_a_second():
    """A thousand jobs that wake at once ask once a second in the long run."""
    clock = FakeClock()
    pace = Pace(clock, per_second=1, burst=10)
    assert await seconds_for(10, pace, clock) == 0
    assert await seconds_for(50, pace, clock) == pytest.approx(50, abs=0.01)


async def test_turns_that_are_granted_come_early_but_never_more_than_a_burst_at_once():
    """Three more after a burst; a hundred given to somebody who has not asked for long are ten."""
    clock = FakeClock()
    pace = Pace(clock, per_second=1, burst=10)
    assert await seconds_for(10, pace, clock) == 0
    pace.grant(3)
    assert await seconds_for(3, pace, clock) == 0
    assert await seconds_for(1, pace, clock) == pytest.approx(1, abs=0.01)
    clock.now += 100
    pace.grant(100)
    assert await seconds_for(10, pace, clock) == 0
    assert await seconds_for(1, pace, clock) == pytest.approx(1, abs=0.01)


async def test_f27_one_job_told_to_wait_holds_up_all_of_them():
    """After "too many requests" nobody gets a turn before the time is over, also those already waiting."""
    clock = FakeClock()
    pace = Pace(clock, per_second=100, burst=1)
    await pace.turn()
    pace.hold(7)
    pace.hold(3)
    start = clock.now
    turns = []

    async def job():
        await pace.turn()
        turns.append(clock.now - start)

    await asyncio.gather(*(job() for _ in range(5)))
    assert len(turns) == 5
    assert min(turns) >= 7


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ConnectTimeout("slow"), True),
        (httpx.PoolTimeout("busy"), True),
        (httpx.ProxyError("no tunnel"), True),
        (httpx.ReadError("reset"), False),
        (httpx.ReadTimeout("silence"), False),
        (httpx.WriteError("reset"), False),
        (httpx.RemoteProtocolError("closed"), False),
        (TimeoutError(), False),
        (RuntimeError(), False),
    ],
)
def test_only_failures_before_the_first_byte_count_as_not_sent(error, expected):
    """A lost answer is never taken for a request that was not sent."""
    assert certainly_not_sent(error) is expected
