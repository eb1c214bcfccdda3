"""How fast drafts are made: as a share of the encode-only floor, and beside FFmpeg's zoompan on one picture.

    python benchmarks/draft_film.py [--quick] [--json FILE] [--sizes 720p 1080p] [--places city …]

Six places are filmed at 720p and two at 1080p, one of them in three shapes and from 3 to 10 s; `--places`
names others. Each round runs a whole film, its frames
alone, the floor (the same frames, already made, through the same encoder) and the zoompan filter one right
after the other, so that a machine shared with others disturbs all of them alike; ratios are taken within a
round, and the median of the rounds is printed. Cold is the product's own `render`: reading and cutting the
pictures, building the sets, the poster. Warm is the frames alone, once each shot's set stands. Memory is
measured in processes of their own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import re
import resource
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import cv2
import numpy as np
from results import ROOT, Results, Row, arguments, median

from klingo1.draft.chunks import starts_of
from klingo1.draft.cutout import cast_of
from klingo1.draft.director import direct
from klingo1.draft.encode import Encoder, Section
from klingo1.draft.film import RenderTask, references_of, render
from klingo1.draft.frames import Film
from klingo1.draft.plan import FPS, with_everyone
from klingo1.request import DraftOptions, VideoRequest

ASSETS = ROOT / "assets"
IMAGES = tuple(ASSETS / f"character_{view}.jpg" for view in ("back", "side", "front"))
PROMPTS = {
    "city": "walking through a futuristic city at night, neon lights reflecting on wet streets, rain",
    "market": "walking through a street market in the evening",
    "forest": "walking through a forest at dawn, mist between the trees",
    "beach": "walking along a beach at sunset",
    "desert": "riding through a desert at dusk, dust in the air",
    "snow": "dancing in falling snow",
    "mountains": "walking in the mountains, clear morning",
    "meadow": "running across a meadow on a sunny day",
    "lake": "walking by a lake at dawn, golden light",
    "underwater": "floating underwater among corals",
    "space": "floating in space above a planet",
    "sky": "flying through the sky above the clouds at sunset",
    "room": "sitting in a cosy room in the evening",
    "studio": "waving in a photo studio, slow push in",
}
BARS = {"720p": (0.35, 0.45, 650), "1080p": (0.40, 0.50, 1000)}
"""Cold and warm as shares of the floor, and the peak of memory in MB."""
SOME = {"720p": ("city", "forest", "beach", "meadow", "room", "studio"), "1080p": ("city", "forest")}
FITTED = "city"
"""The place that is filmed in every shape and length."""
RIVAL_FRAMES = 60
DURATIONS = (3, 4, 5, 6, 8, 10)


def request(place, seconds, size, shape="16:9"):
    return VideoRequest(
        PROMPTS[place], IMAGES, duration=seconds, aspect_ratio=shape, draft=DraftOptions(size)
    )


def whole(order, folder):
    """Make the film as a page's job does, nothing cached; seconds of wall time."""
    started = time.perf_counter()
    render(RenderTask(order, folder / "film.mp4"))
    return time.perf_counter() - started


def frames_alone(order, folder):
    """Shoot and encode, cut-outs at hand: seconds without waiting for sets, frames, size, section."""
    cutouts, _ = references_of(RenderTask(order, folder / "warm.mp4", cache=folder / "cache"))
    plan = direct(order.prompt, cast_of(cutouts), duration=order.duration, aspect_ratio=order.aspect_ratio)
    plan = with_everyone(plan)
    section, kept, waited = Section(starts_of(plan)), [], 0.0
    with Film(order, plan, cutouts) as made:
        started = time.perf_counter()
        size = made.width, made.height
        with Encoder(folder / "warm.mp4", *size, title="", recipe={}, section=section) as encoder:
            for number in range(plan.frames):
                before = time.perf_counter()
                while not made.ready(number, 1.0):
                    pass
                waited += time.perf_counter() - before
                planes, _ = made.frame(number)
                encoder.add(planes)
                kept.append(planes)
        return time.perf_counter() - started - waited, kept, size, section


def floor(frames, size, section, folder):
    """The same frames through the same encoder and nothing else."""
    started = time.perf_counter()
    with Encoder(folder / "floor.mp4", *size, title="", recipe={}, section=section) as encoder:
        for planes in frames:
            encoder.add(planes)
    return time.perf_counter() - started


def looped(folder):
    """One picture in the two forms in which people have it."""
    jpeg, png = ASSETS / "scene_headland.jpg", folder / "scene.png"
    if not png.exists():
        cv2.imwrite(str(png), cv2.imread(str(jpeg)))
    return [str(jpeg), str(png)]


def zoompan(size, count, section, folder, path):
    """FFmpeg's zoompan over a looped picture, through the same encoder; seconds of wall time.

    As with `ffmpeg -loop 1 -i picture`, the picture is decoded for every frame; a PNG takes longer.
    """
    width, height = size
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
    with Encoder(folder / "zoom.mp4", width, height, title="", recipe={}, section=section) as encoder:
        for number in range(count):
            with av.open(path) as container:
                frame = next(container.decode(video=0))
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            source.push(frame)
            encoder.add(sink.pull().to_ndarray())
    return time.perf_counter() - started


def compare(found, order, rounds, folder, label):
    """Rows for one film: cold and warm beside the floor and, where there is a bar for it, zoompan."""
    columns = []
    pictures = looped(folder) if order.draft.size == "720p" else []
    for _ in range(rounds):
        cold = whole(order, folder)
        warm, frames, size, section = frames_alone(order, folder)
        least = floor(frames, size, section, folder)
        rivals = [RIVAL_FRAMES / zoompan(size, RIVAL_FRAMES, section, folder, path) for path in pictures]
        columns.append([*(len(frames) / took for took in (cold, warm, least)), *rivals])
        del frames
    for name, column, bar in (("cold", 0, BARS[order.draft.size][0]), ("warm", 1, BARS[order.draft.size][1])):
        # The round with the median ratio: rate and floor of one row belong together.
        one = sorted(columns, key=lambda c: c[column] / c[2])[len(columns) // 2]
        found.add(Row(f"{label} {name}; rival: the floor", "fps", one[column], one[2], least=bar))
    for column, path in enumerate(pictures, 3):
        one = sorted(columns, key=lambda c, at=column: c[1] / c[at])[len(columns) // 2]
        kind = Path(path).suffix[1:].upper()
        why = f"the encoder alone reaches {one[2] / one[column]:.2f}× with these frames"
        name = f"{label} warm; rival: zoompan, one {kind}"
        found.add(Row(name, "fps", one[1], one[column], least=1.2, why=why))


def fit(found, place, size, rounds, folder):
    """How the cost grows with the duration: a line through the medians, and how far they lie from it."""
    taken = [median([whole(request(place, s, size), folder) for _ in range(rounds)]) for s in DURATIONS]
    slope, base = np.polyfit(DURATIONS, taken, 1)
    off = np.abs(np.array(taken) - (base + slope * np.array(DURATIONS))) / np.array(taken)
    found.series[f"{size} {place}"] = {"seconds": list(DURATIONS), "taken": taken}
    found.add(Row(f"{size} {place}, 3-10 s: farthest from the line", "%", 100 * float(off.max())))
    found.notes.append(f"{size} {place}: {base:.2f} s + {slope:.3f} s for each second of film")


def peak(place, seconds, size):
    """The peak memory of a process that makes one film, in MB. Linux counts what the parent had before into
    the usual figure, so that the process's own mark is read there.
    """
    with tempfile.TemporaryDirectory() as folder:
        render(RenderTask(request(place, seconds, size), Path(folder) / "film.mp4"))
    with contextlib.suppress(OSError):
        return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)


def memory(found, place, size):
    """The peaks of a short and a long film, in fresh processes."""
    used = []
    for seconds in (3, 10):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            used.append(pool.apply(peak, (place, seconds, size)))
        found.add(Row(f"{size} {place} peak, {seconds} s", "MB", used[-1], at_most=BARS[size][2]))
    found.add(Row(f"{size} {place} peak, 10 s; rival: 3 s", "MB", used[1], used[0], most=1.1))


def main():
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", default=list(BARS))
    parser.add_argument("--places", nargs="+", choices=list(PROMPTS))
    parser.add_argument("--only", choices=("speed", "shapes", "fit", "memory"))
    chosen = parser.parse_args()
    rounds = chosen.rounds or (1 if chosen.quick else 3)
    cv2.setNumThreads(2)
    found = Results(f"Draft films of {chosen.seconds} s", "rival")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole(request("studio", 3, "720p"), folder)  # what a process loads once is no part of a film
        for size in chosen.sizes:
            if chosen.only in {None, "speed"}:
                for place in chosen.places or SOME[size][: 2 if chosen.quick else None]:
                    order = request(place, chosen.seconds, size)
                    compare(found, order, rounds, folder, f"{size} {place}")
            if chosen.only == "shapes" or (chosen.only is None and size == "720p" and not chosen.quick):
                for shape in ("9:16", "1:1"):
                    order = request(FITTED, chosen.seconds, size, shape)
                    compare(found, order, rounds, folder, f"{size} {FITTED} {shape}")
            if chosen.only == "fit" or (chosen.only is None and size == "720p" and not chosen.quick):
                fit(found, FITTED, size, 1, folder)
            if chosen.only in {None, "memory"}:
                for place in chosen.places or [FITTED]:
                    memory(found, place, size)
    found.finish(chosen.json)


if __name__ == "__main__":
    sys.exit(main())
