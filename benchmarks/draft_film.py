"""How fast drafts are made: as a share of the encode-only floor, and beside FFmpeg's zoompan on one picture.

    python benchmarks/draft_film.py [--rounds 3] [--sizes 720p 1080p] [--prompts city forest]

Each round runs the floor (the same frames through the same encoder), a whole film and the zoompan filter one
right after the other, so that a machine shared with others disturbs all of them alike; ratios are taken
within a round, and the median of the rounds is printed. Cold includes reading the pictures and building the
sets; warm is the frames alone, once each shot's set stands. Memory is measured in processes of their own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import cv2

from klingo1.draft.cutout import cast_of, cut_out
from klingo1.draft.director import direct
from klingo1.draft.encode import Encoder
from klingo1.draft.frames import Film
from klingo1.request import DraftOptions, VideoRequest

ASSETS = Path(__file__).parents[1] / "assets"
IMAGES = tuple(ASSETS / f"character_{view}.jpg" for view in ("back", "side", "front"))
PROMPTS = {
    "city": "walking through a futuristic city at night, neon lights reflecting on wet streets, rain",
    "forest": "walking through a forest at dawn, mist between the trees",
    "beach": "walking along a beach at sunset",
}
FPS = 24


def request(name, seconds, size):
    return VideoRequest(PROMPTS[name], IMAGES, duration=seconds, draft=DraftOptions(size))


def film(order, folder, cache=None):
    """Make the film: seconds in all, those before the first frame or waiting for a set, frames, size."""
    started = time.perf_counter()
    cutouts = [cut_out(image, cache=cache) for image in order.images]
    plan = direct(order.prompt, cast_of(cutouts), duration=order.duration, aspect_ratio=order.aspect_ratio)
    waited, kept = time.perf_counter() - started, []
    with (
        Film(order, plan, cutouts) as made,
        Encoder(folder / "film.mp4", made.width, made.height, title="", recipe={}) as encoder,
    ):
        for number in range(plan.frames):
            before = time.perf_counter()
            while not made.ready(number, 1.0):
                pass
            waited += time.perf_counter() - before
            planes = made.frame(number)[1]
            encoder.add(planes)
            kept.append(planes)
        size = made.width, made.height
    whole = time.perf_counter() - started
    return whole, waited, kept, size


def floor(frames, size, folder):
    """The same frames through the same encoder and nothing else."""
    started = time.perf_counter()
    with Encoder(folder / "floor.mp4", *size, title="", recipe={}) as encoder:
        for planes in frames:
            encoder.add(planes)
    return time.perf_counter() - started


def zoompan(size, count, folder):
    """FFmpeg's zoompan over a looped picture, encoded with the same settings; seconds of wall time.

    As with `ffmpeg -loop 1 -i picture`, the picture is decoded for every frame.
    """
    width, height = size
    path = str(ASSETS / "scene_headland.jpg")
    with av.open(path) as container:
        first = next(container.decode(video=0))
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=first.width, height=first.height, format=first.format.name, time_base=Fraction(1, FPS)
    )
    moves = "z=1+0.0015*on:x=iw/2-iw/zoom/2+on*0.3:y=ih/2-ih/zoom/2"
    zoom = graph.add("zoompan", f"{moves}:d=1:s={width}x{height}:fps={FPS}")
    shape, sink = graph.add("format", "yuv420p"), graph.add("buffersink")
    for one, other in ((source, zoom), (zoom, shape), (shape, sink)):
        one.link_to(other)
    graph.configure()
    started = time.perf_counter()
    with Encoder(folder / "zoom.mp4", width, height, title="", recipe={}) as encoder:
        for number in range(count):
            with av.open(path) as container:
                frame = next(container.decode(video=0))
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            source.push(frame)
            encoder.add(sink.pull().to_ndarray())
    return time.perf_counter() - started


def peak(name, seconds, size):
    """The peak memory of a process that makes one film, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        cv2.setNumThreads(2)
        order = request(name, seconds, size)
        cutouts = [cut_out(image) for image in order.images]
        plan = direct(order.prompt, cast_of(cutouts), duration=seconds, aspect_ratio="16:9")
        with (
            Film(order, plan, cutouts) as made,
            Encoder(Path(folder) / "film.mp4", made.width, made.height, title="", recipe={}) as encoder,
        ):
            for number in range(plan.frames):
                encoder.add(made.frame(number)[1])
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--sizes", nargs="+", default=["720p", "1080p"])
    arguments.add_argument("--prompts", nargs="+", default=list(PROMPTS))
    arguments.add_argument("--no-memory", action="store_true")
    chosen = arguments.parse_args()
    cv2.setNumThreads(2)
    print(
        "size   place    cold s  cold/floor  warm/floor  against zoompan   (medians of",
        chosen.rounds,
        "rounds)",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in chosen.sizes:
            for place in chosen.prompts:
                rows = []
                for _ in range(chosen.rounds):
                    order = request(place, chosen.seconds, size)
                    whole, _, frames, shape = film(order, folder)
                    least = floor(frames, shape, folder)
                    again, waited, frames, shape = film(order, folder, cache=folder / "cache")
                    zoomed = zoompan(shape, len(frames), folder)
                    rows.append((whole, least / whole, least / (again - waited), zoomed / (again - waited)))
                    del frames
                cold, share, warm, against = (statistics.median(column) for column in zip(*rows, strict=True))
                print(
                    f"{size:6} {place:8} {cold:6.2f}  {share:10.2f}  {warm:10.2f}  {against:12.2f}x",
                    flush=True,
                )
    if chosen.no_memory:
        return
    print("peak memory of a whole process, MB")
    for size in chosen.sizes:
        used = []
        for seconds in (3, 10):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                used.append(pool.apply(peak, (chosen.prompts[0], seconds, size)))
        print(f"{size:6} {chosen.prompts[0]:8} 3 s: {used[0]:.0f}   10 s: {used[1]:.0f}", flush=True)


if __name__ == "__main__":
    main()
