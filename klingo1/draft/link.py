"""The connection to a Dask cluster: films through its `concurrent.futures` face, their news beside it.

Only this module knows Dask, on both ends; it is imported when the first film is handed over.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import dask
from distributed import Client, get_worker

from klingo1.draft import parcel
from klingo1.draft.parcel import Made, Work
from klingo1.draft.worker import Order
from klingo1.version import VERSION

TOPIC = "klingo1"
_unwanted: set[str] = set()
"""On a worker: tickets of films that nobody wants any more."""


class Link:
    """One connection. Raises OSError when no scheduler answers in time."""

    def __init__(self, address: str, hear: Callable[[str, str], None], timeout: float) -> None:
        """`hear` gets (ticket, text of the progress file) from a thread of Dask's."""
        # References travel inside the order; the warning is meant for data frames by mistake.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
        self._client = Client(address, timeout=timeout, set_as_default=False)
        self._executor: Executor = self._client.get_executor(pure=False)
        self._client.subscribe_topic(TOPIC, lambda event: hear(*event[1]))

    def submit(
        self, ticket: str, order: bytes, work: Work, render: Callable[[Order], dict[str, Any]]
    ) -> Future[Made]:
        """Hand a packed order to the cluster."""
        return self._executor.submit(_make, ticket, VERSION, order, work, render)

    def call(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """Anything else that the cluster is to do."""
        return self._executor.submit(fn, *args, **kwargs)

    def stop(self, ticket: str) -> None:
        """Tell every worker that nobody wants this film any more."""
        self._client.run(_forsake, ticket, on_error="ignore")

    def close(self) -> None:
        """Leave the cluster."""
        self._client.close()


def _forsake(ticket: str) -> None:
    _unwanted.add(ticket)


def _make(
    ticket: str, version: str, order: bytes, work: Work, render: Callable[[Order], dict[str, Any]]
) -> Made:
    worker = get_worker()
    try:
        return parcel.make(
            version,
            order,
            work,
            render,
            tell=lambda text: worker.log_event(TOPIC, (ticket, text)),
            is_unwanted=lambda: ticket in _unwanted,
        )
    finally:
        _unwanted.discard(ticket)
