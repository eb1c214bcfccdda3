"""Who loses what: the `wavespeed` package and klingo1's studio, put to the same faults by the same server.

    python benchmarks/faults_vs_sdk.py            # about two minutes, as the waits are real

For each fault both make one paid run with default settings against one local server that misbehaves in the
same way for each. Printed: what the caller had in the end, after how long, how often the service was asked,
and what it billed.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import wavespeed  # noqa: E402 - after the path
from faults.server import FaultServer, Hang, Reply, Reset  # noqa: E402

from klingo1.job import State  # noqa: E402
from klingo1.request import MODEL, VideoRequest  # noqa: E402
from klingo1.settings import Settings  # noqa: E402
from klingo1.studio import Studio  # noqa: E402

URL = "https://example.com/one.jpg"
PATIENCE = 60.0


def outage(seconds):
    """502 on every call until `seconds` after the first one."""
    over = None
    while True:
        over = over or time.monotonic() + seconds
        yield Reply(502, "<html>bad gateway</html>") if time.monotonic() < over else None


CASES = {
    "nothing wrong": dict,
    "poll: 20 s of 502": lambda: {"result": outage(20)},
    "poll: HTML under 200": lambda: {"result": [Reply(200, "<html>maintenance</html>")]},
    "poll: data is null": lambda: {"result": [Reply(200, {"code": 200, "message": "success", "data": None})]},
    "poll: 429, Retry-After 5": lambda: {"result": [Reply(429, b"{}", {"Retry-After": "5"})]},
    "poll: no answer, time-out 2 s": lambda: {"result": [Hang(seconds=12)]},
    "submit: answer lost": lambda: {"submit": [Reset(after="body")]},
    "download: 10 s of 503": lambda: {"download": outage(10)},
}


def with_package(server, case):
    """The package's own call, as its documentation shows it."""
    client = wavespeed.Client(api_key="wsk_benchmark_0001", base_url=server.url)
    limit = {"timeout": 2.0} if "time-out" in case else {}
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            outputs = client.run(MODEL, {"prompt": case, "images": [URL]}, **limit)["outputs"]
    except Exception as error:
        known = any(task in str(error) for task in server.service.tasks)
        return f"{type(error).__name__}; the id is {'in its text' if known else 'lost'}"
    return f"an address, not a video ({len(outputs)})"


def with_studio(server, case):
    """A click; a caller who gives up after two seconds comes back later."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), api_key="wsk_benchmark_0001", base_url=server.url)
        left = ""
        with Studio(settings) as studio:
            job = studio.submit(VideoRequest(prompt=case, images=(URL,)), engine="kling")
            until = time.monotonic() + (2.0 if "time-out" in case else PATIENCE)
            while time.monotonic() < until and studio.job(job.id).state.active:
                time.sleep(0.05)
            left = studio.job(job.id).state.value
        if left == State.DONE.value:
            return "the video on disk"
        with Studio(settings) as studio:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and studio.job(job.id).state.active:
                time.sleep(0.05)
            later = studio.job(job.id).state
        return f"left as {left}; on return {'the video on disk' if later is State.DONE else later.value}"


def main():
    print(f"{'fault':31}{'who':11}{'seconds':>8}{'polls':>7}{'bills':>7}  what the caller has")
    for case, faults in CASES.items():
        for who, run in (("wavespeed", with_package), ("klingo1", with_studio)):
            with FaultServer(script=["processing", "processing", "completed"]) as server:
                for route, wrong in faults().items():
                    server.set_faults(route, wrong)
                began = time.monotonic()
                has = run(server, case)
                took = time.monotonic() - began
                polls = len(server.calls("result"))
                print(f"{case:31}{who:11}{took:8.1f}{polls:7}{server.billed:7}  {has}", flush=True)


if __name__ == "__main__":
    main()
