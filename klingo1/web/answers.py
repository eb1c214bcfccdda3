"""The guard's own answers: refusals without a word, and the host's probe."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Answer:
    """Sends, and knows whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:  # noqa: D102 - ASGI
        self.begun = True
        await self._send(message)


async def deny(send: Send, status: int, *, wait: float = 0.0) -> None:
    """Answer with a status alone; `wait` is in how many seconds asking again makes sense."""
    headers = [(b"content-length", b"0")]
    if wait:
        headers.append((b"retry-after", str(max(1, math.ceil(wait))).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def tell(send: Send, value: object, *, status: int = 200) -> None:
    """Answer with a value as JSON."""
    body = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
