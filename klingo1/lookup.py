"""Looking up a submit whose answer was lost, in the service's own list.

The paid task may exist and be billed although no id came back. Nothing is ever sent again from here: the list
is read three times over ten minutes, and the request's own upload addresses tell which prediction is ours.
Where the list does not repeat them, words, counts and the time tell what could be ours and what cannot.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from klingo1.client import Client
from klingo1.prediction import Prediction
from klingo1.request import MODEL

WAITS = (15.0, 105.0, 480.0)
"""Seconds before each look: the last one ends ten minutes after the submit."""
LISTED_SECONDS = 6.5 * 24 * 3600.0
"""The list reaches back 7 days (documentation of the service); before that, absence proves nothing."""
_PAGES = 50
_PAGE = 100
_EARLIEST = timedelta(minutes=5)
_LATEST = timedelta(minutes=15)
"""How far the two clocks, and a slow answer, may put a prediction from the time of our submit."""
_WRONG_CLOCK = timedelta(hours=36)
"""How far this machine's clock may be off for an upload's address to be found all the same."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A submit without an answer: when it left, and what it said."""

    at: float
    references: Sequence[str]
    """Every address it named."""
    prompts: Collection[str]
    """The prompt as it was sent (and as it was typed)."""
    duration: int
    lasted: float = 0.0
    """Seconds until its answer was given up: a machine that sleeps in between sends it when it wakes."""
    ahead: Collection[float] = ()
    """By how many seconds the service's clock is, or was then, ahead of ours; each is tried."""

    @property
    def moments(self) -> list[tuple[datetime, datetime]]:
        """From when to when it may have arrived, by the service's clock."""
        return [
            (datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(at + self.lasted, UTC))
            for at in {self.at + ahead for ahead in {0.0, *self.ahead}}
        ]

    def seen_from(self, ahead: float) -> Lost:
        """The same, as a service sees it whose clock is so many seconds ahead."""
        return replace(self, ahead={*self.ahead, ahead})


@dataclass(frozen=True, slots=True)
class Found:
    """Predictions that no job here has: those that name our references, and those that could be ours."""

    certain: Sequence[Prediction] = ()
    possible: Sequence[Prediction] = ()
    cut: bool = False
    """The list was longer than what was read of it, so that absence proves nothing."""


async def list_around(client: Client, lost: Lost) -> list[Prediction]:
    """What the service lists around a lost submit. Raises ApiError; that says nothing about the submit."""
    first = min(sent for sent, _ in lost.moments)
    last = max(given_up for _, given_up in lost.moments)
    return await listing(client, after=first - _WRONG_CLOCK, before=last + _WRONG_CLOCK)


def match_submit(
    listed: Sequence[Prediction],
    lost: Lost,
    *,
    known: Collection[str],
    others: Sequence[Sequence[str]],
) -> Found:
    """What the lost submit may have made, of what is listed.

    `others` are the references of other submits that are not settled, `known` the predictions that belong to
    jobs. Read both after the list, in this order: then whatever another submit had made is in one of them.
    """
    free = [p for p in listed if p.id not in known]
    ours = [p for p in free if names(p, lost.references)]
    certain = [p for p in ours if not _contradicts(p.inputs, lost)]
    if certain:
        return Found(certain=certain)
    moments = lost.moments
    possible = [
        p
        for p in free
        if _near(p.created_at, moments)
        and not _contradicts(p.inputs, lost)
        and not any(names(p, other) for other in others)
    ]
    return Found(possible=ours or possible, cut=len(listed) >= _PAGES * _PAGE)


async def listing(
    client: Client, *, after: datetime | None = None, before: datetime | None = None
) -> list[Prediction]:
    """The model's predictions in a window of time, newest first. Raises ApiError."""
    listed: dict[str, Prediction] = {}
    for page in range(1, _PAGES + 1):
        found = await client.list(
            created_after=after, created_before=before, model=MODEL, page=page, page_size=_PAGE
        )
        listed |= {p.id: p for p in found}
        if len(found) < _PAGE:
            break
    return list(listed.values())


def names(prediction: Prediction, references: Sequence[str]) -> bool:
    """Whether the listed prediction repeats all of these addresses."""
    echoed = prediction.inputs
    sent = [*_texts(echoed.get("images")), echoed.get("video")]
    return bool(references) and all(reference in sent for reference in references)


def _contradicts(echoed: Mapping[str, Any], lost: Lost) -> bool:
    """Whether what the list repeats cannot be this submit. Addresses prove nothing:
    a service may move files.
    """
    prompt, duration = echoed.get("prompt"), echoed.get("duration")
    return (isinstance(prompt, str) and prompt.strip() not in {p.strip() for p in lost.prompts}) or (
        duration is not None and str(duration) != str(lost.duration)
    )


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _near(created_at: str, moments: Sequence[tuple[datetime, datetime]]) -> bool:
    """Whether a listed time fits the submit; an unreadable one might."""
    created = read_time(created_at)
    return created is None or any(
        sent - _EARLIEST <= created <= given_up + _LATEST for sent, given_up in moments
    )


def read_time(text: str) -> datetime | None:
    """An ISO time, with up to nine fractional digits as the service writes them; None when unreadable."""
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", text.strip())
    try:
        moment = datetime.fromisoformat(trimmed)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
