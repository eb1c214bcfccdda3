"""What a server can do wrong, as small values. A route gets a list of them: one a call, then it behaves.

    FaultServer(faults={"submit": [Reset(after="body")], "download": [Cut(at=0.6), None, Reply(403)]})
    FaultServer(faults={"result": Always(Reply(502, b"{}"))})

None stands for a call that is served well. Those with `billed` say whether the service did its work before.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Reply:
    """An answer instead of the right one; also what the service itself returns.

    `body` is bytes, text, a JSON value, or a function that makes an iterator of bytes (sent without a
    length).
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    billed: bool = False

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        if self.billed:
            act()
        line.send(self)

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


class Line(Protocol):
    """The connection as a fault sees it."""

    def send(self, reply: Reply) -> None: ...
    def send_head(self, reply: Reply, *, length: int | None) -> None: ...
    def write(self, data: bytes) -> None: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...
    def pause(self, seconds: float) -> None: ...
    def await_more(self) -> None: ...
    def discard(self, size: int) -> int: ...


class Fault(Protocol):
    """Plays one call; `act` lets the service do its work and returns the right answer."""

    def play(self, line: Line, act: Callable[[], Reply]) -> None: ...


@dataclass(frozen=True)
class Always:
    """The same on every call, without end."""

    fault: Fault

    def __iter__(self) -> Iterator[Fault]:
        return itertools.repeat(self.fault)


@dataclass(frozen=True)
class Reset:
    """The connection is reset after the request's "headers" (its body unread), or after its "body".

    For the route "accept", which stands for every new connection, it is reset before anything is read.
    """

    after: str = "body"
    billed: bool = True

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        if self.billed and self.after == "body":
            act()
        line.reset()


@dataclass(frozen=True)
class Close:
    """As Reset, but closed in the ordinary way."""

    after: str = "body"
    billed: bool = True

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        if self.billed and self.after == "body":
            act()
        line.close()


@dataclass(frozen=True)
class Hang:
    """No answer for `seconds`, then closed."""

    seconds: float = 30.0
    billed: bool = True

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        if self.billed:
            act()
        line.pause(self.seconds)
        line.close()


@dataclass(frozen=True)
class Late:
    """The right answer after `seconds` of silence."""

    seconds: float

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        reply = act()
        line.pause(self.seconds)
        line.send(reply)


@dataclass(frozen=True)
class Cut:
    """The right answer, closed after a share of its body (0.6) or a number of bytes (600)."""

    at: float | int = 0.6
    with_length: bool = True

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        reply = act()
        body = reply.content()
        line.send_head(reply, length=len(body) if self.with_length else None)
        line.write(body[: self.at if isinstance(self.at, int) else int(len(body) * self.at)])
        line.close()


@dataclass(frozen=True)
class Drip:
    """The right answer (or `reply`), `size` bytes at a time with `pause` seconds between."""

    size: int = 1
    pause: float = 0.5
    reply: Reply | None = None

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        reply = self.reply or act()
        body = reply.content()
        line.send_head(reply, length=len(body))
        for start in range(0, len(body), self.size):
            line.write(body[start : start + self.size])
            line.pause(self.pause)


@dataclass(frozen=True)
class Altered:
    """The right answer with other headers (None removes one), another status or body, or `data` laid over the
    data of its envelope.
    """

    headers: Mapping[str, str | None] = field(default_factory=dict)
    status: int | None = None
    body: Any = None
    data: Mapping[str, Any] | None = None

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        reply = act()
        headers = {**reply.headers, **self.headers}
        kept = {name: value for name, value in headers.items() if value is not None}
        body = reply.body if self.body is None else self.body
        if self.data is not None:
            body = {**body, "data": {**body["data"], **self.data}}
        line.send(Reply(self.status or reply.status, body, kept))


@dataclass(frozen=True)
class Stale:
    """The right answer, promising to keep the connection, which the next request on it finds reset."""

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        line.send(act())
        line.await_more()
        line.reset()


@dataclass(frozen=True)
class SlowClose:
    """The right answer without its length, which the close tells; the close comes after `pause` seconds."""

    pause: float = 0.5

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        reply = act()
        line.send_head(reply, length=None)
        line.write(reply.content())
        line.pause(self.pause)
        line.close()


@dataclass(frozen=True)
class Meanwhile:
    """The right answer, found after something else has happened."""

    happens: Callable[[], object]

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        self.happens()
        line.send(act())


@dataclass(frozen=True)
class Swallow:
    """Reads the request's body in pieces of `size` bytes, `pause` seconds apart, keeps none, then answers."""

    size: int = 65536
    pause: float = 0.0
    reply: Reply = field(default_factory=Reply)
    after: str = "headers"

    def play(self, line: Line, act: Callable[[], Reply]) -> None:
        while line.discard(self.size):
            line.pause(self.pause)
        line.send(self.reply)


def redirect(to: str, status: int = 302) -> Reply:
    """Sends the caller elsewhere."""
    return Reply(status, headers={"Location": to})


def endless(block: bytes = bytes(65536)) -> Callable[[], Iterable[bytes]]:
    """A body that never ends."""
    return lambda: itertools.repeat(block)
