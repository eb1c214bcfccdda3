"""Words for runs that only the service knows, and for runs of which nobody knows: above all, their money."""

from __future__ import annotations

from klingo1.errors import (
    InvalidRequest,
    JobNotFound,
    KeyMissing,
    KeyRejected,
    LedgerError,
    PaidOff,
    RateLimited,
)
from klingo1.job import Job, Money, State
from klingo1.prediction import Prediction
from klingo1.pricing import Price
from klingo1.ui.words import Notice, notice_of

FAILED_LEFT_OUT = "Runs of the last 7 days that failed there are left out; the service refunds them."


def deleted_words(job: Job, left: Job) -> str:
    """What deleting a run leaves behind; `left` is the run thereafter."""
    if job.state.ended:
        return "Deleted."
    if left.state in {State.SUBMITTING, State.UNKNOWN} and left.money is Money.HELD:
        return f"Deleted. Whether {left.price} was billed is not known yet; until it is, it counts as spent."
    if left.money is Money.SPENT and job.state is State.RUNNING:
        return f"Deleted. The run goes on at the service, and {left.price} is billed."
    if left.money is Money.SPENT:
        return f"Deleted. The service bills {left.price} for this run."
    if left.money is Money.RELEASED:
        return "Deleted. Nothing is billed."
    return "Stopped and deleted."


def all_deleted_words(waiting: int) -> Notice:
    """What deleting everything has left; `waiting` runs are hidden until their money is certain."""
    gone = "Everything of yours is gone from this server."
    if not waiting:
        return Notice(gone)
    return Notice(
        "Everything of yours is gone from this server but for runs whose bill is not settled yet.",
        "They are hidden, and go as soon as it is, after 8 days at most.",
    )


def delete_note(job: Job) -> str:
    """What the button says before a run is deleted."""
    if job.money is Money.FREE or not job.state.active:
        return "Delete"
    if job.state in {State.SUBMITTING, State.UNKNOWN}:
        return "Delete. What it may have cost still counts"
    return "Delete. The paid run goes on there and is billed" if job.prediction_id else "Stop and delete"


def lost_words(missing: int, undecided: int) -> Notice:
    """What a comparison of the service's list with the ledger has shown."""
    said, remedy = [], ""
    if missing:
        one = "One run of the last 7 days is not here."
        said.append(one if missing == 1 else f"{missing} runs of the last 7 days are not here.")
        remedy = "Fetching one costs nothing more."
    if undecided:
        said.append("Only you can decide about what stands first below.")
    if not said:
        said.append("Nothing is missing: every run that the service made in the last 7 days is here.")
    return Notice(" ".join(said), remedy)


def lost_problem(error: Exception) -> Notice:
    """Why the service's list could not be compared."""
    match error:
        case KeyMissing():
            return Notice(
                "Finding runs needs the WaveSpeed key they were made with.",
                "Looking costs nothing; the key stays in memory.",
                "key",
            )
        case KeyRejected() | PaidOff() | RateLimited() | JobNotFound() | InvalidRequest() | LedgerError():
            return notice_of(error)
        case _:
            return Notice(
                "The service does not answer just now. Nothing is lost: it keeps its list for 7 days.",
                "Try again in a few minutes.",
            )


def found_words(found: Prediction, price: Price | None) -> tuple[str, str]:
    """How a run stands at the service, and what is known about its money."""
    if not found.status_word:
        return "", "The service could not be asked about it just now."
    if found.status.ended and not found.status.succeeded:
        return "Failed there", "The service refunds failed runs within 3 hours."
    title = "Ready there" if found.status.succeeded else "In work there"
    return title, f"The service bills {price} for it." if price else "Your bill there names its price."


def release_words(job: Job, several: bool) -> Notice:
    """The way out when nothing that was found is the person's own, and what it means."""
    return Notice(
        f"None of these: release the {job.price}" if several else f"Not on my bill: release the {job.price}",
        f"The {job.price} then no longer counts against your budget. Look at your bill there first.",
    )


def settle_label(job: Job) -> str:
    """What a person can do about a run of which nobody knows; "" for every other."""
    if job.state is not State.UNKNOWN or job.problem is None:
        return ""
    return "Choose which it is" if job.problem.prediction_ids else "Find lost runs"
