"""The ledger: admission, transitions, leases, caps, and what it refuses to open."""

import sqlite3
import threading
from pathlib import Path

import pytest

from klingo1.errors import BudgetReached, JobNotFound, LedgerError, QuoteRefused
from klingo1.job import Money, State
from klingo1.ledger import Ledger
from klingo1.money import REFUND_SECONDS, Caps, NewJob
from klingo1.pricing import Price
from klingo1.request import Engine, VideoRequest

NOW = 1_750_000_000.0
NO_CAPS = Caps()


@pytest.fixture
def open_ledger(place, tmp_path):
    """Opens ledgers on one database."""
    opened = []

    def open_one():
        opened.append(Ledger(place, home=tmp_path))
        return opened[-1]

    yield open_one
    for book in opened:
        book.close()


@pytest.fixture
def ledger(open_ledger):
    return open_ledger()


def new_job(ledger, home, *, number=1, owner="desk", price=560_000, quote=None, digest="d", now=NOW):
    image = home / "jobs" / str(number) / "references" / "1.png"
    return NewJob(
        id=f"job{number:04d}",
        owner=owner,
        engine=Engine.KLING,
        request=VideoRequest(prompt="a walk", images=(image,)),
        price=Price(price),
        digest=digest,
        quote=quote or ledger.new_quote(owner, now=now),
    )


def test_a_row_comes_back_as_it_was_written(ledger, tmp_path):
    """An admitted job reads back with its request, money and phase."""
    new = new_job(ledger, tmp_path)
    job, fresh = ledger.admit(new, caps=NO_CAPS, now=NOW)
    assert fresh
    assert job == ledger.job(new.id, owner="desk")
    assert (job.state, job.money, job.request) == (State.QUEUED, Money.HELD, new.request)
    assert [state for state, _ in job.phases] == [State.QUEUED]


def test_another_owner_sees_nothing(ledger, tmp_path):
    """A job exists for its owner only."""
    ledger.admit(new_job(ledger, tmp_path), caps=NO_CAPS, now=NOW)
    with pytest.raises(JobNotFound):
        ledger.job("job0001", owner="somebody else")
    assert ledger.jobs(owner="somebody else") == []


def test_f39_one_quote_in_fifty_threads_makes_one_job(ledger, tmp_path):
    """Fifty clicks with one quote become one row that all of them see."""
    quote = ledger.new_quote("desk", now=NOW)
    seen = []

    def click(number):
        job, fresh = ledger.admit(
            new_job(ledger, tmp_path, number=number, quote=quote), caps=NO_CAPS, now=NOW
        )
        seen.append((job.id, fresh))

    threads = [threading.Thread(target=click, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 50
    assert len({job_id for job_id, _ in seen}) == 1
    assert sum(fresh for _, fresh in seen) == 1
    assert len(ledger.jobs(owner="desk", limit=100)) == 1


@pytest.mark.parametrize(
    ("quote", "digest", "later"),
    [("unknown", "d", 0.0), (None, "other", 0.0), (None, "d", 25 * 3600.0)],
)
def test_f40_a_quote_unknown_old_or_for_something_else_is_refused(ledger, tmp_path, quote, digest, later):
    """A quote admits one request within a day and nothing else."""
    issued = ledger.new_quote("desk", now=NOW)
    if digest == "other":
        ledger.admit(new_job(ledger, tmp_path, quote=issued), caps=NO_CAPS, now=NOW)
    with pytest.raises(QuoteRefused):
        ledger.admit(
            new_job(ledger, tmp_path, number=2, quote=quote or issued, digest=digest),
            caps=NO_CAPS,
            now=NOW + later,
        )
    assert len(ledger.jobs(owner="desk")) == (1 if digest == "other" else 0)


@pytest.mark.parametrize(
    ("caps", "cap"),
    [
        (Caps(run=500_000), "run"),
        (Caps(owner_day=1_000_000), "visitor_day"),
        (Caps(day=1_000_000), "day"),
    ],
)
def test_a_cap_stops_the_run_that_would_pass_it(ledger, tmp_path, caps, cap):
    """A run over a cap is refused, names the cap, and leaves no row and an unspent quote."""
    if cap != "run":
        ledger.admit(new_job(ledger, tmp_path), caps=caps, now=NOW)
    quote = ledger.new_quote("desk", now=NOW)
    with pytest.raises(BudgetReached) as refused:
        ledger.admit(new_job(ledger, tmp_path, number=2, quote=quote), caps=caps, now=NOW)
    assert refused.value.cap == cap
    assert len(ledger.jobs(owner="desk")) == (0 if cap == "run" else 1)
    _, fresh = ledger.admit(new_job(ledger, tmp_path, number=3, quote=quote), caps=NO_CAPS, now=NOW)
    assert fresh


def test_released_money_makes_room_again(ledger, tmp_path):
    """A refused run gives its amount back to the day."""
    caps = Caps(day=600_000)
    ledger.admit(new_job(ledger, tmp_path), caps=caps, now=NOW)
    ledger.advance("job0001", leave=[State.QUEUED], to=State.REFUSED, now=NOW, money=Money.RELEASED)
    ledger.admit(new_job(ledger, tmp_path, number=2), caps=caps, now=NOW)


def test_a_failed_run_keeps_its_hold_until_the_refund_window_has_passed(ledger, tmp_path):
    """What a failed task cost counts for three hours and then no more."""
    caps = Caps(day=600_000)
    ledger.admit(new_job(ledger, tmp_path), caps=caps, now=NOW)
    ledger.advance("job0001", leave=[State.QUEUED], to=State.FAILED, now=NOW)
    with pytest.raises(BudgetReached):
        ledger.admit(new_job(ledger, tmp_path, number=2), caps=caps, now=NOW + REFUND_SECONDS - 1)
    ledger.admit(new_job(ledger, tmp_path, number=3), caps=caps, now=NOW + REFUND_SECONDS + 1)


def test_f42_many_threads_never_pass_a_cap(ledger, tmp_path):
    """16 threads × 10 clicks at different prices stop exactly when nothing more fits."""
    caps, prices = Caps(day=10_000_000), (112_000 * 3, 112_000 * 7, 168_000 * 10)
    admitted: list[int] = []

    def clicks(thread):
        for k in range(10):
            price = prices[(thread + k) % 3]
            new = new_job(ledger, tmp_path, number=thread * 100 + k, price=price)
            try:
                ledger.admit(new, caps=caps, now=NOW)
                admitted.append(price)
            except BudgetReached as refused:
                assert refused.used + price > 10_000_000  # noqa: PT017 - the refusal itself is checked

    threads = [threading.Thread(target=clicks, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 10_000_000 - min(prices) < sum(admitted) <= 10_000_000


def test_f45_a_clock_set_back_does_not_reopen_the_cap(ledger, tmp_path):
    """Yesterday's date after today's still counts as today."""
    caps = Caps(day=600_000)
    ledger.admit(new_job(ledger, tmp_path), caps=caps, now=NOW)
    with pytest.raises(BudgetReached):
        ledger.admit(new_job(ledger, tmp_path, number=2, now=NOW - 86400), caps=caps, now=NOW - 86400)


def test_only_one_of_two_transitions_wins(ledger, tmp_path):
    """A transition names the state it leaves; the second one is told that it lost."""
    ledger.admit(new_job(ledger, tmp_path), caps=NO_CAPS, now=NOW)
    assert ledger.advance("job0001", leave=[State.QUEUED], to=State.PREPARING, now=NOW)
    assert not ledger.advance("job0001", leave=[State.QUEUED], to=State.PREPARING, now=NOW)


def test_f41_two_processes_claim_each_job_once(ledger, open_ledger, tmp_path):
    """A second ledger on the same database gets only what the first one's lease has let go."""
    ledger.admit(new_job(ledger, tmp_path), caps=NO_CAPS, now=NOW)
    other = open_ledger()
    assert [j.id for j in ledger.claim(worker="a", now=NOW, lease=10)] == ["job0001"]
    assert other.claim(worker="b", now=NOW + 5, lease=10) == []
    assert not other.advance("job0001", leave=[State.QUEUED], to=State.PREPARING, now=NOW, worker="b")
    assert [j.id for j in other.claim(worker="b", now=NOW + 11, lease=10)] == ["job0001"]
    assert [j.id for j in ledger.claim(worker="a", now=NOW + 12, lease=10, gone=["b"])] == ["job0001"]


def test_spending_is_told_day_by_day(ledger, tmp_path):
    """Held, spent and released amounts are summed per day."""
    for number in (1, 2, 3):
        ledger.admit(new_job(ledger, tmp_path, number=number), caps=NO_CAPS, now=NOW)
    ledger.advance("job0001", leave=[State.QUEUED], to=State.DONE, now=NOW, money=Money.SPENT)
    ledger.advance("job0002", leave=[State.QUEUED], to=State.REFUSED, now=NOW, money=Money.RELEASED)
    ((day, amounts),) = ledger.spending()
    assert day == "2025-06-15"
    assert amounts == {Money.SPENT: 560_000, Money.RELEASED: 560_000, Money.HELD: 560_000}


def test_f50_a_newer_or_damaged_file_is_refused_by_name_and_left_alone(tmp_path):
    """A ledger of the future and a file that is none are named, and not a byte of them changes."""
    newer = tmp_path / "newer.sqlite3"
    Ledger(newer, home=tmp_path).close()
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'version'")
    connection.close()
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(b"this is no database" * 300)
    for path in (newer, damaged):
        before = path.read_bytes()
        with pytest.raises(LedgerError) as refused:
            Ledger(path, home=tmp_path)
        assert refused.value.path == path
        assert str(path) in str(refused.value)
        assert path.read_bytes() == before


def test_a_home_can_be_moved(tmp_path):
    """Paths are kept relative to the home folder."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    book = Ledger(old / "k.sqlite3", home=old)
    book.admit(new_job(book, old), caps=NO_CAPS, now=NOW)
    book.close()
    old.rename(new)
    moved = Ledger(new / "k.sqlite3", home=new)
    assert moved.job("job0001").request.images == (new / "jobs/1/references/1.png",)
    assert isinstance(moved.job("job0001").request.images[0], Path)
    moved.close()
