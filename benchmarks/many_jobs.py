"""Five hundred paid jobs in flight from one process, beside one thread with a sleeping poll per job.

    python benchmarks/many_jobs.py [--quick] [--json FILE]

Both start the same jobs against the same service, each in a process of its own. klingo1 is the whole studio:
a ledger that is written through to the disk, a poster and a downloaded film for every job. The rival is the
usual pattern: a thread per job that calls `wavespeed`'s `run`; it keeps nothing and downloads nothing. CPU is
counted over all seconds that jobs were in flight; memory is what the process grew by while they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from results import ROOT, Results, Row, arguments, median, percentile
from service import MODEL, Service

KEY = "wsk_benchmark_0001"
URL = "https://example.com/one.jpg"
PROBE = 0.005


def resident():
    """Bytes of this process in memory; the peak where the system does not tell the present."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def prompt(number, seconds):
    return f"walk {number} that takes {seconds:.3f} s"


def lengths(jobs, seconds):
    """Between 80 and 120 % of the nominal length."""
    return [seconds * (0.8 + 0.4 * number / jobs) for number in range(jobs)]


class Threads:
    """One thread and a sleeping poll per job."""

    def __init__(self, url, _home):
        import wavespeed

        self.client = wavespeed.Client(api_key=KEY, base_url=url)
        self.threads = []
        self.lags = []

    def start(self, number, seconds):
        given = {"prompt": prompt(number, seconds), "images": [URL]}
        thread = threading.Thread(target=self.client.run, args=(MODEL, given))
        thread.start()
        self.threads.append(thread)

    @property
    def left(self):
        return sum(thread.is_alive() for thread in self.threads)

    def close(self):
        return 0


class Klingo1:
    """The studio; a probe on its event loop notes by how much each short sleep is late."""

    def __init__(self, url, home):
        from klingo1 import Settings, Studio

        self.studio = Studio(Settings(home=Path(home), api_key=KEY, base_url=url))
        self.studio.start()
        self.file = Path(home) / "klingo1.sqlite3"
        self.jobs = []
        self.lags = []
        asyncio.run_coroutine_threadsafe(self._probe(), self.studio._background.loop)

    async def _probe(self):
        while True:
            began = time.perf_counter()
            await asyncio.sleep(PROBE)
            self.lags.append(time.perf_counter() - began - PROBE)

    def start(self, number, seconds):
        from klingo1 import VideoRequest

        request = VideoRequest(prompt(number, seconds), (URL,), duration=5)
        self.jobs.append(self.studio.submit(request, engine="kling").id)

    @property
    def left(self):
        """Counted in the file itself: reading whole jobs would be the benchmark's own load."""
        with contextlib.closing(sqlite3.connect(self.file)) as ledger:
            return ledger.execute("SELECT count(*) FROM jobs WHERE finished_at IS NULL").fetchone()[0]

    def close(self):
        done = {job.id for job in self.studio.jobs(limit=5000) if job.state.value == "done" and job.video}
        self.studio.close()
        return len(self.jobs) - len(done & set(self.jobs))


def play(who, url, jobs, seconds):
    """In a process of its own: one job to warm up, then all of them; prints what it took as JSON."""
    with tempfile.TemporaryDirectory() as home:
        side = {"threads": Threads, "klingo1": Klingo1}[who](url, home)
        side.start(0, 0.1)
        while side.left:
            time.sleep(0.1)
        side.lags.clear()
        before, busy, began = resident(), time.process_time(), time.monotonic()
        curve = []
        for number, takes in enumerate(lengths(jobs, seconds), 1):
            side.start(number, takes)
            if number % 50 == 0:
                curve.append((number, (resident() - before) / 1e6))
        started, most = time.monotonic() - began, resident()
        last = 0.0
        while (left := side.left) and time.monotonic() - began < 20 * seconds + 120:
            most = max(most, resident())
            time.sleep(1.0)
        last = time.monotonic() - began
        busy = time.process_time() - busy
        lost = side.close() or left
        found = {"busy": busy, "memory": most - before, "started": started, "last": last, "lost": lost}
        print(json.dumps(found | {"lags": side.lags, "curve": curve}))


def measured(who, jobs, seconds):
    film = ROOT / "assets" / "example.mp4"
    with Service(film=film) as service:
        told = subprocess.run(
            [sys.executable, __file__, "--play", who, service.url, str(jobs), str(seconds)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        facts = service.facts()
    found = json.loads(told.stdout.strip().splitlines()[-1])
    tasks = facts["tasks"].values()
    in_flight = sum(task["ends"] - task["made"] for task in tasks)
    polls = sum(count for name, count in facts["calls"].items() if name in {"result", "list"})
    ended = max(task["ends"] for task in tasks) - min(task["made"] for task in tasks)
    rest = {"in_flight": in_flight, "polls": polls, "connections": facts["connections"], "ended": ended}
    return found | rest


def main():
    if "--play" in sys.argv:
        who, url, jobs, seconds = sys.argv[2:6]
        return play(who, url, int(jobs), float(seconds))
    parser = arguments(__doc__)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--seconds", type=float, help="of a job, nominally")
    chosen = parser.parse_args()
    jobs = chosen.jobs or (40 if chosen.quick else 500)
    seconds = chosen.seconds or (5.0 if chosen.quick else 30.0)
    theirs, ours = measured("threads", jobs, seconds), measured("klingo1", jobs, seconds)
    found = Results(f"{jobs} paid jobs of {seconds:g} s in flight", "threads")

    memory, questions = ([side[name] / jobs for side in (ours, theirs)] for name in ("memory", "polls"))
    busy = [1000 * side["busy"] / side["in_flight"] for side in (ours, theirs)]
    late = [side["last"] - side["ended"] for side in (ours, theirs)]
    lags = [1000 * lag for lag in ours["lags"]]
    found.add(
        Row("jobs that did not end well", "", ours["lost"], theirs["lost"], at_most=0),
        Row("memory per job", "kB", *(size / 1000 for size in memory), at_most=150),
        Row("CPU per job and second in flight", "ms", *busy, at_most=2),
        Row("loop's delay, 99th percentile", "ms", percentile(lags, 0.99), at_most=20),
        Row("loop's delay, median", "ms", median(lags)),
        Row("questions to the service per job", "", *questions),
        Row("from the last end there to the last job done here", "s", *late),
        Row("starting them all", "s", ours["started"], theirs["started"]),
    )
    found.notes.append(
        "klingo1 asks the service at most once a second for all jobs together and downloads every film; "
        "the threads ask once a second each and download nothing. Posters take most of klingo1's CPU."
    )
    found.series["memory"] = {"threads": theirs["curve"], "klingo1": ours["curve"]}
    found.finish(chosen.json)
    return None


if __name__ == "__main__":
    sys.exit(main())
