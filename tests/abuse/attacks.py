"""Attacks as data: what is sent to every route, and which answers are safe."""

import json
import socket
import threading
from dataclasses import dataclass, field

JSON = {"content-type": "application/json"}
FOREIGN = {"origin": "https://evil.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
CANARY = "wsk_canary_0123456789"


@dataclass(frozen=True)
class Attack:
    """One request per route of `method`; `safe` are the statuses that a guarded page may answer with.

    A 200 is safe where it is listed; whatever the status, an answer that holds a secret is not.
    """

    name: str
    method: str
    safe: frozenset
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    only: str = ""
    path: str = ""
    """What stands for every variable part of the route."""


def file_value(path):
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def attacks(remote, ledger):
    """The table's columns. `remote` is a server of ours that must never be asked."""
    refused = frozenset({400, 401, 403, 404, 405, 411, 413, 415, 422, 429})
    seen = refused | {200, 307, 500}
    forged = [file_value(path) for path in ("/etc/passwd", ledger)]
    fetched = [file_value(f"{remote}a.png"), file_value(f" {remote}b.png")]
    url_only = {"path": "", "url": f"{remote}c.png", "meta": {"_type": "gradio.FileData"}}

    # 415 is the upload route's: it takes forms only, and leaves everything else unread.
    def call(data):
        return json.dumps({"data": data, "fn_index": 1, "session_hash": "s", "event_id": "e"}).encode()

    wrong = (b"null", b"[]", b'"x"', b'{"data": 5}', b'{"data": {}, "fn_index": "x"}', b"{", b"\xff\xfe", b"")
    huge = b'{"data": ["' + b"x" * 20_000_000 + b'"]}'
    return [
        *(Attack(f"wrong type {n}", "POST", seen, body, JSON) for n, body in enumerate(wrong)),
        Attack("20 MB of JSON", "POST", frozenset({404, 413, 415}), huge, JSON),
        Attack("cross-site post", "POST", frozenset({403, 404}), call([]), JSON | FOREIGN),
        Attack("plain text post", "POST", refused, call([]), {"content-type": "text/plain"}),
        Attack("forged path", "POST", seen, call(forged), JSON),
        Attack("remote file", "POST", frozenset({403, 404, 415}), call(fetched), JSON),
        Attack("file by url", "POST", seen, call([[url_only], url_only]), JSON),
        Attack("plain read", "GET", refused | {200, 302, 307, 500}, path="x"),
        Attack("/etc/passwd", "GET", refused | {200, 302, 307, 500}, path="/etc/passwd"),
        Attack("the ledger", "GET", refused | {200, 302, 307, 500}, path=ledger),
        Attack("dots", "GET", refused | {200, 302, 307, 500}, path="..%2f..%2f..%2f..%2fetc/passwd"),
        Attack("address", "GET", refused | {200, 302, 307, 500}, path=remote),
        Attack("quoted address", "GET", refused | {200, 302, 307, 500}, path=remote.replace(":", "%3A")),
        Attack("10 kB of path", "GET", refused | {200, 302, 307, 414, 500}, path="a" * 10_000),
        Attack("DELETE", "DELETE", refused),
        Attack("PUT", "PUT", refused, b"{}", JSON),
    ]


class Listener:
    """Counts who connects: a server that a page under attack might be made to ask."""

    def __enter__(self):
        self.hits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.hits += 1
            connection.settimeout(1)
            try:
                connection.recv(1000)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: image/png\r\n\r\nhit"
                )
            except OSError:
                pass
            connection.close()

    def __exit__(self, *_):
        self._socket.close()
