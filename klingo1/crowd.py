"""How many drafts one address may have in the line, whatever names its visitors give themselves.

An anonymous visitor is a token that costs nothing, so the limit of a visitor alone would let one machine fill
the line for all others. Addresses stay in memory, and only as long as their drafts are in work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from klingo1.errors import Busy

ADDRESS_DRAFTS = 6
caller: ContextVar[str] = ContextVar("caller", default="")
"""The address on whose behalf something is done, as the guard has found it; "" where nobody counts."""


class Crowd:
    """Thread-safe. `works` tells whether the run with this owner and id still waits or is made."""

    def __init__(self, works: Callable[[str, str], bool], *, most: int = ADDRESS_DRAFTS) -> None:
        self._works = works
        self._most = most
        self._places: dict[str, list[list[str]]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def place(self, *, counts: bool = True) -> Iterator[list[str]]:
        """A place in the line for the caller's next run, for owner and id. Raises Busy where it `counts`."""
        address = caller.get() if counts else ""
        place: list[str] = []
        if address:
            with self._lock:
                self._forget_ended()
                taken = self._places.get(address, [])
                if len(taken) >= self._most:
                    raise Busy(
                        "So many drafts from your network are in work already.",
                        what="drafts",
                        limit=self._most,
                    )
                self._places[address] = [*taken, place]
        try:
            yield place
        finally:
            if address and not place:
                with self._lock:
                    left = [one for one in self._places.get(address, []) if one is not place]
                    self._places[address] = left

    def _forget_ended(self) -> None:
        """Keep what is in work, and what is just being put in line (its place is still empty)."""
        kept = {
            address: [place for place in places if not place or self._works(*place)]
            for address, places in self._places.items()
        }
        self._places = {address: places for address, places in kept.items() if places}
