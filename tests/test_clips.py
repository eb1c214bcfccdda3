"""Reference videos: real files of every odd kind, judged for the paid engine and for a draft."""

from __future__ import annotations

import struct
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klingo1 import clips
from klingo1.clips import check_clip, check_clip_url, normalise_clip
from klingo1.errors import InvalidRequest
from klingo1.request import Engine

BOTH = pytest.mark.parametrize("engine", list(Engine))


def write_clip(
    path, *, size=(1280, 720), seconds=3.5, fps=24, codec="libx264", sound=False, steps=None, **more
):
    """A small real video; `steps` are frame durations in ticks of 1/1000 s instead of an even rate."""
    pixels, tagged = more.pop("pixels", "yuv420p"), more.pop("tagged", False)
    with av.open(str(path), "w", options=more) as container:
        if tagged:
            container.metadata.update(
                location="+48.8584+002.2945/", comment="TROCADERO", creation_time="2026-01-02"
            )
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "g": "12"}
        if codec == "libvpx":
            stream.options = {"deadline": "realtime", "cpu-used": "8"}
        if steps:
            stream.codec_context.time_base = Fraction(1, 1000)
        voice = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        picture = np.zeros((size[1], size[0]), np.uint8)
        at = 0
        for number in range(len(steps) if steps else round(seconds * fps)):
            picture[:] = number * 7 % 256
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=pixels)
            if steps:
                frame.pts, frame.time_base = at, Fraction(1, 1000)
                at += steps[number]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            noise = av.AudioFrame.from_ndarray(
                np.zeros((1, 48_000), np.float32), format="fltp", layout="mono"
            )
            noise.sample_rate = 48_000
            container.mux(voice.encode(noise))
            container.mux(voice.encode(None))
    return path


@pytest.fixture(scope="module")
def sound_clip(tmp_path_factory):
    """An ordinary clip that both engines take."""
    return write_clip(tmp_path_factory.mktemp("clips") / "ok.mp4", sound=True, movflags="faststart")


def refused(path, engine) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check_clip(path, engine=engine)
    assert caught.value.field == "video"
    assert caught.value.remedy.endswith(".")
    return caught.value


def kinds(clip) -> set[str]:
    return {note.kind for note in clip.advice}


@BOTH
def test_an_ordinary_clip_is_taken_and_described(sound_clip, engine):
    """Size, length, rate, sound and codec are measured; there is nothing to advise."""
    clip = check_clip(sound_clip, engine=engine)
    assert (clip.width, clip.height, clip.rotation, clip.codec) == (1280, 720, 0, "h264")
    assert clip.seconds == pytest.approx(3.5, abs=0.01)
    assert clip.fps == pytest.approx(24, abs=0.05)
    assert clip.has_sound
    assert clip.advice == ()


@pytest.mark.parametrize(
    ("name", "made", "kind", "words"),
    [
        ("2 s", {"seconds": 2}, "length", ["3–10 s", "2.0 s"]),
        ("11 s", {"seconds": 11, "size": (1280, 720)}, "length", ["3–10 s", "11.0 s"]),
        ("23 fps", {"fps": 23, "seconds": 4}, "fps", ["24–60", "23.0"]),
        ("75 fps", {"fps": 75, "seconds": 3.2}, "fps", ["24–60", "75.0"]),
        ("small", {"size": (640, 360)}, "size", ["720–2,160 px", "640 × 360"]),
        ("wide", {"size": (2560, 720), "seconds": 3}, "size", ["720–2,160 px", "2,560 × 720"]),
        (
            "webm",
            {"codec": "libvpx", "seconds": 3, "fps": 24, "size": (720, 720)},
            "container",
            ["MP4 or MOV", "WebM"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_klings_limits_are_errors_for_it_and_advice_for_a_draft(tmp_path, name, made, kind, words):
    """The sentence names the limit and what was found; the draft uses the clip all the same."""
    path = write_clip(tmp_path / f"clip.{'webm' if kind == 'container' else 'mp4'}", **made)
    error = refused(path, Engine.KLING)
    assert all(word in error.reason for word in words), error.reason
    clip = check_clip(path, engine=Engine.DRAFT)
    [note] = clip.advice
    assert note.kind == kind
    assert note.text.startswith(error.reason)
    assert ("first seconds" in note.text) == (name == "11 s")


@pytest.mark.parametrize(
    "made",
    [
        {"fps": Fraction(24_000, 1001)},
        {"seconds": 3},
        {"seconds": 10},
        {"fps": 60, "seconds": 3},
        {"size": (720, 720)},
    ],
    ids=str,
)
def test_the_limits_themselves_are_inside(tmp_path, made):
    """23.976 frames a second counts as 24, three and ten seconds are allowed, 720 px is enough."""
    assert check_clip(write_clip(tmp_path / "clip.mp4", **made), engine=Engine.KLING).advice == ()


@BOTH
def test_a_turned_clip_is_measured_as_it_is_shown(sound_clip, tmp_path, engine):
    """A phone held upright writes 1280 × 720 and a quarter turn; people see 720 × 1280."""
    path = tmp_path / "turned.mov"
    path.write_bytes(turned(sound_clip.read_bytes()))
    clip = check_clip(path, engine=engine)
    assert (clip.width, clip.height) == (720, 1280)
    assert clip.rotation == 90
    assert kinds(clip) == {"turned"}


def test_uneven_frame_times_are_advice(tmp_path):
    """A clip of variable rate is measured by its mean and noted."""
    steps = [20, 20, 80, 30] * 25
    clip = check_clip(write_clip(tmp_path / "uneven.mp4", steps=steps, fps=30), engine=Engine.KLING)
    assert clip.fps == pytest.approx(26.7, abs=0.5)
    assert kinds(clip) == {"uneven"}


def test_a_clip_cut_off_at_its_end_serves_a_draft_only(sound_clip, tmp_path):
    """The header promises more than is there; the paid engine is not given it."""
    path = tmp_path / "cut.mp4"
    data = write_clip(tmp_path / "whole.mp4", seconds=8, movflags="faststart").read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    error = refused(path, Engine.KLING)
    assert "cut off" in error.reason
    assert "8.0 s" in error.reason
    clip = check_clip(path, engine=Engine.DRAFT)
    assert "truncated" in kinds(clip)
    assert 3 < clip.seconds < 7


@BOTH
def test_a_clip_without_its_index_is_refused(tmp_path, engine):
    """An MP4 whose index stood at the end that is missing cannot be played at all."""
    data = write_clip(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    assert "cut off" in refused(tmp_path / "cut.mp4", engine).reason


@BOTH
def test_eight_k_is_refused_before_a_frame_is_decoded(tmp_path, engine):
    """One 7,680 × 4,320 picture takes 50 MB, a decoder keeps many."""
    path = write_clip(tmp_path / "8k.mp4", size=(7680, 4320), seconds=0.05, fps=24)
    assert "7,680 × 4,320 px" in refused(path, engine).reason


@BOTH
def test_sound_alone_is_no_clip(tmp_path, engine):
    """An M4A has the same container and no moving picture."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "no moving picture" in refused(path, engine).reason


@BOTH
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"ffconcat version 1.0\nfile ok.mp4\n", "no video"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\nok.mp4\n#EXT-X-ENDLIST\n", "no video"),
        (b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>", "no video"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=video 5004 RTP/AVP 96\n", "no video"),
        (b"", "0 bytes"),
        (b"<!doctype html><html>expired</html>", "a web page"),
        (b"\xff\xd8\xff\xe0 and so on", "a picture (JPEG)"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a picture (HEIC)"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "damaged"),
        (b"\x1aE\xdf\xa3 nothing", "damaged"),
        (b"ftyp#EXTM3U\n", "no video"),
    ],
)
def test_files_that_are_no_video_are_named_for_what_they_are(sound_clip, tmp_path, engine, data, words):
    """Playlists would make FFmpeg open other files; they are never given to it."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    (tmp_path / "ok.mp4").write_bytes(sound_clip.read_bytes())
    assert words in refused(path, engine).reason


def test_the_demuxers_that_open_other_files_stay_closed(sound_clip, tmp_path, monkeypatch):
    """Even past the first bytes: with that gate taken away, FFmpeg itself may not read a playlist."""
    (tmp_path / "ok.mp4").write_bytes(sound_clip.read_bytes())
    monkeypatch.setattr(clips, "_family", lambda _: "mov")
    for text in (
        "ffconcat version 1.0\nfile ok.mp4\n",
        f"#EXTM3U\n#EXTINF:4.0,\n{sound_clip}\n#EXT-X-ENDLIST\n",
    ):
        path = tmp_path / "list.mp4"
        path.write_text(text)
        assert "damaged" in refused(path, Engine.DRAFT).reason
    assert check_clip(tmp_path / "ok.mp4", engine=Engine.DRAFT).codec == "h264"


@BOTH
def test_content_decides_and_not_the_name(sound_clip, tmp_path, engine):
    """An MP4 named .txt is a clip, and so is one whose name looks like an address."""
    for name in ("clip.txt", "http:example.mp4", "concat:a|b.mp4"):
        path = tmp_path / name
        path.write_bytes(sound_clip.read_bytes())
        assert check_clip(path, engine=engine).width == 1280


@BOTH
def test_over_200_megabytes_is_refused_unread(sound_clip, tmp_path, engine):
    """A sparse file of 201 MB behind a sound start."""
    path = tmp_path / "big.mp4"
    path.write_bytes(sound_clip.read_bytes())
    with path.open("r+b") as file:
        file.truncate(201_000_000)
    reason = refused(path, engine).reason
    assert "201.0 MB" in reason
    assert "200 MB" in reason


@BOTH
def test_what_cannot_be_opened_is_refused(tmp_path, engine):
    """A missing file, a folder, an impossible path."""
    for path in (tmp_path / "none.mp4", tmp_path, tmp_path / "a\0b.mp4"):
        refused(path, engine)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_clip_is_taken_or_refused_but_never_breaks(sound_clip, tmp_path, data):
    """Bytes overwritten at random places, mostly in the index."""
    damaged = bytearray(sound_clip.read_bytes())
    last = data.draw(st.sampled_from([4000, len(damaged) - 1]))
    for at in data.draw(st.lists(st.integers(8, last), min_size=1, max_size=12)):
        damaged[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.mp4"
    path.write_bytes(damaged)
    try:
        clip = check_clip(path, engine=Engine.DRAFT)
    except InvalidRequest:
        return
    assert clip.width > 0
    assert clip.seconds >= 0


def turned(data: bytes) -> bytes:
    """The same clip with a quarter turn in its track header."""
    one = struct.pack(">i", 0x10000)
    at = data.index(one + bytes(12) + one, data.index(b"tkhd"))
    matrix = bytes(4) + one + bytes(4) + struct.pack(">i", -0x10000) + bytes(4)
    return data[:at] + matrix + data[at + 20 :]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_clip_is_sent_without_place_date_and_hidden_bytes(tmp_path, suffix):
    """Picture, sound and rotation stay as they are; tags and what hangs behind the file are gone."""
    path = write_clip(
        tmp_path / f"clip{suffix}", sound=True, movflags="faststart+use_metadata_tags", tagged=True
    )
    data = path.read_bytes()
    path.write_bytes(turned(data) if suffix == ".mp4" else data)
    with path.open("ab") as file:
        file.write(b"PK\x03\x04<script>")
    assert b"+48.8584+002.2945/" in path.read_bytes()
    out = normalise_clip(path, tmp_path / "sent")
    assert out == tmp_path / f"sent{suffix}"
    sent = out.read_bytes()
    assert not any(mark in sent for mark in (b"48.8584", b"TROCADERO", b"2026-", b"<script>"))
    before, after = check_clip(path, engine=Engine.DRAFT), check_clip(out, engine=Engine.DRAFT)
    assert after == before
    assert after.has_sound
    assert not list(tmp_path.glob(".*.part"))


def test_normalising_a_broken_clip_leaves_no_file(tmp_path):
    """InvalidRequest, and nothing half written; a missing folder is the caller's error."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isomiso2")
    with pytest.raises(InvalidRequest):
        normalise_clip(path, tmp_path / "sent")
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]
    with pytest.raises(FileNotFoundError):
        normalise_clip(path, tmp_path / "missing" / "sent")


def test_a_codec_that_is_not_current_is_refused_by_name(tmp_path):
    """Hundreds of old decoders are not let near a stranger's file."""
    path = write_clip(tmp_path / "old.mov", codec="qtrle", pixels="rgb24", seconds=0.2, size=(64, 64))
    assert "qtrle" in refused(path, Engine.DRAFT).reason


def test_ffmpeg_is_loaded_only_for_a_clip():
    """Importing the module does not load PyAV."""
    program = (
        "import sys, klingo1.clips, klingo1.references; print('av' in sys.modules, 'cv2' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


@BOTH
@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/clip.mp4",
        "HTTPS://EXAMPLE.com:8443/a%20b.mov?sig=x%2Fy#t=3",
        "https://[2001:db8::1]/a",
    ],
)
def test_https_addresses_are_taken(url, engine):
    """Ports, queries and numeric hosts are fine."""
    assert check_clip_url(url, engine=engine) is None


@BOTH
@pytest.mark.parametrize(
    "url",
    [
        "",
        "clip.mp4",
        "http://example.com/clip.mp4",
        "file:///etc/passwd",
        "data:video/mp4;base64,AAAA",
        "//example.com/clip.mp4",
        "https://",
        "https:///clip.mp4",
        "https://./clip.mp4",
        "https://user:secret@example.com/clip.mp4",
        "https://user@example.com/clip.mp4",
        "https://example.com:port/clip.mp4",
        "https://[::1/clip.mp4",
        "https://example.com/a b.mp4",
        "https://example.com/a\nb.mp4",
        "https://example.com\\@evil.example/clip.mp4",
        " https://example.com/clip.mp4",
        "https://example.com/" + "x" * 2000,
        "https://exämple.com/clip.mp4",
    ],
)
def test_other_addresses_are_refused(url, engine):
    """Only the form is judged; secrets in an address are not repeated in the message."""
    with pytest.raises(InvalidRequest) as caught:
        check_clip_url(url, engine=engine)
    assert caught.value.field == "video"
    assert "secret" not in str(caught.value)


@given(st.text(max_size=80))
def test_any_text_as_an_address_is_taken_or_refused(text):
    """Nothing but InvalidRequest."""
    for url in (text, "https://" + text):
        try:
            check_clip_url(url, engine=Engine.KLING)
        except InvalidRequest:
            continue
        assert url.lower().startswith("https://")
