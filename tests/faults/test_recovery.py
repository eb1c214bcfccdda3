"""Finding what was lost while other runs come and go: nobody is given what belongs to another."""

import asyncio
import threading
from dataclasses import dataclass

import httpx
from conftest import wait_for
from faults.losing import lose
from faults.server import Close, FaultServer, Meanwhile, Reset

from klingo1.client import Client
from klingo1.job import Job, Money, State
from klingo1.prediction import Prediction
from klingo1.pricing import Price
from klingo1.recovery import unrecorded
from klingo1.request import Engine, VideoRequest

URL = "https://example.com/one.jpg"


@dataclass(frozen=True)
class Held:
    """Does its work at once; its answer waits for `until`."""

    until: threading.Event

    def play(self, line, act):
        reply = act()
        assert self.until.wait(10)
        line.send(reply)


def test_a_look_up_never_takes_what_another_click_makes_meanwhile(open_studio):
    """A run begun while the list is read, with the same picture, stays with the click that made it."""
    answered = threading.Event()
    later = []

    def another_click():
        request = VideoRequest(prompt="a later click", images=(URL,))
        later.append(studio.submit(request, engine="kling").id)
        while not server.billed:
            threading.Event().wait(0.005)

    def its_answer_arrives():
        answered.set()
        wait_for(studio, later[0], State.RUNNING, State.DOWNLOADING, State.DONE)

    faults = {
        "submit": [Close(after="headers", billed=False), Held(answered)],
        "list": [Meanwhile(another_click), Meanwhile(its_answer_arrives)],
    }
    with FaultServer(faults=faults) as server:
        studio = open_studio(server)
        first = studio.submit(VideoRequest(prompt="an earlier click", images=(URL,)), engine="kling")
        ended = wait_for(studio, first.id, State.NOT_CREATED, State.DONE)
        assert (ended.state, ended.money) == (State.NOT_CREATED, Money.RELEASED)
        done = wait_for(studio, later[0], State.DONE)
        assert (done.request.prompt, done.money) == ("a later click", Money.SPENT)
        assert server.billed == 1


class Settling:
    """A ledger in which a submit that was on its way is settled between any two questions."""

    def __init__(self):
        self._asked = 0
        self._job = Job(
            "j", "desk", Engine.KLING, State.SUBMITTING, VideoRequest(prompt="mine", images=(URL,)),
            Price(1), Money.HELD, 0.0, 0.0,
        )  # fmt: skip

    def _settled(self):
        self._asked += 1
        return self._asked > 1

    def prediction_ids(self):
        return {"task00000001"} if self._settled() else set()

    def unsettled(self):
        return [] if self._settled() else [(self._job, "[]")]


def test_a_run_that_settles_during_the_search_is_not_called_lost():
    """Between what is awaited and what is known nothing falls through."""

    def answer(_request):
        item = {"id": "task00000001", "status": "created", "input": {"prompt": "mine", "images": [URL]}}
        return httpx.Response(200, json={"code": 200, "data": {"page": 1, "items": [item]}})

    async def search() -> list[Prediction]:
        async with Client("key", transport=httpx.MockTransport(answer)) as client:
            return await unrecorded(client, Settling())

    assert asyncio.run(search()) == []


def test_a_run_deleted_while_it_is_looked_for_still_counts_when_it_is_found(open_studio, clock):
    """Its answer was lost and it is deleted: it is billed, so its price counts and its id is kept; it is
    neither sent again nor called lost.
    """
    looked = threading.Event()

    def is_deleted():
        studio.delete(job.id)
        looked.set()

    with FaultServer(faults={"submit": [Reset()], "list": [Meanwhile(is_deleted)]}) as server:
        studio = open_studio(server)
        job = studio.submit(VideoRequest(prompt="forget me", images=(URL,)), engine="kling")
        assert looked.wait(10)
        (task,) = server.service.tasks
        wait_until(lambda: task in studio._ledger.prediction_ids())
        clock.skip(60)
        assert studio.jobs() == []

        def settled():
            studio.sweep()  # while the run moves on, a sweep leaves it to the next one
            return studio.spending()[0][1] == {Money.SPENT: 560_000}

        wait_until(settled)
        studio.sweep()
        assert studio.find_lost() == []
        assert len(server.calls("submit")) == server.billed == 1
        assert b"forget me" not in (studio.settings.home / "klingo1.sqlite3").read_bytes()


def test_a_deleted_run_of_which_nobody_knows_keeps_its_hold_and_can_be_fetched(open_studio, clock):
    """Two could be it, and it is deleted: the money stays held through every sweep, the service's run is
    offered as lost, and fetching it brings the deleted one back.
    """
    with FaultServer(echo="", now=clock.time) as server:
        studio = open_studio(server)
        job, _ = lose(server, studio, "walk 0", "walk 1")
        assert len(studio.undecided()) == 2
        studio.delete(job.id)
        clock.skip(86400)
        studio.sweep()
        assert job.id not in {one.id for one in [*studio.jobs(), *studio.undecided()]}
        held = sum(amounts.get(Money.HELD, 0) for _, amounts in studio.spending())
        assert held == 2 * 336_000
        for other in studio.undecided():
            studio.resume(other.id, prediction_id=other.problem.prediction_ids[-1])
            wait_for(studio, other.id, State.DONE)
        (candidate,) = (one.id for one in studio.find_lost())
        assert candidate in job.problem.prediction_ids
        adopted = studio.adopt(candidate)
        assert adopted.id == job.id
        clock.skip(86400)
        studio.sweep()
        done = wait_for(studio, job.id, State.DONE)
        assert (done.prediction_id, done.money) == (candidate, Money.SPENT)
        assert len(server.calls("submit")) == server.billed == 2


def wait_until(holds):
    for _ in range(1500):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it does not come true")
