"""Results in the form somebody asks for, made aside while the page looks again. Without widgets.

A question starts the work or tells how it stands; it never waits, so a cut connection costs nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from klingo1.deliver import HANDED, Kind, deliver
from klingo1.errors import InvalidRequest
from klingo1.job import Job, State
from klingo1.recipe import read_recipe
from klingo1.transcode import Size
from klingo1.ui.views import Publish

WAITING_MAX = 6
"""Files that may be asked for and not yet made, of all visitors together."""
_log = logging.getLogger(__name__)
Order = tuple[str, Kind, Size, bool]


class Handout:
    """Makes one file after the other, in one thread that ends with the process."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="handout")
        self._orders: dict[Order, Future[Path]] = {}

    def ask(self, job: Job | None, values: Mapping[str, Any]) -> dict[str, Any]:
        """`{"state": "making"}`, `{"state": "ready", "path", "name"}` or `{"state": "refused", "text"}`."""
        try:
            kind, size = Kind(str(values.get("kind"))), Size(str(values.get("size") or "original"))
        except ValueError:
            return _refused("There is no such form.")
        if job is None or job.state is not State.DONE or job.video is None:
            return _refused("This run has no video.")
        order = (job.id, kind, size, values.get("with_cost") is True)
        with self._lock:
            making = self._orders.get(order)
            if making is None:
                if sum(not one.done() for one in self._orders.values()) >= WAITING_MAX:
                    return _refused("Several files are being made already. Try again in a minute.")
                for stale in [o for o, one in self._orders.items() if one.done()]:
                    del self._orders[stale]  # made, but nobody came back; the file is found again
                making = self._orders[order] = self._worker.submit(_make, job, order)
            if not making.done():
                return {"state": "making"}
            del self._orders[order]
        try:
            made = making.result()
            return {"state": "ready", "path": self._publish(made), "name": _name(job, order)}
        except InvalidRequest as error:
            return _refused(error.reason, error.remedy)
        except Exception as error:
            # The type alone: messages may hold a visitor's words.
            _log.error("a file could not be handed out: %s", type(error).__name__)
            return _refused("It could not be made here. Try another form.")


def _make(job: Job, order: Order) -> Path:
    _, kind, size, with_cost = order
    assert job.video is not None
    folder = job.video.parent / HANDED
    folder.mkdir(exist_ok=True)
    return deliver(job, kind, folder, size=size, with_cost=with_cost)


def _name(job: Job, order: Order) -> str:
    """The name under which the browser saves it."""
    _, kind, size, _ = order
    what = {Kind.PAGE: "-page", Kind.SHEET: "-contact-sheet"}.get(kind, "")
    measure = "" if what or size is Size.ORIGINAL else f"-{size}"
    return f"klingo1-{job.engine}-{job.id[:8]}{what}{measure}.{kind}"


def _refused(text: str, remedy: str = "") -> dict[str, Any]:
    return {"state": "refused", "text": text, "remedy": remedy}


def received_file(path: object, received: Path) -> Path | None:
    """The file that a browser names, where it lies in the folder `received`; None for anything else."""
    if not isinstance(path, str) or not path or len(path) > 2000 or "\0" in path:
        return None
    file = Path(path).resolve()
    return file if file.is_relative_to(received.resolve()) and file.is_file() else None


def asked_pictures(asked: object, most: int) -> list[Mapping[str, Any]]:
    """The pictures of `{"pictures": [{path, …}]}` as a browser sends it, `most` at most."""
    listed = asked.get("pictures") if isinstance(asked, Mapping) else None
    return [one for one in (listed[:most] if isinstance(listed, list) else []) if isinstance(one, Mapping)]


def recipe_view(path: object, *, received: Path) -> dict[str, Any] | None:
    """The recipe inside a file that this server received, for the form; None when there is none.

    `path` comes from a browser: only what lies in the folder `received` is opened.
    """
    file = received_file(path, received)
    recipe = read_recipe(file) if file is not None else None
    if recipe is None:
        return None
    return {
        "prompt": recipe.prompt,
        "duration": recipe.duration,
        "aspect": recipe.aspect_ratio,
        "engine": recipe.engine.value,
        "images": recipe.images,
    }
