"""Files that appear only when they are whole: written under another name beside the target, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(to: Path) -> Iterator[Path]:
    """A name to write to; on a clean exit its file stands at `to`, on any other nothing is left of it.

    Missing folders are made. Raises OSError when they cannot be, or when the file cannot be renamed.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    # A name of our own: two writers of the same target do not meet, the last one wins with a whole file.
    part = to.parent.resolve() / f".{secrets.token_hex(8)}.part"
    try:
        yield part
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


def flush(file: Path) -> None:
    """Returns when a file's bytes are on the disk itself."""
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def flush_folder(folder: Path) -> None:
    """Returns when a folder's names are on the disk itself."""
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
