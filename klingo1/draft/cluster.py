"""A Dask cluster in place of this machine's rendering processes, as one more Executor.

An order names files, so the workers must see the home folder under the same path. A worker that dies is
Dask's own affair: it gives the film to another one. Whatever else the cluster does to a film that is not the
film's own error (a lost scheduler, a film that killed several workers) reads as BrokenExecutor here, which
the queue answers by trying once more.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any

from klingo1.draft.media import MediaUnreadable
from klingo1.draft.worker import RenderFailed, RenderStopped

PATIENCE = 60.0
"""Seconds that a scheduler may be away: restarts take less."""
PAUSE = 2.0
_OWN_ERRORS = (MediaUnreadable, RenderFailed, RenderStopped)
NOT_INSTALLED = (
    "KLINGO1_DRAFT_WORKERS names a cluster, but the package distributed is missing: "
    "pip install 'klingo1[cluster]'"
)


def connect(address: str) -> tuple[Executor, Callable[[], None]]:
    """The cluster's executor and what lets go of it. Raises OSError when no scheduler answers in time."""
    try:
        from distributed import Client  # noqa: PLC0415 - optional, and heavy
    except ImportError as error:
        raise BrokenExecutor(NOT_INSTALLED) from error
    client = Client(address, timeout="5s", set_as_default=False)
    return client.get_executor(pure=False), client.close


class ClusterExecutor(Executor):
    """Renders on the cluster whose scheduler is at `address` (tcp://host:port).

    Nothing is connected before the first film, and `submit` never waits: connecting and a scheduler's absence
    happen in a thread of its own.
    """

    def __init__(
        self,
        address: str,
        *,
        patience: float = PATIENCE,
        pause: float = PAUSE,
        connect: Callable[[str], tuple[Executor, Callable[[], None]]] = connect,
    ) -> None:
        self._address = address
        self._patience = patience
        self._connect = connect
        self._pause = pause
        self._link: tuple[Executor, Callable[[], None]] | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="klingo1-cluster")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As Executor.submit; the future fails with BrokenExecutor when the cluster lost the work."""
        outcome: Future[Any] = Future()
        outcome.set_running_or_notify_cancel()
        self._hands.submit(self._hand_over, outcome, fn, args, kwargs)
        return outcome

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; it goes on without us."""
        self._closing.set()
        self._hands.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._let_go(wait=wait)

    def _hand_over(self, outcome: Future[Any], fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
        try:
            given = self._reached().submit(fn, *args, **kwargs)
        except BrokenExecutor as error:
            outcome.set_exception(error)
        except Exception as error:
            self._let_go()
            outcome.set_exception(self._lost(error))
        else:
            given.add_done_callback(lambda done: self._pass_on(done, outcome))

    def _reached(self) -> Executor:
        """The cluster, connected; waits for its scheduler as long as patience lasts."""
        until = time.monotonic() + self._patience
        while True:
            with self._lock:
                if self._link is not None:
                    return self._link[0]
            try:
                link = self._connect(self._address)
            except OSError as error:  # a TimeoutError is one
                if time.monotonic() >= until or self._closing.wait(self._pause):
                    raise self._lost(error) from error
            else:
                with self._lock:
                    self._link = link

    def _pass_on(self, done: Future[Any], outcome: Future[Any]) -> None:
        if done.cancelled():  # nobody here cancels: the scheduler has gone
            self._let_go()
            outcome.set_exception(self._lost(None))
            return
        error = done.exception()
        if error is None:
            outcome.set_result(done.result())
        elif isinstance(error, _OWN_ERRORS):
            outcome.set_exception(error)
        else:
            if isinstance(error, OSError):
                self._let_go()
            outcome.set_exception(self._lost(error))

    def _lost(self, error: BaseException | None) -> BrokenExecutor:
        kind = "" if error is None else f" ({type(error).__name__})"
        return BrokenExecutor(f"the render cluster at {self._address} lost it or cannot be reached{kind}")

    def _let_go(self, *, wait: bool = False) -> None:
        """Forget the connection, and close it in a thread: Dask's own, which may call this, cannot wait."""
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            closing = threading.Thread(target=_close, args=(link[1],), daemon=True)
            closing.start()
            if wait:
                closing.join(10.0)


def _close(close: Callable[[], None]) -> None:
    with contextlib.suppress(Exception):  # what cannot be closed is gone already
        close()
