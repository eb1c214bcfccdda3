"""Videos written in other forms and sizes, decoded again to see what really is in them."""

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from filming import facts_of, film, grey, loudness, turned, uneven_film
from PIL import Image

from klingo1 import transcode as module
from klingo1.errors import InvalidRequest
from klingo1.transcode import Form, Size, target_size, transcode

RECIPE = {"title": "A walk", "comment": json.dumps({"draft": True, "prompt": "a walk"})}


@pytest.mark.parametrize(
    ("given", "size", "expected"),
    [
        ((1920, 1080), Size.ORIGINAL, (1920, 1080)),
        ((1920, 1080), Size.P720, (1280, 720)),
        ((1920, 1080), Size.P480, (854, 480)),
        ((1080, 1920), Size.P720, (720, 1280)),
        ((1440, 1440), Size.P480, (480, 480)),
        ((640, 360), Size.P720, (640, 360)),
        ((641, 361), Size.ORIGINAL, (640, 360)),
    ],
)
def test_a_size_is_the_short_side_and_never_larger_than_the_video(given, size, expected):
    """720p of a portrait is 720 wide; small videos stay as they are; both sides are even."""
    assert target_size(*given, size) == expected


def test_a_gif_is_bounded_at_720p():
    """A GIF of a 1080p video is made no larger than 720p, whatever is asked."""
    assert target_size(1920, 1080, Size.ORIGINAL, form=Form.GIF) == (1280, 720)


@pytest.mark.parametrize(
    ("form", "codec", "sound", "name"), [(Form.MP4, "h264", "aac", "mp4"), (Form.WEBM, "vp9", "opus", "webm")]
)
def test_film_keeps_pictures_time_sound_and_recipe(tmp_path, form, codec, sound, name):
    """A smaller film has every picture at its time, sound as long and as loud, and the same metadata."""
    video = film(tmp_path / "v.mp4", size=(1138, 640), seconds=1.5, fps=24, sound=True, metadata=RECIPE)
    to = tmp_path / f"out.{name}"
    transcode(video, to, form=form, size=Size.P480)
    found = facts_of(to)
    assert name in found["form"]
    assert (found["codec"], found["size"], found["count"]) == (codec, (854, 480), 36)
    assert found["seconds"] == pytest.approx(1.5, abs=0.06)
    assert found["times"] == pytest.approx([n / 24 for n in range(36)], abs=0.002)
    assert (found["sound_codec"], found["sound"]) == (sound, pytest.approx(1.5, abs=0.06))
    assert loudness(to) == pytest.approx(loudness(video), rel=0.1)
    assert found["metadata"]["title"] == "A walk"
    assert json.loads(found["metadata"]["comment"]) == {"draft": True, "prompt": "a walk"}
    with av.open(str(to)) as container:
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    for number in (0, 17, 35):
        assert pictures[number][300, 600].mean() == pytest.approx(grey(number, 36), abs=6)
    assert np.abs(pictures[10][30, 30].astype(int) - (220, 30, 30)).max() < 20


def test_an_mp4_of_the_wanted_size_is_not_encoded_again(tmp_path):
    """Its packets are the very same."""
    video = film(tmp_path / "v.mp4", sound=True)
    transcode(video, tmp_path / "out.mp4", form=Form.MP4, size=Size.P720)

    def packets(path):
        with av.open(str(path)) as container:
            return [bytes(p) for p in container.demux() if p.size]

    assert sorted(packets(video)) == sorted(packets(tmp_path / "out.mp4"))


def test_what_is_not_h264_becomes_an_mp4_that_plays(tmp_path):
    """Another codec is encoded anew even at original size, and metadata given replaces what was there."""
    video = film(tmp_path / "v.mp4", codec="mpeg4", metadata=RECIPE)
    transcode(video, tmp_path / "out.mp4", form=Form.MP4, metadata={"title": "Mine"})
    found = facts_of(tmp_path / "out.mp4")
    assert (found["codec"], found["count"], found["size"]) == ("h264", 24, (320, 180))
    assert found["metadata"]["title"] == "Mine"
    assert json.loads(found["metadata"]["comment"])["draft"] is True


@pytest.mark.parametrize(("fps", "pictures"), [(24, 12), (30, 15), (60, 15), (12, 12)])
def test_a_gif_has_an_even_pace_of_at_most_fifteen_a_second(tmp_path, fps, pictures):
    """Every second, third … picture is taken, over the whole film, and it repeats without end."""
    video = film(tmp_path / "v.mp4", fps=fps)
    transcode(video, tmp_path / "out.gif", form=Form.GIF)
    with Image.open(tmp_path / "out.gif") as gif:
        durations = []
        for number in range(gif.n_frames):
            gif.seek(number)
            durations.append(gif.info["duration"])
        assert (gif.size, gif.n_frames, gif.info["loop"]) == ((320, 180), pictures, 0)
    assert max(durations) - min(durations) <= 10
    assert sum(durations) == pytest.approx(1000, abs=60)


def test_a_gif_looks_like_the_film(tmp_path):
    """Its colours are those of the video, at the beginning and at the end."""
    video = film(tmp_path / "v.mp4")
    transcode(video, tmp_path / "out.gif", form=Form.GIF)
    with Image.open(tmp_path / "out.gif") as gif:
        for number, source in ((0, 0), (11, 22)):
            gif.seek(number)
            pixels = np.asarray(gif.convert("RGB")).astype(int)
            assert pixels[100:160, 160:300].mean() == pytest.approx(grey(source, 24), abs=6)
            assert np.abs(pixels[10:30, 10:60].mean((0, 1)) - (220, 30, 30)).max() < 20


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("kind", ["text", "playlist", "empty", "missing", "cut"])
def test_what_is_no_video_is_refused_and_leaves_nothing(tmp_path, form, kind):
    """The error is about the video; neither a target nor a temporary file stays behind."""
    secret = film(tmp_path / "secret.mp4")
    video = tmp_path / "v.mp4"
    if kind == "text":
        video.write_text("no video at all")
    elif kind == "playlist":
        video.write_text(f"ffconcat version 1.0\nfile {secret}\n")
    elif kind == "empty":
        video.touch()
    elif kind == "cut":
        video.write_bytes(secret.read_bytes()[:400])
    before = set(tmp_path.iterdir())
    with pytest.raises(InvalidRequest) as caught:
        transcode(video, tmp_path / f"out.{form}", form=form)
    assert caught.value.field == "video"
    assert set(tmp_path.iterdir()) == before


def test_a_film_that_is_too_long_is_refused_before_it_is_read(tmp_path, monkeypatch):
    """Length is bounded, and so is a GIF's."""
    video = film(tmp_path / "v.mp4", seconds=3, fps=2)
    monkeypatch.setattr(module, "SECONDS_MAX", 2.0)
    with pytest.raises(InvalidRequest, match="more than 2 s"):
        transcode(video, tmp_path / "out.webm", form=Form.WEBM)
    monkeypatch.undo()
    monkeypatch.setattr("klingo1.gif.SECONDS_MAX", 2.0)
    with pytest.raises(InvalidRequest, match="2 s"):
        transcode(video, tmp_path / "out.gif", form=Form.GIF)


def test_work_that_takes_too_long_ends(tmp_path, monkeypatch):
    """There is a deadline, and what was begun is gone."""
    video = film(tmp_path / "v.mp4")
    monkeypatch.setattr("klingo1.filters.DEADLINE_SECONDS", -1.0)
    with pytest.raises(InvalidRequest):
        transcode(video, tmp_path / "out.webm", form=Form.WEBM)
    assert list(tmp_path.iterdir()) == [video]


def test_memory_stays_flat_while_a_gif_is_made(tmp_path):
    """Making one of 120 frames, 249 MB as the filters hold them, takes less than 120 MB."""
    video = film(tmp_path / "v.mp4", size=(960, 540), seconds=8, fps=15)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from klingo1.transcode import Form, transcode\n"
        "import av\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "transcode(Path(sys.argv[1]), Path(sys.argv[2]), form=Form.GIF)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, video, tmp_path / "out.gif"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert int(out.stdout) < 120_000  # kB


@pytest.mark.parametrize("form", [Form.MP4, Form.WEBM])
@pytest.mark.parametrize(
    ("pix_fmt", "size"), [("yuv420p", (640, 480)), ("yuv444p", (321, 181)), ("yuv420p10le", (320, 180))]
)
def test_uneven_times_and_other_kinds_of_pixels_come_through(tmp_path, form, pix_fmt, size):
    """Every picture keeps its time, and the result is of the kind that every player shows."""
    video = uneven_film(tmp_path / "v.mp4", pix_fmt=pix_fmt, size=size)
    to = tmp_path / f"out.{form}"
    transcode(video, to, form=form, size=Size.P480)
    found = facts_of(to)
    assert found["times"] == pytest.approx([n // 2 * 0.09 + n % 2 * 0.06 for n in range(24)], abs=0.002)
    assert found["size"] == (size[0] // 2 * 2, size[1] // 2 * 2)
    with av.open(str(to)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


@pytest.mark.parametrize("form", list(Form))
def test_a_turned_video_stands_upright(tmp_path, form):
    """What a phone filmed on its side is written as it is shown: the red corner is at the upper right."""
    video = turned(film(tmp_path / "v.mp4", size=(1280, 720), seconds=0.3), tmp_path / "turned.mp4")
    to = tmp_path / f"out.{form}"
    transcode(video, to, form=form, size=Size.P480)
    with av.open(str(to)) as container:
        frame = next(container.decode(video=0))
        picture = frame.to_ndarray(format="rgb24").astype(int)
    assert (frame.width, frame.height, frame.rotation) == (480, 854, 0)
    assert np.abs(picture[30, 450] - (220, 30, 30)).max() < 25
    assert picture[30, 30].max() < 70
