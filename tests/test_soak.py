"""F68: a hosted page that works for hours takes no more memory than one that has just warmed up."""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from abuse.attacker import Attacker, multipart
from conftest import draw_picture
from faults.clip import clip
from faults.misbehaviour import Reply, Reset
from faults.server import FaultServer
from faults.tables import say

from klingo1.request import DRAFT_SIZES
from klingo1.visitors import new_token

TESTS = Path(__file__).parent
MB = 2**20
VISITORS = 3
WARM, JOBS, SAMPLES = 40, 200, 8
NUMBERS = count(1)
"""Of addresses: one for each request, so that rates, which other tests hold, are no part of this."""


@contextmanager
def hosted(folder, service):
    """A page in a process of its own: its address and its number."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
    environ |= {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
    command = [sys.executable, "-W", "ignore", str(TESTS / "soak_page.py"), str(folder), service]
    with (
        (folder / "log.txt").open("wb") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environ
        ) as page,
    ):
        line = page.stdout.readline()
        assert line, (folder / "log.txt").read_text()[-3000:]
        try:
            yield json.loads(line)
        finally:
            page.stdin.close()
            page.wait(30)


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


class Visitor(Attacker):
    """A browser without a window, each run from an address of its own."""

    def __init__(self, page, config):
        super().__init__(page)
        self._config = config
        self._numbers = NUMBERS

    def config(self):
        return self._config

    def click_on(self, name, *data):
        body = {"data": data, "fn_index": self.click(name), "session_hash": new_token()[:12]}
        status, answer = self.send(
            "POST", f"/gradio_api/run/{name}", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        assert status == 200, (name, status, answer[:300])
        return json.loads(answer)["data"]

    def told(self, name, **data):
        status, answer = self.ask(name, **data)
        assert status == 200, (name, status, answer[:300])
        return json.loads(answer)

    def run(self, number, picture):
        """Arrive, upload, have it judged, click, watch, fetch, look at the history, delete."""
        me, engine = new_token(), "draft" if number % 4 == 0 else "kling"
        assert self.send("GET", "/")[0] == 200
        kept, session = self.click_on("arrive", {"owner": me, "job": ""})
        assert self.told("give_key", owner=me, key=f"wsk_soak_{number:08d}")["ok"]
        body, headers = multipart([("hero.jpg", picture)])  # the same as everybody's
        (path,) = json.loads(self.send("POST", "/gradio_api/upload", body, headers)[1])
        shown = {"file": {"path": path, "meta": {"_type": "gradio.FileData"}}, "role": ""}
        self.click_on("judge", [shown])
        fields = [[shown], {}, f"walk {number}", 3, "16:9", engine, DRAFT_SIZES[0]]
        kept, session = self.click_on("submit", *fields, {"quote": session["quote"]}, kept)
        assert session["started"], session["problems"]
        until = time.monotonic() + 30
        while not (view := self.told("status", owner=me, job=kept["job"]))["ended"]:
            assert time.monotonic() < until, view
            time.sleep(0.02)
        assert view["state"] == "done", view
        film = self.send("GET", f"/gradio_api/file={view['video']}")
        assert (film[0], film[1][4:8]) == (200, b"ftyp")
        assert self.told("history", owner=me)["jobs"]
        assert self.told("inputs", owner=me, job=kept["job"])
        if number % 3:
            assert self.told("delete", owner=me, job=kept["job"])["ok"]
        else:
            assert self.told("delete_all", owner=me, files=[path])["ok"]


def work(page, config, numbers, picture, jobs):
    """So many runs by several visitors side by side."""

    def visit(_):
        with Visitor(page, config) as visitor:
            for number in numbers:
                if number >= last:
                    return
                visitor.run(number, picture)

    start = next(numbers)
    last = start + jobs
    with ThreadPoolExecutor(VISITORS) as pool:
        for _ in pool.map(visit, range(VISITORS)):
            pass


def troubles():
    """Now and then something goes wrong there, as it does: it must cost no memory either."""
    for number in count(1):
        yield (
            Reply(500, "x" * 2000)
            if number % 11 == 0
            else Reset(after="headers")
            if number % 17 == 0
            else None
        )


def tell_apart(service):
    """Every run gets a film of its own: deleting one removes its copies, whoever they were shown to."""
    plain = service._download

    def download(seen):
        service.film = clip() + b"\0\0\0\x20free" + seen.argument.encode().ljust(24)
        return plain(seen)

    service._download = download


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.soak  # a page alone takes some seconds to start
def test_f68_memory_stays_flat_over_many_jobs(tmp_path):
    """Uploads, clicks, polls, faults, downloads and deletions: within 20 MB of the warm page."""
    faults = {route: troubles() for route in ("result", "put", "download")}
    picture = draw_picture(tmp_path / "one.jpg").read_bytes()
    with FaultServer(faults=faults) as server, hosted(tmp_path, server.url) as page:
        tell_apart(server.service)
        with Attacker(page) as first:
            config = first.config()
        numbers = count()
        work(page, config, numbers, picture, WARM)
        levels = [resident(page["pid"])]
        for _ in range(SAMPLES):
            work(page, config, numbers, picture, JOBS // SAMPLES)
            levels.append(resident(page["pid"]))
    shown = ", ".join(f"{(level - levels[0]) / MB:+.1f}" for level in levels[1:])
    say(f"{JOBS} runs on a page of {levels[0] / MB:.0f} MB: {shown} MB")
    assert all(abs(level - levels[0]) <= 20 * MB for level in levels), shown
