"""Pictures that broke off: found by their structure, whatever a decoder would make of them."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from klingo1.endings import is_cut_off
from klingo1.errors import InvalidRequest
from klingo1.pictures import format_of
from klingo1.references import check_picture, normalise_picture

NOISE = [Image.effect_noise((320, 310), 40 + n).convert("RGB") for n in range(3)]
FLAT = Image.new("RGB", (320, 310), (10, 120, 30))
SLOPE = Image.linear_gradient("L").resize((320, 310)).convert("RGB")
PASS = ("16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777")
"""In which of the seven passes each pixel of a square of eight by eight comes (PNG specification, 8.2)."""


def encoded(image, form, **options):
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def veiled(image):
    copy = image.copy()
    copy.putalpha(90)
    return copy


SOUND = {
    **{f"{form}, {name}": encoded(image, form)
       for form in ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
       for name, image in (("noise", NOISE[0]), ("one colour", FLAT), ("slope", SLOPE))},
    **{f"{form}, moving": encoded(NOISE[0], form, save_all=True, append_images=NOISE[1:])
       for form in ("PNG", "WEBP", "GIF", "AVIF")},
    **{f"{form}, transparent": encoded(veiled(NOISE[0]), form) for form in ("PNG", "WEBP", "AVIF")},
    "JPEG, progressive": encoded(NOISE[0], "JPEG", progressive=True),
    "JPEG with a thumbnail": encoded(NOISE[0], "JPEG", comment=encoded(FLAT.resize((80, 80)), "JPEG")),
    "WEBP, lossless": encoded(SLOPE, "WEBP", lossless=True),
    "GIF, interlaced": encoded(NOISE[0].convert("P"), "GIF", interlace=1),
    "PNG, palette": encoded(NOISE[0].convert("P"), "PNG"),
    "PNG, one bit": encoded(NOISE[0].convert("1"), "PNG"),
    "PNG, 16 bits": encoded(NOISE[0].convert("L").convert("I;16"), "PNG"),
}  # fmt: skip


def png(rows, size, *, depth, colour, interlaced=False):
    """A PNG around a stream of these bytes; the stream itself is sound, and so is every checksum."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, int(interlaced))
    packed = zlib.compress(rows)
    half = len(packed) // 2
    parts = [(b"IHDR", head)]
    if colour == 3:
        parts.append((b"PLTE", bytes(range(48))))
    parts += [(b"IDAT", packed[:half]), (b"IDAT", packed[half:]), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_file_is_whole_also_with_something_behind_it(name, tmp_path):
    """No ordinary picture is refused, and what hides behind its end is no part of it."""
    file = tmp_path / "a"
    for rest in (b"", b"\0" * 9, b"PK\3\4 something else"):
        form = format_of(SOUND[name])
        if form != "AVIF" or not rest:  # boxes go to the end of the file
            assert not is_cut_off(SOUND[name] + rest, form)
    file.write_bytes(SOUND[name])
    assert check_picture(file).width == 320


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(SOUND)), part=st.floats(0.0, 1.0, exclude_max=True))
@example("PNG, moving", 0.5)
@example("GIF, moving", 0.5)
def test_a_file_is_refused_wherever_it_was_cut(tmp_path, name, part):
    """Any prefix of any picture: neither taken nor sent, in words that name the cause."""
    data, file = SOUND[name], tmp_path / "a"
    file.write_bytes(data[: 64 + int(part * (len(data) - 64))])
    for look in (check_picture, lambda path: normalise_picture(path, tmp_path / "out")):
        with pytest.raises(InvalidRequest) as refused:
            look(file)
        assert "was cut off" in refused.value.reason
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("missing", [1, 2, 5, 13])
def test_the_last_bytes_count(tmp_path, name, missing):
    """A decoder is content when the last pixel is there; a file is whole when its end is."""
    file = tmp_path / "a"
    file.write_bytes(SOUND[name][:-missing])
    with pytest.raises(InvalidRequest, match="was cut off"):
        check_picture(file)


@pytest.mark.parametrize("rows", [0, 1, 150, 299])
def test_rows_that_are_missing_from_a_sound_stream_are_missed(tmp_path, rows):
    """Every chunk, checksum and the stream are as they should be, and Pillow paints the rest black."""
    file = tmp_path / "a.png"
    file.write_bytes(png((b"\0" + bytes(range(256)) * 3 + bytes(192)) * rows, (320, 300), depth=8, colour=2))
    with pytest.raises(InvalidRequest, match="was cut off"):
        check_picture(file)
    file.write_bytes(png((b"\0" + bytes(range(256)) * 3 + bytes(192)) * 301, (320, 300), depth=8, colour=2))
    assert check_picture(file).height == 300


@settings(max_examples=80, deadline=None)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    kind=st.sampled_from([(1, 0), (4, 0), (8, 0), (16, 0), (2, 3), (8, 3), (8, 2), (16, 2), (8, 4), (8, 6)]),
    interlaced=st.booleans(),
)
def test_every_kind_of_png_is_counted_as_its_decoder_counts(width, height, kind, interlaced):
    """Depths, colour types and interlacing: one byte less than all rows is missed, all rows are not."""
    depth, colour = kind
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    total = 0
    for step in "1234567" if interlaced else "-":
        taken = [
            [x for x in range(width) if step == "-" or PASS[y % 8][x % 8] == step] for y in range(height)
        ]
        total += sum(1 + (len(row) * bits + 7) // 8 for row in taken if row)
    whole = png(bytes(total), (width, height), depth=depth, colour=colour, interlaced=interlaced)
    Image.open(BytesIO(whole)).load()
    assert not is_cut_off(whole, "PNG")
    assert is_cut_off(
        png(bytes(total - 1), (width, height), depth=depth, colour=colour, interlaced=interlaced), "PNG"
    )


def test_a_stream_that_swells_is_counted_no_further_than_needed():
    """200 MB behind the last row are not unpacked: nothing of them is looked at."""
    squeeze = zlib.compressobj(9)
    rows = b"".join(squeeze.compress(bytes(1_000_000)) for _ in range(200)) + squeeze.flush()
    head = png(b"", (300, 300), depth=8, colour=0)
    at = head.index(b"IDAT") - 4
    body = struct.pack(">I", len(rows)) + b"IDAT" + rows + struct.pack(">I", zlib.crc32(b"IDAT" + rows))
    assert not is_cut_off(head[:at] + body + head[-12:], "PNG")
