"""The service's reply, read leniently and kept whole.

Fields as the mission names them: `code`, `message`, `data.id`, `data.model`, `data.outputs`, `data.urls.get`,
`data.has_nsfw_contents`, `data.status`, `data.created_at`, `data.error`, `data.timings.inference` (ms).
`data.code` is the task's own error code and `data.progress` (0 to 1) an addition of the draft service.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

OUTPUTS_MAX = 50
ERROR_MAX = 500
_ID = re.compile(r"[A-Za-z0-9_-]{4,128}")


class Status(StrEnum):
    """The words the service uses for a task, and UNKNOWN for those it may invent."""

    CREATED = "created"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    DELETED = "deleted"
    UNKNOWN = "unknown"

    @property
    def ended(self) -> bool:
        """No further change is expected. An unknown word means: still running."""
        return self in _ENDED

    @property
    def succeeded(self) -> bool:
        """There is a result."""
        return self is Status.COMPLETED


_ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.TIMEOUT, Status.DELETED})


def is_prediction_id(value: object) -> bool:
    """Whether `value` may stand in a path: 4 to 128 letters, digits, _ and -."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One task as the service described it."""

    id: str
    status: Status = Status.UNKNOWN
    status_word: str = ""
    """The very word the service used."""
    code: int = 200
    """The envelope's code."""
    message: str = ""
    """The envelope's message."""
    model: str = ""
    outputs: tuple[str, ...] = ()
    get_url: str = ""
    """`urls.get`: where the service wants to be asked."""
    has_nsfw_contents: tuple[bool, ...] = ()
    created_at: str = ""
    error: str = ""
    task_code: int = 0
    """`data.code`: the task's error code, 0 when all is well."""
    inference_ms: float = 0.0
    """`timings.inference`, in milliseconds."""
    progress: float | None = None
    """0 to 1 where the service tells, else None."""
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The `data` object, nothing dropped."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The request as a list item may echo it, under either name."""
        for name in ("input", "inputs"):
            echoed = self.raw.get(name)
            if isinstance(echoed, Mapping):
                return echoed
        return {}

    def as_details(self) -> dict[str, Any]:
        """Every field for a person who opens "Details", in the contract's own shape."""
        return {"code": self.code, "message": self.message, "data": dict(self.raw)}


def parse_prediction(body: object) -> Prediction:
    """Read an envelope (or a bare prediction). Raises ValueError when it names no usable id."""
    if not isinstance(body, Mapping):
        raise ValueError("the answer is not an object")  # noqa: TRY004 - one error for every bad shape
    data = body.get("data", body)
    if not isinstance(data, Mapping) or not is_prediction_id(data.get("id")):
        raise ValueError("the answer names no prediction")
    word = _text(data.get("status"), 40)
    timings, urls = data.get("timings"), data.get("urls")
    return Prediction(
        id=data["id"],
        status=Status(word) if word in set(Status) else Status.UNKNOWN,
        status_word=word,
        code=_integer(body.get("code"), 200) if "data" in body else 200,
        message=_text(body.get("message"), ERROR_MAX) if "data" in body else "",
        model=_text(data.get("model"), 200),
        outputs=_outputs(data.get("outputs")),
        get_url=_text(urls.get("get"), 2000) if isinstance(urls, Mapping) else "",
        has_nsfw_contents=_booleans(data.get("has_nsfw_contents")),
        created_at=_text(data.get("created_at"), 64),
        error=_text(data.get("error"), ERROR_MAX),
        task_code=_integer(data.get("code"), 0),
        inference_ms=_number(timings.get("inference")) if isinstance(timings, Mapping) else 0.0,
        progress=_fraction(data.get("progress")),
        raw=dict(data),
    )


def outputs_of(details: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses that a kept reply (`as_details`) names; none where it is not there or not readable."""
    data = details.get("data")
    return _outputs(data.get("outputs")) if isinstance(data, Mapping) else ()


def _outputs(value: object) -> tuple[str, ...]:
    """Addresses, from a string, a list of strings or of objects with `url`; each once, at most 50."""
    items = value if isinstance(value, list) else [value]
    found: dict[str, None] = {}
    for item in items:
        url = item.get("url") if isinstance(item, Mapping) else item
        if isinstance(url, str) and url:
            found[url] = None
    return tuple(found)[:OUTPUTS_MAX]


def _booleans(value: object) -> tuple[bool, ...]:
    return tuple(bool(v) for v in value[:OUTPUTS_MAX]) if isinstance(value, list) else ()


def _text(value: object, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""


def _integer(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
    except OverflowError:  # an integer beyond all floats
        return 0.0


def _fraction(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    return float(min(1, max(0, value)))
