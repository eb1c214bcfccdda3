"""A studio that takes many requests at once: checked, priced and admitted together, begun one by one."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from pathlib import Path

from klingo1 import disk
from klingo1.arrivals import check_mentions, check_references, copy_references, digest_of
from klingo1.batch_file import Line, WrongLine
from klingo1.errors import InvalidRequest, KlingoError, LedgerError
from klingo1.groups import Groups, Standing, Traffic, quote_of
from klingo1.leases import LEASE_SECONDS
from klingo1.mentions import check_wire_length
from klingo1.money import NewJob
from klingo1.pricing import price_of
from klingo1.request import Engine, Reference
from klingo1.studio import Studio
from klingo1.uploads import job_folder
from klingo1.visitors import DESK


class BulkStudio(Studio):
    """A studio with groups. What it admits waits until `begin`; other studios leave it alone."""

    def start(self) -> None:
        """Open the ledger, and go on with every unfinished job that has been begun."""
        super().start()
        self._groups = Groups(
            self.settings.database_url or self.settings.home / "klingo1.sqlite3", home=self.settings.home
        )

    def close(self) -> None:
        """As Studio.close; rows that wait go on waiting."""
        was_open = self._open
        super().close()
        if was_open:
            self._groups.close()

    def check_lines(self, lines: Sequence[Line], *, engine: Engine, owner: str = DESK) -> list[WrongLine]:
        """Really read every reference once; returns the lines that cannot be made. Raises KeyMissing and
        Busy when the disk is full.
        """
        if engine is Engine.KLING:
            self._engines.check_paid(owner)
        self._retention.check_room()
        verdicts: dict[tuple[tuple[Reference, ...], Reference | None], InvalidRequest | None] = {}
        wrong = []
        for line in lines:
            request = line.request
            seen = (request.images, request.video)
            try:
                if seen not in verdicts:
                    verdicts[seen] = None
                    check_references(request, engine, self.intake)
                elif (verdict := verdicts[seen]) is not None:
                    raise verdict
                check_mentions(request, engine)
                if engine is Engine.KLING:
                    check_wire_length(request.prompt, self.settings.mention_form)
            except InvalidRequest as error:
                if error.field != "prompt":
                    verdicts[seen] = error
                wrong.append(WrongLine(line.number, error))
        return wrong

    def admit_lines(
        self, group: str, lines: Sequence[Line], *, engine: Engine, owner: str = DESK
    ) -> list[Standing]:
        """Copy every reference, then create all rows and hold all prices, or nothing.

        `lines` have passed `check_lines`. A group that stands already is returned as it is. Raises
        BudgetReached and LedgerError.
        """
        folders: list[Path] = []
        copies: dict[Path, Path] = {}
        try:
            news = [self._new_job(group, line, engine, owner, folders, copies) for line in lines]
            kept = self._at_last(
                lambda: self._groups.admit_group(group, news, caps=self._caps, now=self._clock.time())
            )
        except OSError as error:
            self._drop_but(folders, ())
            raise LedgerError(
                f"The references cannot be copied: {error.strerror}.", path=self.settings.home
            ) from error
        except KlingoError as error:
            if not any(self._may_stand(error, folder.name) for folder in folders[:1]):  # all, or none
                self._drop_but(folders, ())
            raise
        self._drop_but(folders, kept)
        return kept

    def _drop_but(self, folders: Sequence[Path], kept: Sequence[Standing]) -> None:
        standing = {one.job_id for one in kept}
        for folder in folders:
            if folder.name not in standing:
                self._drop(folder)

    def _new_job(  # noqa: PLR0917 - one caller, which has them all at hand
        self,
        group: str,
        line: Line,
        engine: Engine,
        owner: str,
        folders: list[Path],
        copies: dict[Path, Path],
    ) -> NewJob:
        price = price_of(line.request, engine)
        digest = digest_of(line.request, engine, price)
        job_id = uuid.uuid4().hex
        folders.append(job_folder(self.settings.home, job_id))
        own = copy_references(line.request, folders[-1], linked=self.settings.upload_folder, copies=copies)
        self._files.keep(disk.files_in(folders[-1]))
        return NewJob(job_id, owner, engine, own, price, digest, quote_of(group, line.number))

    def standing(self, group: str, *, owner: str = DESK) -> list[Standing]:
        """Every row of the group; empty when it was never admitted."""
        return self._groups.standing(group, owner=owner)

    def begin(self, group: str, job_id: str) -> bool:
        """Set a waiting row going; False when it has been begun or stopped already."""
        now = self._clock.time()
        if not self._groups.begin(group, job_id, worker=self._worker.name, now=now, lease=LEASE_SECONDS):
            return False
        self._leases.start(job_id)
        return True

    def withdraw(self, group: str) -> int:
        """Give up every row that still waits; returns how many."""
        return self._groups.withdraw(group, now=self._clock.time())

    def traffic(self, engine: Engine) -> Traffic:
        """What this engine has in hand, batch or not."""
        return self._groups.traffic(engine, now=self._clock.time())

    async def pause(self, seconds: float) -> None:
        """Wait on the studio's clock."""
        await self._clock.sleep(seconds)

    def try_again(self, job_id: str) -> bool:
        """Resume a run that waits or was refused; False when nothing can be done about it now."""
        with contextlib.suppress(KlingoError):
            return self.resume(job_id).state.active
        return False
