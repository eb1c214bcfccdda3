"""How long runs of a kind took, from everything the ledger knows of their owner."""

import pytest
import sqlalchemy as sa

from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.pricing import Price
from klingo1.request import DraftOptions, Engine, VideoRequest
from klingo1.schema import jobs
from klingo1.usual import RUNS_MIN, Usual

NOW = 1_750_000_000.0


@pytest.fixture
def ledger(place, tmp_path):
    book = Ledger(place, home=tmp_path)
    yield book
    book.close()


class Runs:
    """Writes runs of long ago, each begun ten seconds after its click; a row stands whole or not at all, so
    that a page over the same ledger takes none of them up.
    """

    def __init__(self, ledger, home):
        self._ledger, self._home, self._count = ledger, home, 0

    def add(self, took=None, *, owner="desk", engine=Engine.KLING, duration=5, size="720p", end=State.DONE):
        """A run that took so many seconds from its first step; None: one that goes on."""
        self._count += 1
        at = NOW + 1000 * self._count
        new = Job(
            id=f"run{self._count:04d}{owner}",
            owner=owner,
            engine=engine,
            state=State.RUNNING if took is None else end,
            request=VideoRequest(
                prompt='"duration": 3, "size": "1080p"',
                images=(self._home / "jobs" / "1.png",),
                duration=duration,
                draft=DraftOptions(size=size),
            ),
            price=Price(0),
            money=Money.FREE,
            created_at=at,
            updated_at=at,
        )
        with self._ledger._writing() as connection:
            self._ledger._insert(connection, new, day="2025-06-15", quote=None)
            self._ledger._enter(connection, new.id, State.PREPARING, at + 10)
            finished = None if took is None else at + 10 + took
            row = sa.update(jobs).where(jobs.c.id == new.id)
            connection.execute(row.values(finished_at=finished))
        return self._ledger.job(new.id)


@pytest.fixture
def runs(ledger, tmp_path):
    return Runs(ledger, tmp_path)


def test_the_middle_half_of_the_whole_history_is_told(ledger, runs):
    """Every run counts, however long ago; time in line does not; four runs tell nothing."""
    for took in range(RUNS_MIN - 1):
        runs.add(100.0 + took)
    now = runs.add()
    assert ledger.usual(now) is None
    for took in range(RUNS_MIN - 1, 40):
        runs.add(100.0 + took)
    assert ledger.usual(now) == Usual(110.0, 129.0, 40)


def test_only_finished_runs_of_the_same_kind_and_owner_count(ledger, runs):
    """Another engine, length or owner, what failed, goes on or was deleted: none of these is told."""
    for _ in range(RUNS_MIN):
        runs.add(60.0)
        runs.add(1.0, engine=Engine.DRAFT)
        runs.add(900.0, engine=Engine.DRAFT, size="1080p")
        runs.add(2.0, duration=3)
        runs.add(3.0, owner="b" * 32)
        runs.add(4.0, end=State.FAILED)
        ledger.hide(runs.add(5.0).id, now=NOW)
        erased = runs.add(6.0)
        ledger.hide(erased.id, now=NOW)
        assert ledger.empty(erased, now=NOW)
    assert ledger.usual(runs.add()) == Usual(60.0, 60.0, RUNS_MIN)
    assert ledger.usual(runs.add(engine=Engine.DRAFT)).high == 1.0
    assert ledger.usual(runs.add(engine=Engine.DRAFT, size="1080p")).low == 900.0
    assert ledger.usual(runs.add(duration=10)) is None
