"""A client nobody here wrote: the `wavespeed` package drives the draft service over a real socket."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
import requests
import uvicorn
import wavespeed

from klingo1.draft.service import DraftService
from klingo1.request import MODEL

PHOTOGRAPH = Path(find_spec("gradio").origin).parent / "media_assets" / "images" / "cheetah.jpg"


def small_film(order):
    """A tiny real film of the asked length, for everything but the last test."""
    with av.open(str(order.output), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(24 * order.request.duration):
            picture = np.full((36, 64, 3), number % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return {"pictures": len(order.request.images)}


@contextmanager
def served(folder, **options):
    """The service on a loopback port, ready before it is given and gone afterwards. Gives its origin."""
    service = DraftService(folder, **options)
    server = uvicorn.Server(
        uvicorn.Config(service.app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)  # rendering processes stand back: other tests come first
        assert not thread.is_alive()


@pytest.fixture
def origin(tmp_path):
    with ThreadPoolExecutor(2) as executor, served(tmp_path, executor=executor, render=small_film) as url:
        yield url


def film_of(url):
    """Frames, width, height and rate of the film at an address, decoded to its end."""
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200
    with av.open(io.BytesIO(answer.content)) as container:
        (stream,) = container.streams.video
        frames = sum(1 for _ in container.decode(stream))
        return frames, stream.width, stream.height, float(stream.average_rate)


def test_upload_and_run_as_the_package_does_it(origin):
    """Upload a photograph, run the model, fetch the output: a film of exactly the asked length."""
    client = wavespeed.Client(api_key="x", base_url=origin)
    url = client.upload(str(PHOTOGRAPH))
    assert requests.get(url, timeout=10).content == PHOTOGRAPH.read_bytes()
    fields = {"prompt": "the cheetah runs", "images": [url], "duration": 3, "aspect_ratio": "1:1"}
    (output,) = client.run(MODEL, fields, poll_interval=0.05)["outputs"]
    assert film_of(output) == (72, 64, 36, 24.0)


def test_streams_upload_too(origin):
    """A file-like object without a name goes the same way."""
    client = wavespeed.Client(api_key="x", base_url=origin)
    url = client.upload(io.BytesIO(PHOTOGRAPH.read_bytes()))
    result = client.run_no_throw(MODEL, {"prompt": "a cheetah", "images": [url]}, poll_interval=0.05)
    assert (result["status"], result["error"]) == ("completed", None)


def test_sync_mode_is_understood(origin):
    """`enable_sync_mode` gives the outputs in the first answer."""
    client = wavespeed.Client(api_key="x", base_url=origin)
    result = client.run(MODEL, {"prompt": "a quiet street"}, enable_sync_mode=True)
    assert len(result["outputs"]) == 1


def test_refusals_and_failures_reach_the_caller(origin):
    """A bad field is told at the submit, an unreadable picture at the end, a missing task at the look-up."""
    client = wavespeed.Client(api_key="x", base_url=origin)
    with pytest.raises(RuntimeError, match=r"HTTP 400.*aspect_ratio.*must be one of"):
        client.run(MODEL, {"prompt": "a fox", "aspect_ratio": "4:3"})
    with pytest.raises(RuntimeError, match=r"HTTP 404.*model not found"):
        client.run("acme/other-model", {"prompt": "a fox"})
    url = client.upload(io.BytesIO(b"no picture at all"))
    with pytest.raises(RuntimeError, match=r"Prediction failed.*Picture 1 is not a JPEG"):
        client.run(MODEL, {"prompt": "a fox", "images": [url]}, poll_interval=0.05)
    with pytest.raises(RuntimeError, match=r"HTTP 404.*Prediction not found"):
        client.get_result("0" * 32)


def test_a_huge_submit_is_told_so(origin):
    """20 MB of JSON are answered with 413 before they are kept in memory."""
    headers = {"Authorization": "Bearer x"}
    answer = requests.post(f"{origin}/api/v3/{MODEL}", data=b" " * 20_000_000, headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (413, 413)


def test_the_real_engine_films_a_photograph(tmp_path):
    """End to end in a spawned process: a photograph becomes three seconds of film."""
    with served(tmp_path) as origin:
        client = wavespeed.Client(api_key="x", base_url=origin)
        url = client.upload(str(PHOTOGRAPH))
        fields = {"prompt": "The cheetah runs through a forest in the rain", "images": [url], "duration": 3}
        (output,) = client.run(MODEL, fields, poll_interval=0.1)["outputs"]
        assert film_of(output) == (72, 1280, 720, 24.0)
        (bare,) = client.run(MODEL, {"prompt": "A quiet beach", "duration": 3}, poll_interval=0.1)["outputs"]
        assert film_of(bare) == (72, 1280, 720, 24.0)
        body = {"page": 2, "page_size": 1}
        answer = requests.post(
            f"{origin}/api/v3/predictions", json=body, headers={"Authorization": "Bearer x"}, timeout=10
        )
        (item,) = answer.json()["data"]["items"]
    assert item["draft"]["place"] == "forest"
    assert item["draft"]["weather"] == ["rain"]
    assert item["timings"]["inference"] > 0
