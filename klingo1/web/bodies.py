"""Request bodies: how many bytes, how slowly, in how many pieces.

What a head announces is not believed: bytes are counted as they come. A body that stalls is given up, so that
a connection that sends nothing costs little and not for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]

WHOLE_SECONDS = 30.0
"""For a body that is read into memory."""
SILENCE_SECONDS = 30.0
UPLOAD_SECONDS = 1800.0
"""The longest silence, and the whole time, of an upload."""
FILES_MAX = 40
"""Files in one upload."""
HELD_MAX = 256_000_000
"""Bytes of bodies that are held in memory at once, all visitors together."""
_BOUNDARY_MAX = 200


class BodyRefused(Exception):
    """A body that is not read to its end; `status` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class UploadRefused(MultipartParseError):
    """Raised into Gradio's reading of an upload, which then removes what it has written and answers 400."""


def announced(headers: Mapping[str, str]) -> int | None:
    """The length that a request announces; None for none, or none that can be believed."""
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdecimal() and len(length) <= 20):
        return None
    return int(length)


class Reader:
    """Reads bodies into memory, a bounded number of bytes at once. Belongs to one event loop."""

    def __init__(self, most: int = HELD_MAX, *, seconds: float = WHOLE_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._held = 0

    async def read(self, receive: Receive, most: int) -> bytes | None:
        """A body of at most `most` bytes; None when its sender has gone.

        Raises BodyRefused: 413 for more bytes, 408 when they come too slowly, 503 when others hold too many.
        """
        parts = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    part = message.get("body", b"")
                    parts += part
                    self._held += len(part)
                    more = message.get("more_body", False)
                    if len(parts) > most:
                        raise BodyRefused(413)
                    if self._held > self._most:
                        raise BodyRefused(503)
        except TimeoutError:
            raise BodyRefused(408) from None
        finally:
            self._held -= len(parts)
        return bytes(parts)


class Upload:
    """Stands between an upload and Gradio, which keeps form fields without a file name whole in memory.

    Call it in place of `receive`. Raises BodyRefused(415) at once for what is no form.
    """

    def __init__(
        self, receive: Receive, content_type: str, *, most: int, silence: float = SILENCE_SECONDS
    ) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= _BOUNDARY_MAX:
            raise BodyRefused(415)
        self._receive = receive
        self._left = most
        self._silence = silence
        self._until = asyncio.get_running_loop().time() + UPLOAD_SECONDS
        self._files = 0
        self._name, self._value, self._disposition = bytearray(), bytearray(), b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._check_part,
            },
        )

    async def __call__(self) -> Message:
        """The next message. Raises MultipartParseError, as the parser does for an overlong head."""
        pause = min(self._silence, self._until - asyncio.get_running_loop().time())
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, pause))
        except TimeoutError:
            raise UploadRefused("it came too slowly") from None
        if message["type"] == "http.disconnect":
            raise UploadRefused("its sender has gone")
        body = message.get("body", b"")
        self._left -= len(body)
        if self._left < 0:
            raise UploadRefused("it is longer than allowed")
        self._parser.write(body)
        return message

    # A part is judged as Gradio's own parser judges it: by the last of its Content-Disposition headers.

    def _begin_part(self) -> None:
        self._disposition = b""

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _check_part(self) -> None:
        self._files += 1
        if self._files > FILES_MAX or b"filename" not in parse_options_header(self._disposition)[1]:
            raise UploadRefused("it is not a number of files")
