"""What libx264's macroblock tree, which drafts go without, costs in size and quality.

    python benchmarks/draft_encoder.py [--quick] [--json FILE]

The same frames of several places are encoded with the usual settings (veryfast, crf 20, tree) and with the
film's, at several rates; kilobytes, PSNR of luma and processor time are printed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np
from draft_film import request
from results import Results, Row, arguments

from klingo1.draft import chunks
from klingo1.draft.cutout import cast_of
from klingo1.draft.director import direct
from klingo1.draft.film import RenderTask, references_of
from klingo1.draft.frames import Film

USUAL = {"preset": "veryfast", "crf": "20"}
TREELESS = {
    f"no tree, crf {crf}": USUAL | {"crf": crf, "x264-params": "mbtree=0"} for crf in ("20", "21", "22")
}
EVERY = 6
"""Quality is judged on every sixth frame."""


def filmed(place, folder):
    """The frames of a film, where its pieces begin, and its size."""
    order = request(place, 5, "720p")
    cutouts, _ = references_of(RenderTask(order, folder / "film.mp4", cache=folder))
    plan = direct(order.prompt, cast_of(cutouts), duration=5, aspect_ratio="16:9")
    with Film(order, plan, cutouts) as made:
        frames = [made.frame(number)[0] for number in range(plan.frames)]
        return frames, chunks.starts_of(plan), (made.width, made.height)


def encoded(frames, starts, size, options):
    """Kilobytes, mean PSNR of luma in dB, and seconds of processor time."""
    started, packets, context = time.process_time(), [], None
    for number, planes in enumerate(frames):
        if number in starts:
            packets += context.encode(None) if context is not None else []
            context = chunks.encoder_of(*size)
            context.flags &= ~av.codec.context.Flags.global_header  # each piece says how it is to be read
            context.options = options
        frame = chunks.picture_of(planes, *size)
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    taken = time.process_time() - started
    decoder = av.CodecContext.create("h264", "r")
    seen = [f.to_ndarray(format="yuv420p") for p in [*packets, None] for f in decoder.decode(p)]
    pairs = list(zip(frames, seen, strict=True))[::EVERY]
    quality = [cv2.PSNR(a[: size[1]], b[: size[1]]) for a, b in pairs]
    return sum(len(bytes(p)) for p in packets) / 1000, float(np.mean(quality)), taken


def main():
    chosen = arguments(__doc__).parse_args()
    places = ("city",) if chosen.quick else ("city", "forest", "beach", "meadow", "room", "underwater")
    cv2.setNumThreads(2)
    columns = {name: [] for name in ("usual", *TREELESS)}
    with tempfile.TemporaryDirectory() as name:
        for place in places:
            film = filmed(place, Path(name))
            for label, options in {"usual": USUAL, **TREELESS}.items():
                columns[label].append(encoded(*film, options))
    found = Results(f"5 s at 720p, mean of {len(places)} places", "crf 20, tree")
    usual = np.mean(columns.pop("usual"), axis=0)
    for label, rows in columns.items():
        for what, unit, ours, theirs in zip(
            ("size", "quality", "processor"), ("kB", "dB", "s"), np.mean(rows, axis=0), usual, strict=True
        ):
            found.add(Row(f"{label}: {what}", unit, float(ours), float(theirs)))
    found.finish(chosen.json)


if __name__ == "__main__":
    sys.exit(main())
