"""Leases: who drives a job when replicas stop, freeze, disagree about the time or lose their database."""

import time

import pytest
from conftest import wait_for
from faults.clock import HastyClock, SwiftClock
from faults.server import FaultServer
from test_replicas import await_that

import klingo1.studio
from klingo1 import leases
from klingo1.job import State
from klingo1.request import VideoRequest
from klingo1.server_clock import ServerClock
from klingo1.settings import Settings
from klingo1.studio import Studio

REQUEST = VideoRequest("a walk", ("https://example.com/a.jpg",), duration=3)


class OffClock(HastyClock):
    """A machine whose clock is wrong by so many seconds."""

    def __init__(self, off):
        self._off = off

    def time(self):
        return time.time() + self._off


@pytest.fixture
def clock():
    return HastyClock()


@pytest.fixture
def brisk(monkeypatch):
    """A lease that a test can wait for."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(klingo1.studio, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.1)


def worker_of(studio, job):
    return studio._ledger.record(job.id).worker


def test_a_job_whose_task_ended_is_taken_up_again(place, open_studio, brisk):
    """Whatever ended the task, the same process goes on with the job within a lease."""
    with FaultServer(script=["processing"]) as server:
        studio = open_studio(server, database_url=address(place))
        job = studio.submit(REQUEST, engine="kling")
        wait_for(studio, job.id, State.RUNNING)
        studio._background.call(studio._background.cancel(job.id)).result(5)
        server.service.script[:] = ["completed"]
        wait_for(studio, job.id, State.DONE)
        assert server.billed == 1


def address(place):
    return place if isinstance(place, str) else f"sqlite:///{place}"


def test_replicas_go_by_the_servers_clock(postgres_server, tmp_path, brisk):
    """Clocks an hour apart both ways: the living keep their jobs, a dead one's are taken."""
    url = postgres_server.new_database()
    with FaultServer(script=["processing"]) as server:
        settings = Settings(home=tmp_path, api_key="wsk_x", base_url=server.url, database_url=url)
        slow, fast = (Studio(settings, clock=OffClock(off)) for off in (-3600, 3600))
        slow.start()
        job = slow.submit(REQUEST, engine="kling")
        assert abs(job.created_at - time.time()) < 60
        assert abs(slow.now() - time.time()) < 60
        wait_for(slow, job.id, State.RUNNING)
        holder = worker_of(slow, job)
        fast.start()
        time.sleep(0.5)
        assert worker_of(fast, job) == holder
        slow._background.call(slow._background.cancel_all()).result(5)  # as if frozen: nobody lets go
        await_that(lambda: worker_of(fast, job) not in {None, holder})
        slow.close()
        server.service.script[:] = ["completed"]
        wait_for(fast, job.id, State.DONE)
        fast.close()
        assert server.billed == 1


def test_a_server_clock_follows_its_server():
    """What the server says counts, however often it is asked; waiting is the clock's own affair."""
    clock = ServerClock(SwiftClock())
    clock.follow(lambda: 1000.0)
    assert 1000 <= clock.time() < 1060
    clock.follow(lambda: 5.0)
    assert 5 <= clock.time() < 65


def test_a_pause_of_the_database_makes_nobody_lose_a_job(postgres_server, open_studio, brisk):
    """Every lease runs out while the server is away; afterwards each replica still has its own."""
    url = postgres_server.new_database()
    with FaultServer(script=["processing"]) as server:
        studios = [open_studio(server, database_url=url) for _ in range(2)]
        made = [studio.submit(REQUEST, engine="kling") for studio in studios]
        for studio, job in zip(studios, made, strict=True):
            wait_for(studio, job.id, State.RUNNING)
        holders = [worker_of(*one) for one in zip(studios, made, strict=True)]
        assert holders[0] != holders[1]
        postgres_server.stop()
        time.sleep(0.8)
        postgres_server.start()
        time.sleep(0.5)
        assert [worker_of(*one) for one in zip(studios, made, strict=True)] == holders
        server.service.script[:] = ["completed"]
        for studio, job in zip(studios, made, strict=True):
            wait_for(studio, job.id, State.DONE)
        assert server.billed == 2
