"""Money and quotes inside the ledger's write transaction: who may spend how much, and what a click is worth.

Held, unknown and spent amounts of a day count against the caps; a refused or never created run gives its
amount back, a failed one after the service's refund window. All amounts are integer micro-dollars.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from klingo1.errors import BudgetReached, Busy, QuoteRefused
from klingo1.job import Job, Money, State
from klingo1.pricing import Price
from klingo1.request import Engine, VideoRequest
from klingo1.schema import jobs, meta, quotes

QUOTE_SECONDS = 24 * 3600
REFUND_SECONDS = 3 * 3600
"""Failed tasks are refunded within 3 hours (documentation of the service)."""
HELD_BY = "batch/"
"""What a batch's name begins with. It holds its waiting rows; a worker's name has colons, this one none."""
_COUNTED = (Money.HELD.value, Money.SPENT.value)
_SUM = sa.cast(sa.func.coalesce(sa.func.sum(jobs.c.price), 0), sa.BigInteger)
"""PostgreSQL sums 64-bit integers as decimals."""
_BUSY_WORDS = {
    "paid": "A paid run of yours is in work; the next one may start when it has ended.",
    "drafts": "{} drafts of yours are in work; the next one may start when one of them has ended.",
    "queue": "{} drafts are in line already; try again in a minute.",
}
_CAP_WORDS = {"run": "per run", "visitor_day": "per visitor and day", "day": "per day"}


@dataclass(frozen=True, slots=True)
class Caps:
    """Spending limits in micro-dollars, and how many runs may be in work; None means no limit."""

    run: int | None = None
    owner_day: int | None = None
    day: int | None = None
    owner_paid: int | None = None
    """Paid runs of one owner that are in work at once."""
    owner_drafts: int | None = None
    """Drafts of one owner that wait or are made."""
    drafts: int | None = None
    """Drafts of all owners that wait or are made."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """What the ledger needs to admit a run. `digest` stands for everything that was asked and its price."""

    id: str
    owner: str
    engine: Engine
    request: VideoRequest
    price: Price
    digest: str
    quote: str
    worker: str = ""
    """Who drives it; named with the row, so that nobody else takes it up in between."""
    lease: float = 0.0


def queued_job(new: NewJob, now: float) -> Job:
    """The job that an admitted request becomes, its price held."""
    return Job(
        id=new.id,
        owner=new.owner,
        engine=new.engine,
        state=State.QUEUED,
        request=new.request,
        price=new.price,
        money=Money.HELD if new.price.micro else Money.FREE,
        created_at=now,
        updated_at=now,
    )


def spend_quote(connection: Connection, new: NewJob, now: float) -> str | None:
    """Bind the quote to this request; the id of the job it has made before, or None. Raises QuoteRefused."""
    row = connection.execute(
        sa.select(quotes).where(quotes.c.token == new.quote, quotes.c.owner == new.owner)
    ).one_or_none()
    if row is None:
        raise QuoteRefused("This offer is not known here. Reload the page and try again.")
    if row.digest is not None and row.digest != new.digest:
        made = "used" if row.job_id is not None else "made"
        raise QuoteRefused(f"This offer was {made} for another request. Ask for a new one.")
    if row.job_id is not None:
        return str(row.job_id)
    if now - row.issued_at > QUOTE_SECONDS:
        raise QuoteRefused("This offer is more than a day old. Click again.")
    connection.execute(
        sa.update(quotes).where(quotes.c.token == new.quote).values(digest=new.digest, job_id=new.id)
    )
    return None


def check_caps(
    connection: Connection,
    *,
    owner: str,
    cost: Price,
    caps: Caps,
    day: str,
    now: float,
    what: str = "This run costs",
) -> None:
    """Raise BudgetReached when a cap has no room for what a run costs; `what` begins its sentence."""
    price = cost.micro
    if not price:
        return
    release_refunded(connection, now)
    of_day = sa.select(_SUM).where(jobs.c.day == day, jobs.c.money.in_(_COUNTED))
    of_owner = of_day.where(jobs.c.owner == owner)
    for cap, limit, used in (
        ("run", caps.run, 0),
        ("visitor_day", caps.owner_day, connection.execute(of_owner).scalar_one()),
        ("day", caps.day, connection.execute(of_day).scalar_one()),
    ):
        if limit is not None and used + price > limit:
            raise BudgetReached(
                f"{what} {cost}; the limit {_CAP_WORDS[cap]} is {Price(limit)}"
                + (f", of which {Price(used)} is used." if used else "."),
                cap=cap,
                limit=limit,
                used=used,
                price=price,
            )


def check_work(connection: Connection, *, owner: str, engine: Engine, caps: Caps) -> None:
    """Raise Busy when so many runs are in work that one more would have to be held up."""
    working = (
        sa.select(sa.func.count())
        .select_from(jobs)
        .where(jobs.c.engine == engine.value, jobs.c.state.in_([s.value for s in State if s.active]))
        .where(is_begun())
    )
    of_owner = working.where(jobs.c.owner == owner)
    limits = [("paid", caps.owner_paid, of_owner)]
    if engine is Engine.DRAFT:
        limits = [("drafts", caps.owner_drafts, of_owner), ("queue", caps.drafts, working)]
    for what, limit, query in limits:
        if limit is not None and connection.execute(query).scalar_one() >= limit:
            raise Busy(_BUSY_WORDS[what].format(limit), what=what, limit=limit)


def is_begun() -> sa.ColumnElement[bool]:
    """Whether a row is no longer, or never was, one that waits in a batch."""
    return sa.or_(jobs.c.worker.is_(None), jobs.c.worker.not_like(f"{HELD_BY}%"))


def release_refunded(connection: Connection, now: float) -> None:
    """Give back what failed runs held, once the refund window has passed."""
    connection.execute(
        sa.update(jobs)
        .where(
            jobs.c.state == State.FAILED.value,
            jobs.c.money == Money.HELD.value,
            jobs.c.finished_at < now - REFUND_SECONDS,
        )
        .values(money=Money.RELEASED.value)
    )


def day_of(connection: Connection, now: float) -> str:
    """Today in UTC, never earlier than a day already used: a clock set back reopens no cap."""
    today = day_text(now)
    latest = connection.execute(sa.select(meta.c.value).where(meta.c.name == "day")).scalar()
    if latest is not None and latest >= today:
        return str(latest)
    connection.execute(sa.delete(meta).where(meta.c.name == "day"))
    connection.execute(sa.insert(meta).values(name="day", value=today))
    return today


def day_text(moment: float) -> str:
    """The day of `moment` in UTC, as 2026-01-31."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def spending(connection: Connection) -> list[tuple[str, dict[Money, int]]]:
    """Day by day, newest first: what is held, spent and released, in micro-dollars."""
    rows = connection.execute(
        sa.select(jobs.c.day, jobs.c.money, _SUM)
        .where(jobs.c.money != Money.FREE.value)
        .group_by(jobs.c.day, jobs.c.money)
        .order_by(jobs.c.day.desc())
    ).all()
    days: dict[str, dict[Money, int]] = {}
    for day, money, amount in rows:
        days.setdefault(day, {})[Money(money)] = amount
    return list(days.items())
