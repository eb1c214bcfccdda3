"""Results, fetched to disk whole or not at all: resumed, checked for length and MP4 structure, then renamed.

Beside `<name>.part` stands `<name>.part.json` with the ETag of what is being fetched and its length. A cut
download goes on with Range and If-Range; when the answer does not fit what is on disk, it starts from zero.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from klingo1.errors import DownloadFailed
from klingo1.moments import Moment, reached
from klingo1.outside import AddressRefused
from klingo1.retry import Backoff
from klingo1.whole import flush, flush_folder
from klingo1.wire import Wire, raw_chunks

SIZE_MAX = 500 * 2**20
SMALL_MAX = 4 * 2**20
TRIES = 5
"""Attempts in a row that bring nothing new; one that brings bytes starts the count anew."""
REFRESHES = 3
REDIRECTS = 5
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")
_log = logging.getLogger("klingo1.client")

Refresh = Callable[[], Awaitable[str]]
Progress = Callable[[int, int | None], None]


class _Stale(Exception):
    """The address does not give the result any more; a fresh one may."""


class _Again(Exception):
    """One attempt failed; the next may succeed. `from_zero` when what is on disk is of no use."""

    def __init__(self, reason: str, *, from_zero: bool = False) -> None:
        super().__init__(reason)
        self.from_zero = from_zero


@dataclass
class _Part:
    """What has been fetched so far, and of which version of the file."""

    path: Path
    note: Path
    etag: str = ""
    total: int | None = None

    @classmethod
    def beside(cls, to: Path) -> _Part:
        part = cls(to.with_name(to.name + ".part"), to.with_name(to.name + ".part.json"))
        try:
            known = json.loads(part.note.read_text("utf-8"))
            etag, total = known["etag"], known["total"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return part
        part.etag = etag if isinstance(etag, str) and _strong(etag) else ""
        part.total = total if isinstance(total, int) and not isinstance(total, bool) else None
        return part

    @property
    def size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def complete(self) -> bool:
        return self.total is not None and self.size == self.total

    def remember(self, *, etag: str, total: int | None) -> None:
        self.etag, self.total = etag, total
        self.note.write_text(json.dumps({"etag": etag, "total": total}), "utf-8")

    def discard(self) -> None:
        self.etag, self.total = "", None
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def publish(self, to: Path) -> None:
        """Rename it, when it is whole and every byte is on the disk itself."""
        if not is_whole_mp4(self.path):
            if _looks_like_a_page(self.path):
                self.discard()
                raise _Stale
            raise _Again("what came is not a whole MP4", from_zero=True)
        flush(self.path)
        reached(Moment.FSYNCED)
        self.path.replace(to)
        reached(Moment.RENAMED)
        self.note.unlink(missing_ok=True)
        flush_folder(to.parent)


async def fetch_small(wire: Wire, url: str) -> bytes:
    """A file of the API's own origin, at most `SMALL_MAX` bytes of it. Raises ApiErrors and ValueError."""
    answer = await wire.call("GET", url, most=SMALL_MAX)
    if answer.status != 200:
        raise DownloadFailed(f"The service answered {answer.status}.")
    return answer.body


async def fetch(
    wire: Wire,
    url: str,
    to: Path,
    *,
    refresh: Refresh | None,
    limit: int,
    on_progress: Progress | None,
) -> Path:
    """`to`, holding the whole video. See Client.download."""
    part = _Part.beside(to)
    backoff, failures, refreshes = _waits(), 0, 0
    while True:
        before = part.size
        try:
            if not part.complete:
                await _attempt(wire, url, part, limit, on_progress)
            await asyncio.to_thread(part.publish, to)
            return to
        except AddressRefused as error:
            raise DownloadFailed("The result's address must not be asked.") from error
        except _Stale as error:
            refreshes += 1
            fresh = await refresh() if refresh is not None and refreshes <= REFRESHES else ""
            if not fresh:
                raise DownloadFailed("The service no longer has this result.", expired=True) from error
            url = fresh
            _log.info("download: address is stale, asked for a fresh one (%d of %d)", refreshes, REFRESHES)
        except (_Again, httpx.HTTPError, TimeoutError) as error:
            from_zero = isinstance(error, _Again) and error.from_zero
            grown = not from_zero and part.size > before and bool(part.etag)
            if from_zero:
                part.discard()
            if grown:
                backoff, failures = _waits(), 0
            failures += 1
            _log.info("download: attempt failed (%s), %d in a row", type(error).__name__, failures)
            if failures >= TRIES:
                words = f"The result could not be fetched: {_reason(error)}."
                raise DownloadFailed(words, retriable=True) from error
        await wire.clock.sleep(backoff.wait())


def _waits() -> Backoff:
    return Backoff(first=0.5, factor=2.0)


async def _attempt(wire: Wire, url: str, part: _Part, limit: int, on_progress: Progress | None) -> None:
    start = part.size if part.etag else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": part.etag}
    for _ in range(REDIRECTS + 1):
        async with wire.outside.ask("GET", url, headers=headers) as response:
            if not response.has_redirect_location:
                await _receive(response, part, start, limit, on_progress)
                return
            url = _joined(url, response.headers["location"])
    raise _Again("too many redirects")


async def _receive(
    response: httpx.Response, part: _Part, start: int, limit: int, on_progress: Progress | None
) -> None:
    status, etag = response.status_code, response.headers.get("etag", "")
    if status in (401, 403, 404, 410):
        raise _Stale
    if status == 416:
        raise _Again("the range does not fit", from_zero=True)
    if status not in (200, 206):
        raise _Again(f"status {status}")
    if "html" in response.headers.get("content-type", "").lower():
        raise _Stale
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Again("the answer is packed")
    end = None
    if status == 206:  # it may hold less than was asked for; the next attempt asks for what is left
        end, total = _range(response, start)
        if not start or total is None or etag not in ("", part.etag) or part.total not in (None, total):
            raise _Again("the part does not fit what is on disk", from_zero=True)
    else:
        start, total = 0, _length(response)
    if total is not None and total > limit:
        part.discard()
        raise DownloadFailed(f"The result is larger than {limit // 2**20} MB.")
    with part.path.open("ab" if start else "wb") as handle:
        known = part.etag if start else _strong(etag)
        await asyncio.to_thread(part.remember, etag=known, total=total)
        received = start
        async for chunk in raw_chunks(response):
            received += len(chunk)
            if received > limit:
                break
            handle.write(chunk)
            if on_progress is not None:
                on_progress(received, total)
    if received > limit:
        part.discard()
        raise DownloadFailed(f"The result is larger than {limit // 2**20} MB.")
    announced = total if end is None else end
    if announced is not None and received > announced:
        raise _Again("more came than was announced", from_zero=True)
    if total is not None and received < total:
        raise _Again("the length is not the one announced")


def is_whole_mp4(path: Path) -> bool:
    """Whether `path` is an MP4 whose top-level boxes (ISO 14496-12) end exactly at its end, with ftyp, moov
    and mdat among them. Reads a few bytes a box.
    """
    seen: set[bytes] = set()
    try:
        with path.open("rb") as handle:
            end = handle.seek(0, os.SEEK_END)
            position = 0
            while position < end:
                handle.seek(position)
                head = handle.read(16)
                size, kind = int.from_bytes(head[:4], "big"), head[4:8]
                if size == 1:  # a 64-bit size follows
                    size = int.from_bytes(head[8:16], "big")
                    if size < 16:
                        return False
                elif size == 0:  # the last box says: to the end; a cut cannot be told from it
                    size = end - position if kind == b"mdat" else -1
                if size < 8 or len(kind) < 4 or (position == 0 and kind != b"ftyp"):
                    return False
                seen.add(kind)
                position += size
    except FileNotFoundError:
        return False
    return position == end and {b"ftyp", b"moov", b"mdat"} <= seen


def _looks_like_a_page(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(64).lstrip()[:1] in (b"<", b"{")  # HTML or XML, or a JSON error, under status 200


def _joined(url: str, location: str) -> str:
    try:
        return str(httpx.URL(url).join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise _Again("a redirect to nowhere") from error


def _strong(etag: str) -> str:
    """The ETag when it can vouch for single bytes, else nothing."""
    return etag if re.fullmatch(r'"[\x21\x23-\x7e]{1,200}"', etag) else ""


def _length(response: httpx.Response) -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _range(response: httpx.Response, start: int) -> tuple[int | None, int | None]:
    """Where a partial answer that begins at `start` ends, and the whole length; None for any other."""
    found = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if found is None or found[3] == "*" or int(found[1]) != start:
        return None, None
    end, total = int(found[2]) + 1, int(found[3])
    return (end, total) if start < end <= total else (None, None)


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, _Again) else type(error).__name__
