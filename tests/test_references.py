"""Hostile, odd and private pictures: each gets a verdict a person can act on, within memory and time."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from klingo1 import references
from klingo1.errors import InvalidRequest
from klingo1.pictures import format_of
from klingo1.references import (
    Advice,
    advise_on_set,
    check_picture,
    display_name,
    near_duplicates,
    normalise_picture,
)


def scene(width: int = 800, height: int = 600, seed: int = 1) -> Image.Image:
    """A picture with structure and sharp edges, different for each seed."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(width: int, height: int, *, depth: int, colour: int, trailing_megabytes: int = 0) -> bytes:
    """A PNG of one repeated row that announces far more pixels than it has bytes."""
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    row = b"\0" + (bytes(range(256)) * (width * samples // 128 + 1))[: (width * depth * samples + 7) // 8]
    squeeze = zlib.compressobj(6)
    data = b"".join(squeeze.compress(row) for _ in range(height))
    data += b"".join(squeeze.compress(bytes(1_000_000)) for _ in range(trailing_megabytes)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.fixture
def put(tmp_path):
    """Write bytes under a given name and return the path."""

    def write(data: bytes, name: str = "picture.png"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def refused(path, *, field: str = "images[2]") -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check_picture(path, field=field)
    with pytest.raises(InvalidRequest) as again:
        normalise_picture(path, path.with_name("normalised"), field=field)
    assert again.value.reason == caught.value.reason
    assert not list(path.parent.glob("normalised*"))
    assert caught.value.field == field
    assert caught.value.remedy.endswith(".")
    return caught.value


# What is taken


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_each_of_the_five_formats_is_read_whatever_the_name_says(put, form):
    """Content decides, not the suffix."""
    found = check_picture(put(encoded(scene(), form), "picture.exe"))
    assert (found.width, found.height, found.format) == (800, 600, form)
    assert found.bytes > 0
    assert len(found.fingerprint) == 16


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_colour_mode_becomes_plain_rgb(put, tmp_path, mode):
    """Bilevel, grey, palette, CMYK and 16-bit pictures come out as an 8-bit JPEG that looks the same."""
    grey = scene().convert("L")
    if mode == "I;16":
        source = Image.fromarray(np.asarray(grey, dtype=np.uint16) * 257)
    else:
        source = grey.convert(mode)
    path = put(encoded(source, "JPEG" if mode == "CMYK" else "PNG"))
    check_picture(path)
    with Image.open(normalise_picture(path, tmp_path / "out.bin")) as result:
        assert (result.format, result.mode, result.size) == ("JPEG", "RGB", (800, 600))
        expected = np.asarray(grey.convert("1").convert("L") if mode == "1" else grey, dtype=float)
        assert np.abs(np.asarray(result.convert("L"), dtype=float) - expected).mean() < 4


def test_sixteen_bits_are_scaled_not_clipped(put, tmp_path):
    """A 16-bit ramp keeps its middle grey where Pillow's own conversion would turn all but black to white."""
    ramp = np.tile(np.linspace(0, 65535, 512).astype(np.uint16), (400, 1))
    out = normalise_picture(put(encoded(Image.fromarray(ramp), "PNG")), tmp_path / "out")
    with Image.open(out) as result:
        assert abs(result.getpixel((256, 200))[0] - 128) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(put, tmp_path, orientation):
    """A red corner marked top left on the upright picture is top left after normalising."""
    upright = Image.new("RGB", (600, 400), "white")
    upright.paste("red", (0, 0, 150, 100))
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = put(encoded(upright if undo is None else upright.transpose(undo), "JPEG", exif=exif))
    found = check_picture(path)
    assert (found.width, found.height) == (600, 400)
    assert ("turned" in {note.kind for note in found.advice}) == (orientation > 1)
    with Image.open(normalise_picture(path, tmp_path / "out")) as result:
        assert result.size == (600, 400)
        red, _, blue = result.getpixel((40, 30))
        assert red > 200
        assert blue < 60
        assert 0x0112 not in result.getexif()


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame_is_used_and_that_is_said(put, tmp_path, form):
    """The first frame is red, the others blue."""
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("red", "blue", "blue")]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=50)
    path = put(data)
    assert "animation" in {note.kind for note in check_picture(path).advice}
    with Image.open(normalise_picture(path, tmp_path / "out")) as result:
        red, _, blue = result.convert("RGB").getpixel((200, 200))
        assert red > 200
        assert blue < 60


def test_transparency_is_kept_as_png_and_only_then(put, tmp_path):
    """A cut-out stays a cut-out; an alpha channel without a transparent pixel does not cost a PNG."""
    cutout = scene().convert("RGBA")
    cutout.paste((0, 0, 0, 0), (0, 0, 400, 600))
    kept = normalise_picture(put(encoded(cutout, "WEBP", lossless=True)), tmp_path / "a.jpeg")
    opaque = normalise_picture(put(encoded(scene().convert("RGBA"), "PNG")), tmp_path / "b.png")
    assert (kept.name, opaque.name) == ("a.png", "b.jpg")
    with Image.open(kept) as result:
        assert result.getpixel((100, 100))[3] == 0
        assert result.getpixel((700, 100))[3] == 255


def test_an_embedded_profile_is_applied_and_left_behind(put, tmp_path):
    """A picture whose profile stretches tones looks different as numbers, and carries no profile any more."""
    source = Image.new("RGB", (400, 400), (128, 128, 128))
    profile = gamma_profile(1.0)
    path = put(encoded(source, "PNG", icc_profile=profile))
    with Image.open(normalise_picture(path, tmp_path / "out")) as result:
        assert "icc_profile" not in result.info
        assert result.getpixel((200, 200))[0] == pytest.approx(188, abs=4)


@pytest.mark.parametrize("profile", [b"nonsense" * 40, b"\0" * 200])
def test_a_broken_profile_does_not_cost_the_picture(put, tmp_path, profile):
    """The numbers are taken as they are."""
    path = put(encoded(Image.new("RGB", (400, 400), (10, 200, 30)), "PNG", icc_profile=profile))
    with Image.open(normalise_picture(path, tmp_path / "out")) as result:
        assert abs(result.getpixel((5, 5))[1] - 200) < 5


def test_large_pictures_are_sent_within_the_limits(put, tmp_path, monkeypatch):
    """Over 4,096 px is scaled down with its shape kept; over the byte limit it shrinks until it fits."""
    path = put(encoded(scene(6000, 3000), "JPEG"))
    assert "shrunk" in {note.kind for note in check_picture(path).advice}
    with Image.open(normalise_picture(path, tmp_path / "out")) as result:
        assert max(result.size) <= 4096
        assert result.width == pytest.approx(2 * result.height, abs=2)
    monkeypatch.setattr(references, "SENT_BYTES_MAX", 200_000)
    noise = Image.effect_noise((1200, 900), 90).convert("RGBA")
    noise.putpixel((0, 0), (0, 0, 0, 0))
    for source in (noise, noise.convert("RGB")):
        out = normalise_picture(put(encoded(source, "PNG")), tmp_path / "out")
        assert out.stat().st_size <= 200_000


def test_the_same_bytes_give_the_same_bytes(put, tmp_path):
    """Normalising is a function of the content."""
    path = put(encoded(scene(), "PNG"))
    first, second = normalise_picture(path, tmp_path / "a"), normalise_picture(path, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_a_target_that_cannot_be_written_leaves_nothing_half(put, tmp_path):
    """A failing disk is not the picture's fault: OSError, and no temporary file."""
    with pytest.raises(OSError, match="missing"):
        normalise_picture(put(encoded(scene(), "PNG")), tmp_path / "missing" / "out")
    blocked = tmp_path / "out.jpg"
    blocked.mkdir()
    with pytest.raises(OSError, match="out"):
        normalise_picture(put(encoded(scene(), "PNG")), tmp_path / "out")
    assert not list(tmp_path.glob(".*.part"))


# What is refused


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\xef\xbb\xbf  <svg width='400'/>", "an SVG drawing"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 400\n", "an EPS drawing"),
        (b"8BPS\0\1\0\0\0\0\0\0", "a Photoshop document"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "a video"),
        (b"<!DOCTYPE html><html>expired</html>", "a web page"),
        (encoded(Image.new("RGB", (400, 400)), "BMP"), "a BMP picture"),
        (encoded(Image.new("RGB", (400, 400)), "TIFF"), "a TIFF"),
        (b"PK\3\4rest", "a ZIP archive"),
        (b"\x89PN", "no picture"),
        (b"just words", "no picture"),
    ],
)
def test_other_files_are_named_for_what_they_are(put, data, named):
    """The message says what came and which formats to save it as; no decoder sees it."""
    error = refused(put(data))
    assert error.reason.startswith(f"Picture 3 is {named}")
    assert "JPEG or PNG" in error.remedy


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((1, 1), ["1 × 1 px", "300 px"]),
        ((299, 400), ["299 × 400 px", "300 px"]),
        ((1, 20_000), ["1 × 20,000 px", "300 px"]),
        ((1300, 500), ["1,300 × 500 px", "2.60", "2.5"]),
        ((500, 1300), ["500 × 1,300 px", "2.60", "2.5"]),
    ],
)
def test_measures_outside_the_limits_name_number_and_limit(put, size, words):
    """Too small and too long pictures are told their own size and the limit."""
    error = refused(put(encoded(Image.new("L", size), "PNG")))
    assert all(word in error.reason for word in words), error.reason


def test_the_limits_themselves_are_inside(put):
    """300 px a side and a ratio of exactly 2.5 are taken."""
    assert check_picture(put(encoded(Image.new("L", (300, 300)), "PNG"))).width == 300
    assert check_picture(put(encoded(Image.new("L", (1000, 400)), "PNG"))).width == 1000


def test_more_than_ten_megabytes_are_refused_with_both_numbers(put):
    """An 11 MB picture is told so; a byte over the limit is never called 10.0 MB."""
    data = encoded(scene(), "JPEG")
    error = refused(put(data + bytes(11 * 1024 * 1024)))
    assert "11.1 MB" in error.reason
    assert "10 MB" in error.reason
    assert "10.1 MB" in refused(put(data + bytes(10 * 1024 * 1024 + 1 - len(data)))).reason


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_file_that_was_cut_off_is_found(put, form, part):
    """Half a JPEG passes Pillow's verify(); here the pixels are really read to the end."""
    data = encoded(Image.effect_noise((600, 400), 60).convert("RGB"), form)
    assert "was cut off" in refused(put(data[: int(len(data) * part)])).reason


def test_files_that_cannot_be_opened_are_refused(tmp_path):
    """A missing file, a folder, a pipe, an empty file and an impossible path all end in InvalidRequest."""
    empty = tmp_path / "empty.png"
    empty.touch()
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    for path in (tmp_path / "none.png", tmp_path, pipe, tmp_path / "a\0b.png", tmp_path / ("x" * 300)):
        with pytest.raises(InvalidRequest) as caught:
            check_picture(path)
        assert caught.value.field == "images"
        assert caught.value.reason.startswith("The picture ")
    assert "0 bytes" in refused(empty).reason


BOMBS = {
    "12,000 x 12,000 at 1 bit": (lambda: png_bomb(12_000, 12_000, depth=1, colour=0), "12,000 × 12,000"),
    "20,000 x 20,000 at 1 bit": (lambda: png_bomb(20_000, 20_000, depth=1, colour=0), "20,000 × 20,000"),
    "the largest PNG taken": (lambda: png_bomb(6300, 6300, depth=8, colour=6), "taken"),
    "the same in 16 bits of grey": (lambda: png_bomb(6300, 6300, depth=16, colour=0), "taken"),
    "600 MB behind the last row": (
        lambda: png_bomb(400, 400, depth=8, colour=0, trailing_megabytes=600),
        "taken",
    ),
    "a WebP canvas": (
        lambda: b"RIFF\xff\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0\x27\x23\0\x27\x23\0" + bytes(200),
        "9,000 × 9,000",
    ),
    "the largest WebP taken": (
        lambda: encoded(Image.new("RGBA", (3500, 3500), (9, 9, 9, 9)), "WEBP", lossless=True, method=0),
        "taken",
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_stay_under_300_megabytes_and_5_seconds(put, name):
    """Measured in a process of its own: check and normalise, whatever the header announces."""
    program = (
        "import resource, sys, pathlib\n"
        "from klingo1.errors import InvalidRequest\n"
        "from klingo1.references import check_picture, normalise_picture\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "try:\n"
        "    check_picture(path)\n"
        "    print('taken')\n"
        "    normalise_picture(path, path.with_name('out'))\n"
        "except InvalidRequest as error:\n"
        "    print(error.reason)\n"
        "print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_utime)\n"
    )
    make, verdict = BOMBS[name]
    command = [sys.executable, "-c", program, put(make())]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    words, kilobytes, seconds = run.stdout.splitlines()
    assert verdict in words
    assert int(kilobytes) < 300 * 1024
    assert float(seconds) < 5


def test_a_jpeg_of_countless_passes_is_refused_unread(put):
    """Each pass of a progressive JPEG is work over the whole picture; thousands fit into a small file."""
    data = encoded(scene(2000, 2000), "JPEG", progressive=True)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    started = time.monotonic()
    error = refused(put(data[:second] + data[first:second] * 200 + data[second:]))
    assert "passes" in error.reason
    assert time.monotonic() - started < 2


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(
        [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\xff\0\0\0WEBPVP8X"]
    ),
    rest=st.binary(max_size=300),
)
def test_random_bytes_only_ever_raise_invalid_request(put, start, rest):
    """Whatever follows a known start, the verdict is InvalidRequest."""
    refused(put(start + rest))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), form=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "AVIF"]))
def test_a_damaged_picture_is_taken_or_refused_but_never_breaks(put, tmp_path, data, form):
    """Bytes of a sound file overwritten at random places."""
    sound = bytearray(SOUND[form])
    for at in data.draw(st.lists(st.integers(8, len(sound) - 1), min_size=1, max_size=12)):
        sound[at] = data.draw(st.integers(0, 255))
    path = put(bytes(sound))
    try:
        check_picture(path)
        out = normalise_picture(path, tmp_path / "out")
    except InvalidRequest:
        return
    assert format_of(out.read_bytes()) in {"JPEG", "PNG"}


SOUND = {
    form: encoded(Image.effect_noise((320, 310), 40).convert("RGB"), form)
    for form in ("JPEG", "PNG", "WEBP", "GIF")
} | {"AVIF": encoded(scene(320, 310), "AVIF")}


# What stays here


def test_nothing_but_pixels_leaves(put, tmp_path):
    """GPS in EXIF, XMP, IPTC, a JPEG comment and PNG text came with the file and are not in the one sent."""
    secret = b"48.8584 N TROCADERO"
    exif = Image.Exif()
    exif[0x010E] = secret.decode()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    exif.get_ifd(0x8825)[29] = secret.decode()
    iptc = (
        b"Photoshop 3.0\x008BIM\x04\x04\0\0"
        + struct.pack(">I", 5 + len(secret))
        + b"\x1c\x02\x5a\0\x13"
        + secret
    )
    jpeg = encoded(scene(), "JPEG", exif=exif, comment=secret, xmp=b"<x:xmpmeta>" + secret + b"</x:xmpmeta>")
    jpeg = jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + jpeg[2:]
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", secret.decode())
    text.add_itxt("XML:com.adobe.xmp", secret.decode())
    seen_through = scene().convert("RGBA")
    seen_through.putpixel((0, 0), (0, 0, 0, 0))
    png = encoded(seen_through, "PNG", pnginfo=text, exif=exif)
    webp = encoded(scene(), "WEBP", exif=exif, xmp=secret)
    for data in (jpeg, png, webp):
        assert secret in data
        out = normalise_picture(put(data), tmp_path / "out")
        sent = out.read_bytes()
        assert secret not in sent
        assert not any(
            mark in sent for mark in (b"Exif", b"eXIf", b"8BIM", b"xmpmeta", b"iTXt", b"tEXt", b"zTXt")
        )
        with Image.open(out) as result:
            assert not result.getexif().get_ifd(0x8825)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_what_hides_behind_a_picture_is_gone(put, tmp_path, form):
    """A picture that is also a web page or a ZIP archive is only a picture afterwards."""
    tail = b"<script>alert(1)</script>PK\x03\x04secret.txt PK\x05\x06"
    path = put(encoded(scene(), form) + tail)
    check_picture(path)
    sent = normalise_picture(path, tmp_path / "out").read_bytes()
    assert b"<script>" not in sent
    assert b"PK\x05\x06" not in sent
    assert sent.endswith(b"\xff\xd9")


# Advice


def test_advice_names_what_would_help_and_nothing_else(put):
    """A good picture gets none; small, blurred, dark, long and empty ones get their own note."""

    def kinds(image: Image.Image) -> set[str]:
        return {note.kind for note in check_picture(put(encoded(image, "PNG"))).advice}

    soft = Image.fromarray(np.random.default_rng(3).integers(0, 256, (5, 6, 3), dtype=np.uint8))
    assert kinds(scene(1200, 900)) == set()
    assert kinds(scene(400, 400)) == {"small"}
    assert kinds(scene(1800, 750)) == {"ratio"}
    assert kinds(soft.resize((1200, 900), Image.Resampling.BICUBIC)) == {"blurred"}
    assert kinds(scene(1200, 900).point(lambda value: value // 6)) == {"dark"}
    assert kinds(Image.new("RGB", (1200, 900), "teal")) == {"empty"}
    assert kinds(Image.new("RGBA", (1200, 900), (0, 0, 0, 0))) == {"empty"}


def test_near_duplicates_find_the_same_picture_again_and_no_others(put):
    """Scaled and recompressed copies are pairs; other pictures, plain ones and a mirrored one are none."""
    pictures = [
        check_picture(put(encoded(image, form)))
        for image, form in (
            (scene(), "PNG"),
            (scene(seed=2), "PNG"),
            (scene().resize((1000, 750)), "JPEG"),
            (Image.new("RGB", (400, 400), "red"), "PNG"),
            (Image.new("RGB", (400, 400), "blue"), "PNG"),
            (scene().transpose(Image.Transpose.FLIP_LEFT_RIGHT), "PNG"),
            (scene(seed=2).resize((500, 375)), "WEBP"),
        )
    ]
    assert near_duplicates(pictures) == [(0, 2), (1, 6)]
    assert near_duplicates([]) == []
    told = advise_on_set([pictures[0], None, *pictures[1:3]])
    assert told == [(3, Advice("duplicate", "Almost the same as picture 1."))]


def test_one_angle_of_a_character_is_noted_on_its_picture(put):
    """Alone, or beside props and scenes; one without a role may be a character, and a refused one counts."""
    picture = check_picture(put(encoded(scene(900, 900), "PNG")))

    def told(roles, *pictures):
        return [(index, advice.kind) for index, advice in advise_on_set(pictures, roles)]

    assert told((), picture) == [(0, "angle")]
    assert (1, "angle") in told(("scene", "", "prop"), picture, picture, picture)
    assert (1, "angle") not in told(("character", ""), picture, picture)
    assert told(("prop",), picture) == []
    assert told((), None) == []
    assert told((), picture, None) == []


# Names


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("../../x", "x"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("CON", "CON"),
        ("pic\u202egnp.exe", "picgnp.exe"),
        ("a\0b\nc\td.png", "ab c d.png"),
        ("=cmd()", "=cmd()"),
        ("", "picture"),
        ("...", "picture"),
        ("a/", "picture"),
        ("\ud800\u200b", "picture"),
        ("猫 と 犬.jpg", "猫 と 犬.jpg"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
    ],
)
def test_display_names_are_fit_to_be_shown(raw, shown):
    """Only the last part of a path is left, and no character that hides or turns others."""
    assert display_name(raw) == shown


def test_a_name_of_300_characters_is_cut_and_keeps_its_ending():
    """At most 80 characters; the extension says what it is."""
    shown = display_name("x" * 300 + ".jpeg")
    assert len(shown) <= 80
    assert shown.endswith("….jpeg")


@given(st.text(max_size=400))
def test_any_name_becomes_a_short_printable_one(raw):
    """Never empty, never long, never a path, never unprintable, and stable when done twice."""
    shown = display_name(raw)
    assert 1 <= len(shown) <= 80
    assert not set(shown) & set("/\\\0\n\r\t\u202e\u200f\ufeff")
    assert display_name(shown) == shown


def gamma_profile(gamma: float) -> bytes:
    """A minimal RGB matrix profile (ICC version 2) with sRGB's primaries and a plain gamma curve."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78 + 3),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
    }
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += padded
    size = at + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
