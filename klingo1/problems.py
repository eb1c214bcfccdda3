"""Errors as the problems that a job's row keeps, and what they mean for its money."""

from __future__ import annotations

from collections.abc import Sequence

from klingo1.errors import ApiError, InvalidRequest, KlingoError
from klingo1.job import Job, Money, Problem, State
from klingo1.prediction import Prediction

_LOOK_THERE = (
    "Look again later, or look at your bill there. If this run is not on it, say that it was not billed."
)
NEVER_CREATED = Problem(
    "NotCreated",
    "The service never created this run: it was looked up three times over ten minutes. Nothing was billed.",
)


UNDER_ANOTHER_KEY = Problem(
    "SubmitUncertain",
    "The answer was lost, and the key given now does not list this run; it was sent with another key.",
    remedy="Give the key it was sent with and look again, or say that it was not billed.",
)
TOO_LONG_AGO = Problem(
    "SubmitUncertain",
    "The answer was lost more than six days ago; the service's list does not reach back that far.",
    remedy="Look at your bill there. If this run is not on it, say that it was not billed.",
)
TOO_MANY = Problem(
    "SubmitUncertain",
    "The answer was lost, and the service lists more runs of that time than could be read.",
    remedy=_LOOK_THERE,
)
NOT_BILLED = Problem("NotCreated", "You said that this run is not on the bill. Nothing counts for it.")
FETCHED_ELSEWHERE = Problem(
    "NotCreated", "Its prediction was fetched as another run of this computer; it counts there, not here."
)


def problem_of(error: KlingoError) -> Problem:
    """An error as a row keeps it."""
    if isinstance(error, InvalidRequest):
        return Problem(type(error).__name__, error.reason, field=error.field, remedy=error.remedy)
    return Problem(type(error).__name__, str(error))


def unlisted(error: ApiError) -> Problem:
    """The service says clearly that it does not show its list."""
    return Problem(
        "SubmitUncertain",
        f"The answer was lost, and the service refuses to list its runs ({error.status_code}).",
        remedy=_LOOK_THERE,
    )


def several(found: Sequence[Prediction]) -> Problem:
    """Predictions that could be ours; only a person can tell."""
    count = "one prediction" if len(found) == 1 else f"{len(found)} predictions"
    return Problem(
        "SubmitUncertain",
        f"The answer was lost, and {count} of that time could be this run.",
        remedy="Choose it, or say that this run was not billed.",
        prediction_ids=tuple(p.id for p in found),
    )


def released(job: Job) -> Money:
    """What becomes of the money of a run that was certainly not created."""
    return Money.FREE if job.money is Money.FREE else Money.RELEASED


def money_known(job: Job) -> str:
    """What is known about the money of a run, as a sentence for people."""
    price = job.price
    match job.money, job.state:
        case Money.FREE, _:
            return "A draft is free."
        case Money.RELEASED, State.FAILED:
            return f"The service refunds failed runs; the {price} no longer counts here."
        case Money.RELEASED, _:
            return f"Nothing was billed; the {price} is free again."
        case Money.SPENT, State.STOPPED:
            return f"The run goes on at the service and costs {price}."
        case Money.SPENT, _:
            return f"The service bills {price} for this run."
        case Money.HELD, State.UNKNOWN:
            return f"It is not known yet whether {price} was billed; until it is, it counts as spent."
        case Money.HELD, State.FAILED:
            return f"The service refunds failed runs within 3 hours; until then {price} is held."
        case Money.HELD, State.EXPIRED:
            return f"The service has most likely billed {price} for this run; it counts as spent."
        case Money.HELD, State.QUEUED | State.PREPARING | State.UPLOADING:
            return f"Nothing is billed yet; {price} is held."
    return f"The run costs {price}, which is held until it has ended."
