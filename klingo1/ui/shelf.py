"""Gradio's cache: where files of the home folder are put for the browser to read, and where uploads lie."""

from __future__ import annotations

import functools
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradio import route_utils


@functools.cache
def shelf_of(cache: str) -> Shelf:
    """The shelf of this process in a cache."""
    return Shelf(Path(cache).resolve())


@dataclass(slots=True)
class Shelf:
    """Puts each version of a file there once. A link is enough: our files are replaced, never changed."""

    cache: Path
    _placed: dict[tuple[str, int, int], str] = field(default_factory=dict)

    def publish(self, file: Path) -> str:
        """The path to ask for. Raises OSError when the cache cannot be written."""
        stat = file.stat()
        key = (str(file), stat.st_mtime_ns, stat.st_size)
        placed = self._placed.get(key)
        if placed is None or not Path(placed).is_file():
            placed = self._placed[key] = str(_put(file, self.cache))
        return placed


class _OwnUpload(route_utils.GradioUploadFile):  # type: ignore[misc] # gradio has no types there
    """An upload whose folder is its own: Gradio names it by a digest, which begins with chance here."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sha.update(secrets.token_bytes(32))


def keep_uploads_apart() -> None:
    """Give each upload a place of its own. Of equal files Gradio keeps one, so that a visitor who deletes
    theirs would take it away from another.
    """
    route_utils.GradioUploadFile = _OwnUpload


def _put(file: Path, cache: Path) -> Path:
    """The file under a new name; nothing of it is read where the cache lies on the same disk."""
    folder = cache / secrets.token_hex(32)
    folder.mkdir(parents=True)
    to = folder / file.name
    try:
        to.hardlink_to(file)
    except (OSError, NotImplementedError):  # another disk, or a file system without links
        part = folder / f".{file.name}"
        shutil.copyfile(file, part)
        part.replace(to)
    return to
