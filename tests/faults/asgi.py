"""The fake service without a socket, for tests of in-process use."""

from __future__ import annotations

from typing import Any

from faults.service import Seen, Service, route_of


class FaultlessApp:
    """An ASGI application around a Service; `requests` lists what was seen."""

    def __init__(self, origin: str, **service: Any) -> None:
        self.service = Service(**service)
        self.service.url = origin
        self.requests: list[Seen] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        path = scope["raw_path"].decode() + ("?" + scope["query_string"].decode()).rstrip("?")
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        route, argument = route_of(scope["method"], path)
        seen = Seen(route, scope["method"], path, headers, body, argument)
        self.requests.append(seen)
        reply = self.service.answer(seen)
        packed = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": packed})
        await send({"type": "http.response.body", "body": reply.content()})
