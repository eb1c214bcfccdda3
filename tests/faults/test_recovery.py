"""Finding what was lost while other runs come and go: nobody is given what belongs to another."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from conftest import wait_for
from faults.server import Close, FaultServer

from klingo1.client import Client
from klingo1.job import Job, Money, State
from klingo1.prediction import Prediction
from klingo1.pricing import Price
from klingo1.recovery import unrecorded
from klingo1.request import Engine, VideoRequest

URL = "https://example.com/one.jpg"


@dataclass(frozen=True)
class Meanwhile:
    """The right answer, after something else has happened."""

    happens: Callable[[], None]

    def play(self, line, act):
        self.happens()
        line.send(act())


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
            return await unrecorded(client, Settling(), now=1_800_000_000.0)

    assert asyncio.run(search()) == []
