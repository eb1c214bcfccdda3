"""The record on disk: jobs, the money they hold, and the one-use quotes that make two clicks one job.

Every transition is an UPDATE that names the states it leaves and reports whether it won. Money is decided in
the same write transaction that creates the row: held, unknown and spent amounts of a day count against the
caps, a refused or never created run gives its amount back. All amounts are integer micro-dollars.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from klingo1 import money
from klingo1.erasure import Erasing
from klingo1.job import Job, Money, State
from klingo1.money import Caps, NewJob
from klingo1.records import encode_facts
from klingo1.request import Engine
from klingo1.schema import jobs, quotes
from klingo1.usual import Usual, usual_of

_UNSETTLED = (State.SUBMITTING.value, State.UNKNOWN.value)


class Ledger(Erasing):
    """All jobs of one home folder. Thread-safe; every write is one short transaction."""

    # -- quotes and admission

    def new_quote(self, owner: str, *, now: float, digest: str | None = None) -> str:
        """A token that admits one run of `owner` within a day; with `digest`, that request and no other."""
        token = secrets.token_urlsafe(24)
        with self._writing() as connection:
            values = {"token": token, "owner": owner, "issued_at": now, "digest": digest}
            connection.execute(sa.insert(quotes).values(values))
        return token

    def check_work(self, *, owner: str, engine: Engine, caps: Caps) -> None:
        """Raise Busy when one more run would have to be held up; `admit` decides it once more."""
        with self._reading() as connection:
            money.check_work(connection, owner=owner, engine=engine, caps=caps)

    def admit(self, new: NewJob, *, caps: Caps, now: float) -> tuple[Job, bool]:
        """Create the row and hold its price, or return the job that the same quote has made already.

        Returns (job, whether it is new). Raises QuoteRefused and BudgetReached; nothing is written then.
        """
        with self._writing() as connection:
            made = money.spend_quote(connection, new, now)
            if made:
                return self._load(connection, made, new.owner), False
            money.check_work(connection, owner=new.owner, engine=new.engine, caps=caps)
            day = money.day_of(connection, now)
            money.check_caps(connection, owner=new.owner, cost=new.price, caps=caps, day=day, now=now)
            self._insert(connection, money.queued_job(new, now), day=day, quote=new.quote)
            if new.worker:
                self._hold(connection, new.id, new.worker, now + new.lease)
            return self._load(connection, new.id, new.owner), True

    def readmit(self, job: Job, *, caps: Caps, now: float) -> bool:
        """Hold the price of a run once more: queue what was never created, ask again for what had failed and
        been refunded. Raises BudgetReached.

        What is still held stays on the day under whose caps it was admitted.
        """
        asked = job.prediction_id if job.price.micro else ""  # a draft is made anew
        to = State.RUNNING if asked else State.QUEUED
        with self._writing() as connection:
            money.check_work(connection, owner=job.owner, engine=job.engine, caps=caps)
            moved = {}
            if job.money is not Money.HELD:
                day = money.day_of(connection, now)
                money.check_caps(connection, owner=job.owner, cost=job.price, caps=caps, day=day, now=now)
                moved = {"day": day}
            held = Money.HELD if job.price.micro else Money.FREE
            won = connection.execute(
                sa.update(jobs)
                .where(
                    jobs.c.id == job.id,
                    jobs.c.state == job.state.value,
                    jobs.c.money == job.money.value,
                    jobs.c.prediction_id == job.prediction_id,
                )
                .values(
                    prediction_id=asked,
                    progress=None,
                    state=to.value,
                    money=held.value,
                    **moved,
                    attempts=0,
                    problem=None,
                    finished_at=None,
                    updated_at=now,
                )
            )
            if won.rowcount == 1:
                self._enter(connection, job.id, to, now)
            return won.rowcount == 1

    def adopt(self, job: Job, *, since: float) -> Job:
        """Write the row of a prediction found at the service, or return the job that has it already.

        `since` is when it was made there: its price counts on that day. Raises JobNotFound when another owner
        has it.
        """
        with self._writing() as connection:
            known = connection.execute(
                sa.select(jobs.c.id).where(jobs.c.prediction_id == job.prediction_id)
            ).scalar()
            if known is not None:
                return self._load(connection, known, job.owner)
            self._insert(connection, job, day=money.day_text(since), quote=None)
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

        With `worker`, only while that worker holds the job's lease. A `prediction_id` that belongs to another
        job is not taken from it.
        """
        with self._writing() as connection:
            if self._taken(connection, facts.get("prediction_id", ""), job_id):
                return False
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

    def note(self, job_id: str, *, now: float, during: State | None = None, **facts: Any) -> None:
        """Write facts that change no state: progress, the service's last reply, uploaded addresses.

        With `during`, only while the job is in that state: a late note never overwrites a newer truth.
        """
        statement = sa.update(jobs).where(jobs.c.id == job_id)
        if during is not None:
            statement = statement.where(jobs.c.state == during.value)
        with self._writing() as connection:
            connection.execute(statement.values(**encode_facts(facts), updated_at=now))

    def release(self, job_id: str, *, leave: State, to: State, now: float, **facts: Any) -> bool:
        """Give back what a job in `leave` holds; False when it holds nothing or has gone on."""
        statement = sa.update(jobs).where(
            jobs.c.id == job_id, jobs.c.state == leave.value, jobs.c.money == Money.HELD.value
        )
        values = encode_facts(facts | {"money": Money.RELEASED, "state": to}) | {"updated_at": now}
        with self._writing() as connection:
            won = connection.execute(statement.values(**values)).rowcount == 1
            if won and to is not leave:
                self._enter(connection, job_id, to, now)
            return won

    def claim(self, *, worker: str, now: float, lease: float, gone: Collection[str] = ()) -> list[Job]:
        """Take every active job that nobody holds (or whose holder's lease ran out or is in `gone`)."""
        active = [s.value for s in State if s.active]
        free = sa.or_(jobs.c.worker.is_(None), jobs.c.lease_until < now, jobs.c.worker.in_(list(gone)))
        mine = sa.and_(jobs.c.state.in_(active), free)
        with self._writing() as connection:
            rows = connection.execute(sa.select(jobs).where(mine).order_by(jobs.c.created_at)).all()
            if rows:
                connection.execute(sa.update(jobs).where(mine).values(worker=worker, lease_until=now + lease))
            return self._decode(connection, rows)

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

    def held(self, worker: str) -> list[str]:
        """The jobs that `worker` holds and that go on without a person, oldest first."""
        asks = sa.and_(jobs.c.state == State.UNKNOWN.value, jobs.c.problem.is_not(None))
        active = jobs.c.state.in_([s.value for s in State if s.active])
        statement = sa.select(jobs.c.id).where(jobs.c.worker == worker, active, sa.not_(asks))
        with self._reading() as connection:
            return list(connection.execute(statement.order_by(jobs.c.created_at)).scalars())

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
            return None if row is None else self._decode(connection, [row])[0]

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
            return self._decode(connection, rows)

    def in_state(self, *states: State) -> list[Job]:
        """Every job in one of these states, oldest first."""
        with self._reading() as connection:
            rows = connection.execute(
                sa.select(jobs).where(jobs.c.state.in_([s.value for s in states])).order_by(jobs.c.created_at)
            ).all()
            return self._decode(connection, rows)

    def unsettled(self) -> list[tuple[Job, str]]:
        """Every paid job whose submit is on its way or was lost, with its uploads column."""
        statement = sa.select(jobs).where(jobs.c.state.in_(_UNSETTLED), jobs.c.money != Money.FREE.value)
        with self._reading() as connection:
            rows = connection.execute(statement).all()
            return [(job, row.uploads) for job, row in zip(self._decode(connection, rows), rows, strict=True)]

    def job_of_prediction(self, prediction_id: str) -> str | None:
        """The id of the job that has this prediction."""
        with self._reading() as connection:
            statement = sa.select(jobs.c.id).where(jobs.c.prediction_id == prediction_id)
            return connection.execute(statement).scalar()

    def prediction_ids(self) -> set[str]:
        """Every prediction that belongs to a job already."""
        with self._reading() as connection:
            return set(
                connection.execute(
                    sa.select(jobs.c.prediction_id).where(jobs.c.prediction_id != "")
                ).scalars()
            )

    def usual(self, job: Job) -> Usual | None:
        """How long earlier runs of the job's kind took."""
        with self._reading() as connection:
            return usual_of(connection, job)

    def spending(self) -> list[tuple[str, dict[Money, int]]]:
        """Day by day, newest first: what is held, spent and released, in micro-dollars."""
        with self._reading() as connection:
            return money.spending(connection)

    # -- inside

    def _taken(self, connection: Connection, prediction_id: str, job_id: str) -> bool:
        others = sa.select(jobs.c.id).where(jobs.c.prediction_id == prediction_id, jobs.c.id != job_id)
        return bool(prediction_id) and connection.execute(others).first() is not None

    def _hold(self, connection: Connection, job_id: str, worker: str, until: float) -> None:
        connection.execute(
            sa.update(jobs).where(jobs.c.id == job_id).values(worker=worker, lease_until=until)
        )
