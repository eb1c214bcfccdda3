"""What 1, 10 and 100 replicas and render workers would serve: service times measured here, then simulated.

    python benchmarks/scale_model.py            measures, simulates, writes docs/scaling.json and the plot
    python benchmarks/scale_model.py --check    a simulation with given times; nothing is measured or written

The model is an open queueing network. Drafts arrive at random (Poisson). Each needs the page (as many servers
as replicas: copying and normalising its picture, reading states for the status card), the ledger (one writer
at a time, whatever the number of replicas: that is how money is serialised) and a render worker. Service
times are exponential around the measured means, which is harsher than reality. A point of the table is the
highest rate at which 95 of 100 drafts wait at most WAIT seconds in all queues together.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
from PIL import Image

from klingo1.draft.film import RenderTask, render
from klingo1.job import State
from klingo1.ledger import Ledger
from klingo1.money import Caps, NewJob
from klingo1.pricing import Price
from klingo1.references import check_picture, normalise_picture
from klingo1.request import Engine, VideoRequest

WAIT = 10.0
WRITES_PER_DRAFT = 20
"""Quote, row, seven states, uploads, and some ten notes of progress."""
READS_PER_DRAFT = 40
"""The loop reads a job at each step; a status card asks every quarter of a second at first, then rarer."""
SIZES = (1, 10, 100)
DRAFTS = 6_000


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
    """Service times on this machine: a real film, real ledger writes and reads, a real picture."""
    cv2.setNumThreads(1)  # a worker is one core
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        picture = home / "picture.jpg"
        Image.effect_noise((1280, 960), 60).convert("RGB").save(picture)
        request = VideoRequest("a walk through a city at night in the rain", (picture,))

        def film(number: int) -> None:
            render(RenderTask(request=request, output=home / f"{number}.mp4"))

        def intake(number: int) -> None:
            check_picture(picture, field="images[0]")
            normalise_picture(picture, home / f"{number}.jpg", field="images[0]")

        film(0)  # loads the engine
        found = {"film": least(film, 2), "picture": least(intake, 5)}
        ledger = Ledger(database or home / "ledger.sqlite3", home=home)
        try:
            quote = ledger.new_quote("desk", now=time.time())
            new = NewJob(quote[:12], "desk", Engine.DRAFT, request, Price(0), "d", quote)
            job, _ = ledger.admit(new, caps=Caps(), now=time.time())

            def write(number: int) -> None:
                ledger.note(job.id, now=time.time(), during=State.QUEUED, progress=number / 1000)

            found["ledger_write"] = average(write, 200)
            found["ledger_read"] = average(lambda _: ledger.job(job.id, owner="desk"), 500)
        finally:
            ledger.close()
    page = found["picture"] + READS_PER_DRAFT * found["ledger_read"]
    return Times(page, WRITES_PER_DRAFT * found["ledger_write"], found["film"]), found


def least(work: Callable[[int], object], times: int) -> float:
    """The quickest of several runs, in seconds: what the work costs when nothing else is going on."""
    return min(average(work, 1) for _ in range(times))


def average(work: Callable[[int], object], times: int) -> float:
    """Seconds per run."""
    began = time.perf_counter()
    for number in range(times):
        work(number)
    return (time.perf_counter() - began) / times


def plot(rows: list[dict[str, Any]]) -> str:
    """Capacity over workers, one line per number of replicas, both axes logarithmic, as SVG."""
    width, height, left, top, right, bottom = 720, 420, 84, 40, 130, 56
    rates = [max(1, row["per_hour"]) for row in rows]
    low, high = math.floor(math.log10(min(rates))), math.floor(math.log10(max(rates))) + 1
    ground, edge = height - bottom, width - right

    def place(workers: int, rate: float) -> tuple[float, float]:
        share = (math.log10(max(1.0, rate)) - low) / (high - low)
        return left + math.log10(workers) / 2 * (edge - left), ground - share * (ground - top)

    title = f"Drafts an hour of which 95 in 100 wait at most {WAIT:.0f} seconds"
    frame = f'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13"'
    middle, foot = (left + edge) / 2, "render workers (a core each)"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{left}" y="22" fill="#222" font-weight="600">{title}</text>',
        f'<text x="{middle}" y="{height - 12}" text-anchor="middle" fill="#222">{foot}</text>',
    ]
    for power in range(low, high + 1):
        at = place(1, 10**power)[1]
        parts += [
            f'<line x1="{left}" x2="{edge}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>',
            f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#444">{10**power:,}</text>',
        ]
    for workers in SIZES:
        at = place(workers, 1)[0]
        parts.append(
            f'<text x="{at:.1f}" y="{ground + 20}" text-anchor="middle" fill="#444">{workers}</text>'
        )
    taken: list[float] = []
    looks = (("#b3541e", "", 7), ("#1e6fb3", "9 5", 5), ("#2c7a3f", "2 5", 3))
    for replicas, (colour, dash, radius) in zip(SIZES, looks, strict=True):
        points = [place(row["workers"], row["per_hour"]) for row in rows if row["replicas"] == replicas]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"'
            f' stroke-dasharray="{dash}"/>'
        )
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius}" fill="{colour}"/>' for a, b in points]
        label = points[-1][1] + 4
        while any(abs(label - other) < 17 for other in taken):
            label -= 1
        taken.append(label)
        words = f"{replicas} replica{'s' if replicas > 1 else ''}"
        parts.append(f'<text x="{edge + 14}" y="{label:.1f}" fill="{colour}">{words}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="given times; nothing is measured or written")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs")
    parser.add_argument("--database", default=os.environ.get("KLINGO1_DATABASE_URL", ""))
    wish = parser.parse_args()
    times, found = (Times(0.2, 0.05, 8.0), {}) if wish.check else measure(wish.database)
    rows = table(times)
    print(f"page {times.page:.3f} s, ledger {times.ledger:.4f} s, film {times.render:.2f} s per draft")
    print("| replicas | render workers | drafts an hour | first bottleneck |\n| ---: | ---: | ---: | --- |")
    for row in rows:
        print(f"| {row['replicas']} | {row['workers']} | {row['per_hour']:,} | {row['first']} |")
    if not wish.check:
        facts = {"measured": found, "per_draft": asdict(times), "rows": rows}
        (wish.out / "scaling.json").write_text(json.dumps(facts, indent=2) + "\n")
        (wish.out / "scaling.svg").write_text(plot(rows))


if __name__ == "__main__":
    main()
