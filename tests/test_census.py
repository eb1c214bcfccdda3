"""Many tasks of one key: pages of the list answer for them, and only where the list can be believed."""

import asyncio
import time
from contextlib import ExitStack

import pytest
from faults.clock import FakeClock, OrderlyClock
from faults.server import Always, FaultServer, Reply

from klingo1.census import Census
from klingo1.client import Client
from klingo1.errors import Unavailable
from klingo1.prediction import Prediction, Status
from klingo1.retry import Patience

KEY = "wsk_canary_0123456789"
BODY = {"prompt": "a walk", "images": ["https://example.com/one.jpg"]}
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


def listed(number, status=Status.PROCESSING, outputs=()):
    return Prediction(id=f"task{number:04d}", status=status, outputs=outputs)


async def words(census, numbers):
    return await asyncio.gather(*(census.word_of(f"task{n:04d}") for n in numbers))


async def test_one_page_answers_for_all_that_ask_together():
    """Eighty questions at once cost one page; each gets its own word."""
    pages = []

    async def ask(page):
        pages.append(page)
        return [listed(n) for n in range(80)]

    told = await words(Census(ask, FakeClock()), range(80))
    assert pages == [1]
    assert [one.id for one in told] == [f"task{n:04d}" for n in range(80)]


async def test_a_full_page_is_followed_by_the_next():
    """Tasks further down the list are looked for there, and no further than they can lie."""
    pages = []

    async def ask(page):
        pages.append(page)
        return [listed(n) for n in range(100 * (page - 1), 100 * page)]

    assert all(await words(Census(ask, FakeClock()), range(50, 150)))
    assert pages == [1, 2]


async def test_the_few_oldest_of_many_are_found_at_the_end_of_the_list():
    """Five of six hundred that are waited for stand on the last page; the list is believed to know them."""
    pages = []

    async def ask(page):
        pages.append(page)
        return [listed(n) for n in range(100 * (page - 1), 100 * page)]

    census = Census(ask, FakeClock())
    with ExitStack() as waits:
        for n in reversed(range(600)):
            waits.enter_context(census.watching(f"task{n:04d}"))
        assert all(await words(census, range(595, 600)))
    assert pages == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "told",
    [
        listed(1, Status.COMPLETED),
        listed(1, Status.FAILED),
        listed(1, Status.DELETED),
    ],
    ids=["done without a video", "failed", "deleted"],
)
async def test_what_the_list_does_not_fully_tell_is_asked_of_the_task(told):
    """An end without its facts is no word; a video's address is."""

    async def ask(_page):
        return [told, listed(2, Status.COMPLETED, ("https://example.com/2.mp4",)), listed(3)]

    none, done, runs = await words(Census(ask, FakeClock()), (1, 2, 3))
    assert none is None
    assert done.outputs == ("https://example.com/2.mp4",)
    assert runs.status is Status.PROCESSING


@pytest.mark.parametrize("broken", [True, False])
async def test_a_list_that_knows_nothing_is_left_alone_for_a_minute(broken):
    """Where the list fails, or knows none of them, nobody waits for it again too soon."""
    clock, pages = FakeClock(), []

    async def ask(page):
        pages.append(page)
        if broken:
            raise Unavailable("no list today")
        return []

    census = Census(ask, clock)
    assert await words(census, range(20)) == [None] * 20
    assert await words(census, range(20)) == [None] * 20
    assert pages == [1]
    clock.now += 61
    await words(census, range(20))
    assert pages == [1, 1]


async def test_four_hundred_tasks_end_within_a_minute_at_one_call_a_second():
    """Each is seen to be done, all calls together keep the pace, and none is told to be another."""
    clock = OrderlyClock()
    with FaultServer(script=["completed"], now=clock.time) as server:
        calls = []
        real = server.service.answer
        server.service.answer = lambda seen: calls.append((clock.monotonic(), seen.route)) or real(seen)
        async with Client(KEY, base_url=server.url, clock=clock, patience=Patience(silence=20.0)) as client:
            made = [(await client.submit(BODY)).id for _ in range(400)]
            ready = clock.monotonic() + 5.0
            for task in server.service.tasks.values():
                task.status, task.polls = "completed", 1
            began = clock.monotonic()
            done = await asyncio.gather(*(client.wait(task) for task in made))
        asked = sorted(at for at, route in calls if route in {"result", "list"})
    assert [one.id for one in done] == made
    assert all(one.status.succeeded and one.outputs for one in done)
    assert clock.monotonic() - ready <= 60
    assert any(route == "list" for _, route in calls)
    for count, moment in enumerate(asked, 1):
        assert count <= 12 + moment - began


async def test_without_a_list_the_tasks_are_asked_one_by_one():
    """A service whose list always fails hides no end."""
    clock, started = OrderlyClock(), time.monotonic()
    faults = {"list": Always(Reply(500, b"{}"))}
    with FaultServer(script=["completed"], faults=faults, now=clock.time) as server:
        async with Client(KEY, base_url=server.url, clock=clock, patience=Patience(silence=20.0)) as client:
            made = [(await client.submit(BODY)).id for _ in range(40)]
            done = await asyncio.gather(*(client.wait(task) for task in made))
    assert all(one.status.succeeded for one in done)
    assert len(server.calls("list")) <= 3
    assert time.monotonic() - started < 60
