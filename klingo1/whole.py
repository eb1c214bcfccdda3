"""Files that appear only when they are whole: written under another name beside the target, then renamed."""

from __future__ import annotations

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
