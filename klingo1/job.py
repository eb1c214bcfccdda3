"""One run of the studio as a value: what was asked, where it stands, what is known about the money.

States, in the order of a job's life:

    queued → preparing → uploading → submitting → running → downloading → done
    ends also: failed · refused · stopped
    waiting on us or on a person: unknown · needs_key · expired · not_created
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from klingo1.pricing import Price
from klingo1.request import Engine, VideoRequest


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    PREPARING = "preparing"
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    RUNNING = "running"
    DOWNLOADING = "downloading"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    NEEDS_KEY = "needs_key"
    EXPIRED = "expired"
    NOT_CREATED = "not_created"

    @property
    def ended(self) -> bool:
        """Nothing more will happen by itself and nobody is asked anything."""
        return self in _ENDED

    @property
    def waits_for_person(self) -> bool:
        """Nothing happens until a person decides or gives a key."""
        return self in _WAITS

    @property
    def active(self) -> bool:
        """The background loop works on it."""
        return not (self.ended or self.waits_for_person)


_ENDED = frozenset({State.DONE, State.FAILED, State.REFUSED, State.STOPPED})
_WAITS = frozenset({State.NEEDS_KEY, State.EXPIRED, State.NOT_CREATED})


class Money(StrEnum):
    """What is known about a job's money. Held, unknown and spent all count against the caps."""

    FREE = "free"
    HELD = "held"
    SPENT = "spent"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a job did not go through: `kind` is an error type of klingo1.errors, `text` a plain sentence.

    `field` and `remedy` are filled for requests that were wrong; `prediction_ids` for an unknown submit that
    several predictions could be.
    """

    kind: str
    text: str
    field: str = ""
    remedy: str = ""
    prediction_ids: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The problem as JSON has it."""
        return {
            "kind": self.kind,
            "text": self.text,
            "field": self.field,
            "remedy": self.remedy,
            "prediction_ids": list(self.prediction_ids),
        }


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the ledger, decoded."""

    id: str
    owner: str
    engine: Engine
    state: State
    request: VideoRequest
    """References are the job's own copies in the home folder."""
    price: Price
    money: Money
    created_at: float
    """Seconds since the epoch, as all times here."""
    updated_at: float
    finished_at: float | None = None
    prediction_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The service's last reply, every field kept."""
    progress: float | None = None
    problem: Problem | None = None
    video: Path | None = None
    poster: Path | None = None
    phases: tuple[tuple[State, float], ...] = ()
    """Every state it entered, with the time."""

    @property
    def elapsed(self) -> float | None:
        """Seconds from the click to the end, None while it goes on."""
        return None if self.finished_at is None else max(0.0, self.finished_at - self.created_at)

    @property
    def waits(self) -> bool:
        """Nothing happens until a person decides: also a lost submit that three looks did not settle."""
        return self.state.waits_for_person or (self.state is State.UNKNOWN and self.problem is not None)

    @property
    def goes_on(self) -> bool:
        """It is worked on without anybody's word."""
        return self.state.active and not self.waits

    @property
    def was_lost(self) -> bool:
        """The answer to a paid submit was lost once, so a task may exist that nobody here knows."""
        return self.money is not Money.FREE and any(state is State.UNKNOWN for state, _ in self.phases)

    @property
    def report(self) -> Mapping[str, Any]:
        """What the draft engine understood and filmed; empty for the paid model."""
        data = self.details.get("data")
        report = data.get("draft") if isinstance(data, Mapping) else None
        return report if isinstance(report, Mapping) else {}
