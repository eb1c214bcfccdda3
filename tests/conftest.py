"""What every test may lean on: pictures, a clock that does not wait, studios against the fault server."""

import gc
import sys
import threading
import time
from pathlib import Path

import postgres
import pytest
from faults.clock import SwiftClock
from PIL import Image, ImageDraw

from klingo1.settings import Settings
from klingo1.studio import Studio

gc.disable()


def pytest_collection_finish() -> None:
    """What collecting has made stays to the end: looking through it again and again is a tenth of a run."""
    gc.freeze()
    gc.enable()


def draw_picture(path: Path, *, size=(640, 480), colour=(40, 90, 160)) -> Path:
    """A small photograph-like picture: a graded backdrop and a disc."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    picture = Image.blend(picture, Image.new("RGB", size, colour), 0.6)
    w, h = size
    ImageDraw.Draw(picture).ellipse((w * 0.3, h * 0.2, w * 0.7, h * 0.9), fill=(220, 180, 60))
    picture.save(path)
    return path


@pytest.fixture
def picture(tmp_path):
    return draw_picture(tmp_path / "picture.jpg")


@pytest.fixture
def clock():
    return SwiftClock()


@pytest.fixture
def open_studio(tmp_path, clock):
    """Opens studios on one home folder against a server; whatever is open is closed at the end."""
    opened = []

    def open_one(server=None, **settings):
        given = {"home": tmp_path / "home", "api_key": "wsk_canary_0123456789"} | settings
        if server is not None:
            given["base_url"] = server.url
        studio = Studio(Settings(**given), clock=clock)
        studio.start()
        opened.append(studio)
        return studio

    yield open_one
    for studio in opened:
        studio.close()


@pytest.fixture
def imported(monkeypatch):
    """Imports a module of benchmarks/ by name, for this test only."""
    programs = Path(__file__).parents[1] / "benchmarks"
    monkeypatch.syspath_prepend(str(programs))
    before = set(sys.modules)

    def one(name):
        return __import__(name)

    yield one
    for name in set(sys.modules) - before:
        if str(programs) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


class Gate:
    """A renderer that holds every film until it is opened; an `early` frame is there before."""

    def __init__(self):
        self.open = threading.Event()
        self.early = b""

    def __call__(self, order):
        if self.early:
            order.output.with_name("poster.jpg").write_bytes(self.early)
        for _ in range(2000):
            if self.open.wait(0.01) or order.stopped:
                break
        order.output.write_bytes(b"\0\0\0\x18ftypmp42")
        return {}


@pytest.fixture
def slow_drafts(monkeypatch):
    """Drafts that are made in threads and wait for `gate.open`."""
    from concurrent.futures import ThreadPoolExecutor

    from klingo1.draft import service
    from klingo1.engines import Engines

    gate, executor = Gate(), ThreadPoolExecutor(4)

    def make(engines):
        home = engines._settings.home
        return service.DraftService(home / "drafts", executor=executor, render=gate)

    monkeypatch.setattr(Engines, "_draft_service", make)
    yield gate
    gate.open.set()
    executor.shutdown()


def wait_for(studio, job_id, *states, seconds=15.0):
    """The job once it is in one of `states` (or waits for a person in unknown with a problem)."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        job = studio.job(job_id)
        if job.state in states:
            return job
        time.sleep(0.01)
    raise AssertionError(f"still {job.state}, {job.problem}")


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server that lives as long as the tests; they are skipped where none can be started."""
    if why := postgres.missing():
        pytest.skip(why)
    with postgres.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Where a new ledger lies: a file, or a server's database."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_server").new_database()
    return tmp_path / "klingo1.sqlite3"
