"""The one place where a key meets a request: calls of the API, to its own origin and nowhere else.

Redirects are never followed.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import IO, Any

import httpx

from klingo1.answer import BODY_MAX, Answer
from klingo1.errors import InvalidRequest, KeyMissing, KlingoError, NotSent, SettingsError, Unavailable
from klingo1.lines import Lines
from klingo1.logs import silence_addresses_in_logs
from klingo1.outside import Outside
from klingo1.retry import Clock, Patience, certainly_not_sent
from klingo1.version import VERSION
from klingo1.web.door import resolve

API_PATH = "/api/v3"
_KEY = re.compile(r"[\x21-\x7e]{1,512}")
_LIFETIME = 50 * 365 * 24 * 3600.0  # clocks that differ by more are no clocks
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


class Wire:
    """Calls of the API with one key, and of the hosts it names without it, over lines that may be shared."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        *,
        lines: Lines,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self.key = checked_key(api_key)
        self.base = api_base(base_url)
        self._origin = _origin(self.base)
        self._headers = httpx.Headers(  # its repr hides the key, wherever a traceback shows variables
            {
                "Authorization": f"Bearer {self.key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"klingo1/{VERSION}",
            }
        )
        self.clock = clock
        self.patience = patience
        self._told: tuple[float, float] | None = None
        silence_addresses_in_logs()
        self._lines = lines
        self.outside = Outside(
            lines.strangers, own=self.is_own, resolve=resolve if lines.is_network else None
        )

    @property
    def ahead(self) -> float:
        """Seconds that the service's clock is ahead of this machine's, 0 until an answer has told its time.

        The time since is measured by the clock that nobody sets, so a calendar that jumps is noticed.
        """
        if self._told is None:
            return 0.0
        date, arrived = self._told
        return date + self.clock.monotonic() - arrived - self.clock.time()

    def address(self, path: str) -> str:
        """The full address of an API path such as `/balance`."""
        return str(self.base) + path

    def is_own(self, url: str) -> bool:
        """Whether `url` has the API's own origin: scheme, host and port."""
        try:
            other = _parsed(url)
        except (httpx.InvalidURL, TypeError, ValueError):
            return False
        return not other.userinfo and _origin(other) == self._origin

    async def call(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, IO[bytes], str]] | None = None,
        once: bool = False,
        on_sending: Callable[[], None] | None = None,
        seconds: float | None = None,
        most: int = BODY_MAX,
    ) -> Answer:
        """Ask the API, with the key, and read at most `most` bytes of answer, whatever its status.

        `once` takes a fresh connection; `on_sending` is called just before the first byte leaves, and what it
        raises ends the call unsent. Raises NotSent or Unavailable.
        """
        if not self.is_own(url):
            raise ValueError("the key goes to the API's own origin only")
        limit = self.patience.answer if seconds is None else seconds
        timeout = self._lines.kept.timeout.as_dict()
        if once:  # a slow answer is better than an unknown one
            timeout["read"] = limit
        content = None if body is None else _as_json(body)
        request = httpx.Request(
            method,
            _parsed(url),
            headers=self._headers,
            content=content,
            files=files,
            extensions={"timeout": timeout},
        )
        if content is not None:
            request.headers["Content-Type"] = "application/json"
        announcement = _Announcement(on_sending)
        try:
            async with asyncio.timeout(limit):
                if self._lines.is_network and on_sending is not None:
                    request.extensions = {**request.extensions, "trace": announcement.on_event}
                else:
                    announcement.make()
                with self._lines.line(once=once) as client:
                    response = await client.send(request, stream=True, follow_redirects=False)
                    try:
                        return await self._read(response, most)
                    finally:
                        await response.aclose()
        except Exception as error:
            if announcement.error is not None:
                raise announcement.error from None
            if isinstance(error, KlingoError):
                raise
            kind = NotSent if certainly_not_sent(error) else Unavailable
            words = "The service could not be reached" if kind is NotSent else "The connection was lost"
            raise kind(f"{words} ({type(error).__name__}).") from error

    async def _read(self, response: httpx.Response, most: int) -> Answer:
        body, arrived = bytearray(), self.clock.monotonic()
        async for chunk in raw_chunks(response):
            body += chunk
            if len(body) > most:
                break
        names = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, names, bytes(body[:most]), self.key, most)
        if answer.date is not None and abs(answer.date - self.clock.time()) < _LIFETIME:
            self._told = answer.date, arrived
        return answer


async def raw_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes, not unpacked; also of a response that a test's transport made in one piece."""
    if response.is_stream_consumed:
        yield response.content
        return
    async for chunk in response.aiter_raw():
        yield chunk


class _Announcement:
    """Calls `on_sending` once: when the connection stands and the first byte is about to leave."""

    def __init__(self, callback: Callable[[], None] | None) -> None:
        self._callback = callback
        self.error: BaseException | None = None

    def make(self) -> None:
        callback, self._callback = self._callback, None
        if callback is None:
            return
        try:
            callback()
        except BaseException as error:
            self.error = error
            raise

    async def on_event(self, name: str, _info: Mapping[str, Any]) -> None:
        if name.endswith("send_request_headers.started"):
            self.make()


def checked_key(api_key: str) -> str:
    """The key without white space around it. Raises KeyMissing or InvalidRequest, neither of which repeats
    it.
    """
    key = api_key.strip()
    if not key:
        raise KeyMissing("The paid engine needs a WaveSpeed key.")
    if not _KEY.fullmatch(key):
        raise InvalidRequest(
            "api_key",
            "It holds a character that no key has.",
            "Copy the key again, without quotes or line breaks.",
        )
    return key


def api_base(base_url: str) -> httpx.URL:
    """`…/api/v3` of an origin or of an address that already ends so. Raises SettingsError."""
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL:
        url = httpx.URL("")
    usual = url.scheme in ("http", "https") and _HOST.fullmatch(url.raw_host.decode())
    if not usual or url.userinfo or url.query or url.fragment:
        raise SettingsError(
            "WAVESPEED_BASE_URL must be an http(s) address such as https://api.wavespeed.ai.",
            variable="WAVESPEED_BASE_URL",
        )
    path = url.path.rstrip("/")
    return url.copy_with(path=path if path.endswith(API_PATH) else path + API_PATH)


@functools.lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """A task is asked for at one address again and again; reading it costs a tenth of the whole call."""
    return httpx.URL(url)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


def _as_json(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest("body", "It cannot be written as JSON.", "Send plain values.") from error
