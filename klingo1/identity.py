"""The identity sheet: references at the left, evenly spaced frames at the right, to judge likeness by eye."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from klingo1.decoding import picture_at, spaced_pictures, unreadable
from klingo1.job import Job
from klingo1.keepsakes import Keepsake, keepsakes
from klingo1.request import Engine

WIDTH = 1920
_MARGIN, _GAP, _LABEL = 56, 20, 34
_REFERENCES_WIDTH = 520
_FRAMES_LEFT = _MARGIN + _REFERENCES_WIDTH + 3 * _GAP
_GROUND, _INK, _MUTED, _EMPTY = (247, 246, 243), (27, 26, 24), (93, 90, 84), (232, 229, 222)
_DRAFT_GROUND, _DRAFT_INK = (255, 226, 150), (92, 56, 0)


def draw_identity_sheet(job: Job, video: Path) -> Image.Image:
    """The sheet, 1,920 px wide. Raises InvalidRequest when the video cannot be read."""
    first = picture_at(video, 0)
    columns, rows = _grid(first)
    cell = (WIDTH - _MARGIN - _FRAMES_LEFT - (columns - 1) * _GAP) // columns
    height = max(1, round(cell * first.height / first.width))
    frames = [(at, picture.resize((cell, height))) for at, picture in spaced_pictures(video, columns * rows)]
    if not frames:
        raise unreadable("The file holds no picture.")
    rows = -(-len(frames) // columns)
    body = rows * (height + _LABEL + _GAP) - _GAP
    head = _head(job)
    sheet = Image.new("RGB", (WIDTH, head.height + body + _MARGIN - 12), _GROUND)
    sheet.paste(head, (0, 0))
    for number, (seconds, picture) in enumerate(frames):
        left = _FRAMES_LEFT + number % columns * (cell + _GAP)
        top = head.height + number // columns * (height + _LABEL + _GAP)
        _place(sheet, picture, (left, top))
        _write(sheet, (left, top + height + 7), f"{seconds:.1f} s", 18, _MUTED)
    _draw_references(sheet, list(keepsakes(job, longest=1200)), head.height, body)
    return sheet


def _grid(frame: Image.Image) -> tuple[int, int]:
    """Columns and rows that give frames of this shape the most room."""
    ratio = frame.width / frame.height
    return (3, 3) if ratio > 1.2 else (4, 3) if ratio > 0.8 else (5, 2)


def _head(job: Job) -> Image.Image:
    """What was asked, by which engine, when; as high as it needs."""
    draft = job.engine is Engine.DRAFT
    lines = _lines(job.request.prompt, 24, WIDTH - 2 * _MARGIN, most=2)
    head = Image.new("RGB", (WIDTH, _MARGIN + 52 + 34 * len(lines) + (24 if lines else 0) + 38), _GROUND)
    left = _MARGIN
    if draft:
        width = round(_font(20).getlength("DRAFT")) + 28
        box = (left, _MARGIN - 4, left + width, _MARGIN + 32)
        ImageDraw.Draw(head).rounded_rectangle(box, 8, fill=_DRAFT_GROUND)
        _write(head, (left + 14, _MARGIN + 2), "DRAFT", 20, _DRAFT_INK)
        left += width + 16
    made = datetime.fromtimestamp(job.created_at).astimezone().strftime("%Y-%m-%d")
    engine = "klingo1 draft engine" if draft else "Kling O1"
    facts = (engine, f"{job.request.duration} s", job.request.aspect_ratio, made)
    _write(head, (left, _MARGIN + 1), "   ·   ".join(facts), 22, _INK)
    for number, line in enumerate(lines):
        _write(head, (_MARGIN, _MARGIN + 52 + 34 * number), line, 24, _MUTED)
    _write(head, (_MARGIN, head.height - 34), "References", 20, _INK)
    _write(head, (_FRAMES_LEFT, head.height - 34), "Frames", 20, _INK)
    return head


def _draw_references(sheet: Image.Image, found: Sequence[Keepsake], top: int, height: int) -> None:
    columns, size = _reference_cells(found, height)
    for number, keepsake in enumerate(found):
        left = _MARGIN + number % columns * (size[0] + _GAP)
        upper = top + number // columns * (size[1] + _LABEL + _GAP)
        shown = _fitted(keepsake, size)
        if keepsake.picture is None:
            _write(shown, (16, shown.height // 2 - 11), keepsake.missing, 18, _MUTED)
        _place(sheet, shown, (left, upper))
        label = f"{keepsake.name}  {keepsake.role}".strip()
        _write(sheet, (left, upper + shown.height + 7), label, 18, _MUTED)


def _reference_cells(found: Sequence[Keepsake], height: int) -> tuple[int, tuple[int, int]]:
    """How many columns, and the cell's size in pixels, at which the references show largest."""
    best = (0.0, 1, (1, 1))
    for columns in (1, 2, 3):
        rows = max(1, -(-len(found) // columns))
        cell = (
            (_REFERENCES_WIDTH - (columns - 1) * _GAP) // columns,
            max(40, (height + _GAP) // rows - _LABEL - _GAP),
        )
        area = sum(w * h for w, h in (_fitted_size(keepsake, cell) for keepsake in found))
        best = max(best, (area, columns, cell))
    return best[1], best[2]


def _fitted_size(keepsake: Keepsake, cell: tuple[int, int]) -> tuple[int, int]:
    width, height = keepsake.picture.size if keepsake.picture else (4, 3)
    factor = min(cell[0] / width, cell[1] / height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _fitted(keepsake: Keepsake, cell: tuple[int, int]) -> Image.Image:
    size = _fitted_size(keepsake, cell)
    if keepsake.picture is None:
        return Image.new("RGB", size, _EMPTY)
    return keepsake.picture.resize(size, Image.Resampling.LANCZOS)


def _place(sheet: Image.Image, picture: Image.Image, at: tuple[int, int]) -> None:
    """Paste with round corners, drawn larger first so that they are smooth."""
    mask = Image.new("L", (picture.width * 2, picture.height * 2), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), 20, fill=255)
    sheet.paste(picture, at, mask.resize(picture.size, Image.Resampling.LANCZOS))


def _write(
    picture: Image.Image, at: tuple[int, int], words: str, size: int, colour: tuple[int, int, int]
) -> None:
    ImageDraw.Draw(picture).text(at, words, font=_font(size), fill=colour)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _lines(text: str, size: int, width: int, *, most: int) -> list[str]:
    """The text in at most `most` lines of `width` px; none when the only font here lacks its script."""
    words = "".join(c if c.isprintable() else " " for c in text).split()
    if not all(_drawable(c) for c in set("".join(words))):
        return []
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if _font(size).getlength(longer) <= width:
            lines[-1] = longer
        elif len(lines) == most:
            lines[-1] = _cut(f"{lines[-1]} {word}", size, width)
            break
        else:
            lines.append(_cut(word, size, width))
    return [line for line in lines if line]


def _cut(line: str, size: int, width: int) -> str:
    """The line, shortened with three dots when it is too long."""
    if _font(size).getlength(line) <= width:
        return line
    while line and _font(size).getlength(f"{line}...") > width:
        line = line[:-1]
    return f"{line}..."


def _drawable(character: str) -> bool:
    font = _font(24)
    absent = font.getmask("\U0010ffff")
    return bytes(font.getmask(character)) != bytes(absent)
