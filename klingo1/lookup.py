"""Looking up a submit whose answer was lost, in the service's own list.

The paid task may exist and be billed although no id came back. Nothing is ever sent again from here: the list
is read three times over ten minutes, and the request's own upload addresses tell which prediction is ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from klingo1.client import Client
from klingo1.prediction import Prediction
from klingo1.request import MODEL

WAITS = (15.0, 105.0, 480.0)
"""Seconds before each look: the last one ends ten minutes after the submit."""
_EARLIEST = timedelta(minutes=5)
_LATEST = timedelta(minutes=15)
"""How far the two clocks, and a slow answer, may put a prediction from the time of our submit."""


async def find_lost(
    client: Client, *, submitted_at: float, references: Sequence[str], known: Collection[str]
) -> list[Prediction]:
    """Predictions that the lost submit may have made: one that names our uploads, else all that could be.

    `references` are the addresses that were sent, `known` the predictions that belong to other jobs. Raises
    ApiError when the list cannot be read; that says nothing about the submit.
    """
    moment = datetime.fromtimestamp(submitted_at, UTC)
    listed: list[Prediction] = []
    for page in range(1, 11):
        found = await client.list(created_after=moment - timedelta(hours=1), model=MODEL, page=page)
        listed += found
        if len(found) < 100:
            break
    free = [p for p in listed if p.id not in known]
    ours = [p for p in free if p.inputs and _names(p, references)]
    if ours:
        return ours
    return [p for p in free if not p.inputs and _near(p.created_at, moment)]


def _names(prediction: Prediction, references: Sequence[str]) -> bool:
    echoed = prediction.inputs
    images = echoed.get("images")
    sent = [*(images if isinstance(images, list) else []), echoed.get("video")]
    return bool(references) and all(reference in sent for reference in references)


def _near(created_at: str, moment: datetime) -> bool:
    """Whether a listed time fits the submit; an unreadable one might."""
    created = read_time(created_at)
    return created is None or moment - _EARLIEST <= created <= moment + _LATEST


def read_time(text: str) -> datetime | None:
    """An ISO time, with up to nine fractional digits as the service writes them; None when unreadable."""
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", text.strip())
    try:
        moment = datetime.fromisoformat(trimmed)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
