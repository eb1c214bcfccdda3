"""Keys that visitors entered: in memory only, each under its owner's random token, gone after a while.

The token is what the browser keeps; the key itself never leaves this process but in the Authorization header
of the paid service. Nothing here is written anywhere, and a restart forgets everything.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

LIFE_SECONDS = 4 * 3600.0
"""A key that nobody used for so long is forgotten."""
KEYS_MAX = 10_000
"""Beyond that the key that was used longest ago is forgotten."""


class Keyring:
    """Thread-safe. `life` None keeps keys until the process ends, for a desk."""

    def __init__(self, now: Callable[[], float], *, life: float | None, most: int = KEYS_MAX) -> None:
        self._now = now
        self._life = life
        self._most = most
        self._keys: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Keyring of {len(self._keys)}>"

    def give(self, owner: str, key: str) -> None:
        """Keep the key of an owner, in place of an earlier one."""
        with self._lock:
            self._keys[owner] = (key, self._now())
            self._keys.move_to_end(owner)
            self._drop_old()

    def forget(self, owner: str) -> None:
        """Drop an owner's key."""
        with self._lock:
            self._keys.pop(owner, None)

    def of(self, owner: str) -> str:
        """The owner's key, or "". Asking counts as use: a run that goes on keeps its key."""
        with self._lock:
            self._drop_old()
            if owner not in self._keys:
                return ""
            key, _ = self._keys[owner]
            self._keys[owner] = (key, self._now())
            self._keys.move_to_end(owner)
            return key

    def holds(self, key: str) -> bool:
        """Whether any owner still uses this key."""
        with self._lock:
            self._drop_old()
            return any(held == key for held, _ in self._keys.values())

    def _drop_old(self) -> None:
        while self._keys:
            owner, (_, used) = next(iter(self._keys.items()))
            late = self._life is not None and self._now() - used > self._life
            if not late and len(self._keys) <= self._most:
                return
            del self._keys[owner]
