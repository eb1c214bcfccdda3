"""Who goes through a gate next, and what becomes of those who give up."""

import asyncio

import pytest

from klingo1.gate import FOR_ALL, Gate

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def crowd(gate, births, passed):
    """Tasks that wait at a gate that is held, in this order."""

    async def one(born):
        async with gate.passing(born):
            passed.append(born)

    tasks = [asyncio.create_task(one(born)) for born in births]
    await asyncio.sleep(0)
    return tasks


async def test_as_many_as_there_are_places_go_through_at_once():
    """Three places: three are inside together, never four."""
    gate, inside, most = Gate(3), 0, 0

    async def one(born):
        nonlocal inside, most
        async with gate.passing(born):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one(n) for n in range(20)))
    assert most == 3


async def test_the_youngest_and_the_longest_waiting_go_in_turn():
    """The one that has just begun goes first, then the oldest, then the next young one."""
    gate, passed = Gate(1), []
    async with gate.passing(0):
        tasks = await crowd(gate, [1, 2, 3, 4, 5], passed)
    await asyncio.gather(*tasks)
    assert passed == [5, 1, 4, 2, 3]


async def test_who_asks_for_all_has_the_turn_of_the_longest_waiting():
    """A question on behalf of everybody comes second at most, and leaves the youngest its turn."""
    gate, passed = Gate(1), []
    async with gate.passing(0):
        tasks = await crowd(gate, [1, 2, 3, FOR_ALL], passed)
    await asyncio.gather(*tasks)
    assert passed == [3, FOR_ALL, 2, 1]


async def test_a_stream_of_young_ones_does_not_keep_an_old_one_out():
    """The one that waits longest goes after two turns, however many younger ones arrive."""
    gate, passed = Gate(1), []
    async with gate.passing(0):
        tasks = await crowd(gate, [1], passed)
        tasks += await crowd(gate, range(100, 200), passed)
    await asyncio.gather(*tasks)
    assert passed.index(1) <= 1


async def test_who_gives_up_takes_no_place_along():
    """Cancelled while waiting, or in the very moment of being called: the others still go through."""
    gate, passed = Gate(1), []
    async with gate.passing(0):
        tasks = await crowd(gate, [1, 2, 3], passed)
        tasks[1].cancel()
        await asyncio.sleep(0)
    tasks[2].cancel()  # it has been called, and has not gone through yet
    await asyncio.gather(*tasks, return_exceptions=True)
    assert passed == [1]
    async with asyncio.timeout(1), gate.passing(9):
        passed.append(9)
    assert passed == [1, 9]


async def test_a_place_is_given_back_when_the_work_fails():
    """An error inside leaves the gate open."""
    gate = Gate(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with gate.passing(0):
                _ = 1 / 0
    async with asyncio.timeout(1), gate.passing(0):
        pass
