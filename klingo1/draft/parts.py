"""One film made in parts side by side, and joined without encoding anything again.

Every part reads the pictures and plans the film for itself, which is a second or two; what is shared out is
building sets, painting and encoding. The file is the one that a single process writes, byte for byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from klingo1.draft.parcel import note_progress
from klingo1.draft.worker import Order, RenderStopped, work

LOOK = 0.3
"""Seconds between two looks at how far the parts are."""
Render = Callable[[Order], dict[str, Any]]


async def make_in_parts(executor: Executor, render: Render, order: Order, count: int) -> dict[str, Any]:
    """Make a film in `count` parts; returns its report.

    Raises what a part raises, BrokenExecutor too, after all have ended; nothing but the film stays behind.
    """
    parts = [_part_of(order, number, count) for number in range(count)]
    made = [asyncio.wrap_future(executor.submit(work, render, part)) for part in parts]
    waiting: set[asyncio.Future[dict[str, Any]]] = set(made)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
            if order.stopped or any(one.exception() for one in done):
                parts[0].ask_to_stop()  # all of them: a film that lacks a part is none
            note_progress(order, _progress(parts))
        errors = [error for one in made if (error := one.exception()) is not None]
        if errors:
            raise min(errors, key=lambda error: isinstance(error, RenderStopped))
        await asyncio.to_thread(_join, [part.output for part in parts], order.output)
        return _whole([one.result() for one in made])
    finally:
        if waiting:
            parts[0].ask_to_stop()
        else:
            _clear(parts)


def _part_of(order: Order, number: int, count: int) -> Order:
    beside = order.output.with_name(f"part{number}")
    progress = None if order.progress is None else order.progress.with_name(f"progress{number}")
    stop = None if order.stop is None else order.stop.with_name("stop-parts")
    return replace(order, part=(number, count), output=beside, progress=progress, stop=stop)


def _clear(parts: Sequence[Order]) -> None:
    for part in parts:
        for file in (part.output, part.progress, part.stop):
            if file is not None:
                file.unlink(missing_ok=True)


def _join(sections: Sequence[Path], to: Path) -> None:
    from klingo1.draft.encode import join  # noqa: PLC0415 - loads FFmpeg

    join(sections, to)


def _progress(parts: Sequence[Order]) -> str:
    """The mean of all parts, and the phase of the one that is least far."""
    told = []
    for part in parts:
        try:
            fraction, *phase = part.progress.read_text(encoding="utf-8").split() if part.progress else ["0"]
            told.append((float(fraction), phase[0] if phase else ""))
        except (OSError, ValueError):
            told.append((0.0, "reading"))
    return f"{sum(share for share, _ in told) / len(told):.4f}\n{min(told)[1]}\n"


def _whole(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    boxes = {number: box for report in reports for number, box in report["boxes"].items()}
    seconds = max(report["seconds_taken"] for report in reports)
    sound = any(report["sound"] for report in reports)
    return {**reports[0], "boxes": boxes, "sound": sound, "seconds_taken": seconds}
