"""The page's own elements: their server functions do not wait for one another, nor for clicks."""

import subprocess
import sys
import threading
from queue import Queue

import anyio
import pytest
from fastapi import FastAPI
from gradio import Blocks, mount_gradio_app
from httpx import ASGITransport, AsyncClient

from klingo1.ui.components.element import THREADS, apart
from klingo1.ui.components.status_card import StatusCard

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


STUBS = """
import sys
opened = []
sys.addaudithook(lambda event, what: opened.append(str(what[0])) if event == "open" else None)
import klingo1.ui.page
import gradio.components
print(len([name for name in opened if name.endswith(".pyi")]), gradio.components.Video.__name__)
"""


def test_gradio_comes_without_writing_stubs():
    """The page's start reads and writes no file for editors."""
    done = subprocess.run([sys.executable, "-c", STUBS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "Video"]


async def test_a_function_that_hangs_keeps_no_other_waiting():
    """So many calls of one are under way and the next one waits; another function answers at once."""
    hold, begun = threading.Event(), Queue()

    def slow(asked):
        begun.put(asked)
        hold.wait(20)

    slow_one, quick_one = apart(slow), apart(lambda asked: asked + 1)
    try:
        async with anyio.create_task_group() as calls:
            for number in range(THREADS + 3):
                calls.start_soon(slow_one, number)
            with anyio.fail_after(10):
                seen = [await anyio.to_thread.run_sync(begun.get) for _ in range(THREADS)]
                assert await quick_one(1) == 2
            assert begun.empty()
            hold.set()
    finally:
        hold.set()
    assert sorted(seen + [begun.get_nowait() for _ in range(3)]) == list(range(THREADS + 3))


async def test_gradio_asks_them_while_its_own_threads_are_all_taken():
    """A page with a single thread, which a click holds: the state of a run is told all the same."""
    hold, clicked = threading.Event(), threading.Event()

    def click():
        clicked.set()
        hold.wait(20)

    def status(asked):
        return {"asked": asked}

    with Blocks(analytics_enabled=False) as page:
        card = StatusCard({}, server_functions=[status])
        page.load(click, None, None, queue=False, api_name="click")
    page.max_threads = 1
    page.queue(api_open=True)
    app = mount_gradio_app(FastAPI(), page, path="/")
    page.limiter = anyio.CapacityLimiter(1)
    ask = {"data": 5, "fn_name": "status", "component_id": card._id, "session_hash": "s"}
    try:
        async with (
            AsyncClient(transport=ASGITransport(app), base_url="http://t") as client,
            anyio.create_task_group() as clicks,
        ):
            body = {"data": [], "fn_index": 0, "session_hash": "s"}
            clicks.start_soon(lambda: client.post("/gradio_api/run/click", json=body))
            with anyio.fail_after(10):
                await anyio.to_thread.run_sync(clicked.wait)
                answer = await client.post("/gradio_api/component_server", json=ask)
            assert answer.json() == {"asked": 5}
            assert not hold.is_set()
            hold.set()
    finally:
        hold.set()
