"""Many runs as one decision: a group is admitted all or nothing, and its rows wait until each is begun.

A waiting row is held by the group itself, not by a process: no replica and no restart sets it going, however
long it waits. Only `begin` hands it to a worker, once. Every row is bound to a quote made of the group's name
and the row's number, so a group that is admitted again is the group that stands already.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from klingo1 import money
from klingo1.errors import Busy
from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.money import Caps, NewJob
from klingo1.pricing import Price
from klingo1.request import Engine
from klingo1.schema import jobs, quotes

FOREVER = 1e15
"""A lease that does not run out."""
NO_USE = frozenset({"KeyMissing", "KeyRejected", "OutOfCredit"})
"""After these the next submit would end the same way: the rest waits for a person."""
_NUMBER = len("/000000")
_LISTED_MAX = 10_000
_UNSENT = (State.QUEUED.value, State.PREPARING.value, State.UPLOADING.value)
_THERE = (State.SUBMITTING.value, State.RUNNING.value, State.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one row of a group stands."""

    number: int
    job_id: str
    state: State
    begun: bool
    settled: bool
    """Nothing more happens by itself."""
    money: Money
    price: Price
    progress: float | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one engine has in hand, over the whole ledger: the limits of a service are those of an account."""

    underway: int
    """Runs that are begun and not made yet."""
    counted: int
    """Submits of the last minute, and begun runs whose submit is still to come."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a group may be fed. With `owner` only that owner's runs count: they have their own account."""

    per_minute: int | None
    at_once: int
    owner: str | None = None


def quote_of(group: str, number: int) -> str:
    """The quote that binds row `number` of a group."""
    return f"{group}/{number:06d}"


class Groups(Ledger):
    """The ledger, with groups."""

    def admit_group(self, group: str, news: Sequence[NewJob], *, caps: Caps, now: float) -> list[Standing]:
        """Create every row and hold every price in one transaction, or nothing at all.

        The quotes of `news` are those of `quote_of`. A group that stands already is returned as it is, and
        nothing is written. Raises BudgetReached, for the dearest run or for the sum.
        """
        with self._writing() as connection:
            standing = self._standing(connection, group, news[0].owner)
            if standing:
                return standing
            self._check_sum(connection, news, caps=caps, now=now)
            day = money.day_of(connection, now)
            connection.execute(
                sa.insert(quotes),
                [
                    {"token": n.quote, "owner": n.owner, "issued_at": now, "digest": n.digest, "job_id": n.id}
                    for n in news
                ],
            )
            for new in news:
                self._insert(connection, money.queued_job(new, now), day=day, quote=new.quote)
            connection.execute(
                sa.update(jobs).where(_within(group)).values(worker=group, lease_until=FOREVER)
            )
            return self._standing(connection, group, news[0].owner)

    def begin(self, group: str, job_id: str, *, worker: str, now: float, lease: float) -> bool:
        """Hand a waiting row to a worker; False when it has been begun or stopped already."""
        statement = (
            sa.update(jobs)
            .where(jobs.c.id == job_id, jobs.c.worker == group, jobs.c.state == State.QUEUED.value)
            .values(worker=worker, lease_until=now + lease)
        )
        with self._writing() as connection:
            return connection.execute(statement).rowcount == 1

    def begin_next(
        self, group: str, *, owner: str, engine: Engine, worker: str, now: float, lease: float,
        pace: Pace, caps: Caps,
    ) -> str | None:  # fmt: skip
        """Hand the group's next row to a worker, if the pace and the owner's limits leave room for it now.

        Counted and begun in one transaction, so that several replicas keep one pace. Returns the row's id;
        None too when the group is halted: a row of it was refused for a reason that all others would meet.
        """
        with self._writing() as connection:
            traffic = self._traffic(connection, engine, now, pace.owner)
            if traffic.underway >= pace.at_once or self._halted(connection, group):
                return None
            if pace.per_minute is not None and traffic.counted >= pace.per_minute:
                return None
            try:
                money.check_work(connection, owner=owner, engine=engine, caps=caps)
            except Busy:
                return None
            row = jobs.c.worker == group, jobs.c.state == State.QUEUED.value
            following = sa.select(jobs.c.id).where(*row).order_by(jobs.c.quote).limit(1)
            job_id: str | None = connection.execute(following).scalar()
            if job_id is not None:
                values = {"worker": worker, "lease_until": now + lease}
                connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(**values))
            return job_id

    def waiting(self, prefix: str) -> list[tuple[str, str]]:
        """Every group whose name begins with `prefix` and that has rows which wait, with its owner."""
        names = jobs.c.worker.like(f"{prefix}%"), jobs.c.state == State.QUEUED.value
        statement = sa.select(jobs.c.worker, jobs.c.owner).where(*names)
        with self._reading() as connection:
            found = connection.execute(statement.distinct().order_by(jobs.c.worker)).all()
        return [(row.worker, row.owner) for row in found]

    def groups_of(self, owner: str, prefix: str, *, limit: int) -> list[str]:
        """The owner's groups whose names begin with `prefix`, newest first."""
        made = sa.func.max(jobs.c.created_at)
        name = sa.func.substr(jobs.c.quote, 1, sa.func.length(jobs.c.quote) - _NUMBER)
        statement = (
            sa.select(name)
            .where(jobs.c.owner == owner, jobs.c.quote.like(f"{prefix}%"))
            .where(jobs.c.deleted_at.is_(None))
            .group_by(name)
            .order_by(made.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            return list(connection.execute(statement).scalars())

    def jobs_of(self, group: str, *, owner: str) -> dict[str, Job]:
        """Every run of a group by its id; those that were deleted are left out."""
        mine = _within(group), jobs.c.owner == owner, jobs.c.deleted_at.is_(None)
        return {job.id: job for job in self._listed(*mine, limit=_LISTED_MAX)}

    def halted(self, group: str) -> bool:
        """Whether a row was refused for a reason that all others would meet, and nobody has acted on it."""
        with self._reading() as connection:
            return self._halted(connection, group)

    def _halted(self, connection: Connection, group: str) -> bool:
        asking = State.NEEDS_KEY.value, State.REFUSED.value
        statement = sa.select(jobs.c.problem).where(_within(group), jobs.c.state.in_(asking))
        found = connection.execute(statement.where(jobs.c.problem.is_not(None))).scalars()
        return any(json.loads(problem).get("kind") in NO_USE for problem in found)

    def withdraw(self, group: str, *, now: float) -> int:
        """Stop every row that still waits and give its price back; returns how many."""
        waiting = sa.and_(_within(group), jobs.c.worker == group, jobs.c.state == State.QUEUED.value)
        with self._writing() as connection:
            ids = list(connection.execute(sa.select(jobs.c.id).where(waiting)).scalars())
            released = sa.case((jobs.c.money == Money.HELD.value, Money.RELEASED.value), else_=jobs.c.money)
            connection.execute(
                sa.update(jobs)
                .where(waiting)
                .values(state=State.STOPPED.value, money=released, finished_at=now, updated_at=now)
            )
            for job_id in ids:
                self._enter(connection, job_id, State.STOPPED, now)
            return len(ids)

    def standing(self, group: str, *, owner: str) -> list[Standing]:
        """Every row of a group by its number; empty when there is none."""
        with self._reading() as connection:
            return self._standing(connection, group, owner)

    def traffic(self, engine: Engine, *, now: float) -> Traffic:
        """What this engine is doing now and has been sent in the last minute."""
        with self._reading() as connection:
            return self._traffic(connection, engine, now)

    @staticmethod
    def _traffic(connection: Connection, engine: Engine, now: float, owner: str | None = None) -> Traffic:
        unsent = sa.and_(jobs.c.state.in_(_UNSENT), money.is_begun())
        there = sa.and_(jobs.c.state.in_(_THERE), jobs.c.problem.is_(None))
        recent = sa.and_(jobs.c.submitted_at > now - 60.0, jobs.c.state.not_in(_UNSENT))

        def count(what: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
            return sa.func.coalesce(sa.func.sum(sa.case((what, 1), else_=0)), 0)

        live = sa.or_(jobs.c.state.in_((*_UNSENT, *_THERE)), jobs.c.submitted_at > now - 60.0)
        statement = sa.select(count(unsent), count(there), count(recent)).where(
            jobs.c.engine == engine.value, live
        )
        if owner is not None:
            statement = statement.where(jobs.c.owner == owner)
        waiting, running, sent = connection.execute(statement).one()
        return Traffic(underway=int(waiting + running), counted=int(waiting + sent))

    def _check_sum(self, connection: Connection, news: Sequence[NewJob], *, caps: Caps, now: float) -> None:
        day = money.day_of(connection, now)
        dearest = max(new.price for new in news)
        owner = news[0].owner
        money.check_caps(connection, owner=owner, cost=dearest, caps=Caps(run=caps.run), day=day, now=now)
        total = Price(sum(new.price.micro for new in news))
        of_day = replace(caps, run=None)
        what = f"These {len(news):,} runs cost" if len(news) > 1 else "This run costs"
        money.check_caps(connection, owner=owner, cost=total, caps=of_day, day=day, now=now, what=what)

    def _standing(self, connection: Connection, group: str, owner: str) -> list[Standing]:
        columns = (
            jobs.c.id, jobs.c.quote, jobs.c.state, jobs.c.worker, jobs.c.problem.is_not(None).label("asks"),
            jobs.c.money, jobs.c.price, jobs.c.progress,
        )  # fmt: skip
        statement = sa.select(*columns).where(_within(group), jobs.c.owner == owner).order_by(jobs.c.quote)
        standing = []
        for row in connection.execute(statement):
            state = State(row.state)
            standing.append(
                Standing(
                    number=int(row.quote.rpartition("/")[2]),
                    job_id=row.id,
                    state=state,
                    begun=row.worker != group or state is not State.QUEUED,
                    settled=not state.active or (state is State.UNKNOWN and row.asks),
                    money=Money(row.money),
                    price=Price(row.price),
                    progress=row.progress,
                )
            )
        return standing


def _within(group: str) -> sa.ColumnElement[bool]:
    # A range, not LIKE: it uses the index on every database. "0" follows "/".
    return sa.and_(jobs.c.quote >= f"{group}/", jobs.c.quote < f"{group}0")
