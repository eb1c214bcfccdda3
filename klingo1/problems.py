"""Errors as the problems that a job's row keeps, and what they mean for its money."""

from __future__ import annotations

from collections.abc import Sequence

from klingo1.errors import InvalidRequest, KlingoError
from klingo1.job import Job, Money, Problem
from klingo1.prediction import Prediction

NEVER_CREATED = Problem(
    "NotCreated",
    "The service never created this run: it was looked up three times over ten minutes. Nothing was billed.",
)


def problem_of(error: KlingoError) -> Problem:
    """An error as a row keeps it."""
    if isinstance(error, InvalidRequest):
        return Problem(type(error).__name__, error.reason, field=error.field, remedy=error.remedy)
    return Problem(type(error).__name__, str(error))


def several(found: Sequence[Prediction]) -> Problem:
    """More than one prediction could be ours; only a person can tell."""
    return Problem(
        "SubmitUncertain",
        f"The answer was lost, and {len(found)} predictions of that time could be this run. Choose one.",
        prediction_ids=tuple(p.id for p in found),
    )


def released(job: Job) -> Money:
    """What becomes of the money of a run that was certainly not created."""
    return Money.FREE if job.money is Money.FREE else Money.RELEASED
