"""Drafts on a cluster: what travels, what its failures become, and that nothing waits for it."""

import asyncio
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from PIL import Image

from klingo1.draft import cluster, parcel
from klingo1.draft.cluster import ClusterExecutor
from klingo1.draft.renderer import RenderQueue
from klingo1.draft.worker import Order, RenderFailed, RenderStopped, work
from klingo1.request import DraftOptions, VideoRequest
from klingo1.version import VERSION

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Stand:
    """A cluster as its client sees it; `fates` are what becomes of the films in turn, None for success."""

    def __init__(self, *fates):
        self.fates = list(fates)
        self.connected = self.closed = 0
        self.stopped = set()
        self.sizes = []

    def connect(self, _address, hear, _timeout):
        self.connected += 1
        self.hear = hear
        return self

    def close(self):
        self.closed += 1

    def stop(self, ticket):
        self.stopped.add(ticket)

    def submit(self, ticket, order, work, render):
        self.sizes.append(len(order))

        def make():
            return parcel.make(
                VERSION, order, work, render,
                tell=lambda text: self.hear(ticket, text), is_unwanted=lambda: ticket in self.stopped,
            )  # fmt: skip

        return self.call(make)

    def call(self, fn, *args):
        fate = self.fates.pop(0) if self.fates else None
        future = Future()
        if fate == "cancelled":
            future.cancel()
            future.set_running_or_notify_cancel()
        elif isinstance(fate, Exception):
            future.set_exception(fate)
        else:
            threading.Thread(target=_settle, args=(future, fn, args), daemon=True).start()
        return future


def _settle(future, fn, args):
    try:
        future.set_result(fn(*args))
    except Exception as error:
        future.set_exception(error)


def film(order):
    assert [image.read_bytes()[1:4] for image in order.request.images] == [b"PNG"]
    order.output.write_bytes(b"film")
    order.output.with_name("poster.jpg").write_bytes(b"poster")
    return {"at": str(order.output.parent)}


def order_in(folder, name="one"):
    room = folder / name
    room.mkdir()
    picture = room / "picture"
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    return Order(VideoRequest("a fox", (picture,)), room / "video.mp4", room / "progress", room / "stop")


class OwnTrouble(Exception):
    """Stands for an error type of the cluster's own."""


async def test_films_are_made_and_nothing_is_connected_before(tmp_path):
    """The first film connects, the second uses the same connection, and the end lets go of it."""
    stand = Stand()
    executor = ClusterExecutor("tcp://s:1", connect=stand.connect)
    assert stand.connected == 0
    queue = RenderQueue(executor=executor, workers=2, render=film)
    for name in ("a", "b"):
        report = await queue.make(order_in(tmp_path, name))
        assert str(tmp_path) not in report["at"]
        assert (tmp_path / name / "video.mp4").read_bytes() == b"film"
        assert (tmp_path / name / "poster.jpg").read_bytes() == b"poster"
    await queue.close()
    executor.shutdown()
    assert (stand.connected, stand.closed) == (1, 1)


@pytest.mark.parametrize("fate", ["cancelled", OwnTrouble("secret"), OSError("closed")], ids=str)
async def test_what_the_cluster_loses_is_made_once_more(tmp_path, fate):
    """A lost scheduler and a film given up by the cluster cost time only."""
    stand = Stand(fate)
    executor = ClusterExecutor("tcp://s:1", connect=stand.connect)
    report = await RenderQueue(executor=executor, render=film).make(order_in(tmp_path))
    assert report
    executor.shutdown()
    assert stand.connected == (1 if isinstance(fate, OwnTrouble) else 2)


async def test_a_film_lost_twice_fails_with_the_clusters_name(tmp_path):
    """The reason names the cluster and no word of its own errors."""
    executor = ClusterExecutor("tcp://s:1", connect=Stand(OwnTrouble("secret"), "cancelled").connect)
    with pytest.raises(RenderFailed, match=r"render cluster at tcp://s:1") as failed:
        await RenderQueue(executor=executor, render=film).make(order_in(tmp_path))
    assert "secret" not in str(failed.value)
    executor.shutdown()


async def test_the_films_own_errors_pass_as_they_are(tmp_path):
    """A film that cannot be made is not made twice."""

    def impossible(order):
        raise ValueError("no")

    stand = Stand()
    executor = ClusterExecutor("tcp://s:1", connect=stand.connect)
    with pytest.raises(RenderFailed, match="ValueError"):
        await RenderQueue(executor=executor, render=impossible).make(order_in(tmp_path))
    executor.shutdown()
    assert stand.connected == 1


async def test_a_scheduler_that_is_away_is_waited_for_without_holding_anything_up(tmp_path):
    """Films wait for a restart of the scheduler; the event loop goes on meanwhile."""
    stand, there = Stand(), threading.Event()

    def connect(address, hear, timeout):
        if not there.is_set():
            raise OSError("nobody there")
        return stand.connect(address, hear, timeout)

    executor = ClusterExecutor("tcp://s:1", connect=connect, pause=0.01)
    task = asyncio.create_task(RenderQueue(executor=executor, render=film).make(order_in(tmp_path)))
    began = time.monotonic()
    await asyncio.sleep(0.05)
    assert time.monotonic() - began < 2
    assert not task.done()
    there.set()
    assert await task
    executor.shutdown()


def test_a_scheduler_that_stays_away_is_told_after_a_while():
    """Patience ends, and so does waiting at once when the program is closed."""

    def nobody(_address, _hear, _timeout):
        raise OSError("nobody there")

    executor = ClusterExecutor("tcp://s:1", connect=nobody, patience=0.02, pause=0.01)
    with pytest.raises(BrokenExecutor, match="cannot be reached"):
        executor.submit(int).result(timeout=10)
    patient = ClusterExecutor("tcp://s:1", connect=nobody, patience=600.0, pause=300.0)
    waiting = patient.submit(int)
    patient.shutdown()
    assert isinstance(waiting.exception(timeout=10), BrokenExecutor)


def test_a_missing_package_is_named(monkeypatch):
    """Without distributed the message says what to install."""
    monkeypatch.delitem(sys.modules, "klingo1.draft.link", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    executor = ClusterExecutor("tcp://s:1")
    with pytest.raises(BrokenExecutor, match=r"klingo1\[cluster\]"):
        executor.submit(int).result(timeout=10)
    executor.shutdown()


def test_only_the_first_film_loads_dask():
    """Importing and making the executor loads nothing heavy."""
    assert "distributed" not in vars(cluster)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ClusterExecutor, "tcp://s:1").result() is not None


async def test_progress_comes_back_and_a_stop_goes_out(tmp_path):
    """What the worker notes is read here; a stop file here ends the film there."""
    order = order_in(tmp_path)

    def endless(there):
        there.progress.write_text("0.5000\nshooting\n")
        while not there.stopped:
            time.sleep(0.01)
        raise RuntimeError("stopped half-way")

    stand = Stand()
    executor = ClusterExecutor("tcp://s:1", connect=stand.connect)
    task = asyncio.create_task(RenderQueue(executor=executor, render=endless).make(order))
    for _ in range(500):
        await asyncio.sleep(0.01)
        if order.progress.exists():
            break
    assert order.progress.read_text().split() == ["0.5000", "shooting"]
    order.ask_to_stop()
    with pytest.raises(RenderStopped):
        await task
    executor.shutdown()


def test_what_was_said_about_a_picture_is_settled_before_it_travels(tmp_path):
    """A role that was given once is remembered here and told to the worker; masks travel as files."""
    first = order_in(tmp_path, "first")
    mask = tmp_path / "mask.png"
    Image.new("L", (8, 8), 255).save(mask)
    said = DraftOptions(roles=("prop",), masks=(mask,))
    kept = tmp_path / "corrections"
    parcel.pack(replace(first, request=replace(first.request, draft=said), corrections=kept))
    seen = []

    def look(order):
        seen.append((order.request.draft.roles, order.request.draft.masks[0].read_bytes(), order.corrections))
        return film(order)

    packed = parcel.pack(replace(order_in(tmp_path, "second"), corrections=kept))
    parcel.make(VERSION, packed, work, look)
    assert seen == [(("prop",), mask.read_bytes(), None)]


def test_another_version_is_told_before_anything_is_read():
    """A worker of an older klingo1 is named as that."""
    with pytest.raises(RenderFailed, match=r"klingo1 .*, this page 9\.9"):
        parcel.make("9.9", b"not even a pickle", work, film)
