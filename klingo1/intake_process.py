"""Strangers' files are decoded in a process of their own, with little memory, little time and no secrets.

A decoder that is led astray by a hostile file takes down, at worst, a process that holds no key, has no
environment, and is replaced. It is spoken to in lines of JSON, so what comes back is data and never code.

`python -m klingo1.intake_process` is that process.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from klingo1 import clips, masks, references
from klingo1.clips import Clip
from klingo1.coach import Advice
from klingo1.decoder import Decoder
from klingo1.errors import Busy, InvalidRequest
from klingo1.references import Picture
from klingo1.request import Engine

MEMORY = 640 * 2**20
"""Bytes of address space that one decoding may add to what the idle process has."""
SECONDS = 20.0
"""For one file; a clip of 200 MB on a slow disk needs half of that."""
FILE_BYTES = 220 * 10**6
IDLE_SECONDS = 120.0
PROCESSES = 2
WAITING_MAX = 12
"""Questions that may wait for a free process; one more is sent away, so that no flood takes every thread."""
_TOO_MUCH = ("It takes too much memory or time to read.", "Save it once more, smaller, and add it again.")
_log = logging.getLogger(__name__)


class Intake(Protocol):
    """What checks and cleans references; see references.py and clips.py for each call."""

    def check_picture(self, path: Path, *, field: str = "images") -> Picture:
        """Judge a picture."""

    def check_clip(self, path: Path, *, engine: Engine) -> Clip:
        """Judge a clip."""

    def normalise_picture(self, path: Path, to: Path, *, field: str = "images") -> Path:
        """Write a clean copy of a picture."""

    def normalise_clip(self, path: Path, to: Path) -> Path:
        """Write a clean copy of a clip."""

    def check_mask(self, path: Path, *, field: str) -> int:
        """Judge a keep-mask (see masks.py)."""

    def normalise_mask(self, path: Path, to: Path, *, field: str) -> Path:
        """Write a clean copy of a keep-mask."""

    def look(self, question: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Put a question to the draft engine (see draft/asked.py)."""

    def close(self) -> None:
        """Let go of what it holds."""


class Here:
    """In this process: for a desk, whose files are its owner's."""

    check_picture = staticmethod(references.check_picture)
    check_clip = staticmethod(clips.check_clip)
    normalise_picture = staticmethod(references.normalise_picture)
    normalise_clip = staticmethod(clips.normalise_clip)
    check_mask = staticmethod(masks.check_mask)
    normalise_mask = staticmethod(masks.normalise_mask)

    def look(self, question: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """As draft.asked.answer."""
        return _look({"question": question, "asked": asked})

    def close(self) -> None:
        """Nothing is held."""


class Apart:
    """In processes of their own, at most two at once; idle ones are let go after two minutes. Thread-safe."""

    def __init__(self, *, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        self._memory = memory
        self._seconds = seconds
        self._free: queue.LifoQueue[Decoder | None] = queue.LifoQueue()
        for _ in range(PROCESSES):
            self._free.put(None)
        self._asking = 0
        self._counting = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closing = threading.Lock()

    def check_picture(self, path: Path, *, field: str = "images") -> Picture:
        """As references.check_picture."""
        told = self._ask("check_picture", field, path=str(path), field=field)
        return Picture(**told | {"advice": _advice(told)})

    def check_clip(self, path: Path, *, engine: Engine) -> Clip:
        """As clips.check_clip."""
        told = self._ask("check_clip", "video", path=str(path), engine=engine.value)
        return Clip(**told | {"advice": _advice(told)})

    def normalise_picture(self, path: Path, to: Path, *, field: str = "images") -> Path:
        """As references.normalise_picture."""
        told = self._ask("normalise_picture", field, wait=True, path=str(path), to=str(to), field=field)
        return Path(told["path"])

    def normalise_clip(self, path: Path, to: Path) -> Path:
        """As clips.normalise_clip."""
        return Path(self._ask("normalise_clip", "video", wait=True, path=str(path), to=str(to))["path"])

    def check_mask(self, path: Path, *, field: str) -> int:
        """As masks.check_mask."""
        return int(self._ask("check_mask", field, path=str(path), field=field)["longest"])

    def normalise_mask(self, path: Path, to: Path, *, field: str) -> Path:
        """As masks.normalise_mask."""
        told = self._ask("normalise_mask", field, wait=True, path=str(path), to=str(to), field=field)
        return Path(told["path"])

    def look(self, question: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """As draft.asked.answer."""
        return self._ask("look", "images", question=question, asked=asked)

    def close(self) -> None:
        """End the idle processes."""
        with self._closing:
            if self._timer is not None:
                self._timer.cancel()
            held = []
            with suppress(queue.Empty):
                while True:
                    held.append(self._free.get_nowait())
            for decoder in held:
                if decoder is not None:
                    decoder.end()
                self._free.put(None)

    def _ask(self, call: str, about: str, /, *, wait: bool = False, **values: Any) -> dict[str, Any]:
        """One call in a free process. A run's own work has to `wait` for its turn, however long that takes.

        Raises OSError, InvalidRequest, also when the file ended the process, and Busy.
        """
        with self._counting:
            if self._asking >= PROCESSES + WAITING_MAX and not wait:
                raise Busy("Too many files are being looked at.", what="files", limit=WAITING_MAX)
            self._asking += 1
        try:
            return self._asked(call, about, values)
        finally:
            with self._counting:
                self._asking -= 1

    def _asked(self, call: str, about: str, values: dict[str, Any]) -> dict[str, Any]:
        decoder = self._free.get()
        try:
            if decoder is None or not decoder.alive:
                decoder = Decoder(self._memory)
            told = decoder.ask({"call": call} | values, seconds=self._seconds)
            if told is None:
                decoder.end()
                decoder = None
                _log.warning("a decoding process was ended by a file")
                raise InvalidRequest(about, *_TOO_MUCH)
        finally:
            self._free.put(decoder)
            self._rest_later()
        if "invalid" in told:
            raise InvalidRequest(*told["invalid"])
        if "failed" in told:
            raise OSError(*told["failed"])
        return dict(told["done"])

    def _rest_later(self) -> None:
        with self._closing:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(IDLE_SECONDS, self.close)
            self._timer.daemon = True
            self._timer.start()


def _advice(told: dict[str, Any]) -> tuple[Advice, ...]:
    return tuple(Advice(**one) for one in told["advice"])


def _look(v: dict[str, Any]) -> dict[str, Any]:
    from klingo1.draft.asked import answer as answered  # noqa: PLC0415 - loads the draft engine

    return answered(v["question"], v["asked"])


_CALLS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "check_picture": lambda v: asdict(references.check_picture(Path(v["path"]), field=v["field"])),
    "check_clip": lambda v: asdict(clips.check_clip(Path(v["path"]), engine=Engine(v["engine"]))),
    "normalise_picture": lambda v: {
        "path": str(references.normalise_picture(Path(v["path"]), Path(v["to"]), field=v["field"]))
    },
    "normalise_clip": lambda v: {"path": str(clips.normalise_clip(Path(v["path"]), Path(v["to"])))},
    "look": _look,
    "check_mask": lambda v: {"longest": masks.check_mask(Path(v["path"]), field=v["field"])},
    "normalise_mask": lambda v: {
        "path": str(masks.normalise_mask(Path(v["path"]), Path(v["to"]), field=v["field"]))
    },
}


def answer(call: dict[str, Any]) -> dict[str, Any]:
    """One call in the decoding process, as JSON values."""
    try:
        return {"done": _CALLS[call["call"]](call)}
    except InvalidRequest as error:
        return {"invalid": [error.field, error.reason, error.remedy]}
    except MemoryError:
        return {"invalid": [call.get("field", "video"), *_TOO_MUCH]}
    except OSError as error:
        return {"failed": [error.errno, error.strerror or type(error).__name__]}


def confine(memory: int) -> None:
    """Bound this process, where the system can: memory, sizes of files, no core dumps, few open files."""
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return
    import av  # noqa: F401, PLC0415 - loaded before the limit is set: libraries are not the file's fault

    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        most = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def main() -> None:
    """Answer calls, a line each, until the pipe is closed."""
    confine(int(sys.argv[1]))
    out = os.fdopen(os.dup(1), "wb")  # ours alone: what a library prints goes elsewhere
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        out.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    main()
