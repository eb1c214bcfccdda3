"""What earlier runs tell of the next one: how long those of its kind took."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from klingo1.erasure import EMPTIED
from klingo1.job import Job, State
from klingo1.request import DRAFT_SIZES, Engine
from klingo1.schema import jobs, phases

RUNS_MIN = 5
"""Fewer runs tell nothing."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The middle half of `runs` earlier runs took from `low` to `high` seconds."""

    low: float
    high: float
    runs: int


def usual_of(connection: Connection, job: Job) -> Usual | None:
    """How long every finished run of the job's owner, engine, length and draft size took; None for a few.

    A run is timed from its first step to its end: not while others came before it. One that was found at the
    service has no first step here and does not count, nor does one that was deleted.
    """
    begun = (
        sa.select(phases.c.job_id, sa.func.min(phases.c.at).label("at"))
        .where(phases.c.state == State.PREPARING.value)
        .group_by(phases.c.job_id)
        .subquery()
    )
    took = jobs.c.finished_at - begun.c.at
    statement = (
        sa.select(took)
        .join(begun, begun.c.job_id == jobs.c.id)
        .where(
            jobs.c.owner == job.owner,
            jobs.c.engine == job.engine.value,
            jobs.c.state == State.DONE.value,
            jobs.c.deleted_at.is_(None),
            jobs.c.request != EMPTIED,
            *_alike(connection, job),
        )
        .order_by(took)
    )
    times = list(connection.execute(statement).scalars())
    if len(times) < RUNS_MIN:
        return None
    return Usual(times[len(times) // 4], times[-(-len(times) * 3 // 4) - 1], len(times))


def _alike(connection: Connection, job: Job) -> list[sa.ColumnElement[bool]]:
    """Of the same length and, for drafts, of the same size; both stand in the request's JSON text."""
    on_server = connection.dialect.name != "sqlite"
    asked = (sa.cast if on_server else sa.type_coerce)(jobs.c.request, sa.JSON)
    alike = [asked["duration"].as_integer() == job.request.duration]
    if job.engine is Engine.DRAFT:
        size = asked[("draft", "size")].as_string()
        alike.append(sa.func.coalesce(size, DRAFT_SIZES[0]) == job.request.draft.size)
    return alike
