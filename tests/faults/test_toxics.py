"""Eight ways a network goes bad in five phases of a run: 40 cells, the same invariants after each."""

import logging

import pytest
from conftest import draw_picture, wait_for
from faults.clip import clip
from faults.invariants import CANARY, check_invariants
from faults.server import Close, Cut, Drip, FaultServer, Hang, Late, Reply, Reset, SlowClose, Swallow
from faults.tables import say, show_table
from faults.victims import HASTY

from klingo1 import engines
from klingo1.client import Client
from klingo1.job import Money, State
from klingo1.request import VideoRequest

PHASES = {"ticket": "ticket", "PUT": "put", "submit": "submit", "poll": "result", "download": "download"}
TOXICS = {
    "latency": Late(0.15),
    "down": Close(after="headers", billed=False),
    "bandwidth": Drip(size=4000, pause=0.02),
    "slow close": SlowClose(0.2),
    "timeout": Hang(seconds=1.8),
    "reset": Reset(after="body"),
    "slicer": Drip(size=331, pause=0.0),
    "cut": Cut(at=0.6),
}
LOSES_THE_ANSWER = {"down", "timeout", "reset", "cut"}


@pytest.fixture(scope="module")
def table():
    """Prints what became of every cell."""
    cells = {}
    yield cells
    show_table(cells, TOXICS, PHASES)
    say(f"{len(cells)} cells; the last number of each: bills")


def toxic_for(name, phase):
    """A PUT's body goes the other way, so there it is the reading that is slow."""
    if phase == "PUT" and name == "bandwidth":
        return Swallow(size=8192, pause=0.02, reply=Reply(200))
    return TOXICS[name]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", TOXICS)
def test_a_toxic_in_a_phase(  # noqa: PLR0917 - fixtures
    open_studio, tmp_path, caplog, monkeypatch, table, phase, name
):
    """Whatever the network does, the run ends done, or not created when the submit never arrived."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(engines, "Client", lambda key, **given: Client(key, **({"patience": HASTY} | given)))
    times = 1 if phase == "submit" else 2
    faults = {PHASES[phase]: [toxic_for(name, phase)] * times}
    size = 40_000 if name in {"bandwidth", "slicer"} else 200_000
    with FaultServer(faults=faults, film=clip(size=size)) as server:
        studio = open_studio(server, api_key=CANARY, budget_day=1_000_000)
        picture = draw_picture(tmp_path / "p.png", size=(320, 300))
        request = VideoRequest(prompt=f"{name} while {phase}", images=(picture,))
        job = studio.submit(request, engine="kling")
        ended = wait_for(studio, job.id, State.DONE, State.NOT_CREATED)
        (kept,) = check_invariants(server, studio, log=caplog.text)
        never_arrived = phase == "submit" and name == "down"
        assert ended.state is (State.NOT_CREATED if never_arrived else State.DONE)
        assert kept.money is (Money.RELEASED if never_arrived else Money.SPENT)
        assert server.billed == (0 if never_arrived else 1)
        assert len(server.calls("submit")) == 1
        lost = phase == "submit" and name in LOSES_THE_ANSWER
        assert (State.UNKNOWN in [state for state, _ in kept.phases]) == lost
        table[name, phase] = f"{kept.state.value:12} {server.billed}"
