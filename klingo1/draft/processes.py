"""Rendering processes that never run the program they belong to a second time.

A spawned process imports its parent's main module again before it works. A script without an
`if __name__ == "__main__"` would so start itself over and over, and app.py would load the page into every
worker. Nothing that is rendered lives in the main module, so it is left out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, ClassVar

_starting = threading.Lock()


class _Process(SpawnProcess):
    def start(self) -> None:
        with _starting, _without_main():
            super().start()


class _Context(SpawnContext):
    Process: ClassVar[Any] = _Process


def new_pool(initializer: Any) -> ProcessPoolExecutor:
    """A pool of one spawned process; `initializer` runs in it first and must be picklable."""
    return ProcessPoolExecutor(max_workers=1, mp_context=_Context(), initializer=initializer)


@contextmanager
def _without_main() -> Iterator[None]:
    """While a process is started, the main module is an empty one, which spawn leaves alone."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
