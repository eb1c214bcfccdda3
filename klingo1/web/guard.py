"""ASGI middleware: what may reach Gradio, and how its answers leave.

Gradio fetches addresses for whoever asks (`file=https://…`, a file value with a URL, `proxy=`), reads JSON
bodies of any size into memory, answers posts from other sites, and has routes that this page does not use.
Only the routes that the page needs are open. Nothing of a request is logged.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from klingo1.web.answers import Answer, deny, tell
from klingo1.web.bodies import BodyRefused, Reader, Upload, announced
from klingo1.web.headers import secured
from klingo1.web.inspection import (
    ADDRESS_HEADER,
    FILE_ROUTE,
    called_function,
    comes_from_here,
    holds_remote_file,
    names_address,
    read_json,
)
from klingo1.web.policy import Policy
from klingo1.web.rates import Rates, address_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Health = Callable[[], Mapping[str, Any]]
Room = Callable[[int], bool]

_log = logging.getLogger(__name__)
JSON_MAX = 65_536
MCP_MAX = 32_000_000
"""Bytes of one MCP message: pictures may stand in it as data: addresses."""
UPLOAD_MAX = 210_000_000
"""Bytes of one upload request: a clip of 200 MB and its envelope."""
_READS = re.compile(
    r"/(?:|config/?|(?:static|assets|svelte)/.+|favicon\.ico|theme\.css|robots\.txt|manifest\.json"
    r"|pwa_icon(?:/\w+)?|log(?:in|out)(?:/(?:huggingface|callback)?)?"
    r"|gradio_api/(?:info/?|openapi\.json|app_id/?|user/?|login_check/?|startup-events|theme\.css"
    r"|heartbeat/.+|queue/(?:data|status)|upload_progress|call/.+|file=.+))"
)
_WRITES = re.compile(
    r"/gradio_api/(?:queue/join|(?:run|call|call/v2|api)/\w+/?|component_server/?|upload/?|reset/?|cancel)"
)
_STREAMS = re.compile(r"/gradio_api/(?:heartbeat/|queue/data|call/|upload_progress)")
_CALLS = re.compile(r"/gradio_api/(?:component_server|reset|cancel)")
_SERVER = re.compile(r"/gradio_api/component_server/?")
_MCP = "/gradio_api/mcp"
_PROXY = re.compile(r"(?:/gradio_api)?/proxy=")
_LOGOUT = re.compile(r"/logout")
_UPLOAD = re.compile(r"(?:/gradio_api)?/upload/?")


class Guard:
    """Refuses other hosts' names, remote files and posts of other sites (403), closed routes (404), odd types
    (415), large bodies (413), too many requests (429) and files for which there is no `room` (507). Answers
    /healthz itself, and the server functions in `direct`, of which a page asks one each second: Gradio takes
    several times as long on the way to them as they do.
    """

    def __init__(
        self,
        app: App,
        *,
        json_max: int = JSON_MAX,
        policy: Policy | None = None,
        health: Health | None = None,
        room: Room | None = None,
        rates: Rates | None = None,
        direct: Mapping[str, Callable[[object], object]] | None = None,
    ) -> None:
        self._app = app
        self._json_max = json_max
        self._policy = policy or Policy()
        self._health = health
        self._room = room
        self._direct = direct or {}
        self._rates = rates or (Rates() if self._policy.limited else None)
        self._bodies = Reader()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _headers_of(scope)
        answer = Answer(self._secured(scope["path"], headers, send))
        try:
            await self._serve(scope, headers, receive, answer)
        except BodyRefused as refused:
            await deny(answer, refused.status)
        except Exception as error:
            # At a desk the traceback helps its owner; strangers' words and paths stand in it elsewhere.
            if self._rates is None or answer.begun:
                raise
            _log.error("a request could not be served: %s", type(error).__name__)
            await deny(answer, 500)

    async def _serve(self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        if scope["path"] == "/healthz" and self._health is not None:
            facts = await asyncio.to_thread(self._health)
            await tell(send, facts, status=200 if facts.get("ok") else 503)
            return
        status = self._refuses(scope["method"], scope["path"], headers)
        if status:
            await deny(send, status)
            return
        client = self._client(scope, headers)
        scope = self._named(scope, client)
        if scope["method"] in {"GET", "HEAD"}:
            await self._read(scope, client, receive, send)
        else:
            await self._write(scope, headers, client, receive, send)

    def _refuses(self, method: str, path: str, headers: Mapping[str, str]) -> int:
        """The status with which a request ends here, by what stands in its head; 0 lets it go on."""
        if not self._is_our_host(headers.get("host", "")):
            return 403
        if _PROXY.match(path) or names_address(path):
            return 403
        if _LOGOUT.match(path) and not comes_from_here(headers):
            return 403
        if method in {"GET", "HEAD"}:
            if self._is_mcp(path):
                return 405  # no stream of the server's own is offered, which clients take as it is meant
            return 0 if _READS.fullmatch(path) else 404
        if method == "OPTIONS":
            return 403
        if method != "POST":
            return 405
        if not comes_from_here(headers):
            return 403
        return 0 if self._is_mcp(path) or _WRITES.fullmatch(path) else 404

    def _is_mcp(self, path: str) -> bool:
        return self._policy.mcp and path in {_MCP, f"{_MCP}/"}

    def _is_our_host(self, host: str) -> bool:
        if self._policy.hosts is None or not host:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            return bool(ipaddress.ip_address(name))
        except ValueError:
            return name in self._policy.hosts or name.endswith(".localhost")

    def _client(self, scope: Scope, headers: Mapping[str, str]) -> str:
        peer = (scope.get("client") or ("", 0))[0]
        return address_of(peer, headers.get("x-forwarded-for", ""), proxies=self._policy.proxies)

    def _named(self, scope: Scope, client: str) -> Scope:
        """Tell the application whom a request counts for, in place of what anybody may have written there."""
        name = ADDRESS_HEADER.encode()
        kept = [(key, value) for key, value in scope.get("headers", ()) if key.lower() != name]
        told = [(name, client.encode())] if self._rates is not None else []
        return {**scope, "headers": kept + told}

    async def _read(self, scope: Scope, client: str, receive: Receive, send: Send) -> None:
        if _STREAMS.match(scope["path"]):
            await self._one_of_few(client, "stream", send, lambda: self._app(scope, receive, send))
        elif not await self._slowed(client, "read", send):
            await self._app(scope, receive, send)

    async def _write(
        self, scope: Scope, headers: Mapping[str, str], client: str, receive: Receive, send: Send
    ) -> None:
        path = scope["path"]
        if _UPLOAD.fullmatch(path):
            await self._pass_upload(scope, headers, client, receive, send)
        elif self._is_mcp(path):
            await self._pass_tool(scope, headers, client, receive, send)
        else:
            kind = "call" if _CALLS.match(path) else "click"
            if not await self._slowed(client, kind, send):
                await self._one_of_few(
                    client, kind, send, lambda: self._pass_json(scope, headers, client, receive, send)
                )

    async def _one_of_few(
        self, client: str, kind: str, send: Send, serve: Callable[[], Awaitable[None]]
    ) -> None:
        """Serve a request unless its address has too many of that kind under way."""
        if self._rates is None:
            await serve()
        elif not self._rates.begin(client, kind):
            await deny(send, 429, wait=5)
        else:
            try:
                await serve()
            finally:
                self._rates.end(client, kind)

    async def _pass_upload(
        self, scope: Scope, headers: Mapping[str, str], client: str, receive: Receive, send: Send
    ) -> None:
        size = announced(headers)
        if self._rates is not None and size is None:
            await deny(send, 411)
        elif (size or 0) > UPLOAD_MAX:
            await deny(send, 413)
        elif not (
            await self._slowed(client, "upload", send)
            or await self._slowed(client, "upload_bytes", send, size or 0)
            or await self._crowded(send, size or 0)
        ):
            most = UPLOAD_MAX if size is None else size
            form = Upload(receive, headers.get("content-type", ""), most=most)
            await self._one_of_few(client, "upload", send, lambda: self._app(scope, form, send))

    async def _pass_tool(
        self, scope: Scope, headers: Mapping[str, str], client: str, receive: Receive, send: Send
    ) -> None:
        """A program's message: its bytes count as uploaded ones, and a call that waits as an open stream."""
        size = MCP_MAX if self._rates is None else min(MCP_MAX, announced(headers) or 0)
        if await self._slowed(client, "call", send) or await self._slowed(client, "upload_bytes", send, size):
            return
        most = max(size, JSON_MAX)
        await self._one_of_few(
            client, "stream", send, lambda: self._pass_json(scope, headers, client, receive, send, most=most)
        )

    async def _crowded(self, send: Send, size: int) -> bool:
        """Whether the disk has no room for so many bytes, and this was told."""
        if self._room is None or await asyncio.to_thread(self._room, size):
            return False
        await deny(send, 507)
        return True

    async def _slowed(self, client: str, kind: str, send: Send, cost: float = 1.0) -> bool:
        """Whether the address has asked too often and was told so."""
        wait = self._rates.wait_for(client, kind, cost) if self._rates is not None else 0.0
        if wait:
            await deny(send, 429, wait=wait)
        return bool(wait)

    async def _pass_json(
        self, scope: Scope, headers: Mapping[str, str], client: str, receive: Receive, send: Send,
        *, most: int = 0,
    ) -> None:  # fmt: skip
        body = await self._bodies.read(receive, most or self._json_max)
        if body is None:
            return
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if body and kind != "application/json":
            await deny(send, 415)
            return
        if holds_remote_file(document := read_json(body)):
            await deny(send, 403)
            return
        name, data = called_function(document)
        if name == "give_key" and await self._slowed(client, "key", send):
            return
        if name in self._direct and _SERVER.fullmatch(scope["path"]):
            await tell(send, await asyncio.to_thread(self._direct[name], data))
            return
        rest = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return rest.pop() if rest else await receive()

        await self._app(scope, replay, send)

    def _secured(self, path: str, headers: Mapping[str, str], send: Send) -> Send:
        https = self._policy.proxies > 0 and headers.get("x-forwarded-proto", "") == "https"
        is_file = bool(FILE_ROUTE.match(path))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = secured(
                    message.get("headers", ()), is_file=is_file, on_space=self._policy.on_space, https=https
                )
            await send(message)

        return answer


def _headers_of(scope: Scope) -> dict[str, str]:
    """By lower-case name; what stands in several lines is one list, as X-Forwarded-For may."""
    headers: dict[str, str] = {}
    for raw, value in scope.get("headers", ()):
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers
