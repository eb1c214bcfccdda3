"""The ledger's ground: connections, transactions, and how a row becomes a job."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from klingo1 import database, schema
from klingo1.errors import JobNotFound, LedgerError
from klingo1.job import Job, State
from klingo1.records import decode_job, encode_job
from klingo1.schema import jobs, phases

CLOSE_SECONDS = 5.0
"""How long closing waits for those who are asking just then."""
_SERVER_TIME = sa.select(sa.extract("epoch", sa.func.clock_timestamp()))


class Book:
    """One database of jobs. Thread-safe; every write is one short transaction."""

    def __init__(self, place: Path | str, *, home: Path) -> None:
        """Open or create: a SQLite file, or a database by its address.

        Raises LedgerError, naming the file, when it is damaged, newer or not writable.
        """
        self._home = home
        url = f"sqlite:///{place}" if isinstance(place, Path) else place
        self._engine = database.connect(url)
        self.on_server = self._engine.dialect.name != "sqlite"
        file = None if self.on_server else self._engine.url.database
        self.path = Path(file) if file else None
        self._write = threading.Lock()
        self._asking = 0
        self._closing = False
        self._quiet = threading.Condition()
        try:
            schema.migrate(self._engine, path=self.path)
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Give the database back: who asks it now may end, later ones are refused, no connection stays."""
        with self._quiet:
            self._closing = True
            self._quiet.wait_for(lambda: not self._asking, timeout=CLOSE_SECONDS)
        self._engine.dispose()

    def may_hold(self, job_id: str) -> bool:
        """Whether a row whose commit failed may stand all the same: its answer was lost, or it cannot be read
        just now.
        """
        try:
            with self._reading() as connection:
                return connection.execute(sa.select(jobs.c.id).where(jobs.c.id == job_id)).first() is not None
        except LedgerError:
            return True

    def server_time(self) -> float:
        """Seconds since 1970 by the server's clock, which all its replicas share. Not on SQLite."""
        with self._reading() as connection:
            return float(connection.execute(_SERVER_TIME).scalar_one())

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        # One writer at a time in this process; others wait for the database's own lock.
        with self._write, self._speaking_plainly(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with (
            self._speaking_plainly(),
            self._engine.connect().execution_options(**{database.READ_ONLY: True}) as connection,
        ):
            yield connection

    @contextmanager
    def _speaking_plainly(self) -> Iterator[None]:
        with self._quiet:
            if self._closing:
                raise LedgerError("The ledger is closed.", path=self.path)
            self._asking += 1
        try:
            yield
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise database.unusable(self.path, error) from error
        finally:
            with self._quiet:
                self._asking -= 1
                self._quiet.notify_all()

    def _load(self, connection: Connection, job_id: str, owner: str | None) -> Job:
        statement = sa.select(jobs).where(jobs.c.id == job_id)
        if "\0" in f"{job_id}{owner}":  # text that PostgreSQL cannot hold, nor be asked for
            raise JobNotFound("There is no such run here.")
        if owner is not None:
            statement = statement.where(jobs.c.owner == owner, jobs.c.deleted_at.is_(None))
        row = connection.execute(statement).one_or_none()
        if row is None:
            raise JobNotFound("There is no such run here.")
        return self._decode(connection, [row])[0]

    def _decode(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[Job]:
        entered: dict[str, list[tuple[State, float]]] = {row.id: [] for row in rows}
        ids = list(entered)
        for start in range(0, len(ids), 500):  # a database takes so many parameters and no more
            found = connection.execute(
                sa.select(phases)
                .where(phases.c.job_id.in_(ids[start : start + 500]))
                .order_by(phases.c.job_id, phases.c.at)
            )
            for phase in found:
                entered[phase.job_id].append((State(phase.state), phase.at))
        return [decode_job(row, entered[row.id], self._home) for row in rows]

    def _insert(self, connection: Connection, job: Job, *, day: str, quote: str | None) -> None:
        row = encode_job(job, self._home)
        connection.execute(sa.insert(jobs).values(**row, day=day, quote=quote))
        self._enter(connection, job.id, job.state, job.created_at)

    def _enter(self, connection: Connection, job_id: str, state: State, now: float) -> None:
        connection.execute(sa.insert(phases).values(job_id=job_id, state=state.value, at=now))
