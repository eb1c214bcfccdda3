"""Seven 12-megapixel photographs on their way: preparing them, and sending them over 50 ms of latency.

    python benchmarks/uploads.py [--quick] [--json FILE]

Preparing is what a run does with each picture: it is checked at the click (`check_picture`), then oriented,
stripped and fitted to the limits (`normalise_picture`, as the studio calls it). Its floor is the bare JPEG
decode and encode with the same settings on as many threads. Sending is the studio's own upload of all seven
beside `wavespeed`, whose `upload` takes one file after another.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import wavespeed
from PIL import Image
from results import Results, Row, arguments, median
from service import Service

from klingo1 import Client
from klingo1.arrivals import check_references
from klingo1.intake_process import Here
from klingo1.job import Job, Money, State
from klingo1.preparation import prepare
from klingo1.pricing import Price
from klingo1.request import Engine, VideoRequest
from klingo1.retry import SystemClock
from klingo1.uploads import PREPARED, Uploads

PICTURES, SIZE, THREADS = 7, (4000, 3000), 2
LATENCY = 0.05
KEY = "wsk_benchmark_0001"


def photographs(folder):
    """Seven JPEGs of some 4 MB each: soft shapes, fine grain, an EXIF orientation on some."""
    made = []
    for number in range(PICTURES):
        chance = np.random.default_rng(number)
        soft = Image.fromarray(chance.integers(0, 255, (30, 40, 3), dtype=np.uint8)).resize(SIZE, 3)
        grain = chance.normal(0, 7, (SIZE[1], SIZE[0], 1)).astype(np.int16)
        picture = Image.fromarray(np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8))
        exif = Image.Exif()
        exif[0x0112] = 6 if number % 3 == 1 else 1
        picture.save(folder / f"{number + 1}.jpg", quality=90, exif=exif)
        made.append(folder / f"{number + 1}.jpg")
    return made


def bare(picture):
    """Decode and encode, nothing else; the encoder's settings are those of normalise_picture."""
    with Image.open(picture) as opened:
        opened.load()
        opened.save(io.BytesIO(), "JPEG", quality=92, subsampling=0, exif=b"")


def decode_and_encode(pictures):
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(bare, pictures))
    return time.perf_counter() - began


def check_and_prepare(pictures):
    """As at a click and in the course of the job, but for copying the files."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder, intake = Path(name), Here()
        request = VideoRequest("a walk", tuple(pictures))
        check_references(request, Engine.KLING, intake)
        asyncio.run(prepare(request, folder, intake))
        took = time.perf_counter() - began
        assert len(list((folder / PREPARED).iterdir())) == PICTURES
    return took


def with_package(service, pictures):
    client = wavespeed.Client(api_key=KEY, base_url=service.url)
    began = time.perf_counter()
    for picture in pictures:
        client.upload(str(picture))
    return time.perf_counter() - began


async def with_klingo1(service, pictures, folder):
    request = VideoRequest("a walk", tuple(pictures))
    job = Job("0" * 32, "desk", Engine.KLING, State.UPLOADING, request, Price(0), Money.HELD, 0.0, 0.0)
    async with Client(KEY, base_url=service.url) as client:
        began = time.perf_counter()
        uploads = Uploads.read(json.dumps([]), now=0.0)
        await uploads.complete(job, client, folder=folder, clock=SystemClock())
        took = time.perf_counter() - began
    assert len(uploads.rows()) == PICTURES
    return took


def main():
    chosen = arguments(__doc__).parse_args()
    rounds = 2 if chosen.quick else 7
    with tempfile.TemporaryDirectory() as name, Service(latency=LATENCY) as service:
        folder = Path(name)
        pictures = photographs(folder)
        size = sum(picture.stat().st_size for picture in pictures) / 1e6
        decode_and_encode(pictures[:1]), check_and_prepare(pictures)
        pairs = [(decode_and_encode(pictures), check_and_prepare(pictures)) for _ in range(rounds)]
        floor, ours = (median(column) for column in zip(*pairs, strict=True))
        sent = [
            (with_package(service, pictures), asyncio.run(with_klingo1(service, pictures, folder)))
            for _ in range(rounds)
        ]
        theirs, our_sending = (median(column) for column in zip(*sent, strict=True))
    found = Results(f"Seven pictures of 12 megapixels ({size:.0f} MB)", "rival")
    found.add(
        Row(f"prepare; rival: bare decode + encode, {THREADS} threads", "s", ours, floor, most=1.3),
        Row("send, 50 ms latency; rival: wavespeed 2.0.5", "s", our_sending, theirs, most=0.3),
    )
    found.finish(chosen.json)


if __name__ == "__main__":
    sys.exit(main())
