"""How often the service is asked: quickly at first, slowly later, together for one key, through outages."""

import asyncio
import itertools
import statistics
import time
from dataclasses import replace

import httpx
import pytest
from conftest import wait_for
from faults.clock import FakeClock, OrderlyClock
from faults.invariants import CANARY, check_invariants
from faults.server import FaultServer, Reply
from faults.service import Task
from faults.tables import say

from klingo1.client import Client
from klingo1.engines import DRAFT_PATIENCE
from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.money import day_text
from klingo1.pricing import price_of
from klingo1.request import Engine, VideoRequest
from klingo1.retry import Patience
from klingo1.settings import Settings
from klingo1.studio import Studio

URL = "https://example.com/one.jpg"
HOUR = 3600.0


def noticed_after(seconds, patience):
    """When a task that takes `seconds` is seen to have ended, and how often it was asked for."""
    clock = FakeClock()
    began, polls = clock.monotonic(), []

    def answer(_request):
        polls.append(clock.monotonic() - began)
        status = "completed" if clock.monotonic() - began >= seconds else "processing"
        data = {"id": "task00000001", "status": status, "outputs": []}
        return httpx.Response(200, json={"code": 200, "message": "success", "data": data})

    async def wait():
        transport = httpx.MockTransport(answer)
        async with Client("key", transport=transport, clock=clock, patience=patience) as client:
            await client.wait("task00000001")

    asyncio.run(wait())
    return polls[-1], len(polls)


def test_a_short_draft_is_noticed_four_times_sooner_than_by_asking_every_second():
    """For drafts of 2 to 10 seconds, adaptive polls add at most a quarter of what a fixed second adds."""
    lengths = [2.0 + 0.083 * n for n in range(97)]
    ours = statistics.mean(noticed_after(length, DRAFT_PATIENCE)[0] - length for length in lengths)
    fixed = statistics.mean(-length % 1.0 for length in lengths)
    say(f"a draft's end is noticed after {ours:.3f} s; asking every second: {fixed:.3f} s")
    assert ours <= fixed / 4


def test_f22_a_long_run_is_asked_for_ever_more_slowly():
    """A run of fifteen minutes costs a few dozen polls, and its end is noticed within half a minute."""
    noticed, polls = noticed_after(900.0, Patience())
    assert noticed - 900 <= 30
    assert polls < 60


def test_short_tasks_one_after_another_are_not_held_up():
    """Of fifty tasks of 0.3 s the last is seen as soon as the first ones, though each is asked for twice."""
    clock, lags, born = FakeClock(), [], []

    def answer(request):
        if request.method == "POST":
            born.append(clock.monotonic())
        over = clock.monotonic() - born[-1] - 0.3
        data = {
            "id": f"task{len(born):08}",
            "status": "completed" if over >= 0 else "processing",
            "outputs": [],
        }
        return httpx.Response(200, json={"code": 200, "message": "success", "data": data})

    async def run():
        async with Client(
            "key", transport=httpx.MockTransport(answer), clock=clock, patience=Patience()
        ) as client:
            for _ in range(50):
                made = await client.submit({"prompt": "a walk", "images": [URL]})
                await client.wait(made.id)
                lags.append(clock.monotonic() - born[-1] - 0.3)

    asyncio.run(run())
    assert max(lags[-20:]) < 0.25


def from_then_on(moment, clock, reply):
    """`reply` until the clock says `moment`, then the right answer."""
    while True:
        yield reply if clock.monotonic() < moment else None


@pytest.mark.parametrize("route", ["result", "download", "list"])
def test_f23_an_hour_of_outage_is_survived(tmp_path, route):
    """For an hour the service answers 502 to every read; then the run is done, billed once."""
    clock = OrderlyClock()
    over = clock.monotonic() + HOUR
    faults = {route: from_then_on(over, clock, Reply(502, b"{}"))}
    if route == "list":
        faults["submit"] = [Reply(500, billed=True)]
    with FaultServer(faults=faults, now=clock.time) as server:
        studio = Studio(Settings(home=tmp_path, api_key=CANARY, base_url=server.url), clock=clock)
        studio.start()
        request = VideoRequest(prompt="through an outage", images=(URL,))
        job = wait_for(studio, studio.submit(request, engine="kling").id, State.DONE, seconds=60)
        check_invariants(server, studio)
        assert job.finished_at - job.created_at >= HOUR
        assert job.problem is None
        assert server.billed == len(server.calls("submit")) == 1
        assert len(server.calls(route)) < 300


def test_f27_too_many_requests_to_one_job_slow_all_of_its_key(tmp_path):
    """After a 429 that asks for 60 seconds, no job of this key is polled for 60 seconds."""
    clock, polls = OrderlyClock(), []
    slow = Reply(429, {"code": 429, "message": "slow down"}, headers={"Retry-After": "60"})

    def answers():
        for number in range(10_000):
            polls.append(clock.monotonic())
            yield slow if number == 7 else None

    script = ["processing"] * 12 + ["completed"]
    with FaultServer(faults={"result": answers()}, script=script, now=clock.time) as server:
        studio = Studio(Settings(home=tmp_path, api_key=CANARY, base_url=server.url), clock=clock)
        studio.start()
        jobs = [
            studio.submit(VideoRequest(prompt=f"walk {n}", images=(URL,)), engine="kling") for n in range(4)
        ]
        for job in jobs:
            wait_for(studio, job.id, State.DONE, seconds=60)
        check_invariants(server, studio)
    told = polls[7]
    early = [moment - told for moment in polls[8:] if moment - told < 59.0]
    assert len(early) <= 3, early  # those that had left before the answer came
    assert server.billed == 4


def test_f25_an_interrupted_hour_goes_on_after_a_restart(tmp_path):
    """A restart in the middle of an outage changes nothing."""
    clock = OrderlyClock()
    over = clock.monotonic() + HOUR
    faults = {"result": from_then_on(over, clock, Reply(502, b"{}"))}
    with FaultServer(faults=faults, now=clock.time) as server:
        given = Settings(home=tmp_path, api_key=CANARY, base_url=server.url)
        studio = Studio(given, clock=clock)
        studio.start()
        job = studio.submit(VideoRequest(prompt="twice begun", images=(URL,)), engine="kling")
        wait_for(studio, job.id, State.RUNNING)
        until = time.monotonic() + 20
        while len(server.calls("result")) < 20 and time.monotonic() < until:
            time.sleep(0.01)
        studio.close()
        again = Studio(given, clock=OrderlyClock())
        again.start()
        server.set_faults("result", [])
        wait_for(again, job.id, State.DONE)
        check_invariants(server, again)
        assert server.billed == 1


def unfinished(home, server, state, *, count=1000):
    """A ledger in which so many paid runs stand in this state, those that run known to the service."""
    book = Ledger(home / "klingo1.sqlite3", home=home)
    with book._writing() as connection:
        for n in range(count):
            request = VideoRequest(prompt=f"older {n:04d}", images=(URL,), duration=3)
            task = ""
            if state is State.RUNNING:
                task = f"older{n:04d}"
                server.service.tasks[task] = Task(task, request.to_wire(), "2026-01-01T00:00:00Z")
            price, at = price_of(request, Engine.KLING), time.time() - 3600 + n
            job = Job(f"{n:032d}", "desk", Engine.KLING, state, request, price, Money.HELD, at, at)
            book._insert(connection, replace(job, prediction_id=task), day=day_text(at), quote=None)
    book.close()


class WakingClock(OrderlyClock):
    """Tells of each sleeper that wakes: `on_wake` gets the name of its task."""

    def __init__(self, on_wake):
        super().__init__()
        self._on_wake = on_wake

    async def sleep(self, seconds):
        await super().sleep(seconds)
        self._on_wake(asyncio.current_task().get_name())


def test_f52_a_click_is_noticed_at_once_behind_a_thousand_unfinished_runs(tmp_path):
    """A thousand running runs are found at start: a new click is sent and polled among them without a wait,
    they are asked for one by one and in pages of the list, and all together at most once a second.
    """
    woken = []
    clock = WakingClock(lambda name: woken.append((name, len(server.calls("result")))))
    with FaultServer(script=["processing"] * 6 + ["completed"], now=clock.time) as server:
        unfinished(tmp_path, server, State.RUNNING)
        studio = Studio(Settings(home=tmp_path, api_key=CANARY, base_url=server.url), clock=clock)
        began = clock.monotonic()
        studio.start()
        try:
            while len(server.calls("result")) < 30:
                time.sleep(0.01)
            click = studio.submit(VideoRequest(prompt="a new click", images=(URL,)), engine="kling")
            done = wait_for(studio, click.id, State.DONE, seconds=60)
            seen, listed = [s.argument for s in server.calls("result")], len(server.calls("list"))
            lasted = clock.monotonic() - began
        finally:
            studio.close()
        mine = [n for n, task in enumerate(seen) if task == done.prediction_id]
        assert len(mine) == 7  # the last one names the video, so nothing is asked again before the download
        due = [asked for name, asked in woken if name == click.id]
        for sooner, later in itertools.pairwise([0, *mine]):
            # Once it is due, it is the youngest in line: a page of the list goes before it, and whoever is
            # being asked. How many are asked while it sleeps is the machine's affair: this clock goes on
            # while an answer is on its way.
            assert later - min(n for n in due if n > sooner) <= 4
        assert len(set(seen)) > 10
        assert listed > 10
        assert len(seen) + listed <= 10 + lasted + 2
        assert server.billed == 1


def test_f52_a_click_is_sent_before_a_thousand_queued_ones(tmp_path):
    """A thousand runs wait to be sent: a new click does not stand behind them, and each is sent once."""
    clock = OrderlyClock()
    with FaultServer(now=clock.time) as server:
        unfinished(tmp_path, server, State.QUEUED)
        studio = Studio(Settings(home=tmp_path, api_key=CANARY, base_url=server.url), clock=clock)
        studio.start()
        try:
            while len(server.calls("submit")) < 5:
                time.sleep(0.01)
            click = studio.submit(VideoRequest(prompt="a new click", images=(URL,)), engine="kling")
            wait_for(studio, click.id, State.RUNNING, State.DOWNLOADING, State.DONE, seconds=60)
        finally:
            studio.close()
        # Counted when nothing is sent any more: others went on while the click was waited for.
        sent = [seen.json()["prompt"] for seen in server.calls("submit")]
        assert sent.index("a new click") < 30
        assert len(sent) == len(set(sent)) == server.billed
