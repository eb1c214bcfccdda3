"""Where the files of runs live: in the home folder and, where several replicas share them, in one more place.

A run's files (its references, its video and poster) always lie in the home folder of whoever works on it,
where downloads go on from their last byte and appear by a rename. A shared place is an fsspec address: each
file is put there once it is whole and its length is verified there, before the ledger says so; a replica that
does not have it fetches it into its own home, which so is a cache. Without an address the home is all there
is, and nothing here does anything.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from klingo1.errors import FilesUnreachable, SettingsError
from klingo1.job import Job
from klingo1.request import Reference
from klingo1.settings import Settings
from klingo1.whole import flush, flush_folder, whole

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

REST_SECONDS = 15.0
"""After a failure readers do without for so long, instead of waiting for it at every look."""
_log = logging.getLogger(__name__)


class Files:
    """The files of one home folder, and their copies at `address`. Thread-safe.

    Raises SettingsError when no file system is known for the address, or its package is missing.
    """

    def __init__(self, home: Path, address: str = "") -> None:
        self._home = home
        self._system: AbstractFileSystem | None = None
        self._root = ""
        if address:
            self._system, self._root = _open(address)
        self._fetching = [threading.Lock() for _ in range(16)]
        self._rest_until = 0.0
        self._unowned: set[str] = set()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the environment says."""
        return cls(settings.home, settings.files)

    @property
    def shared(self) -> bool:
        """There is a place beyond the home folder."""
        return self._system is not None

    def keep(self, files: Iterable[Path]) -> None:
        """Put files of the home where all replicas find them; returns when they are whole there.

        Raises FilesUnreachable; it may simply be called again.
        """
        if self._system is not None:
            for file in files:
                with self._explaining():
                    self._put(self._system, file)

    def fetch(self, files: Iterable[Path]) -> None:
        """Bring what is missing in the home folder; what is nowhere is left out. Raises FilesUnreachable."""
        if self._system is not None:
            for file in files:
                with self._fetching[hash(file) % len(self._fetching)], self._explaining():
                    if not file.exists():
                        self._get(self._system, file)

    def bring(self, job: Job) -> Job:
        """Fetch a run's files to be looked at, as far as that goes just now; returns the run."""
        if self.shared and time.monotonic() >= self._rest_until:
            try:
                self.fetch(files_of(job))
            except FilesUnreachable as error:
                self._rest_until = time.monotonic() + REST_SECONDS
                _log.warning("job %s is shown without its files: %s", job.id, error)
        return job

    def remove(self, job_id: str) -> None:
        """Remove a run's shared files; what cannot be removed now is found by `remove_orphans`."""
        if self._system is not None:
            with contextlib.suppress(FilesUnreachable, FileNotFoundError), self._explaining():
                self._system.rm(f"{self._root}/jobs/{job_id}", recursive=True)

    def remove_orphans(self, *, known: Collection[str], gone: Collection[str], unborn: str) -> int:
        """Remove shared folders whose row is gone, or was never written: those had none at the last look
        either, and hold nothing but a folder called `unborn`. Says how many. Raises FilesUnreachable.

        Any other folder without a row is the work of another ledger and is left alone.
        """
        if self._system is None:
            return 0
        removed = 0
        with self._explaining():
            unowned = self._names(self._system, f"{self._root}/jobs") - set(known)
            for job_id in unowned:
                if job_id in gone or (
                    job_id in self._unowned
                    and self._names(self._system, f"{self._root}/jobs/{job_id}") <= {unborn}
                ):
                    self.remove(job_id)
                    removed += 1
        self._unowned = unowned
        return removed

    def _names(self, system: AbstractFileSystem, folder: str) -> set[str]:
        """What lies in a folder now."""
        system.invalidate_cache(folder)
        there = system.ls(folder, detail=False) if system.isdir(folder) else []
        return {name.rstrip("/").rpartition("/")[2] for name in there}

    def _put(self, system: AbstractFileSystem, file: Path) -> None:
        there, size = self._address(file), file.stat().st_size
        if _size(system, there) == size:
            return
        system.makedirs(there.rpartition("/")[0], exist_ok=True)
        if "file" in _protocols(system):
            _place(file, Path(there))
        else:
            system.put_file(str(file), there)
        if _size(system, there) != size:
            raise OSError("what arrived is not what was sent")

    def _get(self, system: AbstractFileSystem, file: Path) -> None:
        there = self._address(file)
        size = _size(system, there)
        if size is None:
            return
        if "file" in _protocols(system):
            _place(Path(there), file)
            return
        with whole(file) as part:
            system.get_file(there, str(part))
            if part.stat().st_size != size:
                raise OSError("what arrived is not what was there")

    def _address(self, file: Path) -> str:
        return f"{self._root}/{file.relative_to(self._home).as_posix()}"

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # each file system has errors of its own; their texts may hold addresses
            raise FilesUnreachable(
                f"The shared files cannot be reached ({type(error).__name__}). "
                "Check the place that KLINGO1_FILES names; nothing is lost."
            ) from error


def files_of(job: Job) -> list[Path]:
    """Every file that a run's row names."""
    named: list[Reference | None] = [*job.request.images, job.request.video, *job.request.draft.masks]
    return [file for file in (*named, job.video, job.poster) if isinstance(file, Path)]


def _open(address: str) -> tuple[AbstractFileSystem, str]:
    from fsspec.core import url_to_fs  # noqa: PLC0415 - loads what most installations do without

    try:
        system, root = url_to_fs(address)
    except ImportError as error:
        raise SettingsError(f"KLINGO1_FILES: {error}.", variable="KLINGO1_FILES") from error
    except ValueError as error:
        raise SettingsError(
            "KLINGO1_FILES names a kind of place that is not known here; file:// and memory:// always are.",
            variable="KLINGO1_FILES",
        ) from error
    return system, str(root).rstrip("/")


def _protocols(system: AbstractFileSystem) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def _size(system: AbstractFileSystem, there: str) -> int | None:
    """Bytes of a file as it is there now; None when it is not."""
    system.invalidate_cache(there.rpartition("/")[0])
    try:
        info: dict[str, Any] = system.info(there)
    except FileNotFoundError:
        return None
    return int(info["size"])


def _place(source: Path, to: Path) -> None:
    """The same file under another name where the disk can do that, else a copy that has reached the disk.

    Files of runs are replaced, never written to, so one file may have both names.
    """
    with whole(to) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)
            flush(part)
    flush_folder(to.parent)
