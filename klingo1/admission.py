"""Rows and the files they name, made together: who stands has its references."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from klingo1.errors import KlingoError, LedgerError
from klingo1.offers import Offers

log = logging.getLogger(__name__)
T = TypeVar("T")

ADMIT_PAUSES = (0.5, 2.0)
"""Seconds after which a ledger's server that went away is asked once more."""


class Admission(Offers):
    """The side of a studio that writes rows into a ledger which may go away while it answers."""

    def _at_last(self, admit: Callable[[], T]) -> T:
        """Ask a server that went away once more: a row that it kept, unheard, is found again by its quote."""
        for pause in ADMIT_PAUSES if self._ledger.on_server else ():
            try:
                return admit()
            except LedgerError as error:
                log.warning("the ledger is asked once more: %s", error)
                self._background.call(self._clock.sleep(pause)).result()
        return admit()

    def _may_stand(self, error: KlingoError, job_id: str) -> bool:
        """Whether a row may have been kept all the same, so that its files must stay."""
        return isinstance(error, LedgerError) and self._ledger.may_hold(job_id)

    def _drop(self, folder: Path) -> None:
        """Remove the files of a run that was not made."""
        shutil.rmtree(folder, ignore_errors=True)
        self._files.remove(folder.name)
