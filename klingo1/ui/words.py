"""States and errors as what a person reads: one sentence, one thing to do.

Words are chosen by type and state, never by the text of a message.
"""

from __future__ import annotations

from dataclasses import dataclass

from klingo1.errors import (
    ApiError,
    BudgetReached,
    Busy,
    InvalidRequest,
    JobNotFound,
    KeyMissing,
    KeyRejected,
    LedgerError,
    OutOfCredit,
    PaidOff,
    QuoteRefused,
    RateLimited,
    TooLarge,
)
from klingo1.job import Job, Money, State
from klingo1.pricing import Price
from klingo1.request import Engine

ENGINE_NAMES = {Engine.DRAFT: "Draft engine", Engine.KLING: "Kling O1"}
READING_NAMES = {
    "picture": "your scene picture",
    "push": "push in",
    "pull": "pull back",
    "track": "tracking",
    "crane": "crane up",
    "handheld": "handheld",
    "static": "locked off",
    "whip": "whip pan",
}
"""The draft engine's own names where they say too little to a person."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message beside a field or in the card. `field` is a contract field, "key", "price" or ""."""

    text: str
    remedy: str = ""
    field: str = ""

    def as_json(self) -> dict[str, str]:
        """For the page's scripts."""
        return {"text": self.text, "remedy": self.remedy, "field": self.field}


@dataclass(frozen=True, slots=True)
class Phase:
    """A state in words: a short title and one sentence."""

    title: str
    note: str


_DRAFT_PHASES = {
    State.QUEUED: Phase("In line", "The draft engine takes it next."),
    State.PREPARING: Phase("Preparing references", "Turning and checking your pictures."),
    State.UPLOADING: Phase("Handing over references", "They stay on this machine."),
    State.SUBMITTING: Phase("Starting", "Handing the request to the draft engine."),
    State.RUNNING: Phase("Drawing the draft", "Made on this machine, free of charge."),
    State.DOWNLOADING: Phase("Finishing", "Checking the video and putting it in its place."),
}
_KLING_PHASES = {
    State.QUEUED: Phase("In line", "It is sent as soon as its turn comes."),
    State.PREPARING: Phase("Preparing references", "Turning, checking and shrinking your pictures."),
    State.UPLOADING: Phase("Uploading references", "All side by side; uploads are free."),
    State.SUBMITTING: Phase("Sending the request", "It is sent once and never repeated."),
    State.RUNNING: Phase("Kling O1 is working", "This takes minutes; it goes on without this page."),
    State.DOWNLOADING: Phase("Downloading the video", "Fetched at once, so that it is never lost."),
}
_COMMON_PHASES = {
    State.DONE: Phase("Done", ""),
    State.FAILED: Phase("It did not work", ""),
    State.REFUSED: Phase("Not accepted", ""),
    State.STOPPED: Phase("Stopped", ""),
    State.UNKNOWN: Phase(
        "Looking for your run",
        "The answer to the request was lost. It is looked up; nothing is sent or billed a second time.",
    ),
    State.NEEDS_KEY: Phase("Waiting for your key", "Give your WaveSpeed key and it goes on."),
    State.EXPIRED: Phase("The video is out of reach", "The service no longer offers it for download."),
    State.NOT_CREATED: Phase("Nothing was started", "The service never got the request. Nothing is billed."),
}


def phase_of(job: Job, *, ahead: int = 0) -> Phase:
    """The state of a job in words; `ahead` drafts of the line come before it."""
    if ahead:
        return Phase("In line", "One draft comes first." if ahead == 1 else f"{ahead} drafts come first.")
    phases = _DRAFT_PHASES if job.engine is Engine.DRAFT else _KLING_PHASES
    phase = phases.get(job.state) or _COMMON_PHASES[job.state]
    if job.state is State.UNKNOWN and job.waits:
        return Phase(
            "It needs your word", "The answer to the request was lost. Nothing is sent a second time."
        )
    if job.state is State.STOPPED and job.engine is Engine.KLING and job.prediction_id:
        return Phase(phase.title, "We stopped waiting. The run goes on at the service and is billed.")
    if job.state is State.DONE:
        return Phase("Draft ready" if job.engine is Engine.DRAFT else "Video ready", phase.note)
    return phase


def stop_words(job: Job) -> tuple[str, str]:
    """The stop button and what stopping means, honestly."""
    if job.engine is Engine.DRAFT:
        return "Stop", "The draft is thrown away."
    if job.prediction_id:
        return "Stop waiting", "It goes on at the service and is billed."
    return "Stop", "It may already be on its way; what was sent is billed."


def money_words(job: Job) -> str:
    """What is known about the money, with the amount."""
    if job.money is Money.FREE or job.price == Price(0):
        return "free"
    return {
        Money.HELD: f"{job.price} held",
        Money.SPENT: f"{job.price} spent",
        Money.RELEASED: f"{job.price} not charged",
    }[job.money]


def problem_words(job: Job) -> Notice | None:
    """Why a job did not go through, and what to do about it."""
    problem = job.problem
    if problem is None:
        return None
    remedy = problem.remedy or _REMEDIES.get(problem.kind, "")
    return Notice(text=problem.text, remedy=remedy, field=problem.field)


_REMEDIES = {
    "OutOfCredit": "Top up your WaveSpeed wallet, then send it again. Your inputs are kept.",
    "KeyRejected": "Check the key and enter it again. Your inputs are kept.",
    "KeyMissing": "Enter your WaveSpeed key.",
    "RateLimited": "Wait a minute, then send it again.",
    "TooLarge": "Use a smaller file, then send it again.",
    "GenerationFailed": "Change the prompt or a picture, then try again.",
    "DownloadFailed": "Try the download again.",
    "Unavailable": "Try again in a few minutes.",
    "NotSent": "Check the network, then send it again.",
}


def notice_of(error: Exception) -> Notice:
    """An error of a click as a message beside the field it belongs to."""
    match error:
        case InvalidRequest():
            return Notice(error.reason, error.remedy, error.field)
        case KeyMissing():
            return Notice("Kling O1 needs your WaveSpeed key.", "Enter it below, or choose Draft.", "key")
        case KeyRejected():
            return Notice("The service does not accept this key.", "Check it and enter it again.", "key")
        case OutOfCredit():
            return Notice(
                "The wallet has too little credit for this run.", "Top it up, or choose Draft.", "key"
            )
        case BudgetReached():
            return budget_words(error)
        case PaidOff():
            return Notice("The host of this page has switched paid runs off.", "Make a draft, it is free.")
        case Busy():
            return busy_words(error)
        case QuoteRefused():
            return Notice("The price or the inputs changed since the page showed them.", "Click once more.")
        case JobNotFound():
            return Notice("This job is no longer known here.", "Start it again from its inputs.")
        case LedgerError():
            return Notice(
                "The record of jobs cannot be written, so nothing was started.", "Free some disk space."
            )
        case RateLimited():
            return Notice("The service asks for a pause.", "Try again in a minute.")
        case TooLarge():
            return Notice("A file is larger than the service accepts.", "Use a smaller one.")
        case ApiError():
            return Notice("The service could not be reached or did not answer clearly.", "Try again.")
        case _:
            return Notice("Something went wrong here; nothing was started.", "Try again.")


def busy_words(error: Busy) -> Notice:
    """What is full, and what to wait for."""
    match error.what:
        case "paid":
            return Notice(
                "One paid run at a time, and yours is still going.", "Send this one when it is done."
            )
        case "drafts":
            return Notice(f"You have {error.limit} drafts in work.", "Wait until one of them is done.")
        case "files":
            return Notice("Many pictures are being looked at just now.", "Try again in a minute.")
        case "disk":
            return Notice("The disk is almost full, so nothing was started.", "Make room on it.")
        case _:
            return Notice("Many drafts are waiting already.", "Try again in a minute.")


def budget_words(error: BudgetReached) -> Notice:
    """Which cap is reached, with its amounts."""
    cap = {"run": "one run", "visitor_day": "you today", "day": "all of today"}.get(error.cap, error.cap)
    limit, used, price = Price(error.limit), Price(error.used), Price(error.price)
    text = (
        f"The budget for {cap} is {limit}, {used} is used; this run costs {price}."
        if error.used
        else f"The budget for {cap} is {limit}; this run costs {price}."
    )
    return Notice(
        text,
        "Choose a shorter video, choose Draft, or raise the budget.",
        "price",
    )
