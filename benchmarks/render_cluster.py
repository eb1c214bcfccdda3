"""Drafts per minute on a Dask cluster of 1, 2 and 4 workers, and one film made in 1, 2 and 4 parts.

    python benchmarks/render_cluster.py [--quick] [--json FILE] [--drafts 40] [--workers 1 2 4] [--rounds 1]

Scheduler and workers are real processes that share nothing with this one but the network, as deployed: orders
travel with their pictures, films come home and are looked at. A worker is bound to a core of its own, as long
as there are cores (Linux); beyond that workers share them, and more of them are no faster. The rival is the
cluster of one worker, and the film in one part.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from results import ROOT, Results, Row, arguments, bind, cores

sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests" / "draft"))

from dasking import Dask, observed

from klingo1.download import is_whole_mp4
from klingo1.draft.cluster import ClusterExecutor
from klingo1.draft.renderer import RenderQueue
from klingo1.draft.worker import Order, load_film
from klingo1.request import VideoRequest
from klingo1.settings import CLUSTER_AHEAD

PICTURE = ROOT / "assets" / "character_front.jpg"
PROMPTS = (
    "walking in a photo studio",
    "walking along a beach",
    "running across a meadow",
    "flying in the sky",
)
SHORT, LONG = 3, 10
"""Seconds of film. A film can be cut into pieces of two and a half seconds, so the long one into four."""


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """The address of a cluster whose workers are bound to cores and have the engine loaded."""
    folder.mkdir()
    with Dask(folder, workers=workers) as dask:
        for number, process in enumerate(dask.workers):
            bind(process.pid, number)
        with observed(dask.address) as (client, _):
            client.wait_for_workers(workers, timeout=60)
            client.run(load_film)
        yield dask.address


def ordered(folder: Path, count: int, seconds: int) -> list[Order]:
    """So many different films, each with a folder of its own."""
    orders = []
    for number in range(count):
        room = folder / f"film{number}"
        room.mkdir(parents=True)
        request = VideoRequest(
            PROMPTS[number % len(PROMPTS)], (PICTURE,), duration=seconds, aspect_ratio="1:1"
        )
        orders.append(Order(request, room / "video.mp4", room / "progress", room / "stop"))
    return orders


def made(address: str, orders: list[Order], *, parts: int = 1) -> float:
    """Seconds until all films are home, through the product's own queue; raises when one is not whole."""
    executor = ClusterExecutor(address)

    async def make() -> float:
        queue = RenderQueue(executor=executor, workers=CLUSTER_AHEAD, parts=parts)
        began = time.perf_counter()
        await asyncio.gather(*(queue.make(order) for order in orders))
        return time.perf_counter() - began

    try:
        taken = asyncio.run(make())
    finally:
        executor.shutdown()
    if lost := [order.output.parent.name for order in orders if not is_whole_mp4(order.output)]:
        raise SystemExit(f"lost: {', '.join(lost)}")
    return taken


def in_parts(found: Results, address: str, folder: Path, counts: list[int], rounds: int) -> None:
    """One long film, in one part and in more of them; the files have to be the same."""
    files = set()
    taken = dict.fromkeys(counts, float("inf"))
    for number in range(rounds):
        for parts in counts:
            orders = ordered(folder / f"{number}-{parts}", 1, LONG)
            taken[parts] = min(taken[parts], made(address, orders, parts=parts))
            files.add(orders[0].output.read_bytes())
    if len(files) > 1:
        raise SystemExit("parts make another film")
    for parts in counts:
        words = f"a film of {LONG} s in {parts} part{'s' if parts > 1 else ''}"
        found.add(Row(words, "s", taken[parts], None if parts == counts[0] else taken[counts[0]]))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--drafts", type=int)
    parser.add_argument("--workers", type=int, nargs="+", help="sizes of the cluster, and numbers of parts")
    parser.add_argument("--rounds", type=int, default=1, help="of the film in parts; the quickest counts")
    chosen = parser.parse_args()
    drafts = chosen.drafts or (6 if chosen.quick else 40)
    sizes = chosen.workers or ([1, 2] if chosen.quick else [1, 2, 4])
    found = Results(f"A render cluster on {cores()} cores", "one")
    alone = None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through the blocks that end the cluster
    with tempfile.TemporaryDirectory() as name:
        for workers in sizes:
            folder = Path(name) / f"with{workers}"
            with cluster(folder, workers) as address:
                made(address, ordered(folder / "first", workers, SHORT))  # what a worker does once
                count = drafts if workers > 1 else -(-drafts // 4)  # half as long as two workers take for all
                rate = count / made(address, ordered(folder / "films", count, SHORT)) * 60
                words = f"{count} drafts of {SHORT} s, {workers} worker{'s' if workers > 1 else ''}"
                found.add(Row(words, "/min", rate, alone))
                alone = alone or rate
                if workers == max(sizes):
                    in_parts(found, address, folder / "parts", sizes, chosen.rounds)
    found.notes.append("All drafts came home whole; the film in parts is the same file, byte for byte.")
    found.finish(chosen.json)


if __name__ == "__main__":
    main()
