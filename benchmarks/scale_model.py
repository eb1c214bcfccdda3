"""What 1, 10 and 100 replicas and render workers would serve: service times measured here, then simulated.

    python benchmarks/scale_model.py            measures, simulates, writes docs/scaling.*: make scale
    python benchmarks/scale_model.py --check    a simulation with given times; nothing is measured or written

The model is an open queueing network. Drafts arrive at random (Poisson). Each needs the page (as many servers
as replicas: the processor time of a studio's process for one draft that a client watches), the ledger (one
writer at a time, whatever the number of replicas: that is how money is serialised; as many writes as a real
draft makes) and a render worker (a film on one core). Service times are exponential around the measured
means, which is harsher than reality. A point of the table is the highest rate at which 95 of 100 drafts wait
at most WAIT seconds in all queues together.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from plots import plt, saved
from report import machine, versions
from results import ROOT, bind

from klingo1.database import READ_ONLY
from klingo1.draft.film import RenderTask, render
from klingo1.job import State
from klingo1.ledger import Ledger
from klingo1.oneshot import follow
from klingo1.request import VideoRequest
from klingo1.settings import Settings
from klingo1.studio import Studio

WAIT = 10.0
SIZES = (1, 10, 100)
DRAFTS = 6_000
PROMPT, SECONDS = "a walk through a city at night in the rain", 5
PICTURE = ROOT / "assets" / "character_front.jpg"
BEGIN, END = "<!-- written by make scale -->", "<!-- until here -->"


@dataclass(frozen=True)
class Times:
    """Seconds of each station's time per draft."""

    page: float
    ledger: float
    render: float


def simulate(times: Times, *, rate: float, replicas: int, workers: int, seed: int = 1) -> float:
    """The 95th percentile of waiting, in seconds, when drafts arrive at `rate` per second."""
    chance = random.Random(seed)
    clock = 0.0
    drafts = []
    for _ in range(DRAFTS):
        clock += chance.expovariate(rate)
        drafts.append((clock, 0.0))
    for servers, mean in ((replicas, times.page), (1, times.ledger), (workers, times.render)):
        drafts = served(drafts, servers, mean, chance)
    waits = sorted(waited for _, waited in drafts[DRAFTS // 10 :])
    return waits[int(len(waits) * 0.95)]


def served(
    drafts: list[tuple[float, float]], servers: int, mean: float, chance: random.Random
) -> list[tuple[float, float]]:
    """Pass drafts (time of arrival, waited so far) through a station, first come, first served."""
    free = [0.0] * servers
    left = []
    for at, waited in sorted(drafts):
        begin = max(at, free[0])
        end = begin + chance.expovariate(1.0 / mean)
        heapq.heapreplace(free, end)
        left.append((end, waited + begin - at))
    return sorted(left)


def capacity(times: Times, *, replicas: int, workers: int) -> tuple[float, str]:
    """The highest rate (drafts per second) that keeps the promise, and the station that sets it."""
    limits = {
        "page": replicas / times.page,
        "ledger": 1.0 / times.ledger,
        "render workers": workers / times.render,
    }
    first = min(limits, key=lambda name: limits[name])
    low, high = 0.0, limits[first]
    for _ in range(12):
        middle = (low + high) / 2
        if simulate(times, rate=middle, replicas=replicas, workers=workers) <= WAIT:
            low = middle
        else:
            high = middle
    return low, first


def table(times: Times) -> list[dict[str, Any]]:
    """Capacity over replicas and workers."""
    rows = []
    for replicas in SIZES:
        for workers in SIZES:
            rate, first = capacity(times, replicas=replicas, workers=workers)
            per_hour = round(rate * 3600)
            rows.append({"replicas": replicas, "workers": workers, "per_hour": per_hour, "first": first})
    return rows


def measure(database: str) -> tuple[Times, dict[str, float]]:
    """Service times on one core of this machine: real films, and real drafts through a studio."""
    bind(0, 0)  # before any thread is there; rendering processes inherit it: a worker is one core
    request = VideoRequest(PROMPT, (PICTURE,), duration=SECONDS)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)

        def film(number: int) -> None:
            render(RenderTask(request=request, output=home / f"{number}.mp4"))

        film(0)  # loads the engine
        found = {"film": least(film, 2)}
        with Studio(Settings(home=home, database_url=database)) as studio:
            asyncio.run(follow(studio, studio.submit(request)))  # opens what a process opens once
            counts = transactions(studio._ledger)
            began = time.process_time()  # of this process: films are made in another one
            job = asyncio.run(follow(studio, studio.submit(request)))
            if job.state is not State.DONE:
                raise SystemExit(f"the draft is {job.state}")
            found |= {"page": time.process_time() - began, **counts}

            def write(number: int) -> None:
                studio._ledger.note(job.id, now=time.time(), during=State.DONE, progress=number / 1000)

            found["write"] = average(write, 200)
    return Times(found["page"], found["writes"] * found["write"], found["film"]), found


def transactions(ledger: Ledger) -> Counter[str]:
    """Counts the ledger's transactions from now on, as `writes` and `reads`."""
    counts = Counter(writes=0, reads=0)

    def begun(connection: sa.Connection) -> None:
        counts["reads" if connection.get_execution_options().get(READ_ONLY) else "writes"] += 1

    sa.event.listen(ledger._engine, "begin", begun)
    return counts


def least(work: Callable[[int], object], times: int) -> float:
    """The quickest of several runs, in seconds: what the work costs when nothing else is going on."""
    return min(average(work, 1) for _ in range(times))


def average(work: Callable[[int], object], times: int) -> float:
    """Seconds per run."""
    began = time.perf_counter()
    for number in range(times):
        work(number)
    return (time.perf_counter() - began) / times


def plot(rows: list[dict[str, Any]], to: Path) -> None:
    """Capacity over workers, a line for each number of replicas, both axes logarithmic."""
    figure, axes = plt.subplots(figsize=(7, 4))
    looks = (("#b3541e", "-", 9), ("#1e6fb3", "--", 6), ("#2c7a3f", ":", 3))
    for replicas, (colour, line, size) in zip(SIZES, looks, strict=True):
        points = [(row["workers"], row["per_hour"]) for row in rows if row["replicas"] == replicas]
        words = f"{replicas} replica{'s' if replicas > 1 else ''}"
        (drawn,) = axes.loglog(*zip(*points, strict=True), line, color=colour, marker="o", markersize=size)
        drawn.set(label=words, gid=f"replicas{replicas}")
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.minorticks_off()
    axes.grid(axis="y", color="#ddd")
    axes.set_xlabel("render workers (a core each)")
    axes.set_ylabel("drafts an hour")
    axes.set_title(f"95 in 100 drafts wait at most {WAIT:.0f} seconds", loc="left", fontsize="medium")
    axes.legend(frameon=False)
    saved(figure, to)


def told(facts: dict[str, Any]) -> str:
    """What docs/scaling.md says between its marks: the measured times, the table, and the bottlenecks."""
    found, times, rows = facts["measured"], facts["per_draft"], facts["rows"]
    table = [
        f"| {row['replicas']} | {row['workers']} | {row['per_hour']:,} | {row['first']} |" for row in rows
    ]
    lines = "\n".join(table)
    equal = [row for row in rows if row["workers"] == row["replicas"]]
    firsts = ", ".join(f"with {row['workers']} of each the {row['first']}" for row in equal)
    return f"""\
Measured on {facts["date"]} on one core of: {facts["machine"]}; ledger in {facts["ledger"]}.
{facts["versions"]}.

A draft of {SECONDS} s in 720p takes {times["render"]:.2f} s of a worker; {times["page"]:.3f} s of a page,
with {found["reads"]} reads of the ledger in that; and {times["ledger"]:.4f} s of the ledger, which are
{found["writes"]} writes of {1000 * found["write"]:.2f} ms each.

| replicas | render workers | drafts an hour | first bottleneck |
| ---: | ---: | ---: | --- |
{lines}

What gives out first: {firsts}."""


def written(page: str, told: str) -> str:
    """The page with what stands between its marks put anew. Raises ValueError where it has no marks."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"{BEGIN} … {END} is missing")
    return f"{before}{BEGIN}\n\n{told}\n\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="given times; nothing is measured or written")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--database", default=os.environ.get("KLINGO1_DATABASE_URL", ""))
    wish = parser.parse_args()
    on = machine()  # before this process is bound to one core
    given = Times(0.2, 0.05, 8.0), {"film": 8.0, "page": 0.2, "writes": 20, "reads": 40, "write": 0.0025}
    times, found = given if wish.check else measure(wish.database)
    facts = {
        "date": time.strftime("%Y-%m-%d"), "machine": on, "versions": versions(),
        "ledger": "PostgreSQL" if wish.database else "SQLite",
        "measured": found, "per_draft": asdict(times), "rows": table(times),
    }  # fmt: skip
    print(told(facts))
    if not wish.check:
        page = wish.out / "scaling.md"
        page.write_text(written(page.read_text(encoding="utf-8"), told(facts)), encoding="utf-8")
        (wish.out / "scaling.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        plot(facts["rows"], wish.out / "scaling.svg")


if __name__ == "__main__":
    main()
