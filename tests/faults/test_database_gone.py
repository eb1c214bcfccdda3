"""The ledger's server goes away in mid-run: nothing is sent unwritten, all goes on afterwards."""

import threading

import pytest
from conftest import wait_for
from faults.clock import HastyClock
from faults.server import FaultServer

from klingo1 import moments
from klingo1.errors import LedgerError
from klingo1.job import State
from klingo1.ledger import Ledger
from klingo1.moments import Moment
from klingo1.request import VideoRequest

REQUEST = VideoRequest("a walk", ("https://example.com/a.jpg",), duration=3)


@pytest.fixture
def clock():
    return HastyClock()


def submits(server):
    return [seen for seen in server.requests if seen.route == "submit"]


@pytest.mark.parametrize(
    ("moment", "sent"),
    [(Moment.UPLOADED, 0), (Moment.AFTER_POST, 1), (Moment.ID_COMMITTED, 1), (Moment.RENAMED, 1)],
)
def test_a_crash_of_the_database_in_mid_run(postgres_server, open_studio, monkeypatch, moment, sent):
    """While it is away nothing unwritten is submitted; when it is back the run ends, billed once."""
    with FaultServer() as server:
        studio = open_studio(server, database_url=postgres_server.new_database())

        def crash(at):
            if at is moment:
                monkeypatch.setattr(moments, "on_reached", None)
                postgres_server.stop(postgres_server.CRASH)
                threading.Timer(0.3, come_back).start()

        def come_back():
            before.append(len(submits(server)))
            postgres_server.start()
            back.set()

        before, back = [], threading.Event()
        monkeypatch.setattr(moments, "on_reached", crash)
        job = studio.submit(REQUEST, engine="kling")
        assert back.wait(20)
        wait_for(studio, job.id, State.DONE)
        assert before == [sent]
        assert len(submits(server)) == server.billed == 1


def test_a_click_while_the_database_is_away_is_refused_and_sends_nothing(postgres_server, open_studio):
    """It may be made again with the same quote when the server is back."""
    with FaultServer() as server:
        studio = open_studio(server, database_url=postgres_server.new_database())
        quote = studio.new_quote()
        postgres_server.stop()
        with pytest.raises(LedgerError):
            studio.submit(REQUEST, engine="kling", quote=quote)
        postgres_server.start()
        assert server.requests == []
        job = studio.submit(REQUEST, engine="kling", quote=quote)
        wait_for(studio, job.id, State.DONE)
        assert server.billed == 1


@pytest.mark.parametrize("lost", [1, 9])
def test_a_click_whose_commit_went_unanswered_is_one_run(
    postgres_server, open_studio, picture, monkeypatch, lost
):
    """The row was kept, its answer lost: asked again by its quote, or found by its lease, it is one run."""
    monkeypatch.setattr("klingo1.leases.LEASE_SECONDS", 0.5)
    monkeypatch.setattr("klingo1.studio.LEASE_SECONDS", 0.5)
    monkeypatch.setattr("klingo1.leases.HEARTBEAT_SECONDS", 0.1)
    admit, left = Ledger.admit, [lost]

    def cut(self, *args, **kwargs):
        answer = admit(self, *args, **kwargs)
        left[0] -= 1
        if left[0] >= 0:
            raise LedgerError("the connection was lost", path=None)
        return answer

    monkeypatch.setattr(Ledger, "admit", cut)
    with FaultServer() as server:
        studio = open_studio(server, database_url=postgres_server.new_database())
        request, quote = VideoRequest("a walk", (picture,), duration=3), studio.new_quote()
        if lost == 1:
            job = studio.submit(request, engine="kling", quote=quote)
        else:
            with pytest.raises(LedgerError):
                studio.submit(request, engine="kling", quote=quote)
            (job,) = studio.jobs()
        wait_for(studio, job.id, State.DONE)
        assert len(studio.jobs()) == server.billed == 1
