"""The encoder: frames through a short queue into a thread that writes H.264, and sound behind them.

Rendering and encoding overlap: OpenCV and libx264 both let go of the interpreter. The file is written under a
`.part` name and renamed when it is whole.
"""

from __future__ import annotations

import json
import pickle
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from klingo1.draft.chunks import SOUND_RATE, Chunk, Pieces, sound_chunks, write_film
from klingo1.draft.stage import Image

__all__ = ["SOUND_RATE", "Encoder", "Section", "join"]
_QUEUE = 4
"""Frames in flight: enough to even out, few enough to keep memory flat."""


@dataclass(frozen=True, slots=True)
class Section:
    """Which frames of a film an encoder gets: those from `first` on. A `partial` one writes packets for
    `join` instead of a film. `starts` are the frames with which pieces begin.
    """

    starts: Sequence[int] = (0,)
    first: int = 0
    partial: bool = False


class Encoder:
    """Write one film; a context manager. On a clean exit the file stands complete at `path`.

    `width` x `height` must be even. With `sound` (float32, 2 x samples at 48 kHz) the film carries AAC of
    exactly that many samples; without it there is no sound track. Frames are I420, height x 1.5 rows.
    """

    def __init__(
        self, path: Path, width: int, height: int, *, title: str, recipe: dict[str, Any],
        sound: NDArray[np.float32] | None = None, section: Section | None = None,
    ) -> None:  # fmt: skip
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._sound = sound
        self._size = (width, height)
        self._section = section or Section()
        self._metadata = {"title": title, "comment": json.dumps(recipe, ensure_ascii=False)}
        self._frames: queue.Queue[Image | None] = queue.Queue(_QUEUE)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def add(self, planes: Image) -> None:
        """Hand over the next frame; waits while the queue is full. Raises what the encoder failed with."""
        self._frames.put(planes)
        if self._failure is not None:
            raise self._failure

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frames.put(None)
        self._thread.join()
        if kind is not None or self._failure is not None:
            self._part.unlink(missing_ok=True)
            if kind is None and self._failure is not None:
                raise self._failure
            return
        self._part.replace(self._path)

    def _run(self) -> None:
        try:
            self._write()
        except Exception as error:
            self._failure = error
            while self._frames.get() is not None:
                pass  # let the renderer run into the failure instead of a full queue

    def _write(self) -> None:
        has_sound = self._sound is not None
        if not self._section.partial:
            write_film(self._part, *self._size, self._chunks(), metadata=self._metadata, has_sound=has_sound)
            return
        facts = {"size": self._size, "metadata": self._metadata, "has_sound": has_sound}
        self._part.write_bytes(pickle.dumps(facts | {"chunks": list(self._chunks())}))

    def _chunks(self) -> Iterator[Chunk]:
        pieces = Pieces(*self._size, self._section.starts, first=self._section.first)
        while (planes := self._frames.get()) is not None:
            yield from pieces.encode(planes)
        yield from pieces.rest()
        if self._sound is not None:
            yield from sound_chunks(self._sound)


def join(sections: Iterable[Path], to: Path) -> None:
    """One film of the files that partial sections have written, in their order. Nothing is encoded anew.

    It is the file that one encoder would have written, byte for byte.
    """
    read = [pickle.loads(path.read_bytes()) for path in sections]  # noqa: S301 - our own workers' files
    chunks = [chunk for section in read for chunk in section["chunks"]]
    chunks.sort(key=lambda chunk: chunk.is_sound)  # stable: pictures first, as an encoder gives them
    part = to.with_name(f"{to.name}.part")
    has_sound = any(section["has_sound"] for section in read)
    width, height = read[0]["size"]
    write_film(part, width, height, chunks, metadata=read[0]["metadata"], has_sound=has_sound)
    part.replace(to)
