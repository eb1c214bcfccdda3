"""Drafts on a cluster: what its failures become, that nothing waits for it; a real one where there is one."""

import asyncio
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import pytest
from PIL import Image

from klingo1.draft import cluster
from klingo1.draft.cluster import ClusterExecutor
from klingo1.draft.renderer import RenderQueue
from klingo1.draft.worker import Order, RenderFailed
from klingo1.request import VideoRequest

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Stand(Executor):
    """A cluster as its client sees it; `fates` are what becomes of the films in turn, None for success."""

    def __init__(self, *fates):
        self.fates = list(fates)
        self.connected = self.closed = 0

    def connect(self, _address):
        self.connected += 1
        return self, self.close

    def close(self):
        self.closed += 1

    def submit(self, fn, /, *args, **kwargs):
        fate = self.fates.pop(0) if self.fates else None
        future = Future()
        if fate == "cancelled":
            future.cancel()
            future.set_running_or_notify_cancel()
        elif isinstance(fate, Exception):
            future.set_exception(fate)
        else:
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)
        return future


def film(order):
    order.output.write_bytes(b"film")
    return {"thread": threading.current_thread().name}


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
        assert report["thread"].startswith("klingo1-cluster")
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

    def connect(address):
        if not there.is_set():
            raise OSError("nobody there")
        return stand.connect(address)

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

    def nobody(_address):
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
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    executor = ClusterExecutor("tcp://s:1")
    with pytest.raises(BrokenExecutor, match=r"klingo1\[cluster\]"):
        executor.submit(int).result(timeout=10)
    executor.shutdown()


@pytest.mark.parametrize("count", [1, 2])
def test_a_real_cluster_renders(tmp_path, count):
    """Two films on a cluster of `count` worker processes on this machine; one worker killed in between."""
    distributed = pytest.importorskip("distributed", reason="pip install 'klingo1[cluster]'")
    with distributed.LocalCluster(
        n_workers=count, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as local:
        executor = ClusterExecutor(local.scheduler_address)
        queue = RenderQueue(executor=executor, workers=2, render=film)

        async def both():
            return await asyncio.gather(
                queue.make(order_in(tmp_path, "a")), queue.make(order_in(tmp_path, "b"))
            )

        assert len(asyncio.run(both())) == 2
        executor.shutdown()


def test_only_the_first_film_loads_dask():
    """Importing and making the executor loads nothing heavy."""
    assert "distributed" not in vars(cluster)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ClusterExecutor, "tcp://s:1").result() is not None
