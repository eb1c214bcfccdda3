"""A well-behaved service of the contract in a process of its own, the same for every client that is measured.

    with Service() as service:
        ...                       # clients speak to service.url
        service.facts()["tasks"]  # when each task was made and ended (time.monotonic), polls, connections

A task takes as long as its prompt says ("… takes 2.5 s"). Every answer is held back by `latency` seconds. Its
own cost is small: one asyncio protocol, no framework.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

MODEL = "kwaivgi/kling-video-o1/reference-to-video"
FILM = Path(__file__).parents[1] / "assets" / "example.mp4"


class Service:
    """The server as a context manager; `film` is what every finished task delivers."""

    def __init__(self, *, latency: float = 0.0, film: Path = FILM) -> None:
        self._command = [sys.executable, __file__, str(latency), str(film)]
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)

    def facts(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/facts", timeout=30) as answer:
            return json.load(answer)


@dataclass
class Task:
    id: str
    made: float
    ends: float
    created_at: str
    polls: int = 0
    connections: list[int] = field(default_factory=list)


class State:
    def __init__(self, latency: float, film: bytes) -> None:
        self.latency, self.film = latency, film
        self.url = ""
        self.tasks: dict[str, Task] = {}
        self.connections = 0
        self.calls: dict[str, int] = {}
        self.uploads = 0
        self.asked = 0

    def answer(self, method: str, path: str, body: bytes, line: int) -> tuple[str, bytes]:
        """(content type, body) of an answer that is always 200."""
        bare = path.partition("?")[0]
        if bare == "/facts":
            self.asked += 1
            tasks = {one.id: one.__dict__ for one in self.tasks.values()}
            facts = {"connections": self.connections, "calls": self.calls, "asked": self.asked}
            return _json(facts | {"tasks": tasks})
        if method == "PUT":
            return self._counted("put", b"")
        if bare.startswith("/output/"):
            return self._counted("download", self.film, "video/mp4")
        name, data = self._api(bare.removeprefix("/api/v3"), body, line)
        self._counted(name, b"")
        return _json({"code": 200, "message": "success", "data": data})

    def _counted(self, name: str, body: bytes, kind: str = "text/plain") -> tuple[str, bytes]:
        self.calls[name] = self.calls.get(name, 0) + 1
        return kind, body

    def _api(self, path: str, body: bytes, line: int) -> tuple[str, Any]:
        now = time.monotonic()
        if found := re.fullmatch(r"/predictions/(\w+)(/result)?", path):
            task = self.tasks[found[1]]
            task.polls += 1
            task.connections.append(line)
            return "result", self._data(task, now)
        wish = json.loads(body) if body else {}
        if path == f"/{MODEL}":
            takes = float(re.search(r"takes ([\d.]+) s", wish["prompt"])[1])
            made = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            task = Task(f"task{len(self.tasks):08d}", now, now + takes, made, connections=[line])
            self.tasks[task.id] = task
            return "submit", self._data(task, now)
        if path == "/predictions":
            return "list", {"page": wish["page"], "items": self._items(wish, now)}
        if path == "/media/uploads":
            self.uploads += 1
            upload = {"method": "PUT", "url": f"{self.url}/put/{self.uploads}", "headers": {}}
            return "ticket", {"download_url": f"{self.url}/media/{self.uploads}", "upload": upload}
        return "balance", {"balance": 100.0}

    def _items(self, wish: dict[str, Any], now: float) -> list[dict[str, Any]]:
        after, before = wish.get("created_after", ""), wish.get("created_before", "9")
        found = [task for task in reversed(self.tasks.values()) if after <= task.created_at <= before]
        status = wish.get("status")
        items = [
            data for task in found if (data := self._data(task, now))["status"] == (status or data["status"])
        ]
        start = (wish["page"] - 1) * wish["page_size"]
        return items[start : start + wish["page_size"]]

    def _data(self, task: Task, now: float) -> dict[str, Any]:
        done = now >= task.ends
        return {
            "id": task.id,
            "model": MODEL,
            "status": "completed" if done else "processing",
            "outputs": [f"{self.url}/output/{task.id}.mp4"] if done else [],
            "urls": {"get": f"{self.url}/api/v3/predictions/{task.id}/result"},
            "has_nsfw_contents": [False] if done else [],
            "created_at": task.created_at,
            "error": "",
            "timings": {"inference": round(1000 * (task.ends - task.made)) if done else 0},
        }


class Line(asyncio.Protocol):
    """One connection: requests in, answers out, in order. Bodies of uploads are counted, not kept."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.number = state.connections
        state.connections += 1
        self.buffer = bytearray()
        self.head: tuple[str, str] | None = None
        self.left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.head and self.head[0] == "PUT":
            self.left -= len(data)
            data = b""
        self.buffer += data
        while self._complete():
            method, path = self.head
            kind, body = self.state.answer(method, path, bytes(self.buffer[: self.left]), self.number)
            del self.buffer[: max(0, self.left)]
            self.head = None
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            if self.state.latency and path != "/facts":
                asyncio.get_running_loop().call_later(self.state.latency, self._write, head.encode() + body)
            else:
                self._write(head.encode() + body)

    def _complete(self) -> bool:
        if self.head is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = self.buffer[:end].decode("latin-1")
            del self.buffer[: end + 4]
            method, path, _ = head.split("\r\n", 1)[0].split(" ")
            self.head = method, path
            length = re.search(r"^content-length: *(\d+)", head, re.IGNORECASE | re.MULTILINE)
            self.left = int(length[1]) if length else 0
            if method == "PUT":
                self.left -= len(self.buffer)
                self.buffer.clear()
        return self.left <= (0 if self.head[0] == "PUT" else len(self.buffer))

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)


def _json(value: Any) -> tuple[str, bytes]:
    return "application/json", json.dumps(value).encode()


async def main(latency: float, film: bytes) -> None:
    state = State(latency, film)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Line(state), "127.0.0.1", 0, backlog=1024)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(state.url, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until the parent closes the pipe


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
