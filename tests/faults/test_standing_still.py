"""Processes that stand still, or end, between two steps: the one paid request leaves once at most."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from conftest import wait_for
from faults.invariants import check_invariants
from faults.server import FaultServer, Hang
from faults.victims import settle

from klingo1 import leases, moments
from klingo1.job import State
from klingo1.moments import Moment
from klingo1.request import VideoRequest

URL = "https://example.com/one.jpg"


def request_of(prompt="a quiet walk"):
    return VideoRequest(prompt=prompt, images=(URL,), duration=3)


@pytest.fixture
def quick_heart(monkeypatch):
    """A heart that beats ten times a second."""
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.1)


class Asleep:
    """The first process that comes to `moment` stands still there until `woken`."""

    def __init__(self, monkeypatch, moment):
        self.there, self.woken = threading.Event(), threading.Event()
        self._moment = moment
        monkeypatch.setattr(moments, "on_reached", self)

    def __call__(self, moment):
        if moment is self._moment and not self.there.is_set():
            self.there.set()
            assert self.woken.wait(30)


def test_f41_a_process_that_wakes_too_late_sends_nothing(open_studio, clock, monkeypatch):
    """It stood still between the commit and the connection; another one found the run, called it not created,
    and sent it at a person's wish. When the first one wakes, nothing leaves any more.
    """
    asleep = Asleep(monkeypatch, Moment.BEFORE_POST)
    with FaultServer() as server:
        first = open_studio(server)
        job = first.submit(request_of(), engine="kling")
        assert asleep.there.wait(10)
        clock.skip(60)  # its lease runs out
        second = open_studio(server)
        wait_for(second, job.id, State.NOT_CREATED)
        second.resume(job.id)
        wait_for(second, job.id, State.DONE)
        asleep.woken.set()
        settle(first)
        first.close()
        check_invariants(server, second)
        assert server.billed == len(server.calls("submit")) == 1


@pytest.mark.parametrize("taken", [False, True])
def test_f41_a_process_that_wakes_in_time_still_sends(open_studio, clock, monkeypatch, taken):
    """Woken before anybody took the run over it sends it; taken over before, the other one looks it up."""
    asleep = Asleep(monkeypatch, Moment.BEFORE_POST)
    with FaultServer() as server:
        first = open_studio(server)
        job = first.submit(request_of(), engine="kling")
        assert asleep.there.wait(10)
        if taken:
            first._ledger.take(job.id, worker="another:1:x", now=clock.time(), lease=0.0)
        asleep.woken.set()
        if taken:
            time.sleep(0.1)
            clock.skip(60)
            first._leases.claim()
        wait_for(first, job.id, State.DONE)
        check_invariants(server, first)
        assert server.billed == len(server.calls("submit")) == 1


def test_f48_a_studio_closed_while_submitting_is_written_still_sends(open_studio, clock):
    """Closing at the very commit of `submitting` leaves no run of which nobody knows whether it was sent."""
    with FaultServer() as server, ThreadPoolExecutor() as pool:
        page = open_studio(server)
        writing, go_on = threading.Event(), threading.Event()

        def hold(_connection, _cursor, statement, parameters, *_):
            if "UPDATE jobs" in statement and "submitting" in map(str, parameters):
                writing.set()
                assert go_on.wait(10)

        sa.event.listen(page._ledger._engine, "before_cursor_execute", hold)
        job = page.submit(request_of(), engine="kling")
        assert writing.wait(10)
        closing = pool.submit(page.close)
        time.sleep(0.1)
        go_on.set()
        closing.result(15)
        again = open_studio(server)
        done = wait_for(again, job.id, State.DONE)
        assert State.UNKNOWN not in [state for state, _ in done.phases]
        check_invariants(server, again)
        assert server.billed == len(server.calls("submit")) == 1


def test_f48_a_submit_without_an_answer_does_not_hold_up_the_end(open_studio):
    """Asked to end while a submit hangs, a studio is closed within five seconds and a bit of a busy machine;
    the run is looked up by the next one.
    """
    with FaultServer(faults={"submit": [Hang(6)]}) as server:
        page = open_studio(server)
        job = page.submit(request_of(), engine="kling")
        while not server.calls("submit"):
            time.sleep(0.005)
        started = time.monotonic()
        page.close()
        assert time.monotonic() - started < 5
        again = open_studio(server)
        wait_for(again, job.id, State.DONE)
        check_invariants(server, again)
        assert server.billed == 1


@pytest.mark.usefixtures("quick_heart")
def test_f46_a_run_woken_by_a_process_that_died_is_driven_by_the_one_that_holds_it(open_studio, tmp_path):
    """A command made a run go on and died before it took it: the page that still holds the row drives it."""
    with FaultServer() as server:
        page = open_studio(server)
        job = page.submit(request_of(), engine="kling")
        wait_for(page, job.id, State.DONE)
        plain = sqlite3.connect(tmp_path / "home" / "klingo1.sqlite3")
        plain.execute("UPDATE jobs SET state = 'running', worker = ?", (page._worker.name,))
        plain.commit()
        plain.close()
        wait_for(page, job.id, State.DONE)
        check_invariants(server, page)
        assert server.billed == 1


@pytest.mark.usefixtures("quick_heart")
def test_f46_a_task_that_dies_of_an_unforeseen_error_is_driven_again(open_studio, monkeypatch):
    """Whatever ends a job's task, the row is taken up again by the same process."""
    with FaultServer() as server:
        page = open_studio(server)
        mine, failures = page._entries.mine, iter([ValueError("unforeseen")])

        async def fail_once(job_id):
            for failure in failures:
                raise failure
            return await mine(job_id)

        monkeypatch.setattr(page._entries, "mine", fail_once)
        job = page.submit(request_of(), engine="kling")
        wait_for(page, job.id, State.DONE)
        check_invariants(server, page)
        assert server.billed == 1
