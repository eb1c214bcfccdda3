"""The contract's service with a fake generator: what a well-behaved WaveSpeed would answer, and what it
billed.
"""

from __future__ import annotations

import email.parser
import email.policy
import itertools
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from faults.clip import clip
from faults.misbehaviour import Reply

MODEL = "kwaivgi/kling-video-o1/reference-to-video"
_ROUTES = (
    ("submit", "POST", rf"/api/v3/{MODEL}"),
    ("list", "POST", r"/api/v3/predictions"),
    ("delete", "POST", r"/api/v3/predictions/delete"),
    ("result", "GET", r"/api/v3/predictions/([A-Za-z0-9_-]+)(?:/result)?"),
    ("ticket", "POST", r"/api/v3/media/uploads"),
    ("legacy", "POST", r"/api/v3/media/upload/binary"),
    ("balance", "GET", r"/api/v3/balance"),
    ("price", "POST", r"/api/v3/model/price"),
    ("put", "PUT", r"/put/(\w+)"),
    ("media", "GET", r"/media/(\w+)"),
    ("download", "GET", r"/output/(\w+)\.mp4"),
)


@dataclass(frozen=True)
class Seen:
    """One request as it came. Header names are in lower case."""

    route: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    argument: str = ""

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Task:
    """One billed run."""

    id: str
    body: dict[str, Any]
    created_at: str
    polls: int = 0
    status: str = "created"
    unlisted: int = 0
    """How many lists still come too early for it."""


def route_of(method: str, path: str) -> tuple[str, str]:
    """The route's name and its argument; "other" for what the contract does not know."""
    bare = path.partition("?")[0]
    for name, verb, pattern in _ROUTES:
        if verb == method and (found := re.fullmatch(pattern, bare)):
            return name, found[1] if found.groups() else ""
    return "other", ""


class Service:
    """State and answers. `script` is what the polls of a task say in turn, the last one again and again:
    status words, or objects that are laid over the answer's `data`. The next `list_lag` lists are empty; a
    task made from now on stands in none of its first `lateness` lists. `now` is its calendar.
    """

    def __init__(
        self,
        *,
        key: str = "",
        script: Sequence[str | Mapping[str, Any]] = ("processing", "completed"),
        list_lag: int = 0,
        lateness: int = 0,
        echo: str = "input",
        tickets: bool = True,
        balance: float = 100.0,
        film: bytes | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = ""
        self.key = key
        self.script = list(script)
        self.list_lag = list_lag
        self.lateness = lateness
        self.echo = echo
        self.tickets = tickets
        self.balance = balance
        self.film = film if film is not None else clip()
        self.etag = '"film-1"'
        self.ticket_url = ""
        self.ticket_headers = {"Content-Type": "application/octet-stream", "x-amz-acl": "private"}
        self.tasks: dict[str, Task] = {}
        self.bills: Counter[str] = Counter()
        self.uploads: dict[str, bytes] = {}
        self.downloads_from = 0
        self._now = now
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def expire_outputs(self) -> None:
        """Addresses of results given out so far answer 403; the result route gives fresh ones."""
        self.downloads_from = next(self._numbers)

    def answer(self, seen: Seen) -> Reply:
        with self._lock:
            guarded = seen.route not in ("put", "media", "download")
            if self.key and guarded and seen.headers.get("authorization") != f"Bearer {self.key}":
                return _error(401, "invalid api key")
            serve = getattr(self, f"_{seen.route}", None)
            reply = serve(seen) if serve else _error(404, "no such call")
            return replace(reply, headers={"Date": formatdate(self._now(), usegmt=True)} | reply.headers)

    def _submit(self, seen: Seen) -> Reply:
        body = seen.json()
        self.bills[json.dumps(body, sort_keys=True)] += 1
        made = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="microseconds")
        task_id = f"task{next(self._numbers):08d}"
        task = Task(task_id, body, made.replace("+00:00", "Z"), unlisted=self.lateness)
        self.tasks[task.id] = task
        return _success(self._data(task))

    def _result(self, seen: Seen) -> Reply:
        task = self.tasks.get(seen.argument)
        if task is None:
            return _error(404, "Prediction not found")
        step = self.script[min(task.polls, len(self.script) - 1)]
        task.polls += 1
        overlay = {"status": step} if isinstance(step, str) else dict(step)
        task.status = overlay.get("status", task.status)
        return _success(self._data(task) | overlay)

    def _list(self, seen: Seen) -> Reply:
        wish = seen.json()
        if self.list_lag > 0:
            self.list_lag -= 1
            return _success({"page": wish["page"], "items": []})
        chosen = [
            task
            for task in reversed(self.tasks.values())
            if wish.get("created_after", "") <= task.created_at <= wish.get("created_before", "9")
            and wish.get("model", MODEL) == MODEL
            and wish.get("status", task.status) == task.status
        ]
        early = {task.id for task in chosen if task.unlisted > 0}
        for task in chosen:
            task.unlisted -= task.id in early
        chosen = [task for task in chosen if task.id not in early]
        start = (wish["page"] - 1) * wish["page_size"]
        items = [
            self._data(task) | ({self.echo: task.body} if self.echo else {})
            for task in chosen[start : start + wish["page_size"]]
        ]
        return _success({"page": wish["page"], "items": items})

    def _delete(self, seen: Seen) -> Reply:
        gone = [self.tasks.pop(one) for one in seen.json()["ids"] if one in self.tasks]
        return _success({"deleted_count": len(gone)})

    def _ticket(self, seen: Seen) -> Reply:
        if not self.tickets:
            return _error(404, "no such call")
        wish, number = seen.json(), f"u{next(self._numbers)}"
        upload = {
            "method": "PUT",
            "url": self.ticket_url or f"{self.url}/put/{number}?X-Amz-Signature=presigned{number}",
            "headers": self.ticket_headers,
        }
        data = {"type": "file", "filename": wish["filename"], "size": wish["size"]}
        return _success(data | {"download_url": f"{self.url}/media/{number}", "upload": upload})

    def _put(self, seen: Seen) -> Reply:
        if seen.argument in self.uploads:
            return Reply(412, "already there")
        self.uploads[seen.argument] = seen.body
        return Reply(200)

    def _legacy(self, seen: Seen) -> Reply:
        head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + seen.body)
        part = next(iter(form.iter_parts()))
        number = f"u{next(self._numbers)}"
        self.uploads[number] = part.get_payload(decode=True)
        data = {"type": "file", "filename": part.get_filename(), "size": len(self.uploads[number])}
        return _success(data | {"download_url": f"{self.url}/media/{number}"})

    def _media(self, seen: Seen) -> Reply:
        data = self.uploads.get(seen.argument)
        return Reply(404) if data is None else Reply(200, data)

    def _balance(self, _seen: Seen) -> Reply:
        return _success({"balance": self.balance})

    def _price(self, seen: Seen) -> Reply:
        inputs = seen.json()["inputs"]
        price = round((0.168 if inputs.get("video") else 0.112) * inputs.get("duration", 5), 3)
        return _success({"price": price, "discounted_price": price, "currency": "USD"})

    def _download(self, seen: Seen) -> Reply:
        issued = int((re.search(r"sig=(\d+)", seen.path) or [0, "0"])[1])
        if issued < self.downloads_from:
            return Reply(403, "<Error>Request has expired</Error>", {"Content-Type": "application/xml"})
        headers = {"Content-Type": "video/mp4", "ETag": self.etag, "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        if wanted and seen.headers.get("if-range", self.etag) == self.etag:
            start, whole = int(wanted[1]), len(self.film)
            if start >= whole:
                return Reply(416, headers={"Content-Range": f"bytes */{whole}"})
            headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
            return Reply(206, self.film[start:], headers)
        return Reply(200, self.film, headers)

    def _data(self, task: Task) -> dict[str, Any]:
        done = task.status == "completed" or (task.polls > 0 and self._next_word(task) == "completed")
        output = f"{self.url}/output/{task.id}.mp4?sig={next(self._numbers)}"
        return {
            "id": task.id,
            "model": MODEL,
            "status": task.status,
            "outputs": [output] if done else [],
            "urls": {"get": f"{self.url}/api/v3/predictions/{task.id}/result"},
            "has_nsfw_contents": [False] if done else [],
            "created_at": task.created_at,
            "error": "",
            "timings": {"inference": 1234 if done else 0},
        }

    def _next_word(self, task: Task) -> str:
        step = self.script[min(task.polls - 1, len(self.script) - 1)]
        return step if isinstance(step, str) else str(step.get("status", ""))


def _success(data: Any) -> Reply:
    return Reply(200, {"code": 200, "message": "success", "data": data}, {"Content-Type": "application/json"})


def _error(status: int, message: str) -> Reply:
    return Reply(
        status, {"code": status, "message": message, "data": None}, {"Content-Type": "application/json"}
    )
