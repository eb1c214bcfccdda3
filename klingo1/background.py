"""The studio's own event loop in its own thread, and the name under which this process holds jobs."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import uuid
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import Future
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")


class Background:
    """An event loop that runs until `close`; every task is named and started once."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="klingo1-studio", daemon=True)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False
        self._again: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def call(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine there; the future can be waited for here."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work()` as the task `name`; while a task of that name is running, run it once more after it.

        The running one may have decided to end already, so a wake-up is never dropped.
        """
        self.loop.call_soon_threadsafe(self._start, name, work)

    def _start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._closing:
            return
        if name in self._tasks:
            self._again[name] = work
            return
        task = self.loop.create_task(work(), name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._restart(name))

    def _restart(self, name: str) -> None:
        self._tasks.pop(name, None)
        again = self._again.pop(name, None)
        if again is not None:
            self._start(name, again)

    def runs(self, name: str) -> bool:
        """Whether a task of that name is running. Ask on the loop, or take the answer as a hint."""
        return name in self._tasks

    async def cancel(self, name: str) -> None:
        """End the task `name` at its next pause and wait until it has ended."""
        self._again.pop(name, None)
        task = self._tasks.get(name)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def cancel_all(self) -> None:
        """End every named task; none starts from now on."""
        self._closing = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """Stop the loop and join its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)
        if not self._thread.is_alive():
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


class Worker:
    """The name under which a studio holds jobs: host, process, and something no other start shares."""

    _living: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        self._living.add(self.name)

    def end(self) -> None:
        """The studio of this name holds nothing any more."""
        self._living.discard(self.name)

    def gone(self, others: Collection[str]) -> list[str]:
        """Those of `others` that certainly no longer live: earlier starts on this host that have ended.

        Only POSIX can be asked without doing harm; elsewhere a lease simply runs out.
        """
        if os.name != "posix":
            return []
        return [other for other in others if other not in self._living and self._ended(other)]

    @staticmethod
    def _ended(other: str) -> bool:
        host, pid, _ = [*other.rsplit(":", 2), "", ""][:3]
        if host != socket.gethostname() or not pid.isdecimal():
            return False
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return int(pid) == os.getpid()  # the number lives again, as ourselves
