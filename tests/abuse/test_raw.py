"""What no well-behaved client sends: odd paths, false lengths, forms that fill memory, stalled bodies."""

import json
import os
import re
import socket
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from abuse.attacker import Attacker
from abuse.attacks import CANARY, JSON
from klingo1.request import DRAFT_SIZES

FORM = "Content-Type: multipart/form-data; boundary=B\r\n"
FIELD = b'--B\r\nContent-Disposition: form-data; name="files"\r\n\r\n'
FILE = b'--B\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n'
MIB = 2**20


def raw(page, method, path, headers="", body=b"", *, wait=8):
    """The whole answer of a request that is sent as it stands."""
    at = urlsplit(page["url"])
    head = f"{method} {path} HTTP/1.1\r\nHost: {at.netloc}\r\nX-Forwarded-For: 198.51.100.9\r\n"
    with socket.create_connection((at.hostname, at.port), timeout=wait) as one:
        answer = b""
        try:
            one.sendall(f"{head}Connection: close\r\n{headers}\r\n".encode() + body)
            while len(answer) < 100_000 and (part := one.recv(65536)):
                answer += part
        except OSError:
            pass  # refused while it still spoke, or silent
        return answer


def status(answer):
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/") else 0


def spellings(file, cache):
    """A path in the ways that have opened files elsewhere."""
    once = quote(file, safe="")
    yield from (file, once, quote(once, safe=""), quote(quote(once, safe=""), safe=""))
    yield from ("/" + file, "." + file, file.replace("/", "\\"), quote(file.replace("/", "\\"), safe=""))
    yield from (f"{cache}/..{file}", f"{cache}/%2e%2e/%2e%2e{file}", quote(f"{cache}/../..{file}", safe=""))
    yield from (f"file:{file}", f"FILE://{file}", f"file%3a{file}", f"file://localhost{file}")
    yield from (file + "%00.png", file + "/.", file + "?x=.png", file + "%0a", "%0a" + file, "%20" + file)
    yield from (f"/proc/self/root{file}", "/proc/self/environ", file.upper())


ROUTES = [
    f"{root}/{route}"
    for root in ("", "/gradio_api", "//gradio_api", "/gradio_api/")
    for route in ("file=", "file/", "File=", "file%3d", "stream/", "proxy=", "static/", "assets/", "svelte/")
]


def test_no_spelling_of_a_path_opens_a_foreign_file(pages):
    """The ledger, the secret of sign-in, the system's users and the environment, on every route for files."""
    page = pages["guarded"]
    cache, home = str(pages["folder"] / "cache"), Path(page["ledger"]).parent
    link = Path(cache) / "link.png"
    link.symlink_to("/etc/passwd")
    rows = []
    for file in (page["ledger"], str(home / "secret"), "/etc/passwd"):
        for path in spellings(file, cache):
            for route in ROUTES:
                answer = raw(page, "GET", route + path)
                leaked = any(word in answer for word in (b"SQLite", b"root:", CANARY.encode()))
                if status(answer) == 200 or leaked:
                    rows.append((route, path, status(answer)))
    assert rows == []
    answer = raw(page, "GET", f"/gradio_api/file={link}")
    link.unlink()
    assert b"root:" not in answer


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM + "Content-Length: 00000000000300000000\r\n", b"--B"),
        (FORM + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"5\r\n--B--\r\n0\r\n\r\n"),
        (FORM + "Transfer-Encoding: chunked\r\n", b"5\r\n--B--\r\n0\r\n\r\n"),
        (FORM + "Content-Length: 5\r\nContent-Length: 6\r\n", b"--B--"),
        (FORM + "Content-Length: -5\r\n", b"--B--"),
        (FORM + "Content-Encoding: gzip\r\nContent-Length: 5\r\n", b"\x1f\x8b\x08\0\0"),
        (
            "Content-Type: multipart/form-data; boundary=" + "B" * 30_000 + "\r\nContent-Length: 5\r\n",
            b"--B--",
        ),
    ],
)
def test_an_upload_cannot_lie_about_its_length(pages, headers, body):
    """Zeros, chunks beside a length, two lengths, compression: refused, nothing is kept waiting."""
    assert status(raw(pages["guarded"], "POST", "/gradio_api/upload", headers, body)) in {400, 411, 413, 415}


def peak(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_forms_do_not_fill_the_memory_and_without_the_guard_they_do(pages):
    """40 MB in a field without a file name: refused at its head; Gradio alone holds it whole, thrice."""
    fields = (FIELD, FILE.replace(b'; filename="a.jpg"', b"") + b"X-Filename: a\r\n\r\n", FILE + FIELD[5:])
    kind = {"content-type": "multipart/form-data; boundary=B"}
    grown = {}
    for name in ("guarded", "unguarded"):
        before = peak(pages["pid"])
        with Attacker(pages[name]) as attacker:
            for field in fields[: 3 if name == "guarded" else 1]:
                attacker.send("POST", "/gradio_api/upload", field + b"x" * 40 * MIB + b"\r\n--B--\r\n", kind)
        grown[name] = peak(pages["pid"]) - before
    sys.stdout.write(
        f"\npeak memory of a 40 MB form field: { ({k: f'+{v / MIB:.0f} MB' for k, v in grown.items()}) }\n"
    )
    assert grown["guarded"] < 20 * MIB
    assert grown["unguarded"] > 40 * MIB


def test_an_upload_that_breaks_off_leaves_nothing(pages):
    """The sender has gone in the middle of a file: what was written of it is removed."""
    cache = pages["folder"] / "cache"
    before = {p for p in cache.rglob("*") if p.is_file()}
    head = FORM + "Content-Length: 1000000\r\n"
    at = urlsplit(pages["guarded"]["url"])
    with socket.create_connection((at.hostname, at.port), timeout=8) as one:
        start = f"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.9\r\n{head}\r\n"
        one.sendall(start.encode() + FILE + b"\r\n" + b"x" * 300_000)
        while not {p for p in cache.rglob("*") if p.is_file()} - before:
            os.sched_yield()
    for _ in range(2000):
        left = {p for p in cache.rglob("*") if p.is_file()} - before
        if not left:
            break
        raw(pages["guarded"], "GET", "/healthz")
    assert left == set()


def test_no_log_holds_what_an_attacker_wrote(pages):
    """F75: forged paths end in exceptions, whose text has the path; the log has their kind alone."""
    with Attacker(pages["guarded"]) as attacker:
        forged = {"path": "/srv/walrus-secret.jpg", "meta": {"_type": "gradio.FileData"}}
        fields = [
            [{"file": forged, "role": ""}],
            {},
            "zebra-secret",
            3,
            "16:9",
            "draft",
            DRAFT_SIZES[0],
            {},
            {},
        ]
        body = {"data": fields, "fn_index": attacker.click("submit"), "session_hash": "s"}
        code, _ = attacker.send("POST", "/gradio_api/run/submit", json.dumps(body).encode(), JSON)
        assert code in {400, 403, 500}
        attacker.ask("recipe", path=["zebra-secret"])
    log = (pages["folder"] / "log.txt").read_bytes()
    assert [word for word in (b"walrus-secret", b"zebra-secret") if word in log] == []
