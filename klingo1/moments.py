"""The moments of a job's life at which a process may die: named once, here.

The studio says `reached(Moment.…)` as it passes them. That is a call and a comparison, unless a test has put
something in `on_reached` that stops the process there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Moment(StrEnum):
    """In the order of a job's life; the last one belongs to a submit whose answer was lost."""

    ROW_COMMITTED = "row committed"
    UPLOADED = "after upload"
    BEFORE_POST = "before POST"
    AFTER_POST = "after POST, before commit"
    ID_COMMITTED = "after id commit"
    POLLED = "after a poll"
    MID_DOWNLOAD = "mid download"
    FSYNCED = "after fsync"
    RENAMED = "after rename"
    RECONCILED = "after reconcile"


on_reached: Callable[[Moment], None] | None = None


def reached(moment: Moment) -> None:
    """A job has come to `moment`."""
    if on_reached is not None:
        on_reached(moment)
