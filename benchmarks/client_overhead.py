"""From the moment a task ends at the service to its result known here: klingo1's client beside `wavespeed`.

    python benchmarks/client_overhead.py [--quick] [--json FILE]

Tasks of about 0.3, 2, 5 and 20 s; the exact lengths are spread evenly around those, in random order and the
same for both, because with whole seconds the package's rhythm of one second would hit or miss by accident.
Both ask the same server, one after the other. klingo1 learns how long tasks take: it is measured on its first
task (nothing known) and again when it has seen three of that kind.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

import httpx
import wavespeed
from results import Results, Row, arguments, median
from service import MODEL, Service

from klingo1 import Client

KEY = "wsk_benchmark_0001"
LENGTHS = {0.3: (0.15, 21), 2.0: (0.5, 15), 5.0: (0.5, 11), 20.0: (1.0, 9)}
"""Nominal seconds: half the width of the spread, rounds. The package sees an end up to a second late, at
random: of fewer rounds the median is an accident.
"""
LEARNT = 3
SPREAD = """Lengths are spread within ±0.15 s of 0.3 s, ±1 s of 20 s and ±0.5 s of the others. Where runs of
a kind differ more, their ends are foreseen less well: with ±2 s around 20 s the lag is about twice as long
(simulated with klingo1/rhythm.py). A client's very first run is asked for ever more rarely, so its end is
seen later than by a poll every second."""
CPU = """CPU: over plain HTTP a call through httpx costs almost what `requests` spends on a whole new
connection, so it is saved by asking less often: most in long runs, nothing in one of 0.3 s. Beside it stands
the floor: bare httpx with the very requests that klingo1 sent."""


def prompt(takes):
    return {"prompt": f"a walk that takes {takes:.3f} s", "images": ["https://example.com/one.jpg"]}


def with_package(service, takes):
    client = wavespeed.Client(api_key=KEY, base_url=service.url)
    busy = time.process_time()
    client.run(MODEL, prompt(takes))
    return time.monotonic(), time.process_time() - busy


async def with_klingo1(client, takes):
    busy = time.process_time()
    made = await client.submit(prompt(takes))
    await client.wait(made.id, get_url=made.get_url)
    return time.monotonic(), time.process_time() - busy


async def with_bare_httpx(client, service, polls):
    """CPU of a submit and so many polls with nothing around httpx: the floor of every client built on it.

    There is a pause before each, as there is for a client that waits: a processor that has slept is slower.
    """
    headers, url = {"Authorization": f"Bearer {KEY}"}, ""
    busy = time.process_time()
    for _ in range(1 + polls):
        await asyncio.sleep(0.15)
        if url:
            (await client.get(url, headers=headers)).json()
        else:
            made = await client.post(f"{service.url}/api/v3/{MODEL}", json=prompt(0.0), headers=headers)
            url = made.json()["data"]["urls"]["get"]
    return time.process_time() - busy


def opened(service):
    """Connections so far, but for those that ask for these facts."""
    facts = service.facts()
    return facts["connections"] - facts["asked"]


def judged(service, before, known, busy):
    """(lag, polls, CPU, connections opened) of the service's latest task."""
    task = list(service.facts()["tasks"].values())[-1]
    return known - task["ends"], task["polls"], busy, opened(service) - before


def why_cpu(bare, busy):
    """A goal that httpx alone would miss is not to be reached by asking through it."""
    return f"bare httpx takes {bare / busy:.2f}× for the same requests"


async def measure(found, service, nominal, rounds):
    chance = random.Random(int(nominal * 10))
    width = LENGTHS[nominal][0]
    spread = [nominal + width * ((2 * number + 1) / rounds - 1) for number in range(rounds)]
    chance.shuffle(spread)
    lengths = [chance.uniform(nominal - width, nominal + width) for _ in range(LEARNT)] + spread
    theirs, ours, first = [], [], []
    async with Client(KEY, base_url=service.url) as client:
        for number, takes in enumerate(lengths):
            if number >= LEARNT:
                before = opened(service)
                known = await asyncio.to_thread(with_package, service, takes)
                theirs.append(judged(service, before, *known))
            before = opened(service)
            one = judged(service, before, *await with_klingo1(client, takes))
            (ours if number >= LEARNT else first).append(one)
    lag, polls, busy, lines = (median(column) for column in zip(*theirs, strict=True))
    our_lag, our_polls, our_busy, our_lines = (median(column) for column in zip(*ours, strict=True))
    async with httpx.AsyncClient() as client:
        await with_bare_httpx(client, service, 1)
        bare = median([await with_bare_httpx(client, service, round(our_polls)) for _ in range(rounds)])
    name = f"{nominal:g} s task"
    found.add(
        Row(f"{name}: end there to result here", "ms", 1000 * our_lag, 1000 * lag, most=0.25),
        Row(f"{name}: the same, the client's very first", "ms", 1000 * first[0][0], 1000 * lag),
        Row(f"{name}: polls", "", our_polls, polls, most=1.0 if nominal >= 5 else None),
        Row(f"{name}: CPU", "ms", 1000 * our_busy, 1000 * busy, most=0.5, why=why_cpu(bare, busy)),
        Row(f"{name}: CPU; rival: bare httpx, the same requests", "ms", 1000 * our_busy, 1000 * bare),
        Row(f"{name}: connections opened", "", our_lines, lines, at_most=1),
    )
    lags = {"wavespeed": [1000 * row[0] for row in theirs], "klingo1": [1000 * row[0] for row in ours]}
    found.series[f"{nominal:g}"] = lags


async def main():
    parser = arguments(__doc__)
    parser.add_argument("--lengths", type=float, nargs="+", default=list(LENGTHS), choices=list(LENGTHS))
    parser.add_argument("--rounds", type=int)
    chosen = parser.parse_args()
    found = Results("Client overhead", f"wavespeed {wavespeed.__version__}")
    with Service() as service:
        await asyncio.to_thread(with_package, service, 0.0)  # imports and caches are nobody's overhead
        async with Client(KEY, base_url=service.url) as client:
            await with_klingo1(client, 0.0)
        for nominal in chosen.lengths:
            rounds = chosen.rounds or (2 if chosen.quick else LENGTHS[nominal][1])
            await measure(found, service, nominal, rounds)
    found.notes += [" ".join(SPREAD.split()), " ".join(CPU.split())]
    found.finish(chosen.json)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
