"""Space and traces on disk: how much a folder takes, copies of a file elsewhere, folders nobody owns."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256
from pathlib import Path

_CHUNK = 2**20


def files_in(folder: Path) -> Iterator[Path]:
    """Every regular file below a folder; links are not followed, what vanishes meanwhile is left out."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if path.is_file() and not path.is_symlink():
                yield path


def taken(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for path in files_in(folder):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def free(folder: Path) -> int:
    """Bytes that may still be written where a folder lies, or will lie when it is made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def remove_copies(files: Iterable[Path], folder: Path) -> int:
    """Remove every file below `folder` that is one of `files` under another name; says how many.

    Gradio keeps what was uploaded or shown in a cache, each file in a folder of its own, under the name that
    its sender gave it; on the same disk we link to it. On another disk the same bytes are the same file, be
    they somebody else's.
    """
    linked: set[tuple[int, int]] = set()
    copied: dict[int, set[bytes]] = {}
    for file in files:
        with contextlib.suppress(OSError):
            stat = file.stat()
            linked.add((stat.st_dev, stat.st_ino))
            if stat.st_size and stat.st_dev != folder.stat().st_dev:
                copied.setdefault(stat.st_size, set()).add(_digest(file))
    removed = 0
    for path in list(files_in(folder)) if linked else ():
        with contextlib.suppress(OSError):
            stat = path.stat()
            known = copied.get(stat.st_size)
            if (stat.st_dev, stat.st_ino) in linked or (known and _digest(path) in known):
                path.unlink()
                removed += 1
                if path.parent != folder:
                    path.parent.rmdir()  # only when nothing else is in it
    return removed


def remove_orphans(
    folder: Path, *, known: Collection[str], gone: Collection[str], unborn: str, before: float
) -> int:
    """Remove sub-folders that were last written before a time and whose row is gone, or was never written:
    those hold nothing but a folder called `unborn`. Says how many.

    Any other folder without a row is the work of another ledger (one that was lost, or is not the one in use
    now) and is left alone.
    """
    removed = 0
    for child in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if not child.is_dir() or child.name in known or child.stat().st_mtime >= before:
                continue
            if child.name in gone or {entry.name for entry in child.iterdir()} <= {unborn}:
                shutil.rmtree(child, ignore_errors=True)
                removed += 1
    return removed


def remove_oldest(folder: Path, over: int, *, but: Collection[str]) -> int:
    """Remove the sub-folders written longest ago, except those named, until `over` bytes are gone; says how
    many bytes went.
    """
    found = []
    for child in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if child.is_dir() and child.name not in but:
                found.append((child.stat().st_mtime, child))
    gone = 0
    for _, child in sorted(found):
        if gone >= over:
            break
        gone += taken(child)
        shutil.rmtree(child, ignore_errors=True)
    return gone


def bound(folder: Path, most: int) -> int:
    """Remove the oldest files until a cache takes at most `most` bytes; says how many bytes went."""
    found = []
    for path in files_in(folder):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found.append((stat.st_mtime, stat.st_size, path))
    over = sum(size for _, size, _ in found) - most
    gone = 0
    for _, size, path in sorted(found):
        if gone >= over:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            gone += size
            path.parent.rmdir()
    return gone


def remove_within(paths: Iterable[str], folder: Path) -> int:
    """Remove those files that lie below a folder, whatever else a stranger names; says how many."""
    removed = 0
    root = folder.resolve()
    for named in paths:
        with contextlib.suppress(OSError, ValueError):
            path = Path(named).resolve()
            if path.is_relative_to(root) and path.is_file():
                path.unlink()
                removed += 1
                path.parent.rmdir()  # only when nothing else is in it
    return removed


def clear(folder: Path) -> None:
    """Remove whatever lies below a folder, and leave the folder."""
    for child in folder.iterdir() if folder.is_dir() else ():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                child.unlink()


def remove_written(folder: Path, *, since: float, until: float) -> None:
    """Remove what was written into a cache in a span of time."""
    for path in files_in(folder):
        with contextlib.suppress(OSError):
            if since <= path.stat().st_mtime <= until:
                path.unlink()


def _digest(path: Path) -> bytes:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
