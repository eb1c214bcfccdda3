"""The record on disk: jobs, the money they hold, and the one-use quotes that make two clicks one job.

Every transition is an UPDATE that names the states it leaves and reports whether it won. Money is decided in
the same write transaction that creates the row: held, unknown and spent amounts of a day count against the
caps, a refused or never created run gives its amount back. All amounts are integer micro-dollars.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from klingo1 import money, schema
from klingo1.errors import JobNotFound, LedgerError
from klingo1.job import Job, Money, State
from klingo1.money import Caps, NewJob
from klingo1.records import decode_job, encode_facts, encode_job
from klingo1.schema import jobs, phases, quotes


class Ledger:
    """All jobs of one home folder. Thread-safe; every write is one short transaction."""

    def __init__(self, database: Path | str, *, home: Path) -> None:
        """Open or create. Raises LedgerError, naming the file, when it is damaged, newer or not writable."""
        self.path = database if isinstance(database, Path) else None
        self._home = home
        url = f"sqlite:///{database}" if self.path else str(database)
        self._engine = schema.connect(url)
        self._write = threading.Lock()
        schema.migrate(self._engine, path=self.path)

    def close(self) -> None:
        """Give the file back."""
        self._engine.dispose()

    # -- quotes and admission

    def new_quote(self, owner: str, *, now: float) -> str:
        """A token that admits one run of `owner` within a day."""
        token = secrets.token_urlsafe(24)
        with self._writing() as connection:
            connection.execute(sa.insert(quotes).values(token=token, owner=owner, issued_at=now))
        return token

    def admit(self, new: NewJob, *, caps: Caps, now: float) -> tuple[Job, bool]:
        """Create the row and hold its price, or return the job that the same quote has made already.

        Returns (job, whether it is new). Raises QuoteRefused and BudgetReached; nothing is written then.
        """
        with self._writing() as connection:
            made = money.spend_quote(connection, new, now)
            if made:
                return self._load(connection, made, new.owner), False
            day = money.day_of(connection, now)
            money.check_caps(connection, owner=new.owner, cost=new.price, caps=caps, day=day, now=now)
            self._insert(connection, money.queued_job(new, now), day=day, quote=new.quote)
            if new.worker:
                self._hold(connection, new.id, new.worker, now + new.lease)
            return self._load(connection, new.id, new.owner), True

    def readmit(self, job: Job, *, caps: Caps, now: float) -> bool:
        """Hold the price of a run that was never created once more, and queue it. Raises BudgetReached."""
        with self._writing() as connection:
            day = money.day_of(connection, now)
            if job.money is not Money.HELD:
                money.check_caps(connection, owner=job.owner, cost=job.price, caps=caps, day=day, now=now)
            held = Money.HELD if job.price.micro else Money.FREE
            won = connection.execute(
                sa.update(jobs)
                .where(
                    jobs.c.id == job.id,
                    jobs.c.state == job.state.value,
                    sa.or_(jobs.c.prediction_id == "", jobs.c.price == 0),  # a draft may be made anew
                )
                .values(
                    prediction_id="",
                    progress=None,
                    state=State.QUEUED.value,
                    money=held.value,
                    day=day,
                    attempts=0,
                    problem=None,
                    finished_at=None,
                    updated_at=now,
                )
            )
            if won.rowcount == 1:
                self._enter(connection, job.id, State.QUEUED, now)
            return won.rowcount == 1

    def adopt(self, job: Job) -> Job:
        """Write the row of a prediction found at the service, or return the job that has it already."""
        with self._writing() as connection:
            known = connection.execute(
                sa.select(jobs.c.id).where(jobs.c.prediction_id == job.prediction_id)
            ).scalar()
            if known is not None:
                return self._load(connection, known, job.owner)
            self._insert(connection, job, day=money.day_of(connection, job.created_at), quote=None)
            return self._load(connection, job.id, job.owner)

    # -- transitions

    def advance(
        self,
        job_id: str,
        *,
        leave: Collection[State],
        to: State,
        now: float,
        worker: str | None = None,
        **facts: Any,
    ) -> bool:
        """Move a job from one of the states `leave` to `to`; False when somebody else was first.

        With `worker`, only while that worker holds the job's lease.
        """
        with self._writing() as connection:
            statement = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_([s.value for s in leave]))
            if worker is not None:
                statement = statement.where(jobs.c.worker == worker)
            values = encode_facts(facts) | {"state": to.value, "updated_at": now}
            if to.ended:
                values |= {"finished_at": now}
            won = connection.execute(statement.values(**values)).rowcount == 1
            if won:
                self._enter(connection, job_id, to, now)
            return won

    def note(self, job_id: str, *, now: float, **facts: Any) -> None:
        """Write facts that change no state: progress, the service's last reply, uploaded addresses."""
        with self._writing() as connection:
            connection.execute(
                sa.update(jobs).where(jobs.c.id == job_id).values(**encode_facts(facts), updated_at=now)
            )

    def claim(self, *, worker: str, now: float, lease: float, gone: Collection[str] = ()) -> list[Job]:
        """Take every active job that nobody holds (or whose holder's lease ran out or is in `gone`)."""
        active = [s.value for s in State if s.active]
        free = sa.or_(jobs.c.worker.is_(None), jobs.c.lease_until < now, jobs.c.worker.in_(list(gone)))
        with self._writing() as connection:
            rows = connection.execute(
                sa.select(jobs).where(jobs.c.state.in_(active), free).order_by(jobs.c.created_at)
            ).all()
            if rows:
                connection.execute(
                    sa.update(jobs)
                    .where(jobs.c.id.in_([row.id for row in rows]))
                    .values(worker=worker, lease_until=now + lease)
                )
            return [self._decode(connection, row) for row in rows]

    def take(self, job_id: str, *, worker: str, now: float, lease: float) -> None:
        """Hold one job that this worker has just created or woken."""
        with self._writing() as connection:
            self._hold(connection, job_id, worker, now + lease)

    def renew(self, *, worker: str, now: float, lease: float) -> None:
        """Say that `worker` is alive."""
        with self._writing() as connection:
            connection.execute(sa.update(jobs).where(jobs.c.worker == worker).values(lease_until=now + lease))

    def leave(self, *, worker: str) -> None:
        """Let go of everything that `worker` holds."""
        with self._writing() as connection:
            connection.execute(
                sa.update(jobs).where(jobs.c.worker == worker).values(worker=None, lease_until=0.0)
            )

    def workers(self) -> set[str]:
        """Everybody who holds an active job."""
        with self._reading() as connection:
            active = [s.value for s in State if s.active]
            found = connection.execute(
                sa.select(jobs.c.worker)
                .where(jobs.c.state.in_(active), jobs.c.worker.is_not(None))
                .distinct()
            )
            return set(found.scalars())

    # -- reading

    def job(self, job_id: str, *, owner: str | None = None) -> Job:
        """One job; with `owner`, only that owner's. Raises JobNotFound."""
        with self._reading() as connection:
            return self._load(connection, job_id, owner)

    def job_of_worker(self, job_id: str, worker: str) -> Job | None:
        """One job, if `worker` holds it."""
        statement = sa.select(jobs).where(jobs.c.id == job_id, jobs.c.worker == worker)
        with self._reading() as connection:
            row = connection.execute(statement).one_or_none()
            return None if row is None else self._decode(connection, row)

    def record(self, job_id: str) -> Row[Any]:
        """The raw row, for the loop that needs uploads, attempts and the time of the submit."""
        with self._reading() as connection:
            return connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).one()

    def jobs(self, *, owner: str | None, limit: int = 20, before: float | None = None) -> list[Job]:
        """Newest first, from before the time `before`; deleted ones are left out."""
        statement = sa.select(jobs).where(jobs.c.deleted_at.is_(None))
        if owner is not None:
            statement = statement.where(jobs.c.owner == owner)
        if before is not None:
            statement = statement.where(jobs.c.created_at < before)
        with self._reading() as connection:
            rows = connection.execute(statement.order_by(jobs.c.created_at.desc()).limit(limit)).all()
            return [self._decode(connection, row) for row in rows]

    def in_state(self, *states: State) -> list[Job]:
        """Every job in one of these states, oldest first."""
        with self._reading() as connection:
            rows = connection.execute(
                sa.select(jobs).where(jobs.c.state.in_([s.value for s in states])).order_by(jobs.c.created_at)
            ).all()
            return [self._decode(connection, row) for row in rows]

    def prediction_ids(self) -> set[str]:
        """Every prediction that belongs to a job already."""
        with self._reading() as connection:
            return set(
                connection.execute(
                    sa.select(jobs.c.prediction_id).where(jobs.c.prediction_id != "")
                ).scalars()
            )

    def spending(self) -> list[tuple[str, dict[Money, int]]]:
        """Day by day, newest first: what is held, spent and released, in micro-dollars."""
        with self._reading() as connection:
            return money.spending(connection)

    # -- inside

    def _load(self, connection: Connection, job_id: str, owner: str | None) -> Job:
        statement = sa.select(jobs).where(jobs.c.id == job_id)
        if owner is not None:
            statement = statement.where(jobs.c.owner == owner)
        row = connection.execute(statement).one_or_none()
        if row is None:
            raise JobNotFound("There is no such run here.")
        return self._decode(connection, row)

    def _decode(self, connection: Connection, row: Row[Any]) -> Job:
        entered = connection.execute(
            sa.select(phases.c.state, phases.c.at).where(phases.c.job_id == row.id).order_by(phases.c.at)
        ).all()
        return decode_job(row, [(State(s), at) for s, at in entered], self._home)

    def _insert(self, connection: Connection, job: Job, *, day: str, quote: str | None) -> None:
        row = encode_job(job, self._home)
        connection.execute(sa.insert(jobs).values(**row, day=day, quote=quote))
        self._enter(connection, job.id, job.state, job.created_at)

    def _hold(self, connection: Connection, job_id: str, worker: str, until: float) -> None:
        connection.execute(
            sa.update(jobs).where(jobs.c.id == job_id).values(worker=worker, lease_until=until)
        )

    def _enter(self, connection: Connection, job_id: str, state: State, now: float) -> None:
        connection.execute(sa.insert(phases).values(job_id=job_id, state=state.value, at=now))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        # One writer at a time in this process; others wait for SQLite's own lock (busy_timeout).
        with self._write, self._speaking_plainly(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with (
            self._speaking_plainly(),
            self._engine.connect().execution_options(**{schema.READ_ONLY: True}) as connection,
        ):
            yield connection

    @contextmanager
    def _speaking_plainly(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise LedgerError(
                f"The ledger {self.path or ''} cannot be used: {str(error.orig)[:200]}. "
                "Free some space or check the folder's permissions; nothing is lost.",
                path=self.path,
            ) from error
