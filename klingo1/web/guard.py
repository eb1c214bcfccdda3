"""ASGI middleware: what may reach Gradio.

Gradio fetches addresses for whoever asks (`file=https://…`, a file value with a URL, `proxy=`), reads JSON
bodies of any size into memory, and answers posts from other sites. None of that is needed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON_MAX = 65_536
_API = re.compile(r"^(?:/gradio_api)?/")
_FILE = re.compile(r"^(?:/gradio_api)?/(?:file=|file/|stream/)")
_PROXY = re.compile(r"^(?:/gradio_api)?/proxy=")
_UPLOAD = re.compile(r"^(?:/gradio_api)?/upload/?$")
_ADDRESS = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:|//|\\\\)", re.IGNORECASE)
_DRIVE = re.compile(r"^[a-z]:[\\/]", re.IGNORECASE)
_FILE_KEYS = frozenset({"path", "name"})


class Guard:
    """Refuses remote files (403), posts of other sites (403), odd types (415) and large bodies (413)."""

    def __init__(self, app: App, *, json_max: int = JSON_MAX) -> None:
        self._app = app
        self._json_max = json_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope.get("headers", ())}
        if _PROXY.match(path) or _names_address(path):
            await _deny(send, 403)
            return
        if scope["method"] not in {"POST", "PUT", "PATCH", "DELETE"}:
            await self._app(scope, receive, send)
            return
        if not comes_from_here(headers):
            await _deny(send, 403)
            return
        if _UPLOAD.match(path):
            await self._app(scope, receive, send)
            return
        await self._pass_json(scope, headers, receive, send)

    async def _pass_json(
        self, scope: Scope, headers: MutableMapping[str, str], receive: Receive, send: Send
    ) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._json_max:
                await _deny(send, 413)
                return
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if body and kind != "application/json":
            await _deny(send, 415)
            return
        if kind == "application/json" and _holds_remote_file(body):
            await _deny(send, 403)
            return
        rest = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return rest.pop() if rest else await receive()

        await self._app(scope, replay, send)


def comes_from_here(headers: MutableMapping[str, str]) -> bool:
    """Whether a browser sent this from the page's own origin; programs, which send no origin, may pass."""
    site = headers.get("sec-fetch-site", "")
    if site:
        return site in {"same-origin", "none"}
    origin = headers.get("origin", "")
    if not origin:
        return True
    host = urlsplit(origin).netloc.lower()
    here = {headers.get("host", "").lower(), headers.get("x-forwarded-host", "").lower()} - {""}
    return host in here


def _names_address(path: str) -> bool:
    """A file route that names an address instead of a file, however often it is quoted."""
    match = _FILE.match(path)
    if not match:
        return False
    rest = path[match.end() :]
    for _ in range(3):
        if "://" in rest or _is_address(rest):
            return True
        rest = unquote(rest)
    return False


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.match(text)) and not _DRIVE.match(text)


def _holds_remote_file(body: bytes) -> bool:
    """A file value whose path is an address. Unreadable JSON is left to the application to refuse."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            is_file = "path" in value and (
                "meta" in value or "orig_name" in value or "mime_type" in value or "is_stream" in value
            )
            for key, item in value.items():
                if (
                    key in _FILE_KEYS
                    and isinstance(item, str)
                    and _is_address(item)
                    and (is_file or key == "path")
                ):
                    return True
                waiting.append(item)
        elif isinstance(value, list):
            waiting.extend(value)
    return False


async def _deny(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
