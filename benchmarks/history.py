"""A history of ten thousand runs: its pages, and whether the start feels them.

    python benchmarks/history.py [--quick] [--json FILE]

The runs are written as the studio writes them, the newest with films and posters on disk. A page of history
is what the page asks for (24 runs), answered by the server's own function; the start is `python app.py` to
its first HTTP 200, with this ledger and with an empty one in turn.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from results import ROOT, Results, Row, arguments, median
from start_up import first_answer, served

from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.money import day_text
from klingo1.pricing import price_of
from klingo1.request import Engine, VideoRequest
from klingo1.settings import Settings
from klingo1.studio import Studio
from klingo1.visitors import DESK

WITH_FILES = 96
_STATES = (State.DONE,) * 8 + (State.FAILED, State.REFUSED)
_STEPS = (State.PREPARING, State.UPLOADING, State.SUBMITTING, State.RUNNING, State.DOWNLOADING)


def fill(home, runs):
    """A ledger of so many ended runs, one a minute, every other one a draft."""
    now, ledger = time.time(), Ledger(home / "klingo1.sqlite3", home=home)
    details = {
        "code": 200,
        "message": "success",
        "data": {"id": "", "outputs": ["https://example.com/v.mp4"]},
    }
    with ledger._writing() as connection:
        for number in range(runs):
            at, job_id = now - 60.0 * (runs - number), f"{number:032x}"
            engine = Engine.KLING if number % 2 else Engine.DRAFT
            state = _STATES[number % len(_STATES)]
            request = VideoRequest(f"a walk along the beach, number {number}", ("https://example.com/1.jpg",))
            price = price_of(request, engine)
            job = Job(job_id, DESK, engine, State.QUEUED, request, price, Money.FREE, at, at, details=details)
            ledger._insert(connection, job, day=day_text(at), quote=None)
            for step, entered in enumerate((*_STEPS, state)):
                ledger._enter(connection, job_id, entered, at + step)
            facts = {"state": state.value, "finished_at": at + 40, "prediction_id": f"task{number:08d}"}
            if state is State.DONE:
                facts |= {"video": f"jobs/{job_id}/video.mp4", "poster": f"jobs/{job_id}/poster.jpg"}
                if number >= runs - WITH_FILES:
                    folder = home / "jobs" / job_id
                    folder.mkdir(parents=True)
                    shutil.copyfile(ROOT / "assets" / "example.mp4", folder / "video.mp4")
                    shutil.copyfile(ROOT / "assets" / "example.jpg", folder / "poster.jpg")
            jobs = ledger_table()
            connection.execute(jobs.update().where(jobs.c.id == job_id).values(**facts))
    ledger.close()


def ledger_table():
    from klingo1.schema import jobs

    return jobs


def pages(home, cache, rounds):
    """Seconds of the first page of history and of the next one: the first time, and as medians."""
    from klingo1.ui.handlers import Handlers
    from klingo1.ui.shelf import Shelf

    firsts, nexts = [], []
    with Studio(Settings(home=home, cache=cache)) as studio:
        handlers = Handlers(studio, hosted=False, publish=Shelf(home / "cache").publish)
        for _ in range(rounds):
            began = time.perf_counter()
            first = handlers.history({})
            middle = time.perf_counter()
            following = handlers.history({"before": first["next"]})
            firsts.append(middle - began)
            nexts.append(time.perf_counter() - middle)
            assert len(first["jobs"]) == len(following["jobs"]) == 24
    return firsts, nexts


def start(home):
    """Seconds to the first 200 of app.py over this folder."""
    with served(["app.py"], home) as (url, began, process):
        return first_answer(url, began, process)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int)
    chosen = parser.parse_args()
    runs, rounds = chosen.runs or (1000 if chosen.quick else 10_000), 1 if chosen.quick else 9
    with tempfile.TemporaryDirectory() as name:
        full, empty = Path(name) / "full", Path(name) / "empty"
        for folder in (full, empty):
            (folder / "home").mkdir(parents=True)
        fill(full / "home", runs)
        size = (full / "home" / "klingo1.sqlite3").stat().st_size / 1e6
        start(empty)  # fills the disk's caches and makes the empty ledger
        pairs = [(start(empty), start(full)) for _ in range(rounds)]
        firsts, nexts = pages(full / "home", Path(name) / "cache", 2 if chosen.quick else 15)
    without, with_runs = (median(column) for column in zip(*pairs, strict=True))
    found = Results(f"A history of {runs:,} runs ({size:.0f} MB)", "empty")
    found.add(
        Row("first page of history", "ms", 1000 * median(firsts), at_most=50),
        Row("first page, the very first time", "ms", 1000 * firsts[0], at_most=50),
        Row("next page", "ms", 1000 * median(nexts), at_most=50),
        Row("next page, the very first time", "ms", 1000 * nexts[0], at_most=50),
        Row("app.py to its first HTTP 200; rival: an empty ledger", "s", with_runs, without, most=1.05),
    )
    found.finish(chosen.json)


if __name__ == "__main__":
    sys.exit(main())
