"""Rows and jobs: how a request and a job are written into the ledger's columns and read back.

Paths are stored relative to the home folder, so a home can be moved; addresses are stored as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Row

from klingo1.job import Job, Money, Problem, State
from klingo1.pricing import Price
from klingo1.request import DraftOptions, Engine, Reference, VideoRequest

_JSON = frozenset({"details", "uploads", "problem"})


def encode_request(request: VideoRequest, home: Path) -> str:
    """The request as JSON text."""
    return json.dumps(
        {
            "prompt": request.prompt,
            "images": [_encode_reference(image, home) for image in request.images],
            "video": None if request.video is None else _encode_reference(request.video, home),
            "keep_original_sound": request.keep_original_sound,
            "aspect_ratio": request.aspect_ratio,
            "duration": request.duration,
            "draft": request.draft.with_masks(()).to_wire(),
            "masks": [mask and _encode_reference(mask, home) for mask in request.draft.masks],
        }
    )


def decode_request(text: str, home: Path) -> VideoRequest:
    """The request as it was asked."""
    raw = json.loads(text)
    video = raw["video"]
    masks = [mask and _decode_reference(mask, home) for mask in raw.get("masks", ())]
    return VideoRequest(
        prompt=raw["prompt"],
        images=tuple(_decode_reference(image, home) for image in raw["images"]),
        video=None if video is None else _decode_reference(video, home),
        keep_original_sound=raw["keep_original_sound"],
        aspect_ratio=raw["aspect_ratio"],
        duration=raw["duration"],
        draft=DraftOptions.from_wire(raw.get("draft")).with_masks(masks),
    )


def decode_job(row: Row[Any], entered: Sequence[tuple[State, float]], home: Path) -> Job:
    """One row of the jobs table, with the states it entered."""
    return Job(
        id=row.id,
        owner=row.owner,
        engine=Engine(row.engine),
        state=State(row.state),
        request=decode_request(row.request, home),
        price=Price(row.price),
        money=Money(row.money),
        created_at=row.created_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
        prediction_id=row.prediction_id,
        details=json.loads(row.details),
        progress=row.progress,
        problem=_decode_problem(row.problem),
        video=home / row.video if row.video else None,
        poster=home / row.poster if row.poster else None,
        phases=tuple(entered),
    )


def encode_job(job: Job, home: Path) -> dict[str, Any]:
    """A new job as columns, but for the day and the quote, which are the money's."""
    return {
        "id": job.id,
        "owner": job.owner,
        "engine": job.engine.value,
        "state": job.state.value,
        "request": encode_request(job.request, home),
        "price": job.price.micro,
        "money": job.money.value,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "prediction_id": job.prediction_id,
        "details": json.dumps(job.details),
        "uploads": "[]",
        "attempts": 0,
        "lease_until": 0.0,
    }


def encode_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts about a job as columns: objects become JSON text, words of ours their value."""
    return {name: _encode_fact(name, value) for name, value in facts.items()}


def _encode_fact(name: str, value: Any) -> Any:
    if name in _JSON:
        return None if value is None else json.dumps(value)
    if isinstance(value, Path):
        raise TypeError("paths are stored relative to the home folder")
    return value.value if isinstance(value, State | Money) else value


def _decode_problem(text: str | None) -> Problem | None:
    if text is None:
        return None
    raw = json.loads(text)
    return Problem(
        kind=raw["kind"],
        text=raw["text"],
        field=raw["field"],
        remedy=raw["remedy"],
        prediction_ids=tuple(raw["prediction_ids"]),
    )


def _encode_reference(reference: Reference, home: Path) -> Mapping[str, str]:
    if isinstance(reference, Path):
        return {"file": reference.relative_to(home).as_posix()}
    return {"url": reference}


def _decode_reference(raw: Mapping[str, str], home: Path) -> Reference:
    return home / raw["file"] if "file" in raw else raw["url"]
