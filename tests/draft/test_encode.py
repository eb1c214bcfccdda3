import hashlib
import json
import os
import subprocess
import sys
from itertools import pairwise

import av
import numpy as np
import pytest

from klingo1.draft.chunks import picture_of
from klingo1.draft.encode import SOUND_RATE, Encoder, Section, join


def planes(number, width=128, height=72):
    luma = np.full((height, width), 60 + number, np.uint8)
    return np.concatenate([luma, np.full((height // 2, width), 128, np.uint8)])


def made(path, frames=30, sound=None):
    with Encoder(
        path, 128, 72, title="a title", recipe={"draft": True, "prompt": "ü 雨"}, sound=sound
    ) as encoder:
        for number in range(frames):
            encoder.add(planes(number))
    return path


def test_what_goes_in_comes_out(tmp_path):
    """Size, frame count, rate, codec, pixel format, colour tags and metadata are as promised; no sound
    track.
    """
    with av.open(str(made(tmp_path / "film.mp4"))) as container:
        assert [s.type for s in container.streams] == ["video"]
        video = container.streams.video[0]
        frames = list(container.decode(video))
        assert len(frames) == 30
        assert (video.width, video.height, video.average_rate) == (128, 72, 24)
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        assert (video.codec_context.colorspace, video.codec_context.color_range) == (6, 1)
        assert float(video.duration * video.time_base) == pytest.approx(30 / 24)
        assert json.loads(container.metadata["comment"]) == {"draft": True, "prompt": "ü 雨"}
    luma = [frame.to_ndarray()[:72].mean() for frame in frames]
    assert luma[0] == pytest.approx(60, abs=2)
    assert luma[-1] == pytest.approx(89, abs=2)


def test_the_index_stands_first(tmp_path):
    """A player can begin before the whole file is there."""
    data = made(tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_sound_is_as_long_as_the_film(tmp_path):
    """AAC of exactly the samples handed in."""
    sound = np.zeros((2, round(1.25 * SOUND_RATE)), np.float32)
    with av.open(str(made(tmp_path / "film.mp4", sound=sound))) as container:
        audio = container.streams.audio[0]
        assert audio.codec_context.name == "aac"
        assert float(audio.duration * audio.time_base) == pytest.approx(1.25, abs=0.03)


def test_an_error_leaves_no_file(tmp_path):
    """When rendering fails neither the film nor its part stays behind."""
    path = tmp_path / "film.mp4"

    def fail():
        with Encoder(path, 128, 72, title="", recipe={}) as encoder:
            encoder.add(planes(0))
            raise RuntimeError("out of paint")

    with pytest.raises(RuntimeError, match="paint"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_failing_encoder_is_told(tmp_path):
    """A frame of the wrong shape surfaces as an error instead of a hang or a broken film."""
    path = tmp_path / "film.mp4"

    def fail():
        with Encoder(path, 128, 72, title="", recipe={}) as encoder:
            for _ in range(20):
                encoder.add(np.zeros((10, 13), np.uint8))

    with pytest.raises((ValueError, AssertionError, av.FFmpegError)):
        fail()
    assert not path.exists()


def test_padding_is_the_same_every_time():
    """Chroma rows are padded; the padding is grey, not what happened to be in memory."""
    rng = np.random.default_rng(1)
    picture = rng.integers(16, 235, (96 * 3 // 2, 168), dtype=np.uint8)
    for _ in range(20):
        np.full(1_000_000, rng.integers(255), np.uint8)  # leave traces in memory
        frame = picture_of(picture, 168, 96)
        assert (frame.to_ndarray() == picture).all()
        for plane, wide in zip(frame.planes, (168, 84, 84), strict=True):
            rows = np.frombuffer(plane, np.uint8)[: plane.line_size * 48].reshape(48, plane.line_size)
            assert (rows[:, wide:] == 128).all()


_NOISE_FILM = """
import sys, numpy, pathlib
from klingo1.draft.encode import Encoder
rng, path = numpy.random.default_rng(2), pathlib.Path(sys.argv[1])
with Encoder(path, 168, 192, title="", recipe={}) as encoder:
    for _ in range(16):
        encoder.add(rng.integers(40, 200, (192 * 3 // 2, 168), dtype=numpy.uint8))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc fills fresh memory on request")
def test_a_file_does_not_depend_on_what_was_in_memory(tmp_path):
    """With memory that comes filled with this or that byte, the same frames give the same file."""
    files = set()
    for filling in ("0", "1", "77"):
        path = tmp_path / f"{filling}.mp4"
        environment = os.environ | {"MALLOC_PERTURB_": filling}
        subprocess.run([sys.executable, "-c", _NOISE_FILM, str(path)], check=True, env=environment)
        files.add(hashlib.sha256(path.read_bytes()).digest())
    assert len(files) == 1


def test_the_same_frames_give_the_same_file(tmp_path):
    """Byte for byte, in a width whose chroma is padded, with noise that leaves the encoder no rest."""
    rng = np.random.default_rng(2)
    pictures = [rng.integers(40, 200, (192 * 3 // 2, 168), dtype=np.uint8) for _ in range(16)]
    files = set()
    for run in range(5):
        path = tmp_path / f"{run}.mp4"
        with Encoder(path, 168, 192, title="", recipe={}) as encoder:
            for picture in pictures:
                encoder.add(picture)
        files.add(path.read_bytes())
    assert len(files) == 1


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_sections_joined_are_the_film_of_one_encoder(tmp_path, cut):
    """Byte for byte, wherever sections begin; sound included."""
    rng = np.random.default_rng(3)
    pictures = [rng.integers(40, 200, (96 * 3 // 2, 168), dtype=np.uint8) for _ in range(50)]
    sound = rng.normal(0, 0.1, (2, round(50 / 24 * SOUND_RATE))).astype(np.float32)
    starts = (0, 13, 26, 37)

    def write(name, first, stop, *, partial, sound=None):
        section = Section(starts, first, partial)
        encoder = Encoder(tmp_path / name, 168, 96, title="t", recipe={"a": 1}, sound=sound, section=section)
        with encoder:
            for picture in pictures[first:stop]:
                encoder.add(picture)
        return tmp_path / name

    whole = write("whole.mp4", 0, 50, partial=False, sound=sound)
    edges = [0, *starts[1 : cut + 1], 50]
    parts = [
        write(f"part{n}", first, stop, partial=True, sound=None if n else sound)
        for n, (first, stop) in enumerate(pairwise(edges))
    ]
    join(parts, tmp_path / "joined.mp4")
    assert (tmp_path / "joined.mp4").read_bytes() == whole.read_bytes()
    with av.open(str(whole)) as container:
        frames = list(container.decode(container.streams.video[0]))
        assert [frame.pts * frame.time_base * 24 for frame in frames] == list(range(50))
        keys = [number for number, frame in enumerate(frames) if frame.key_frame]
        assert set(starts) <= set(keys)
