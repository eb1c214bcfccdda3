"""Uploads: a ticket, then the raw bytes to the address it names; or a form where tickets are unknown."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from klingo1.answer import Answer
from klingo1.errors import ApiError, NotSent, RateLimited, Refused, TooLarge, Unavailable
from klingo1.outside import AddressRefused
from klingo1.retry import Backoff
from klingo1.wire import Wire

TRIES = 3
CHUNK = 64 * 1024
"""Bytes a write. One write may take as long as the patience for silence: slow but moving is never aborted."""
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e]{0,2000}")
_OURS = frozenset({"authorization", "connection", "content-length", "cookie", "host", "transfer-encoding"})
_log = logging.getLogger("klingo1.client")


@dataclass(frozen=True, slots=True)
class _Ticket:
    url: str
    headers: Mapping[str, str]
    download_url: str


async def send_file(wire: Wire, file: Path, *, filename: str, content_type: str) -> str:
    """The address under which the service reads `file`. See Client.upload."""
    size = await asyncio.to_thread(lambda: file.stat().st_size)
    wish = {"filename": filename, "size": size, "content_type": content_type}
    backoff = Backoff(first=1.0, factor=2.0)
    last: ApiError = Unavailable("The upload failed.")
    for attempt in range(1, TRIES + 1):
        try:
            answer = await wire.call("POST", wire.address("/media/uploads"), body=wish)
            if _unknown_call(answer):
                return await _send_form(wire, file, filename=filename, content_type=content_type)
            ticket = _read_ticket(wire, answer)
            await _put(wire, ticket, file, size)
        except (NotSent, RateLimited, Unavailable) as error:
            last = error
        else:
            return ticket.download_url
        _log.info("upload: attempt %d of %d failed, status %s", attempt, TRIES, last.status_code)
        if attempt < TRIES:
            await wire.clock.sleep(backoff.wait(at_least=last.retry_after))
    raise last


def _unknown_call(answer: Answer) -> bool:
    fault = answer.fault(now=0.0)
    return isinstance(fault, Refused) and (answer.status in (404, 405) or fault.code in (404, 405))


def _read_ticket(wire: Wire, answer: Answer) -> _Ticket:
    if (fault := answer.fault(now=wire.clock.time())) is not None:
        raise fault
    data = (answer.envelope() or {}).get("data")
    upload = data.get("upload") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(upload, Mapping):
        raise Unavailable("The upload ticket cannot be read.")
    url, headers = upload.get("url"), upload.get("headers") or {}
    if upload.get("method", "PUT") != "PUT" or not isinstance(url, str) or not isinstance(headers, Mapping):
        raise Unavailable("The upload ticket cannot be read.")
    kept: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(value, str) or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Unavailable("The upload ticket names an impossible header.")
        if name.lower() not in _OURS:
            kept[name] = value
    return _Ticket(url, kept, _download_url(data))


def _download_url(data: Mapping[str, object]) -> str:
    url = data.get("download_url")
    if not isinstance(url, str) or not re.fullmatch(r"https?://[\x21-\x7e]{1,4000}", url):
        raise Unavailable("The service named no address for the upload.")
    return url


async def _put(wire: Wire, ticket: _Ticket, file: Path, size: int) -> None:
    headers = {**ticket.headers, "Content-Length": str(size)}
    try:
        async with wire.outside.ask(
            "PUT", ticket.url, headers=headers, content=lambda: _chunks(file)
        ) as response:
            status = response.status_code
    except AddressRefused as error:
        raise Refused("The service named an upload address that must not be asked.") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"The upload was cut ({type(error).__name__}).") from error
    if status == 413:
        raise TooLarge("The service says that this file is too large.", status_code=status)
    if not 200 <= status < 300:
        raise Unavailable(f"The upload was not taken ({status}).", status_code=status)


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    # Opened here: a thread that opens while its caller is cancelled would leave the file open.
    with file.open("rb") as handle:
        while chunk := await asyncio.to_thread(handle.read, CHUNK):
            yield chunk


async def _send_form(wire: Wire, file: Path, *, filename: str, content_type: str) -> str:
    with file.open("rb") as handle:
        form = {"file": (filename, handle, content_type)}
        answer = await wire.call("POST", wire.address("/media/upload/binary"), files=form, seconds=math.inf)
    if (fault := answer.fault(now=wire.clock.time())) is not None:
        raise fault
    data = (answer.envelope() or {}).get("data")
    if not isinstance(data, Mapping):
        raise Unavailable("The service named no address for the upload.")
    return _download_url(data)
