"""A film in parts: joined it is the film of one process, and no part is left over when one fails."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest
from filming import film as small_film
from shooting import FOX

from klingo1.draft.film import RenderTask, render
from klingo1.draft.frames import SIZES
from klingo1.draft.parts import make_in_parts
from klingo1.draft.renderer import RenderQueue
from klingo1.draft.worker import Order, RenderFailed, RenderStopped, render_film
from klingo1.request import VideoRequest


@pytest.fixture
def order(tmp_path):
    clip = small_film(tmp_path / "clip.mp4", seconds=3.0, sound=True)
    request = VideoRequest(
        "walks by a lake in the rain, then dances", FOX[:1], clip, duration=3, aspect_ratio="1:1"
    )
    return Order(
        request, tmp_path / "video.mp4", tmp_path / "progress", tmp_path / "stop", tmp_path / "cache"
    )


def decoded(path):
    """Every frame's planes, and all samples of the sound."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(container.streams.video[0])]
    with av.open(str(path)) as container:
        sound = [frame.to_ndarray() for frame in container.decode(container.streams.audio[0])]
    return frames, np.concatenate(sound, axis=1)


def test_the_film_is_the_same_in_one_or_two_parts(order, tmp_path, monkeypatch):
    """Decoded frames and sound are equal, and so is the file; posters and reports agree."""
    monkeypatch.setitem(SIZES, ("720p", "1:1"), (320, 320))  # a ninth of the work
    render(RenderTask(order.request, tmp_path / "whole" / "video.mp4", cache=order.cache))
    with ThreadPoolExecutor(1) as executor:
        report = asyncio.run(make_in_parts(executor, render_film, order, 2))
    (frames, sound), (joined, heard) = decoded(tmp_path / "whole" / "video.mp4"), decoded(order.output)
    assert len(joined) == len(frames) == report["frames"] == 72
    assert all(np.array_equal(one, two) for one, two in zip(frames, joined, strict=True))
    assert np.array_equal(sound, heard)
    assert sound.any()
    assert order.output.read_bytes() == (tmp_path / "whole" / "video.mp4").read_bytes()
    assert (
        order.output.with_name("poster.jpg").read_bytes() == (tmp_path / "whole" / "poster.jpg").read_bytes()
    )
    assert report["sound"]
    assert {"0", "36", "66"} <= set(report["boxes"])
    assert not list(tmp_path.glob("part*"))
    assert not list(tmp_path.glob("progress?"))


def test_a_part_that_fails_ends_the_others(order, tmp_path):
    """The reason is that of the part that failed; nothing stays behind."""

    def fails(part):
        if part.part[0] == 1:
            raise ValueError("no")
        for _ in range(2000):
            if part.stopped:
                raise RuntimeError("stopped half-way")
            asyncio.run(asyncio.sleep(0.005))
        raise AssertionError("never stopped")

    with ThreadPoolExecutor(2) as executor:
        queue = RenderQueue(executor=executor, render=fails, parts=2)
        with pytest.raises(RenderFailed, match="ValueError"):
            asyncio.run(queue.make(order))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "progress"]


def test_a_stop_reaches_every_part(order):
    """Whoever stops the film stops all of it."""

    def endless(part):
        order.ask_to_stop()
        while not part.stopped:
            asyncio.run(asyncio.sleep(0.005))
        raise RuntimeError("stopped half-way")

    with ThreadPoolExecutor(2) as executor, pytest.raises(RenderStopped):
        asyncio.run(RenderQueue(executor=executor, render=endless, parts=2).make(order))
