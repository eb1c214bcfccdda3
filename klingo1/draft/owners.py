"""Which process makes what: a file per living process, locked for as long as that process lives.

The lock is SQLite's own (an exclusive transaction held open), so it works alike on every system and the
system itself lets go of it when a process dies, however it dies.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Owner:
    """A process's claim in `folder`; `name` is what it writes beside its work."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.name = secrets.token_hex(16)
        self._lock = sqlite3.connect(folder / self.name, isolation_level=None, check_same_thread=False)
        self._lock.execute("BEGIN EXCLUSIVE")

    def release(self) -> None:
        """Let go; what is unfinished may then be taken over."""
        self._lock.close()
        (self._folder / self.name).unlink(missing_ok=True)

    def lives(self, name: str) -> bool:
        """Whether the process that called itself `name` still lives. Removes the file of a dead one."""
        if name == self.name:
            return True
        path = self._folder / name
        if not name or not path.is_file():
            return False
        lock = sqlite3.connect(path, isolation_level=None, timeout=0)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            return True
        except sqlite3.DatabaseError:  # not a lock of ours any more: nobody holds it
            pass
        finally:
            lock.close()
        path.unlink(missing_ok=True)
        return False

    def sweep(self) -> None:
        """Remove the files of dead processes. A file of the last minute may be about to be locked."""
        for path in self._folder.iterdir():
            if path.stat().st_mtime < time.time() - 60:
                self.lives(path.name)
