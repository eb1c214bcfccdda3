"""What happens inside a rendering process: check the pictures, make the film, and leave when told.

Everything here can be pickled by a spawned process, and importing it loads neither OpenCV, PyAV nor gradio.
Errors cross the process border as the three plain kinds below: an exception that cannot be unpickled would
break the whole pool.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klingo1.draft.media import MediaUnreadable, check_picture
from klingo1.errors import InvalidRequest
from klingo1.request import Engine, VideoRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE = 0.6
"""Seconds that a render gets to notice its stop file before its process ends."""
LOOK = 0.15
"""Seconds between two looks at the stop file."""

_own_process = False


class RenderFailed(Exception):
    """The film could not be made; the message is plain and names no file of a person's."""


class RenderStopped(Exception):
    """The stop file was there."""


@dataclass(frozen=True, slots=True)
class BareRequest(VideoRequest):
    """A request without pictures: the contract allows it, a page about references does not.

    The other fields were checked when the submit was read.
    """

    def __post_init__(self) -> None:
        """Nothing is checked again."""


@dataclass(frozen=True, slots=True)
class Order:
    """One film to make. The fields are those of film.RenderTask, which only the worker imports.

    `progress` receives a number from 0 to 1 as text; when `stop` exists the work is to end; `cache` and
    `corrections` are folders that renders share; `model` is a file.
    """

    request: VideoRequest
    output: Path
    progress: Path | None = None
    stop: Path | None = None
    cache: Path | None = None
    corrections: Path | None = None
    model: Path | None = None
    part: tuple[int, int] = (0, 1)

    @property
    def stopped(self) -> bool:
        """Whether somebody asked for the end."""
        return self.stop is not None and self.stop.exists()

    def ask_to_stop(self) -> None:
        """Write the stop file, where there is a folder for it."""
        if self.stop is not None:
            with contextlib.suppress(FileNotFoundError):
                self.stop.touch()


def render_film(order: Order) -> dict[str, Any]:
    """The default renderer: the draft engine's film."""
    from klingo1.draft.film import RenderTask, render  # noqa: PLC0415 - OpenCV loads in the worker only

    return render(
        RenderTask(
            request=order.request,
            output=order.output,
            progress=order.progress,
            stop=order.stop,
            cache=order.cache,
            corrections=order.corrections,
            model=order.model,
            part=order.part,
        )
    )


def load_film() -> None:
    """Import the draft engine and read its words, ahead of the first film."""
    import klingo1.draft.film  # noqa: F401, PLC0415 - as above
    from klingo1.draft.lexicon import lexicon  # noqa: PLC0415 - as above

    lexicon()


def settle(niceness: int) -> None:
    """Prepare a process that exists for rendering: it stands back by so many steps of nice, ends with its
    parent and leaves Ctrl-C to it.
    """
    global _own_process  # noqa: PLW0603 - a fact about this process, set once when it starts
    _own_process = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(niceness)
    threading.Thread(target=_leave_with_parent, name="klingo1-parent", daemon=True).start()


def work(render: Callable[[Order], dict[str, Any]], order: Order) -> dict[str, Any]:
    """Make one film and return its report as plain JSON values.

    Raises MediaUnreadable, RenderStopped or RenderFailed, and nothing else.
    """
    with _watched(order):
        try:
            for number, picture in enumerate(order.request.images, start=1):
                assert isinstance(picture, Path)
                check_picture(picture, f"Picture {number}")
            for number, mask in enumerate(order.request.draft.masks, start=1):
                if isinstance(mask, Path):
                    check_picture(mask, f"Mask {number}")
            if isinstance(order.request.video, Path):
                from klingo1.clips import check_clip  # noqa: PLC0415 - loads FFmpeg, in the worker only

                check_clip(order.request.video, engine=Engine.DRAFT)
            report = json.loads(json.dumps(render(order), default=str))
        except MediaUnreadable:
            raise
        except InvalidRequest as error:
            # The clip, or a picture that the engine cannot use after all: the words are plain.
            raise MediaUnreadable(f"{error.reason} {error.remedy}") from None
        except Exception as error:
            if order.stopped:
                _end_what_goes_on()
                raise RenderStopped from None
            raise RenderFailed(f"The draft could not be made ({_where(error)}).") from None
        if order.stopped:
            raise RenderStopped
        if not isinstance(report, dict) or not order.output.is_file() or not order.output.stat().st_size:
            raise RenderFailed("The draft could not be made (no film was written).")
        return report


def _where(error: Exception) -> str:
    """Type and place of an error: its text might quote a prompt or a file name."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


@contextlib.contextmanager
def _watched(order: Order) -> Iterator[None]:
    """In a process of our own, end it when the stop file stays unnoticed; elsewhere do nothing."""
    if not _own_process or order.stop is None:
        yield
        return
    done = threading.Event()
    threading.Thread(target=_leave_when_stopped, args=(order, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _leave_when_stopped(order: Order, done: threading.Event) -> None:
    while not done.wait(LOOK):
        if order.stopped and not done.wait(GRACE):
            os._exit(1)


def _end_what_goes_on() -> None:
    """Threads that cut pictures or paint a set of a stopped film cannot be stopped: in a process of our own
    they get the grace, and then it ends with them.
    """
    until = time.monotonic() + GRACE
    for thread in threading.enumerate() if _own_process else ():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                os._exit(1)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
