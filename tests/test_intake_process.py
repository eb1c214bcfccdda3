"""Strangers' files in a process of their own: same verdicts, bounded memory and time, no secrets there."""

import os
import resource
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest
from conftest import draw_picture
from faults.clip import clip

from klingo1 import clips, intake_process, references
from klingo1.decoder import Decoder
from klingo1.errors import Busy, InvalidRequest
from klingo1.intake_process import Apart
from klingo1.request import Engine

MIB = 2**20


@pytest.fixture(scope="module")
def apart():
    one = Apart()
    yield one
    one.close()


@pytest.fixture
def film(tmp_path):
    file = tmp_path / "clip.mp4"
    file.write_bytes(clip())
    return file


def png_of(width, height, *, depth=1, colour=0):
    """A PNG of zeros: a few kB that announce any number of pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\0" * (1 + -(-width * depth // 8))
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


HOSTILE = {
    "12,000 × 12,000 PNG": lambda: png_of(12_000, 12_000),
    "6,000 × 6,000 PNG": lambda: png_of(6_000, 6_000),
    "20,000 × 300 PNG": lambda: png_of(20_000, 300),
    "16-bit PNG": lambda: png_of(5_000, 5_000, depth=16),
    "1 × 20,000 PNG": lambda: png_of(1, 20_000),
    "SVG": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 600 600\n",
    "PDF": lambda: b"%PDF-1.7\n",
    "HTML": lambda: b"<!doctype html><script>alert(1)</script>",
    "empty": lambda: b"",
    "random": lambda: os.urandom(100_000),
    "truncated JPEG": lambda: b"\xff\xd8\xff\xe0" + os.urandom(5_000),
    "ffconcat": lambda: b"ffconcat version 1.0\nfile /etc/passwd\n",
    "m3u8": lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
}


def memory_of(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise AssertionError(name)


def decoder_of(apart):
    """The process that has just worked."""
    decoder = apart._free.get()
    apart._free.put(decoder)
    return decoder


def test_verdicts_are_the_same_as_in_this_process(apart, picture, film, tmp_path):
    """Measures, advice, fingerprint, and the very same clean bytes."""
    assert apart.check_picture(picture) == references.check_picture(picture)
    assert apart.check_clip(film, engine=Engine.DRAFT) == clips.check_clip(film, engine=Engine.DRAFT)
    there = apart.normalise_picture(picture, tmp_path / "there")
    here = references.normalise_picture(picture, tmp_path / "here")
    assert there.read_bytes() == here.read_bytes()
    there = apart.normalise_clip(film, tmp_path / "there.mp4")
    assert there.read_bytes() == clips.normalise_clip(film, tmp_path / "here.mp4").read_bytes()


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_f63_f65_hostile_files_get_a_verdict_within_memory_and_time(apart, tmp_path, name):
    """A plain sentence or a sound picture, within 300 MB more than an idle process."""
    file = tmp_path / "file.png"
    file.write_bytes(HOSTILE[name]())
    apart.check_picture(draw_picture(tmp_path / "warm.jpg"))
    decoder = decoder_of(apart)
    Path(f"/proc/{decoder.process.pid}/clear_refs").write_text("5")  # the peak starts anew
    idle = memory_of(decoder.process.pid, "VmRSS")
    began, verdicts = time.monotonic(), []
    for check in (apart.check_picture, lambda path: apart.check_clip(path, engine=Engine.KLING)):
        try:
            check(file)
        except InvalidRequest as error:
            verdicts.append(error)
    took = time.monotonic() - began
    peak = memory_of(decoder.process.pid, "VmHWM") - idle
    sys.stdout.write(f"\n{name}: {peak / MIB:.0f} MB, {took:.1f} s\n")
    assert verdicts
    assert all(error.reason and error.remedy and str(tmp_path) not in str(error) for error in verdicts)
    assert peak < 300 * MIB
    assert took < 20


def test_a_file_that_needs_too_much_memory_ends_with_a_sentence(tmp_path):
    """The limit of the process holds; the next file finds a working one."""
    file = tmp_path / "big.png"
    file.write_bytes(png_of(6_000, 6_000, depth=8, colour=2))
    small = Apart(memory=24 * MIB)
    with pytest.raises(InvalidRequest) as refused:
        small.check_picture(file, field="images[1]")
    assert refused.value.field == "images[1]"
    assert small.check_picture(draw_picture(tmp_path / "fine.jpg", size=(320, 320))).width == 320
    small.close()


def test_a_file_that_takes_too_long_ends_its_process_only(apart, tmp_path, monkeypatch):
    """After the time is up the process is gone, a sentence comes, and a new one serves the next file."""
    slow = Apart(seconds=0.0)
    with pytest.raises(InvalidRequest) as refused:
        slow.check_picture(draw_picture(tmp_path / "fine.jpg"))
    assert "too much" in refused.value.reason
    slow._seconds = 20.0
    assert slow.check_picture(tmp_path / "fine.jpg").width == 640
    slow.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_decoding_process_holds_no_key_and_few_rights(monkeypatch, tmp_path):
    """No variable of ours is in its environment; memory, file sizes and open files are bounded."""
    monkeypatch.setenv("WAVESPEED_API_KEY", "wsk_canary_0123456789")
    apart = Apart()
    apart.check_picture(draw_picture(tmp_path / "fine.jpg"))
    pid = decoder_of(apart).process.pid
    assert b"canary" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert b"WAVESPEED" not in Path(f"/proc/{pid}/environ").read_bytes()
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_AS, 4 * 2**30),
    ):
        assert 0 <= resource.prlimit(pid, limit)[0] <= most
    apart.close()
    assert not Path(f"/proc/{pid}").exists()


def test_what_comes_back_is_data_and_never_code():
    """An answer that is no JSON object counts as the end of that process."""
    decoder = Decoder(64 * MIB)
    decoder.end()
    liar = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.readline(); print('cos\\nsystem')"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    decoder.process = liar
    assert decoder.ask({"call": "check_picture"}, seconds=10) is None
    decoder.end()


def test_a_flood_of_questions_is_sent_away_and_a_runs_own_work_waits(picture, tmp_path):
    """While both processes are at work, so many questions wait; the next one is told to come again."""
    apart = Apart()
    held = [apart._free.get() for _ in range(intake_process.PROCESSES)]
    sent_away = 20 - intake_process.PROCESSES - intake_process.WAITING_MAX
    refused, answered = [], []

    def ask(_):
        try:
            answered.append(apart.check_picture(picture).width)
        except Busy as error:
            refused.append(error.what)

    asking = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for one in asking:
        one.start()
    work = threading.Thread(target=lambda: apart.normalise_picture(picture, tmp_path / "clean.jpg"))
    until = time.monotonic() + 10
    while len(refused) < sent_away and time.monotonic() < until:
        time.sleep(0.01)
    work.start()
    for free in held:
        apart._free.put(free)
    for one in [*asking, work]:
        one.join(60)
    assert refused == ["files"] * sent_away
    assert len(answered) == 20 - sent_away
    assert (tmp_path / "clean.jpg").is_file()
    apart.close()
