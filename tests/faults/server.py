"""A server on a real socket that speaks the contract and misbehaves on demand; httpx's errors differ on real
sockets.

    with FaultServer(faults={"submit": [Reset(after="body")]}) as server:
        client = Client("key", base_url=server.url)
        ...
        assert server.billed == 1

Routes: submit, result, list, delete, ticket, put, legacy, media, balance, price, download, other; and accept,
which stands for every new connection. One thread accepts, one serves each connection; all end with the
context.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from faults.misbehaviour import (
    Altered,
    Always,
    Close,
    Cut,
    Drip,
    Fault,
    Hang,
    Late,
    Meanwhile,
    Reply,
    Reset,
    SlowClose,
    Stale,
    Swallow,
    endless,
    redirect,
)
from faults.service import Seen, Service, route_of

__all__ = [
    "Altered",
    "Always",
    "Close",
    "Cut",
    "Drip",
    "FaultServer",
    "Hang",
    "Late",
    "Meanwhile",
    "Reply",
    "Reset",
    "Seen",
    "SlowClose",
    "Stale",
    "Swallow",
    "closed_port",
    "endless",
    "redirect",
]


class _Ended(Exception):
    """The connection is over."""


class _Connection:
    """One socket: reads requests, and writes what faults and the service want (a Line)."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self._sock = sock
        self._stopping = stopping
        self._read = bytearray()
        self._unread = 0

    def request_head(self) -> tuple[str, str, dict[str, str]]:
        while b"\r\n\r\n" not in self._read:
            self._more()
        head = self._take(self._read.index(b"\r\n\r\n") + 4).removesuffix(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, *_ = first.split(" ") if first.count(" ") == 2 else ("", "")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self._unread = int(headers.get("content-length", "0"))
        return method, path, headers

    def request_body(self) -> bytes:
        while len(self._read) < self._unread:
            self._more()
        return self._take(self._unread)

    def discard(self, size: int) -> int:
        """Drop up to `size` bytes of the request's body; returns how many are still to come."""
        if not self._read:
            self._more()
        self._unread -= len(self._take(min(size, self._unread, len(self._read))))
        return self._unread

    def send(self, reply: Reply) -> None:
        if callable(reply.body):
            self.send_head(reply, length=None)
            for block in reply.body():
                self.write(block)
            self.close()
        body = reply.content()
        self.send_head(reply, length=len(body))
        self.write(body)

    def send_head(self, reply: Reply, *, length: int | None) -> None:
        headers = {} if length is None else {"Content-Length": str(length)}
        if length is None:
            headers["Connection"] = "close"
        headers |= reply.headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.write(f"HTTP/1.1 {reply.status} Any\r\n{lines}\r\n".encode("latin-1"))

    def write(self, data: bytes) -> None:
        if self._stopping.is_set():
            raise _Ended
        self._sock.sendall(data)

    def reset(self) -> None:
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Ended

    def close(self) -> None:
        raise _Ended

    def pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise _Ended

    def _take(self, size: int) -> bytes:
        taken = bytes(self._read[:size])
        del self._read[:size]
        return taken

    def await_more(self) -> None:
        if not self._read:
            self._more()

    def _more(self) -> None:
        data = self._sock.recv(65536)
        if not data:
            raise _Ended
        self._read += data


class FaultServer:
    """The server as a context manager. Further arguments are those of Service (key, script, list_lag, …).

    `requests` lists what was seen; `bills` counts per distinct request body, `billed` is their sum; `service`
    is the state behind it, which a test may change while it runs.
    """

    def __init__(self, faults: Mapping[str, Iterable[Fault | None]] | None = None, **service: Any) -> None:
        self.service = Service(**service)
        self.requests: list[Seen] = []
        self._faults: dict[str, Iterator[Fault | None]] = {r: iter(f) for r, f in (faults or {}).items()}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        # Small, so that a reader who takes his time is felt by the writer.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.url = self.service.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def bills(self) -> dict[str, int]:
        return dict(self.service.bills)

    @property
    def billed(self) -> int:
        return sum(self.service.bills.values())

    @property
    def open_connections(self) -> int:
        """Sockets that neither side has closed."""
        with self._lock:
            return len(self._open)

    def await_quiet(self, seconds: float = 10.0) -> None:
        """Wait until whatever was sent has arrived and every connection is closed."""
        with socket.create_connection(self._listener.getsockname()) as last:
            last.shutdown(socket.SHUT_WR)
            last.recv(1)  # connections are taken in order, so no earlier one waits to be taken
        until = time.monotonic() + seconds
        while self.open_connections:
            assert time.monotonic() < until, "sockets are left open"
            time.sleep(0.002)

    def calls(self, route: str) -> list[Seen]:
        """The requests of one route, in order."""
        return [seen for seen in self.requests if seen.route == route]

    def set_faults(self, route: str, faults: Iterable[Fault | None]) -> None:
        """From now on this route misbehaves so."""
        with self._lock:
            self._faults[route] = iter(faults)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)

    def _start(self, work: Any, *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        line = _Connection(sock, self._stopping)
        try:
            if fault := self._next_fault("accept"):
                fault.play(line, Reply)
            while True:
                self._serve_one(line)
        except (_Ended, OSError):
            pass  # closed by a fault, by the other side, or at the end
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _serve_one(self, line: _Connection) -> None:
        method, path, headers = line.request_head()
        route, argument = route_of(method, path)
        fault = self._next_fault(route)
        unread = getattr(fault, "after", "body") == "headers"
        body = b"" if unread else line.request_body()
        seen = Seen(route, method, path, headers, body, argument)
        with self._lock:
            self.requests.append(seen)
        if fault is None:
            line.send(self.service.answer(seen))
        else:
            fault.play(line, lambda: self.service.answer(seen))

    def _next_fault(self, route: str) -> Fault | None:
        with self._lock:
            return next(self._faults.get(route, iter(())), None)


def closed_port() -> str:
    """The address of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"
