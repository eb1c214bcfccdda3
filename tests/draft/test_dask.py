"""Drafts on a real Dask cluster: the engine's film, killed workers and schedulers, nothing lost."""

import asyncio
from concurrent.futures import BrokenExecutor

import pytest
from dasking import Dask, observed, patient_film, until
from shooting import FOX
from small_drafts import small_film

from klingo1.download import is_whole_mp4
from klingo1.draft.cluster import ClusterExecutor
from klingo1.draft.renderer import RenderQueue
from klingo1.draft.worker import Order, RenderFailed, work
from klingo1.job import State
from klingo1.request import VideoRequest
from klingo1.settings import Settings
from klingo1.studio import Studio

pytest.importorskip("distributed", reason="pip install 'klingo1[cluster]'")
WAIT = 100


REQUEST = VideoRequest("walking in a photo studio", FOX[:1], duration=3, aspect_ratio="1:1")


def order_in(folder, name="one"):
    room = folder / name
    room.mkdir()
    return Order(REQUEST, room / "video.mp4", room / "progress", room / "stop", folder / "cache")


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    with Dask(tmp_path_factory.mktemp("dask"), workers=2) as running:
        yield running


@pytest.fixture
def executor(dask):
    one = ClusterExecutor(dask.address, pause=0.2)
    yield one
    one.shutdown()


def shared(order):
    """How far the film is, as the page reads it."""
    try:
        return float(order.progress.read_text().split()[0])
    except (OSError, IndexError):
        return 0.0


def test_a_film_made_there_is_the_film_made_here(executor, tmp_path):
    """Byte for byte, though the worker sees no file of this folder; its progress and poster come home."""
    here, there = order_in(tmp_path, "here"), order_in(tmp_path, "there")
    made = executor.submit(work, small_film, there)
    told = []
    until(lambda: told.append(shared(there)) or made.done(), WAIT)
    report = made.result()
    small_film(here)
    assert there.output.read_bytes() == here.output.read_bytes()
    assert (there.output.parent / "poster.jpg").read_bytes() == (
        here.output.parent / "poster.jpg"
    ).read_bytes()
    assert report["frames"] == 72
    assert any(0 < share < 1 for share in told)


def test_a_killed_worker_costs_time_only(dask, executor, tmp_path):
    """Kill −9 in mid-render: another worker makes the film, and the page hears nothing of it."""
    order = order_in(tmp_path)
    made = executor.submit(work, patient_film, order)
    with observed(dask.address) as (_, busy):
        (first,) = until(lambda: shared(order) > 0.2 and busy(), WAIT)
        dask.kill(first)
    assert made.result(WAIT)["pid"] != first
    assert order.output.read_bytes() == FOX[0].read_bytes()


def test_a_film_that_nobody_wants_ends_there(dask, executor, tmp_path):
    """The stop file of this machine ends the work on the other one within a second or two."""
    order = order_in(tmp_path)
    made = executor.submit(work, patient_film, order)
    until(lambda: shared(order) > 0.1, WAIT)
    order.ask_to_stop()
    assert type(made.exception(WAIT)).__name__ == "RenderStopped"


def test_a_killed_scheduler_is_waited_for_and_the_film_made_again(dask, executor, tmp_path):
    """The queue begins the film once more when there is a scheduler again."""
    order = order_in(tmp_path)
    queue = RenderQueue(executor=executor, render=patient_film)

    async def made():
        task = asyncio.create_task(queue.make(order))
        await asyncio.to_thread(until, lambda: shared(order) > 0.2, WAIT)
        await asyncio.to_thread(dask.kill_scheduler)
        await asyncio.sleep(0.5)
        assert not task.done()
        dask.start_scheduler()
        dask.add_worker()
        return await asyncio.wait_for(task, WAIT)

    assert asyncio.run(made())["pid"]
    assert order.output.read_bytes() == FOX[0].read_bytes()


def test_a_scheduler_that_never_answers_is_named(tmp_path):
    """The reason of the failure carries the address, and no word of Dask's."""
    executor = ClusterExecutor("tcp://127.0.0.1:9", patience=0.1, pause=0.05)
    with pytest.raises(RenderFailed, match=r"render cluster at tcp://127\.0\.0\.1:9 .* cannot be reached"):
        asyncio.run(RenderQueue(executor=executor, render=patient_film).make(order_in(tmp_path)))
    assert isinstance(executor.submit(int).exception(20), BrokenExecutor)
    executor.shutdown()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_studio_loses_no_draft_to_killed_workers(tmp_path):
    """Twelve drafts on two workers; one is killed in mid-render, three times: twelve films, none lost."""
    with Dask(tmp_path / "dask", workers=2) as dask:
        environ = {"KLINGO1_HOME": str(tmp_path / "home"), "KLINGO1_DRAFT_WORKERS": dask.address}
        with Studio(Settings.read(environ)) as studio, observed(dask.address) as (_, busy):
            asked = {studio.submit(REQUEST).id for _ in range(12)}

            def done():
                return [job for job in studio.jobs() if job.state is State.DONE]

            def filming():
                return any(0.2 < (job.progress or 0) < 0.8 for job in studio.jobs()) and busy()

            killed = []
            for ended in (1, 4, 7):
                until(lambda ended=ended: len(done()) >= ended, 300)
                killed.append(until(filming, WAIT)[0])
                dask.kill(killed[-1])
                dask.add_worker()
            until(lambda: not any(job.state.active for job in studio.jobs()), 400)
            made = done()
            assert {job.id for job in studio.jobs()} == {job.id for job in made} == asked
            assert all(is_whole_mp4(job.video) for job in made)
            assert len({job.prediction_id for job in made}) == len(asked)
    print(f"\n{len(asked)} drafts, {len(set(killed))} workers killed in mid-render: {len(made)} done, 0 lost")
