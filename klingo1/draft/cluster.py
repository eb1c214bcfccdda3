"""A Dask cluster in place of this machine's rendering processes, as one more Executor.

An order travels with its references and comes back with its film (parcel.py), so no disk is shared. A worker
that dies is Dask's own affair: it gives the film to another one. Whatever else the cluster does to a film
that is not the film's own error (a lost scheduler, a film that killed several workers) reads as
BrokenExecutor here, which the queue answers by trying once more.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any, Protocol

from klingo1.draft import parcel
from klingo1.draft.media import MediaUnreadable
from klingo1.draft.parcel import Made
from klingo1.draft.worker import Order, RenderFailed, RenderStopped

PATIENCE = 60.0
"""Seconds that a scheduler may be away: restarts take less."""
PAUSE = 2.0
ANSWER = 5.0
"""Seconds that a scheduler gets to answer."""
LOOK = 0.3
"""Seconds between two looks for films that are to stop."""
_OWN_ERRORS = (MediaUnreadable, RenderFailed, RenderStopped)
NOT_INSTALLED = (
    "KLINGO1_DRAFT_WORKERS names a cluster, but the package distributed is missing: "
    "pip install 'klingo1[cluster]'"
)


class Connection(Protocol):
    """What is used of a cluster; link.Link over Dask, and stand-ins in tests."""

    def submit(self, ticket: str, order: bytes, work: Any, render: Any) -> Future[Made]:
        """Hand a packed order over."""

    def call(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """Have anything else done."""

    def stop(self, ticket: str) -> None:
        """Say that nobody wants a film any more."""

    def close(self) -> None:
        """Let go of it."""


Hear = Callable[[str, str], None]
"""Gets (ticket, progress) of films in work."""


def connect(address: str, hear: Hear, timeout: float) -> Connection:
    """Raises OSError when no scheduler answers in `timeout` seconds, BrokenExecutor without Dask."""
    try:
        from klingo1.draft.link import Link  # noqa: PLC0415 - optional, and heavy
    except ImportError as error:
        raise BrokenExecutor(NOT_INSTALLED) from error
    return Link(address, hear, timeout)


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
        connect: Callable[[str, Hear, float], Connection] = connect,
    ) -> None:
        self._address = address
        self._patience = patience
        self._connect = connect
        self._pause = pause
        self._link: Connection | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="klingo1-cluster")
        self._home = ThreadPoolExecutor(1, thread_name_prefix="klingo1-films")
        self._films: dict[str, Order] = {}
        self._watch: threading.Thread | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As Executor.submit; the future fails with BrokenExecutor when the cluster lost the work.

        `work(render, order)` is sent with the order's files, and its result laid down where it was ordered.
        """
        outcome: Future[Any] = Future()
        outcome.set_running_or_notify_cancel()
        if len(args) == 2 and isinstance(args[1], Order):
            self._hands.submit(self._send_film, outcome, fn, *args)
        else:
            self._hands.submit(self._hand_over, outcome, lambda link: link.call(fn, *args, **kwargs))
        return outcome

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; it goes on without us."""
        self._closing.set()
        self._hands.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._let_go(wait=wait)
        self._home.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait and self._watch is not None:
            self._watch.join()

    def _send_film(self, outcome: Future[Any], work: Any, render: Any, order: Order) -> None:
        ticket = secrets.token_hex(8)
        try:
            packed = parcel.pack(order)
        except OSError as error:
            outcome.set_exception(RenderFailed(f"The draft could not be sent ({type(error).__name__})."))
            return
        with self._lock:
            self._films[ticket] = order
        outcome.add_done_callback(lambda _: self._films.pop(ticket, None))

        def bring(done: Future[Made]) -> None:
            # In a thread of ours: a film is written, and Dask's own, which calls this, must go on.
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                self._home.submit(self._pass_on, done, outcome, lambda made: parcel.lay_down(made, order))

        self._hand_over(outcome, lambda link: link.submit(ticket, packed, work, render), bring)
        self._look_out()

    def _hand_over(
        self,
        outcome: Future[Any],
        give: Callable[[Connection], Future[Any]],
        then: Callable[[Future[Any]], None] | None = None,
    ) -> None:
        try:
            given = give(self._reached())
        except BrokenExecutor as error:
            outcome.set_exception(error)
        except Exception as error:
            self._let_go()
            outcome.set_exception(self._lost(error))
        else:
            given.add_done_callback(then or (lambda done: self._pass_on(done, outcome, lambda made: made)))

    def _hear(self, ticket: str, progress: str) -> None:
        if (order := self._films.get(ticket)) is not None:
            parcel.note_progress(order, progress)

    def _look_out(self) -> None:
        """Watch for films that are to stop, for as long as there are films."""
        with self._lock:
            if self._watch is None or not self._watch.is_alive():
                self._watch = threading.Thread(target=self._tell_stops, name="klingo1-stops", daemon=True)
                self._watch.start()

    def _tell_stops(self) -> None:
        told: set[str] = set()
        while self._films and not self._closing.wait(LOOK):
            for ticket, order in list(self._films.items()):
                if ticket not in told and order.stopped and (link := self._link) is not None:
                    told.add(ticket)
                    with contextlib.suppress(Exception):  # a cluster that is gone makes no film
                        link.stop(ticket)

    def _reached(self) -> Connection:
        """The cluster, connected; waits for its scheduler as long as patience lasts."""
        until = time.monotonic() + self._patience
        while True:
            with self._lock:
                if self._link is not None:
                    return self._link
            try:
                link = self._connect(self._address, self._hear, min(ANSWER, self._patience))
            except OSError as error:  # a TimeoutError is one
                if time.monotonic() >= until or self._closing.wait(self._pause):
                    raise self._lost(error) from error
            else:
                with self._lock:
                    self._link = link

    def _pass_on(self, done: Future[Any], outcome: Future[Any], bring_home: Callable[[Any], Any]) -> None:
        error = None if done.cancelled() else done.exception()  # nobody here cancels: the scheduler has gone
        if isinstance(error, _OWN_ERRORS):
            outcome.set_exception(error)
        elif done.cancelled() or error is not None:
            if done.cancelled() or isinstance(error, OSError):
                self._let_go()
            outcome.set_exception(self._lost(error))
        else:
            try:
                outcome.set_result(bring_home(done.result()))
            except OSError as error:
                outcome.set_exception(RenderFailed(f"The film cannot be kept ({type(error).__name__})."))

    def _lost(self, error: BaseException | None) -> BrokenExecutor:
        kind = "" if error is None else f" ({type(error).__name__})"
        return BrokenExecutor(f"the render cluster at {self._address} lost it or cannot be reached{kind}")

    def _let_go(self, *, wait: bool = False) -> None:
        """Forget the connection, and close it in a thread: Dask's own, which may call this, cannot wait."""
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            closing = threading.Thread(target=_close, args=(link.close,), daemon=True)
            closing.start()
            if wait:
                closing.join(10.0)


def _close(close: Callable[[], None]) -> None:
    with contextlib.suppress(Exception):  # what cannot be closed is gone already
        close()
