"""Whether a picture's file goes on to its end, by the structure of its format.

Decoders are lenient: they fill the rows that are missing with black or grey, and never look behind the first
frame. A file that broke off on its way would be sent as a picture with a grey foot.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator

_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # all but stuffed bytes, fillers and restarts
_PIECE = 65_536
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a PNG's pixel by its colour type."""
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The seven passes of an interlaced PNG: first column and row, steps to the next ones."""


def is_cut_off(data: bytes, form: str) -> bool:
    """Whether `data`, of one of the five formats, lacks its end, or rows of its first frame (PNG).

    Bytes behind the end do not matter. No pixel is kept: a PNG is inflated in pieces and only counted.
    """
    try:
        return not _ENDS[form](data)
    except (IndexError, zlib.error):
        return True  # it breaks off within a part, or the rest cannot be understood


def jpeg_markers(data: bytes) -> Iterator[int]:
    """The second bytes of the first image's markers, the one that ends it (0xD9) included."""
    at = 2
    while found := _JPEG_MARKER.search(data, at):
        kind, at = data[found.start() + 1], found.end()
        yield kind
        if kind == 0xD9:
            return
        at += int.from_bytes(data[at : at + 2], "big")


def _ends_jpeg(data: bytes) -> bool:
    return 0xD9 in jpeg_markers(data)


def _ends_png(data: bytes) -> bool:
    """It has its last chunk, and its pixel data has every row (bytes: PNG specification, 7 and 8)."""
    at, left, ends = 8, -1, False
    inflater = zlib.decompressobj()
    while at + 12 <= len(data) and not ends:
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 8 + size
        if end + 4 > len(data):
            return False
        if kind == b"IHDR":
            left = _png_bytes(data[at + 8 : end])
        elif kind == b"IDAT":
            for start in range(at + 8, end, _PIECE):
                left -= _inflated(inflater, data[start : min(start + _PIECE, end)], left)
        ends = kind == b"IEND"
        at = end + 4
    return ends and left <= 0


def _png_bytes(header: bytes) -> int:
    """How many bytes the rows of a PNG have, each with the byte that names its filter."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * _SAMPLES.get(header[9], 1)
    passes = _PASSES if header[12] else ((0, 0, 1, 1),)
    total = 0
    for column, row, across, down in passes:
        columns, rows = -(-(width - column) // across), -(-(height - row) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def _inflated(inflater: zlib._Decompress, piece: bytes, most: int) -> int:
    """How many bytes a piece becomes; counted no further than `most`, whatever it would swell to."""
    count = 0
    while piece and count < most and not inflater.eof:
        count += len(inflater.decompress(piece, _PIECE))
        piece = inflater.unconsumed_tail
    return count


def _ends_gif(data: bytes) -> bool:
    at = 13 + _gif_table(data[10])
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            at += 10 + _gif_table(data[at + 9]) + 1
        elif data[at] == 0x21:
            at += 2
        else:
            return False
        while data[at]:
            at += 1 + data[at]
        at += 1
    return True


def _gif_table(flags: int) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _ends_webp(data: bytes) -> bool:
    return 8 + int.from_bytes(data[4:8], "little") <= len(data)


def _ends_avif(data: bytes) -> bool:
    """Every box ends within the file (ISO 14496-12: a size of 0 goes to the end, of 1 stands in 64 bits)."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return True
        if size < 8:
            return False
        at += size
    return at == len(data)


_ENDS: dict[str, Callable[[bytes], bool]] = {
    "JPEG": _ends_jpeg,
    "PNG": _ends_png,
    "GIF": _ends_gif,
    "WEBP": _ends_webp,
    "AVIF": _ends_avif,
}
