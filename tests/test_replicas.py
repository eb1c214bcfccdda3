"""Several replicas on one ledger: what PostgreSQL is asked, who may ask, and money over processes."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa
from faults.server import FaultServer

from klingo1 import schema
from klingo1.errors import BudgetReached, LedgerError
from klingo1.files import Files, files_of
from klingo1.groups import Groups, quote_of
from klingo1.job import Money, State
from klingo1.ledger import Ledger
from klingo1.money import Caps, NewJob
from klingo1.pricing import Price
from klingo1.request import Engine, VideoRequest

ROOT = Path(__file__).parents[1]
NOW = 1_750_000_000.0
REQUEST = VideoRequest("a walk", ("https://example.com/a.jpg",))


def new_job(name, quote, *, owner="desk", price=560_000):
    return NewJob(name, owner, Engine.KLING, REQUEST, Price(price), "digest", quote)


CLICKS = """
import json, sys, threading
from klingo1.errors import BudgetReached
from klingo1.ledger import Ledger
sys.path.insert(0, sys.argv[3])
from test_replicas import NOW, Caps, Path, new_job
url, name, home = sys.argv[1], sys.argv[2], Path(sys.argv[4])
ledger = Ledger(url, home=home)
admitted = []

def clicks(thread):
    for n in range(10):
        quote = ledger.new_quote("desk", now=NOW)
        price = (336_000, 784_000, 1_680_000)[(thread + n) % 3]
        try:
            ledger.admit(
                new_job(f"{name}-{thread}-{n}", quote, price=price), caps=Caps(day=30_000_000), now=NOW
            )
            admitted.append(price)
        except BudgetReached:
            pass

shared, fresh = ledger.admit(new_job(f"{name}-shared", "shared", price=336_000), caps=Caps(), now=NOW)
threads = [threading.Thread(target=clicks, args=(t,)) for t in range(int(sys.argv[5]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ledger.close()
print(json.dumps({"admitted": sum(admitted), "shared": shared.id, "fresh": fresh}))
"""


@pytest.mark.parametrize("threads", [8, pytest.param(22, marks=pytest.mark.soak)])
def test_three_processes_with_many_threads_never_pass_the_cap(tmp_path, postgres_server, threads):
    """Three processes of 8 or 22 threads × 10 clicks stop at the cap; a quote of all three is one job."""
    url = postgres_server.new_database()
    postgres_server.ask(  # an administrator's taste must not decide what a cap is worth
        f"ALTER DATABASE {postgres.name_of(url)} SET default_transaction_isolation = 'serializable'"
    )
    book = Ledger(url, home=tmp_path)
    with book._writing() as connection:
        connection.execute(sa.insert(schema.quotes).values(token="shared", owner="desk", issued_at=NOW))
    replicas = [
        subprocess.Popen(
            [sys.executable, "-c", CLICKS, url, name, str(ROOT / "tests"), str(tmp_path), str(threads)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for name in "abc"
    ]  # fmt: skip
    told = [json.loads(replica.communicate(timeout=200)[0]) for replica in replicas]
    ((_, amounts),) = book.spending()
    book.close()
    assert len({one["shared"] for one in told}) == 1
    assert sum(one["fresh"] for one in told) == 1
    assert amounts[Money.HELD] == sum(one["admitted"] for one in told) + 336_000
    assert 30_000_000 - 336_000 < amounts[Money.HELD] <= 30_000_000


def test_replicas_that_open_an_empty_database_together_make_one_schema(tmp_path, postgres_server):
    """Eight first starts at once: each finds or makes the newest schema."""
    url = postgres_server.new_database()
    failed = []

    def start():
        try:
            Ledger(url, home=tmp_path).close()
        except LedgerError as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_group_is_admitted_by_one_of_many(place, tmp_path):
    """Six ledgers admit the same group at once: one set of rows, one hold; a row is begun by one of them."""
    books = [Groups(place, home=tmp_path) for _ in range(6)]
    won, group = [], "batch/kling/y"

    def admit(number):
        news = [new_job(f"{number}-{n}", quote_of(group, n)) for n in range(4)]
        rows = books[number].admit_group(group, news, caps=Caps(day=5_000_000), now=NOW)
        won.extend(
            row.job_id
            for row in rows
            if books[number].begin(group, row.job_id, worker=f"w{number}", now=NOW, lease=9.0)
        )

    threads = [threading.Thread(target=admit, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(set(won)) == 4
    assert books[0].spending()[0][1] == {Money.HELD: 4 * 560_000}
    more = [new_job(f"more-{n}", quote_of("batch/kling/z", n)) for n in range(5)]
    with pytest.raises(BudgetReached):
        books[1].admit_group("batch/kling/z", more, caps=Caps(day=5_000_000), now=NOW)
    for book in books:
        book.close()


REPLICA = """
import sys
from pathlib import Path
from klingo1.request import VideoRequest
from klingo1.settings import Settings
from klingo1.studio import Studio
name, home, place, files, picture, server = sys.argv[1:]
settings = Settings(
    home=Path(home), api_key="wsk_canary_0123456789", base_url=server, database_url=place, files=files
)
with Studio(settings) as studio:
    for number in range(3):
        request = VideoRequest(f"walk {name} {number}", (Path(picture),), duration=3)
        studio.submit(request, engine="kling")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="a process is killed by a signal")
def test_the_jobs_of_a_killed_replica_are_finished_by_the_others(place, tmp_path, picture):
    """Three processes with three runs each; one is killed while its runs are made: nine films, nine bills.

    On a file they share one home; on a server each has its own, and the killed one's is lost with it.
    """
    alone = isinstance(place, str)
    files = f"file://{tmp_path / 'shared'}" if alone else ""
    homes = [tmp_path / (f"home-{name}" if alone else "home") for name in "abc"]
    place = place if alone else f"sqlite:///{place}"
    with FaultServer(script=["processing"]) as server:
        replicas = [
            subprocess.Popen(
                [sys.executable, "-c", REPLICA, name, str(home), place, files, str(picture), server.url],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for name, home in zip("abc", homes, strict=True)
        ]  # fmt: skip
        try:
            assert [replica.stdout.readline() for replica in replicas] == ["ready\n"] * 3
            book = Ledger(place, home=homes[1])
            await_that(lambda: len(book.in_state(State.RUNNING)) == 9)
            replicas[0].kill()
            replicas[0].wait()
            if alone:
                shutil.rmtree(homes[0])
            server.service.script[:] = ["completed"]
            await_that(lambda: len(book.in_state(State.DONE)) == 9)
            assert server.billed == 9
            assert set(server.bills.values()) == {1}
            shown = map(Files(homes[1], files).bring, book.in_state(State.DONE))
            assert all(file.is_file() for job in shown for file in files_of(job))
            book.close()
        finally:
            for replica in replicas:
                with contextlib.suppress(BrokenPipeError):
                    replica.stdin.close()
                replica.stdout.close()
                replica.wait(30)


def await_that(true, *, seconds=60.0):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)
