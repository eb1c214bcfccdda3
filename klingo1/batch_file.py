"""A list of requests as a file: JSON Lines with the contract's own field names, or CSV with the same columns.

A misspelt name would be billed with defaults, so unknown ones are errors. Every line is checked before any
is sent. Local references are relative to the file's folder; in CSV several pictures are parted by `|`.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klingo1.errors import InvalidRequest
from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    DRAFT_SIZES,
    DURATION_DEFAULT,
    DraftOptions,
    Engine,
    Reference,
    VideoRequest,
)

FIELDS = (
    "prompt",
    "images",
    "video",
    "duration",
    "aspect_ratio",
    "keep_original_sound",
    "size",
    "roles",
    "name",
)
LINES_MAX = 10_000
Find = Callable[[str, str], Reference]
"""(name in the list, field) → the reference it stands for. Raises InvalidRequest."""
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Line:
    """One request of the file. `number` counts from 1 as an editor does; `name` is the person's own word."""

    number: int
    request: VideoRequest
    name: str = ""


@dataclass(frozen=True, slots=True)
class WrongLine:
    """A line that cannot be made, and why."""

    number: int
    error: InvalidRequest


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A file as read: its lines, those that are wrong, and a digest of its bytes."""

    path: Path
    digest: str
    lines: tuple[Line, ...]
    wrong: tuple[WrongLine, ...]


def read_requests(path: Path, *, find: Find | None = None) -> RequestFile:
    """Read a .jsonl or .csv file; nothing that it names is opened yet.

    `find` says which reference a name stands for; without it names are files, relative to the list's folder.
    Raises OSError, and InvalidRequest when it is no such file or holds no request.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest("requests", "The file is not UTF-8 text.", "Save it as UTF-8.") from error
    folder = path.parent
    find = find or (lambda name, _: folder / Path(name).expanduser())
    kind = path.suffix.lower()
    if kind not in {".jsonl", ".ndjson", ".csv"}:
        raise InvalidRequest("requests", "It is neither .jsonl nor .csv.", "Name it for what is in it.")
    rows = _csv_rows(text) if kind == ".csv" else _json_rows(text)
    lines: list[Line] = []
    wrong: list[WrongLine] = []
    for number, row in rows:
        try:
            if isinstance(row, InvalidRequest):
                raise row
            lines.append(_line(number, row, find))
        except InvalidRequest as error:
            wrong.append(WrongLine(number, error))
    if not 1 <= len(lines) + len(wrong) <= LINES_MAX:
        count = len(lines) + len(wrong)
        raise InvalidRequest("requests", f"It holds {count:,} requests.", f"Give 1 to {LINES_MAX:,}.")
    return RequestFile(path, hashlib.blake2b(content, digest_size=16).hexdigest(), tuple(lines), tuple(wrong))


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | InvalidRequest]]:
    # Not splitlines(): a JSON string may hold U+2028, which is no line end here.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            yield number, row
        else:
            yield number, InvalidRequest("line", "It is not a JSON object.", "Write one object a line.")


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | InvalidRequest]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        begun = reader.line_num + 1
        for cells in reader:
            number, begun = begun, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                reason = f"It has {len(cells)} cells, the header {len(header)}."
                yield number, InvalidRequest("line", reason, 'Put text with commas into "…".')
            else:
                yield number, _from_cells(dict(zip(header, cells, strict=False)))
    except csv.Error as error:
        raise InvalidRequest("requests", f"It is not CSV: {error}.", "Save it as CSV again.") from error


def _from_cells(cells: Mapping[str, str]) -> dict[str, Any]:
    """A row's text as the types of the contract; what cannot be read is left for the checks to name."""
    row: dict[str, Any] = {}
    for name, cell in cells.items():
        value = cell.strip()
        if not value and name != "prompt":
            continue
        if name in {"images", "roles"}:
            row[name] = [part.strip() for part in value.split("|")]
        elif name == "duration":
            row[name] = int(value) if value.isdecimal() and len(value) < 6 else value
        elif name == "keep_original_sound":
            row[name] = _FLAGS.get(value.lower(), value)
        else:
            row[name] = cell if name == "prompt" else value
    return row


def _line(number: int, row: Mapping[str, Any], find: Find) -> Line:
    for name in row:
        if name not in FIELDS:
            near = difflib.get_close_matches(str(name), FIELDS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(FIELDS)}."
            raise InvalidRequest(str(name)[:40], "There is no such field.", hint)
    size, roles = row.get("size", DRAFT_SIZES[0]), row.get("roles", [])
    video = row.get("video")
    request = VideoRequest(
        prompt=row.get("prompt", ""),
        images=tuple(_reference(i, f"images[{n}]", find) for n, i in enumerate(_texts(row, "images"))),
        video=None if video in {None, ""} else _reference(video, "video", find),
        keep_original_sound=row.get("keep_original_sound", True),
        aspect_ratio=row.get("aspect_ratio", ASPECT_RATIO_DEFAULT),
        duration=row.get("duration", DURATION_DEFAULT),
        draft=DraftOptions(
            size=str(size), roles=DraftOptions.from_wire({"roles": roles}).roles if roles else ()
        ),
    )
    return Line(number, request, str(row.get("name", ""))[:200])


def _texts(row: Mapping[str, Any], name: str) -> Sequence[object]:
    value = row.get(name, [])
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise InvalidRequest(name, "It is not a list.", "Give a list of files or https addresses.")
    return value


def _reference(value: object, field: str, find: Find) -> Reference:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise InvalidRequest(field, "It names nothing.", "Give a file or an https address.")
    if value.lower().startswith(("https://", "http://")):
        return value
    return find(value, field)


def group_of(file: RequestFile, engine: Engine) -> str:
    """The name under which the ledger knows this file with this engine; the same file is the same group."""
    return f"batch/{engine.value}/{file.digest}"
