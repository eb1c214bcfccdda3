"""The studio's loop: named tasks that run once, wake-ups that are never lost, and a quiet end."""

import asyncio
import threading

import pytest

from klingo1.background import Background


@pytest.fixture
def background():
    loop = Background()
    yield loop
    loop.call(loop.cancel_all()).result(5)
    loop.close()


def test_a_name_runs_once_and_a_wake_up_meanwhile_is_not_lost(background):
    """Started five times while it runs, a task runs exactly once more: it may have decided to end already."""
    runs, began, go_on, twice = [], threading.Event(), threading.Event(), threading.Event()

    async def work():
        runs.append(len(runs))
        began.set()
        await asyncio.to_thread(go_on.wait, 5)
        if len(runs) == 2:
            twice.set()

    background.start("job", work)
    assert began.wait(5)
    for _ in range(5):
        background.start("job", work)
    background.call(asyncio.sleep(0)).result(5)
    assert runs == [0]
    go_on.set()
    assert twice.wait(5)
    background.call(asyncio.sleep(0.01)).result(5)
    assert runs == [0, 1]


def test_a_cancelled_task_can_be_started_again(background):
    """Ending a task forgets the wake-ups before it, not those after."""
    ran = []

    async def work():
        ran.append(1)
        await asyncio.sleep(60)

    for _ in range(2):
        background.start("job", work)
    background.call(asyncio.sleep(0.01)).result(5)
    background.call(background.cancel("job")).result(5)
    background.call(asyncio.sleep(0.01)).result(5)
    assert len(ran) == 1
    background.start("job", work)
    background.call(asyncio.sleep(0.01)).result(5)
    assert len(ran) == 2


def test_nothing_starts_after_the_end(background):
    """Once everything is being ended, a late wake-up starts nothing."""
    ran = []

    async def work():
        ran.append(1)

    background.call(background.cancel_all()).result(5)
    background.start("job", work)
    background.call(asyncio.sleep(0.01)).result(5)
    assert ran == []
