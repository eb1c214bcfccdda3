"""Peak memory and time of each hostile picture and clip: `python benchmarks/hostile_media.py`.

Every file is made here and judged by the hosted page's own intake, each in a fresh decoding process, whose
peak is read from /proc (Linux). A verdict in words is an answer; a process that had to be ended is one, too.
"""

import io
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from klingo1.errors import InvalidRequest
from klingo1.intake_process import Apart
from klingo1.request import Engine

MIB = 2**20


def saved(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth=1, colour=0, extra=b"", *, rows=None):
    row = b"\0" * (1 + (width * depth * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8)
    squeezer = zlib.compressobj(9)
    pixels = b"".join(squeezer.compress(row) for _ in range(height if rows is None else rows))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", pixels + squeezer.flush())
        + chunk(b"IEND", b"")
    )


def apng(frames=400, side=2000):
    picture = Image.new("RGB", (side, side))
    return saved(
        picture,
        "PNG",
        save_all=True,
        append_images=[Image.new("RGB", (side, side), n) for n in range(frames // 40)],
    )


def jpeg_of_scans(scans):
    """A sound progressive JPEG whose last scan comes again and again."""
    data = saved(Image.radial_gradient("L").resize((4400, 4400)), "JPEG", progressive=True, quality=30)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * scans + data[-2:]


def box(kind, data=b"", size=None):
    return struct.pack(">I", 8 + len(data) if size is None else size) + kind + data


def mp4(*boxes):
    return box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + b"".join(boxes)


def trak(number):
    header = box(b"tkhd", struct.pack(">IIII", 3, 0, 0, number) + b"\0" * 68)
    handler = box(b"hdlr", b"\0" * 8 + b"vide" + b"\0" * 13)
    return box(
        b"trak", header + box(b"mdia", box(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, 1000, 1000, 0)) + handler)
    )


def dref(path):
    """A track whose samples lie in another file."""
    entry = box(b"alis", b"\0\0\0\0" + path.encode())
    info = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1) + entry))
    return box(b"trak", box(b"tkhd", b"\0" * 84) + box(b"mdia", box(b"minf", info)))


def pictures():
    profile = zlib.compress(b"\0" * 200 * MIB, 9)
    huge = b"\xff\xff\xff\xff" * 4000
    yield "PNG 12,000² of 1 bit", png(12_000, 12_000)
    yield "PNG 20,000² of 1 bit", png(20_000, 20_000)
    yield "PNG 6,300² of 64 bits", png(6_300, 6_300, 16, 6)
    yield "PNG that ends after 10 rows", png(6_300, 6_300, 8, 6, rows=10)
    yield "PNG, profile of 200 MB", png(2_000, 2_000, 8, 2, chunk(b"iCCP", b"x\0\0" + profile))
    yield "PNG, text of 200 MB", png(2_000, 2_000, 8, 2, chunk(b"zTXt", b"x\0\0" + profile))
    yield "PNG, 20,000 text chunks", png(2_000, 2_000, 8, 2, chunk(b"tEXt", b"k\0" + b"v" * 20) * 20_000)
    yield "PNG of 2³¹ pixels in its head", png(2**31 - 1, 1, rows=1)
    yield "APNG of many frames", apng()
    yield "JPEG of 39 scans", jpeg_of_scans(29)
    yield "JPEG of 1,000 scans", jpeg_of_scans(1000)
    yield "JPEG, 65,500² in its head", jpeg_of_scans(0).replace(b"\x11\x30\x11\x30", b"\xff\xdc\xff\xdc", 1)
    yield "TIFF bomb", b"II*\0" + huge
    yield (
        "WebP of 16,383² in its head",
        b"RIFF\xff\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\xfe\x3f\0\xfe\x3f\0" + huge,
    )
    yield "WebP of 3,500²", saved(Image.new("RGB", (3_500, 3_500), 9), "WEBP")
    yield (
        "GIF of 30 frames",
        saved(
            Image.new("P", (1_500, 1_500)),
            "GIF",
            save_all=True,
            append_images=[Image.new("P", (1_500, 1_500), n) for n in range(1, 30)],
        ),
    )
    yield "AVIF of 6,000²", saved(Image.new("RGB", (6_000, 6_000), 9), "AVIF", speed=10)
    yield "AVIF of 3,500²", saved(Image.new("RGB", (3_500, 3_500), 9), "AVIF", speed=10)
    yield "AVIF, half", saved(Image.new("RGB", (3_000, 3_000), 9), "AVIF", speed=10)[:300]


def videos():
    yield "MP4, box of 2⁶³ bytes", mp4(box(b"moov", struct.pack(">Q", 2**63 - 1), size=1))
    yield "MP4, 20,000 tracks", mp4(box(b"moov", b"".join(map(trak, range(20_000)))))
    yield (
        "MP4, sample table of 2³²",
        mp4(box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", box(b"stsz", b"\xff" * 12))))))),
    )
    yield (
        "MP4, nested 5,000 deep",
        mp4(*[box(b"moov" if n % 2 else b"trak", size=40_000) for n in range(5_000)]),
    )
    yield "MP4, reference to /etc/passwd", mp4(box(b"moov", dref("/etc/passwd")))
    yield "MP4, 30 MB of metadata", mp4(box(b"moov", box(b"udta", box(b"meta", b"\0" * 30 * MIB))))
    yield "playlist named .mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    yield "ffconcat named .mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"
    yield (
        "Matroska of unknown size",
        b"\x1aE\xdf\xa3\x01" + b"\xff" * 7 + b"\x18S\x80g\x01" + b"\xff" * 7 + b"\0" * 1000,
    )


def judged(path, *, clip):
    """(verdict, seconds, MiB at most) in a process of its own."""
    apart = Apart()
    began = time.monotonic()
    try:
        found = apart.check_clip(path, engine=Engine.DRAFT) if clip else apart.check_picture(path)
        said = f"taken, {found.width:,} × {found.height:,}"
    except InvalidRequest as error:
        said = error.reason
    seconds = time.monotonic() - began
    decoder = next((one for one in list(apart._free.queue) if one is not None), None)
    peak = 0
    if decoder is not None:
        status = Path(f"/proc/{decoder.process.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
    apart.close()
    return said, seconds, peak


def main():
    print(f"{'file':34} {'bytes':>10}  {'s':>5} {'peak MB':>8}  verdict")
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        for clip, files in ((False, pictures()), (True, videos())):
            for number, (name, data) in enumerate(files):
                path = Path(folder, f"{number}.{'mp4' if clip else 'png'}")
                path.write_bytes(data)
                said, seconds, peak = judged(path, clip=clip)
                worst = max(worst, peak)
                shown = f"{peak:8}" if peak else "   ended"
                print(f"{name:34} {len(data):10,}  {seconds:5.1f} {shown}  {said[:90]}", flush=True)
    print(f"worst peak of a decoding process: {worst} MB")


if __name__ == "__main__":
    main()
