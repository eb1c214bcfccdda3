"""Processes shot at every moment of a job's life, at random, and asked to end: nothing lost, billed once."""

import os
import random
import signal
import time
from collections import Counter

import pytest
from conftest import draw_picture
from faults.clip import clip
from faults.invariants import check_invariants, clicks_billed
from faults.server import Always, Close, FaultServer, Hang, Late, Reply, Reset
from faults.tables import say, show_table
from faults.victims import Victims, open_hasty, settle

from klingo1 import engines
from klingo1.job import State
from klingo1.moments import Moment

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")

SUBMIT_FAULTS = {
    "F02 reset, billed": Reset(after="body"),
    "F03 closed, not billed": Close(after="headers", billed=False),
    "F04 no answer, billed": Hang(seconds=1.8),
    "F05 500, billed": Reply(500, billed=True),
    "F06 502, not billed": Reply(502, "<html>bad gateway"),
    "F07 too many": Reply(429, headers={"Retry-After": "2"}),
    "F08 refused": Reply(402, {"code": 402, "message": "no credit"}),
    "F09 HTML, billed": Reply(200, "<html>", billed=True),
}
USUAL = ("F02 reset, billed", "F03 closed, not billed", "F09 HTML, billed")
CELLS = [
    pytest.param(moment, name, marks=() if name in USUAL else pytest.mark.soak)
    for moment in Moment
    for name in SUBMIT_FAULTS
]


@pytest.fixture(scope="module")
def victims():
    with Victims() as mother:
        yield mother


@pytest.fixture(scope="module")
def small_picture(tmp_path_factory):
    return draw_picture(tmp_path_factory.mktemp("picture") / "p.jpg", size=(320, 300))


@pytest.fixture(autouse=True)
def patient_client(monkeypatch):
    """Give the client its patience back after each test."""
    monkeypatch.setattr(engines, "Client", engines.Client)


@pytest.fixture(scope="module")
def table():
    """Prints what became of every cell."""
    cells = {}
    yield cells
    show_table(cells, Moment, SUBMIT_FAULTS)
    say(f"{len(cells)} cells (the last number of each: bills), 0 lost, 0 billed twice")


@pytest.mark.parametrize(("moment", "name"), CELLS)
def test_f46_a_kill_at_a_moment_and_a_submit_fault(  # noqa: PLR0917 - fixtures
    victims, small_picture, tmp_path, table, moment, name
):
    """After SIGKILL and a restart the click is done, or not created, and billed exactly when it is done."""
    with FaultServer(faults={"submit": [SUBMIT_FAULTS[name]]}, film=clip(size=200_000)) as server:
        order = {"home": tmp_path / "home", "url": server.url, "clicks": ["one click"]}
        victims.start(**order, picture=small_picture, moment=moment.value)
        shot = victims.wait()
        assert shot in {0, -signal.SIGKILL}
        studio = open_hasty(tmp_path / "home", server.url)
        settle(studio)
        (job,) = check_invariants(server, studio)
        ends = {State.DONE, State.NOT_CREATED} | ({State.REFUSED} if name.startswith("F08") else set())
        assert job.state in ends
        assert server.billed == (job.state is State.DONE)
        table[moment, name] = f"{'shot' if shot else 'ran '} {job.state.value:11} {server.billed}"


def test_every_moment_is_passed(victims, small_picture, tmp_path):
    """A process is shot at each of the ten moments, so none is a name only."""
    for moment in Moment:
        fault = Reset(after="body") if moment is Moment.RECONCILED else None
        with FaultServer(faults={"submit": [fault]}, film=clip(size=200_000)) as server:
            order = {"home": tmp_path / moment.name, "url": server.url, "clicks": ["one click"]}
            victims.start(**order, picture=small_picture, moment=moment.value)
            assert victims.wait() == -signal.SIGKILL, moment


def test_f46_a_video_that_was_renamed_in_time_needs_no_service_any_more(victims, small_picture, tmp_path):
    """Shot between rename and commit: the video is there, and the service is not asked for it again."""
    with FaultServer(film=clip(size=200_000)) as server:
        order = {"home": tmp_path / "home", "url": server.url, "clicks": ["one click"]}
        victims.start(**order, picture=small_picture, moment=Moment.RENAMED.value)
        assert victims.wait() == -signal.SIGKILL
        server.set_faults("result", Always(Reply(404)))
        server.set_faults("download", Always(Reply(410)))
        studio = open_hasty(tmp_path / "home", server.url)
        settle(studio)
        (job,) = check_invariants(server, studio)
        assert job.state is State.DONE
        assert len(server.calls("download")) == 1


def random_fault(dice):
    """Half the submits go well."""
    return dice.choice([*SUBMIT_FAULTS.values(), *[None] * 8])


def shoot_after(process, server, requests, seconds):
    """Kill it so many requests from now and a little later, however slow the machine is."""
    wanted, until = len(server.requests) + requests, time.monotonic() + 1
    try:
        while len(server.requests) < wanted and time.monotonic() < until:
            os.kill(process, 0)
            time.sleep(0.002)
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it had nothing left to do


@pytest.mark.parametrize(
    "kills", [25, pytest.param(500, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_f47_random_kills(victims, small_picture, tmp_path, kills):
    """Killed again and again at random over twenty clicks: none is lost and none billed twice."""
    dice = random.Random(kills)
    faults = {
        "submit": (random_fault(dice) for _ in iter(int, 1)),
        "download": Always(Late(0.02)),
        "result": Always(Late(0.01)),
        "ticket": Always(Late(0.01)),
    }
    clicks = [f"click number {n:03d}" for n in range(20)]
    shot = rounds = 0
    with FaultServer(faults=faults, film=clip(size=200_000)) as server:
        home = tmp_path / "home"
        while shot < kills:
            if rounds and rounds % 25 == 0:  # all of them may have ended: begin anew, with new clicks
                clicks = [*clicks, *(f"click number {len(clicks) + n:03d}" for n in range(20))]
            rounds += 1
            some = dice.sample(clicks, k=min(len(clicks), 2 + rounds))
            process = victims.start(home=home, url=server.url, clicks=some, picture=small_picture)
            shoot_after(process, server, dice.randint(0, 9), dice.uniform(0.0, 0.02))
            shot += victims.wait() != 0
        studio = open_hasty(home, server.url)
        settle(studio, seconds=120)
        jobs = check_invariants(server, studio)
        ends = Counter(job.state.value for job in jobs)
        assert set(ends) <= {"done", "not_created", "refused"}
        assert server.billed == ends["done"]
        assert max(clicks_billed(server).values()) == 1
        say(f"{shot} kills, {len(jobs)} clicks: {dict(ends)}; {server.billed} bills, 0 lost, 0 twice")


def test_f48_sigterm_ends_between_two_steps(victims, small_picture, tmp_path):
    """Asked to end, a process is gone within five seconds, nothing has failed, and the run goes on."""
    faults = {"submit": [Late(0.2)], "result": Always(Late(0.2))}
    with FaultServer(faults=faults, script=["processing"] * 40 + ["completed"]) as server:
        order = {"home": tmp_path / "home", "url": server.url, "clicks": ["one click"]}
        process = victims.start(**order, picture=small_picture, term=True)
        until = time.monotonic() + 10
        while not server.calls("submit"):
            assert time.monotonic() < until
            time.sleep(0.01)
        asked = time.monotonic()
        os.kill(process, signal.SIGTERM)
        assert victims.wait() == 0
        assert time.monotonic() - asked < 5
        server.set_faults("result", [])
        server.service.script = ["completed"]
        studio = open_hasty(tmp_path / "home", server.url)
        settle(studio)
        (job,) = check_invariants(server, studio)
        assert job.state is State.DONE
        assert State.UNKNOWN not in [state for state, _ in job.phases]
        assert server.billed == 1
