"""What is forgotten, and when: at a click, after some days, when the disk is full, and what nobody owns.

Deleting hides a run at once; for a short while it can be restored, then its files are removed and its row is
emptied. A run whose money is uncertain is hidden too, and emptied as soon as that is settled.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from klingo1 import disk
from klingo1.arrivals import REFERENCES
from klingo1.errors import Busy, KlingoError
from klingo1.files import Files
from klingo1.job import Job, State
from klingo1.ledger import Ledger
from klingo1.request import Engine
from klingo1.retry import Clock
from klingo1.settings import Settings
from klingo1.uploads import job_folder

UNDO_SECONDS = 30.0
"""A deleted run can be restored for so long at least."""
ORPHAN_SECONDS = 3600.0
"""A folder without a row is left alone for so long: its row may be about to be written."""
CACHE_SECONDS = 3600.0
CACHE_MAX = 4 * 2**30
"""Bytes of Gradio's cache on a hosted page."""
FREE_MIN = 500 * 10**6
"""Bytes that a hosted page leaves free on its disks: below, it takes neither files nor runs."""
QUOTE_SECONDS = 48 * 3600.0
_DAY = 24 * 3600.0
_FULL, _ROOMY = 1.0, 0.9
_log = logging.getLogger(__name__)


class Retention:
    """Forgets for one studio. `stop` ends a run's work, `forget_drafts` makes the draft engine forget."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        files: Files,
        clock: Clock,
        *,
        stop: Callable[[Job], Job],
        forget_drafts: Callable[[Sequence[str]], None],
        free: Callable[[Path], int] = disk.free,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._files = files
        self._clock = clock
        self._stop = stop
        self._forget_drafts = forget_drafts
        self._free = free
        self._cache = settings.upload_folder
        self._measured = (float("-inf"), 0)
        self._looked = clock.time()
        self._sweeping = threading.Lock()

    # -- at a click

    def delete(self, job: Job) -> Job:
        """Hide a run and end its work; its traces go with one of the next sweeps."""
        self._ledger.hide(job.id, now=self._clock.time())
        return self._stop(job)

    def delete_all(self, owner: str, *, uploads: Sequence[str] = ()) -> int:
        """Remove everything of an owner from the disk, now, and of `uploads` what lies in Gradio's cache.

        Returns how many runs still have to be settled: they are hidden, and emptied when their money is
        certain.
        """
        waiting: set[str] = set()
        gone = disk.remove_within(uploads, self._cache)
        while jobs := self._ledger.owned(owner, but=waiting):
            for job in map(self.delete, jobs):
                if self.erase(job):
                    gone += 1
                else:
                    waiting.add(job.id)
        self._ledger.forget_quotes(owner=owner)
        if gone:
            # Cut-outs bear no owner: they are made again when somebody needs them.
            disk.clear(self._settings.home / "drafts" / "cache")
            self._ledger.wipe()
        if not self._settings.hosted:
            disk.clear(self._settings.home / "drafts" / "corrections")
        return len(waiting)

    def erase(self, job: Job) -> bool:
        """Remove a run's files and text for good; False when it must wait, and be tried again."""
        if job.state.active and job.state is not State.UNKNOWN:
            return False
        if job.engine is Engine.DRAFT and job.prediction_id:
            try:
                self._forget_drafts([job.prediction_id])
            except (KlingoError, TimeoutError):
                return False
            until = self._clock.time() if job.finished_at is None else job.finished_at
            cuts = self._settings.home / "drafts" / "cache"
            disk.remove_written(cuts, since=job.created_at - 1, until=until + 1)
        if not self._ledger.empty(job, now=self._clock.time()):
            return False
        folder = job_folder(self._settings.home, job.id)
        disk.remove_copies(disk.files_in(folder), self._cache)
        shutil.rmtree(folder, ignore_errors=True)
        self._files.remove(job.id)
        return True

    # -- by itself

    def sweep(self) -> int:
        """One round: what was deleted, what is too old, what nobody owns, what is too much. Counts runs."""
        with self._sweeping:
            now = self._clock.time()
            hidden = self._ledger.hidden(before=now - UNDO_SECONDS)
            gone = sum(self.erase(self._stop(job)) for job in hidden)
            if self._settings.keep_days is not None:
                old = self._ledger.over(before=now - self._settings.keep_days * _DAY)
                gone += sum(map(self.erase, old))
            gone += self._make_room(now)
            self._remove_orphans(now)
            self._ledger.forget_quotes(before=now - QUOTE_SECONDS)
            if self._settings.hosted:
                disk.bound(self._cache, CACHE_MAX)
            if gone:
                self._ledger.wipe()
                _log.info("%d runs were erased", gone)
            return gone

    def _remove_orphans(self, now: float) -> None:
        known, gone = self._ledger.ids(), self._ledger.ids(emptied=True)
        disk.remove_orphans(
            self._settings.home / "jobs",
            known=known,
            gone=gone,
            unborn=REFERENCES,
            before=time.time() - ORPHAN_SECONDS,  # by the disk's clock, whatever clock the runs go by
        )
        if now - self._looked > ORPHAN_SECONDS:
            self._looked = now
            self._files.remove_orphans(known=known, gone=gone, unborn=REFERENCES)

    def _make_room(self, now: float) -> int:
        """On a hosted page the oldest runs give way when the home is full; a desk's own are never touched.
        Where the files are shared the home is a cache, and only its copies give way.
        """
        quota = self._settings.quota
        if quota is None or not self._settings.hosted or self._taken(now, fresh=True) <= quota * _FULL:
            return 0
        if self._files.shared:
            active = {job.id for job in self._ledger.in_state(*(state for state in State if state.active))}
            over = self._taken(now) - int(quota * _ROOMY)
            disk.remove_oldest(self._settings.home / "jobs", over, but=active)
            self._taken(now, fresh=True)
            return 0
        gone = 0
        for job in self._ledger.over(before=now):
            gone += self.erase(job)
            if gone % 10 == 0 and self._taken(now, fresh=True) <= quota * _ROOMY:
                break
        self._taken(now, fresh=True)
        return gone

    def has_room(self, size: int = 0) -> bool:
        """Whether `size` more bytes leave a hosted page's disks what they need; a desk's is its owner's."""
        if not self._settings.hosted:
            return True
        try:
            return min(self._free(self._settings.home), self._free(self._cache)) - size >= FREE_MIN
        except OSError:
            return True  # a disk that cannot be measured is not known to be full

    def check_room(self) -> None:
        """Raise Busy when the disk is nearly full, or the home folder takes all that it may."""
        if not self.has_room():
            raise Busy("The disk is almost full.", what="disk", limit=FREE_MIN)
        quota = self._settings.quota
        if quota is not None and self._taken(self._clock.time()) > quota:
            raise Busy(
                "The disk that is set aside for runs is full. Delete some first.", what="disk", limit=quota
            )

    def _taken(self, now: float, *, fresh: bool = False) -> int:
        at, size = self._measured
        if fresh or not 0 <= now - at < 30.0:
            size = disk.taken(self._settings.home)
            self._measured = (now, size)
        return size


def quiet_sweep(retention: Retention) -> None:
    """A sweep whose failure is written down and tried again with the next one."""
    try:
        retention.sweep()
    except (KlingoError, OSError) as error:
        _log.error("sweeping failed: %s", type(error).__name__)
