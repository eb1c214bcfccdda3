import json
import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from klingo1.draft.cutout import cast_of, cut_out
from klingo1.draft.director import direct
from klingo1.draft.film import RenderStopped, RenderTask, render
from klingo1.draft.frames import LABEL, SIZES, Film
from klingo1.draft.plan import CastMember, Part, Plan, Shot, with_everyone
from klingo1.request import DraftOptions, VideoRequest


def save(path, bgra):
    cv2.imwrite(str(path), bgra)
    return path


def figure(path, colour=(40, 170, 250), size=(400, 200)):
    """A standing figure with a head, a coat and two legs, on a clear background."""
    height, width = size
    picture = np.zeros((height, width, 4), np.uint8)
    middle = width // 2
    tint = (*colour, 255)
    cv2.rectangle(picture, (middle - 34, 90), (middle + 34, 250), tint, -1)
    cv2.circle(picture, (middle, 60), 40, (150, 180, 230, 255), -1)
    cv2.rectangle(picture, (middle - 30, 245), (middle - 8, 390), (90, 60, 40, 255), -1)
    cv2.rectangle(picture, (middle + 8, 245), (middle + 30, 390), (90, 60, 40, 255), -1)
    for y in range(100, 240, 26):
        cv2.circle(picture, (middle, y), 5, (255, 255, 255, 255), -1)
    return save(path, picture)


def lake(path):
    """A landscape: sky, water, meadow."""
    rows = np.linspace(0, 1, 300)[:, None, None]
    picture = np.concatenate(
        [(220, 180, 130) * (1 - 0.3 * rows[:200]), np.broadcast_to((60, 120, 70), (100, 1, 3))]
    )
    picture = np.repeat(picture, 480, axis=1) + np.random.default_rng(2).normal(0, 9, (300, 480, 3))
    return save(path, picture.clip(0, 255).astype(np.uint8))


def task(folder, prompt, images, **facts):
    options = DraftOptions(facts.pop("size", "720p"), facts.pop("roles", ()))
    request = VideoRequest(prompt, tuple(images), duration=facts.pop("duration", 3), draft=options, **facts)
    return RenderTask(
        request,
        folder / "video.mp4",
        progress=folder / "progress",
        stop=folder / "stop",
        cache=folder / "cache",
    )


def decoded(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One film of a figure in the city by night, its report, and its frames."""
    folder = tmp_path_factory.mktemp("film")
    order = task(folder, "the figure walks through a city at night", [figure(folder / "a.png")])
    report = render(order)
    return order, report, decoded(order.output)


def test_the_film_is_exactly_what_was_asked(made):
    """Frames, size, no sound, metadata that says draft; progress ends at one; the poster is there."""
    order, report, frames = made
    assert len(frames) == report["frames"] == 72
    assert frames[0].shape == (720, 1280, 3)
    assert report["sound"] is False
    with av.open(str(order.output)) as container:
        comment = json.loads(container.metadata["comment"])
        assert comment["draft"] is True
        assert comment["prompt"] == order.request.prompt
        assert not container.streams.audio
    assert order.progress.read_text().split() == ["1.0000", "done"]
    assert cv2.imread(str(order.output.with_name("poster.jpg"))).shape == (720, 1280, 3)
    assert not list(order.output.parent.glob("*.part"))


def test_the_picture_is_bright_varied_and_moves(made):
    """Mean luma, contrast and motion keep to the bars of the design."""
    _, report, frames = made
    small = [cv2.resize(f, (160, 90), interpolation=cv2.INTER_AREA).astype(float) for f in frames]
    assert min(s.mean() for s in small) >= 30
    assert min(s.std() for s in small) >= 20
    change = np.array([np.abs(b - a).mean() for a, b in pairwise(small)])
    cuts = np.cumsum([round(shot["seconds"] * 24) for shot in report["shots"]])[:-1] - 1
    inside = np.delete(change, cuts)
    assert np.median(inside) >= 0.3
    assert inside.max() <= 8


def test_the_lead_is_the_reference(tmp_path, made):
    """The swap test: with the coat in another hue, only the lead's box changes, and it changes clearly."""
    _, report, frames = made
    folder = tmp_path / "swap"
    folder.mkdir()
    order = task(
        folder, "the figure walks through a city at night", [figure(folder / "a.png", (200, 60, 60))]
    )
    other = render(order)
    assert other["boxes"] == report["boxes"]
    swapped = decoded(order.output)
    for number, (x0, y0, x1, y1) in ((int(k), v) for k, v in report["boxes"].items()):
        difference = np.abs(frames[number].astype(int) - swapped[number]).mean(axis=2)
        wide, tall = x1 - x0, y1 - y0
        inside = difference[max(0, y0) : y1, max(0, x0) : x1]
        outside = difference.copy()
        # The mirror image and the encoder's blocks lie round the box.
        outside[max(0, y0 - 40) :, max(0, x0 - wide // 2) : x1 + wide // 2] = 0
        assert inside.mean() >= 15, (number, tall)
        assert outside.mean() < 1.5


def test_the_label_is_in_every_frame(made):
    """Bottom left there is light text on a dark chip, the same from first to last frame."""
    _, _, frames = made
    assert "DRAFT" in LABEL
    chips = [f[680:705, 20:160].astype(int) for f in (frames[0], frames[35], frames[-1])]
    for chip in chips:
        assert chip.max() > 180
        assert np.abs(chip - chips[0]).mean() < 25


def test_the_same_request_gives_the_same_film(tmp_path):
    """A photograph as the place, in a tall picture: what reaches the encoder is equal bit for bit."""
    images = [figure(tmp_path / "a.png"), lake(tmp_path / "b.png")]
    request = task(tmp_path, "she dances in @Image2", images, aspect_ratio="9:16").request

    def frames():
        cv2.setRNGSeed(1)  # as at the start of every film
        cuts = [cut_out(image, role=role) for image, role in zip(images, ("character", "scene"), strict=True)]
        plan = direct(request.prompt, cast_of(cuts), duration=3, aspect_ratio="9:16")
        with Film(request, plan, cuts) as film:
            assert (film.width, film.height) == (720, 1280)
            return [film.frame(number)[0].copy() for number in range(0, 72, 10)]

    assert all(map(np.array_equal, frames(), frames()))


def test_odd_pictures_make_a_decent_film(tmp_path):
    """Clear, needle-shaped, single-coloured, and noise, in one square film: no error, never black."""
    noise = np.random.default_rng(1).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    images = [
        save(tmp_path / "clear.png", np.zeros((64, 64, 4), np.uint8)),
        save(tmp_path / "needle.png", np.full((3000, 8, 3), 120, np.uint8)),
        save(tmp_path / "flat.png", np.full((100, 160, 3), (0, 0, 255), np.uint8)),
        save(tmp_path / "noise.png", noise),
    ]
    order = task(tmp_path, "雨の中で踊る", images, aspect_ratio="1:1")
    report = render(order)
    frames = decoded(order.output)
    assert report["size"] == [960, 960]
    assert len(frames) == 72
    assert min(f.mean() for f in frames) >= 30


def test_a_stop_file_ends_the_render_and_leaves_nothing(tmp_path):
    """The wish to stop is heard, and no half film stays."""
    order = task(tmp_path, "walks", [figure(tmp_path / "a.png")], duration=10)
    order.stop.touch()
    with pytest.raises(RenderStopped):
        render(order)
    assert not order.output.exists()
    assert not list(tmp_path.glob("*.part"))


def test_a_stop_in_the_middle_is_heard_soon(tmp_path):
    """Told to stop while frames are made, the render ends within half a second of its own time."""
    order = task(tmp_path, "walks through a city at night", [figure(tmp_path / "a.png")], duration=10)
    told = []

    def tell():
        poster = order.output.with_name("poster.jpg")
        while not poster.exists():
            time.sleep(0.01)
        told.append(time.process_time())
        order.stop.touch()

    thread = threading.Thread(target=tell)
    thread.start()
    with pytest.raises(RenderStopped):
        render(order)
    thread.join()
    assert time.process_time() - told[0] < 1.0  # two cores: half a second of each
    assert not order.output.exists()


BEGINNING = """
import hashlib, sys
from pathlib import Path
import cv2
from klingo1.draft.chunks import Pieces
from klingo1.draft.cutout import cast_of, cut_out
from klingo1.draft.director import direct
from klingo1.draft.frames import Film
from klingo1.request import VideoRequest

cv2.setNumThreads(int(sys.argv[2]))
order = VideoRequest("walks through a city at night in the rain", (Path(sys.argv[1]),), duration=3)
cuts = [cut_out(image) for image in order.images]
plan = direct(order.prompt, cast_of(cuts), duration=3, aspect_ratio="16:9")
said = hashlib.sha256()
with Film(order, plan, cuts) as film:
    pieces = Pieces(film.width, film.height, [0])
    for number in range(8):
        planes, _ = film.frame(number)
        said.update(planes.tobytes())
        for chunk in pieces.encode(planes):
            said.update(chunk.data)
    for chunk in pieces.rest():
        said.update(chunk.data)
print(said.hexdigest())
"""


def test_neither_the_process_nor_its_threads_change_a_film():
    """Two processes with other hash seeds and one or four threads make the same frames and the same bytes."""
    root = Path(__file__).parents[2]
    picture = str(root / "assets" / "character_front.jpg")
    said = [
        subprocess.run(
            [sys.executable, "-c", BEGINNING, picture, threads],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads, seed in (("1", "1"), ("4", "2"))
    ]
    assert len(said[0].strip()) == 64
    assert said[0] == said[1]


def test_whoever_no_shot_shows_is_put_into_the_widest():
    """Every reference is visible: a forgotten cast member stands in the first wide shot."""
    cast = tuple(CastMember("character", (n,)) for n in (1, 2, 3))
    shots = (
        Shot(0, 40, "city", "close", parts=(Part(0),)),
        Shot(40, 72, "city", "wide", parts=(Part(0), Part(2))),
    )
    plan = with_everyone(Plan("city", "day", cast, shots))
    assert {p.member for p in plan.shots[1].parts} == {0, 1, 2}
    assert plan.shots[0] == shots[0]
    assert with_everyone(plan) is plan


def test_sizes_are_even_and_in_shape():
    """Every size that can be asked for suits the encoder and its aspect ratio."""
    for (_, ratio), (width, height) in SIZES.items():
        across, down = map(int, ratio.split(":"))
        assert width * down == height * across
        assert width % 4 == height % 4 == 0
