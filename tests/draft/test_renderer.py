"""The render queue over real spawned processes: isolation, stopping, dying workers, an orphan's end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from klingo1.draft.media import MediaUnreadable
from klingo1.draft.renderer import RenderQueue, RenderTimedOut
from klingo1.draft.worker import Order, RenderFailed, RenderStopped
from klingo1.errors import InvalidRequest
from klingo1.request import VideoRequest

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


# What a worker runs: found by name in the spawned process, so it stands at module level.


def honest(order):
    order.output.write_bytes(b"film")
    heavy = [name for name in ("gradio", "cv2", "av", "sqlalchemy", "starlette") if name in sys.modules]
    return {"pid": os.getpid(), "heavy": heavy, "niceness": os.nice(0)}


def deaf(order):
    """Never looks at the stop file."""
    beats = order.output.with_name("beats")
    for count in range(100_000):
        beats.write_text(str(count))
        time.sleep(0.01)


def obedient(order):
    order.output.with_name("beats").write_text("1")
    while not order.stop.exists():
        time.sleep(0.01)
    return {}


def paint_on():
    while True:
        pass


def leaves_a_painter(order):
    """Heeds the stop file, as the engine does while it cuts and paints, but for a thread that works on."""
    threading.Thread(target=paint_on).start()
    order.output.with_name("beats").write_text(str(os.getpid()))
    while not order.stop.exists():
        time.sleep(0.01)
    raise RuntimeError("stopped half-way")


def dies_once(order):
    mark = order.output.with_name("died")
    if not mark.exists():
        mark.touch()
        os._exit(7)
    return honest(order)


def dies(order):
    os._exit(7)


def raises_what_cannot_be_pickled(order):
    raise InvalidRequest("images", "A picture cannot be read.", "Use another.")


def raises_a_local_error(order):
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(a)

    raise Odd("secret", 2)


def forgets_the_film(order):
    return {}


def order_in(folder: Path, name: str = "one") -> Order:
    room = folder / name
    room.mkdir()
    picture = room / "picture"
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    return Order(VideoRequest("a fox", (picture,)), room / "video.mp4", room / "progress", room / "stop")


@asynccontextmanager
async def queue(render, **options):
    made = RenderQueue(render=render, **options)
    try:
        yield made
    finally:
        await made.close()


async def vanishes(pid: int, seconds: float) -> None:
    for _ in range(round(seconds * 100)):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the process works on")


async def appears(path: Path) -> None:
    for _ in range(2000):
        if path.exists() and path.stat().st_size:  # noqa: ASYNC240 - a test has nothing else to do meanwhile
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{path.name} did not appear")


async def test_films_are_made_in_one_light_process_of_their_own(tmp_path):
    """Two films come from the same other process, into which nothing heavy was loaded, and which stands back
    as far as it was told to.
    """
    async with queue(honest, niceness=3) as renders:
        reports = [await renders.make(order_in(tmp_path, name)) for name in ("a", "b")]
    assert reports[0] == reports[1]
    assert reports[0]["pid"] != os.getpid()
    assert reports[0]["heavy"] == []
    assert reports[0]["niceness"] == os.nice(0) + 3


async def test_a_deaf_render_is_ended_within_a_second_and_the_queue_goes_on(tmp_path):
    """The process of a render that ignores its stop file ends; the next film gets a new one."""
    order = order_in(tmp_path)
    async with queue(deaf) as renders:
        task = asyncio.create_task(renders.make(order))
        await appears(tmp_path / "one" / "beats")
        began = time.monotonic()
        order.ask_to_stop()
        with pytest.raises(RenderStopped):
            await task
        assert time.monotonic() - began < 1.5
        renders._render = honest
        assert (await renders.make(order_in(tmp_path, "two")))["pid"] != os.getpid()


async def test_a_stopped_render_leaves_no_thread_at_work(tmp_path):
    """What goes on cutting or painting after the stop frees its core within a second: its process ends."""
    order = order_in(tmp_path)
    async with queue(leaves_a_painter) as renders:
        task = asyncio.create_task(renders.make(order))
        await appears(tmp_path / "one" / "beats")
        pid = int((tmp_path / "one" / "beats").read_text())
        order.ask_to_stop()
        with pytest.raises(RenderStopped):
            await task
        await vanishes(pid, 2.0)


async def test_an_obedient_render_keeps_its_process(tmp_path):
    """A render that heeds the stop file counts as stopped, and its warm process serves the next."""
    order = order_in(tmp_path)
    async with queue(honest) as renders:
        first = await renders.make(order_in(tmp_path, "zero"))
        renders._render = obedient
        task = asyncio.create_task(renders.make(order))
        await appears(tmp_path / "one" / "beats")
        order.ask_to_stop()
        with pytest.raises(RenderStopped):
            await task
        renders._render = honest
        assert await renders.make(order_in(tmp_path, "two")) == first


async def test_a_worker_that_dies_is_replaced_and_the_film_begun_again(tmp_path):
    """One death costs time only."""
    async with queue(dies_once) as renders:
        report = await renders.make(order_in(tmp_path))
    assert report["pid"] != os.getpid()


async def test_a_film_that_kills_its_worker_twice_fails(tmp_path):
    """The second death is the film's failure, and the queue is still good."""
    async with queue(dies) as renders:
        with pytest.raises(RenderFailed, match="ended twice"):
            await renders.make(order_in(tmp_path))
        renders._render = honest
        assert (await renders.make(order_in(tmp_path, "two")))["heavy"] == []


async def test_errors_cross_the_border_as_plain_kinds(tmp_path):
    """What cannot be pickled does not break the pool, and texts that may quote a person stay behind."""
    async with queue(honest) as renders:
        pid = (await renders.make(order_in(tmp_path, "zero")))["pid"]
        renders._render = raises_what_cannot_be_pickled
        with pytest.raises(MediaUnreadable, match="A picture cannot be read"):
            await renders.make(order_in(tmp_path, "a"))
        renders._render = raises_a_local_error
        with pytest.raises(RenderFailed) as failed:
            await renders.make(order_in(tmp_path, "b"))
        assert "Odd at test_renderer.py" in str(failed.value)
        assert "secret" not in str(failed.value)
        renders._render = forgets_the_film
        with pytest.raises(RenderFailed, match="no film"):
            await renders.make(order_in(tmp_path, "c"))
        renders._render = honest
        assert (await renders.make(order_in(tmp_path, "d")))["pid"] == pid


async def test_a_film_that_takes_too_long_is_given_up(tmp_path):
    """Past its time a render is stopped like one that a person stopped."""
    async with queue(deaf, seconds=0.2) as renders:
        with pytest.raises(RenderTimedOut):
            await renders.make(order_in(tmp_path))


async def test_no_more_films_at_once_than_places(tmp_path):
    """Five orders over two places never overlap more than twice, and all are made."""
    lock, now, most = threading.Lock(), 0, 0

    def counted(order):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        order.output.write_bytes(b"film")
        return {}

    with ThreadPoolExecutor(5) as executor:
        async with queue(counted, executor=executor, workers=2) as renders:
            orders = [order_in(tmp_path, str(n)) for n in range(5)]
            reports = await asyncio.gather(*map(renders.make, orders))
        assert executor.submit(int).result() == 0  # a foreign executor is not shut down
    assert (reports, most) == ([{}] * 5, 2)


async def test_an_order_stopped_while_it_waits_never_begins(tmp_path):
    """A stop file that is there before the turn comes ends the order at once."""
    order = order_in(tmp_path)
    order.ask_to_stop()
    begun = []

    async def note():
        begun.append(1)

    async with queue(honest) as renders:
        with pytest.raises(RenderStopped):
            await renders.make(order, begun=note)
    assert begun == []
    assert not order.output.exists()


async def test_an_idle_process_is_let_go_and_a_new_one_serves_later(tmp_path):
    """After its idle time a rendering process ends; the next film just gets another."""
    async with queue(honest, idle=0.05) as renders:
        first = await renders.make(order_in(tmp_path, "a"))
        for _ in range(400):
            if renders._pools == [None]:
                break
            await asyncio.sleep(0.01)
        assert renders._pools == [None]
        assert (await renders.make(order_in(tmp_path, "b")))["pid"] != first["pid"]


@pytest.mark.skipif(os.name == "nt", reason="kills its parent with SIGKILL")
async def test_a_worker_does_not_outlive_a_killed_parent(tmp_path):
    """When the program is killed its rendering process ends too, in the middle of a film."""
    program = tmp_path / "parent.py"
    program.write_text(
        textwrap.dedent(f"""
        import asyncio, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        if __name__ == "__main__":
            from test_renderer import deaf, order_in
            from klingo1.draft.renderer import RenderQueue
            async def main():
                await RenderQueue(render=deaf).make(order_in(Path(sys.argv[1])))
            asyncio.run(main())
        """)
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(  # noqa: ASYNC220 - as above
        [sys.executable, str(program), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(root)},
        stderr=subprocess.DEVNULL,
    ) as parent:
        beats = tmp_path / "one" / "beats"
        try:
            await appears(beats)
        finally:
            parent.send_signal(signal.SIGKILL)
    await asyncio.sleep(0.3)
    last = beats.read_text()
    await asyncio.sleep(0.3)
    assert beats.read_text() == last
