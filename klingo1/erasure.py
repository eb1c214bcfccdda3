"""Rows that are to be forgotten: hidden at once, emptied when nothing depends on them, wiped from the file.

An emptied row keeps its id, owner, engine, price, day and prediction id: they are the account. The prompt,
the references, the addresses and the service's words go, and SQLite overwrites what it frees.
"""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa

from klingo1.book import Book
from klingo1.errors import JobNotFound
from klingo1.job import Job, Money, State
from klingo1.money import is_begun
from klingo1.request import Engine
from klingo1.schema import jobs, meta, quotes

EMPTIED = json.dumps(
    {
        "prompt": "(deleted)",
        "images": [{"url": "deleted:"}],
        "video": None,
        "keep_original_sound": True,
        "aspect_ratio": "16:9",
        "duration": 5,
        "draft": None,
    }
)
"""Stands in a row for a request that was deleted."""
LISTED_SECONDS = 8 * 24 * 3600.0
"""A lost submit cannot be found any more after so long: the service's list reaches back 7 days."""
_ACTIVE = [s.value for s in State if s.active]


class Erasing(Book):
    """What a ledger does to forget. Every write is one short transaction."""

    def hide(self, job_id: str, *, now: float) -> None:
        """The owner has deleted it: it is shown nowhere any more."""
        with self._writing() as connection:
            connection.execute(
                sa.update(jobs).where(jobs.c.id == job_id, jobs.c.deleted_at.is_(None)).values(deleted_at=now)
            )

    def restore(self, job_id: str, *, owner: str) -> None:
        """Show it again. Raises JobNotFound when it is emptied already, or another's."""
        mine = sa.and_(jobs.c.id == job_id, jobs.c.owner == owner, jobs.c.request != EMPTIED)
        with self._writing() as connection:
            if connection.execute(sa.update(jobs).where(mine).values(deleted_at=None)).rowcount != 1:
                raise JobNotFound("There is no such run here any more.")

    def hidden(self, *, before: float) -> list[Job]:
        """Rows deleted before that time and not yet emptied."""
        return self._listed(jobs.c.deleted_at <= before, jobs.c.request != EMPTIED)

    def owned(self, owner: str, *, but: Collection[str] = ()) -> list[Job]:
        """Runs of one owner that are not emptied, hidden or not, a thousand at most; `but` are left out."""
        return self._listed(jobs.c.owner == owner, jobs.c.request != EMPTIED, jobs.c.id.not_in(but))

    def undecided(self, owner: str) -> list[Job]:
        """An owner's lost submits that wait for a person, but for deleted ones."""
        waits = (jobs.c.state == State.UNKNOWN.value, jobs.c.problem.is_not(None))
        return self._listed(jobs.c.owner == owner, jobs.c.deleted_at.is_(None), *waits)

    def over(self, *, before: float, limit: int = 1000) -> list[Job]:
        """What nobody works on and has not changed since that time, oldest first."""
        return self._listed(
            jobs.c.updated_at < before, jobs.c.state.not_in(_ACTIVE), jobs.c.request != EMPTIED, limit=limit
        )

    def empty(self, job: Job, *, now: float) -> bool:
        """Take the text out of a row; False when it must wait: it is worked on, or its money is uncertain."""
        settled = sa.or_(
            jobs.c.state.not_in(_ACTIVE),
            sa.and_(
                jobs.c.state == State.UNKNOWN.value,
                sa.or_(jobs.c.updated_at < now - LISTED_SECONDS, jobs.c.money == Money.FREE.value),
            ),
        )
        values = {
            "request": EMPTIED,
            "details": "{}",
            "uploads": "[]",
            "problem": None,
            "video": None,
            "poster": None,
            "quote": None,
            "deleted_at": sa.func.coalesce(jobs.c.deleted_at, now),
        }
        with self._writing() as connection:
            won = connection.execute(sa.update(jobs).where(jobs.c.id == job.id, settled).values(**values))
            if won.rowcount:
                connection.execute(sa.delete(quotes).where(quotes.c.job_id == job.id))
            return won.rowcount == 1

    def forget_quotes(self, *, owner: str | None = None, before: float | None = None) -> None:
        """Drop offers of an owner, or those made before a time."""
        statement = sa.delete(quotes)
        statement = statement if owner is None else statement.where(quotes.c.owner == owner)
        statement = statement if before is None else statement.where(quotes.c.issued_at < before)
        with self._writing() as connection:
            connection.execute(statement)

    def wipe(self) -> None:
        """Leave nothing of what was deleted in the file's free places or its journal. SQLite only."""
        if self.on_server:
            return
        with self._write, self._speaking_plainly():
            raw = self._engine.raw_connection()
            try:
                cursor = raw.cursor()
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                cursor.close()
            finally:
                raw.close()

    def ids(self, *, emptied: bool = False) -> set[str]:
        """Every job that may have files; or those that are emptied and have none any more."""
        which = jobs.c.request == EMPTIED if emptied else jobs.c.request != EMPTIED
        with self._reading() as connection:
            return set(connection.execute(sa.select(jobs.c.id).where(which)).scalars())

    def drafts_in_work(self, *, before: float | None = None) -> int:
        """How many drafts wait or are made; with `before`, of those that were asked for earlier."""
        query = (
            sa.select(sa.func.count())
            .select_from(jobs)
            .where(jobs.c.engine == Engine.DRAFT.value, jobs.c.state.in_(_ACTIVE), is_begun())
        )
        query = query if before is None else query.where(jobs.c.created_at < before)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def touch(self, *, now: float) -> None:
        """Write something, to know that writing works. Raises LedgerError."""
        with self._writing() as connection:
            connection.execute(sa.delete(meta).where(meta.c.name == "touched"))
            connection.execute(sa.insert(meta).values(name="touched", value=str(int(now))))

    def _listed(self, *conditions: sa.ColumnElement[bool], limit: int = 1000) -> list[Job]:
        with self._reading() as connection:
            rows = connection.execute(
                sa.select(jobs).where(*conditions).order_by(jobs.c.updated_at).limit(limit)
            ).all()
            return self._decode(connection, rows)
