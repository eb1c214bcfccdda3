"""Several replicas on one ledger: what PostgreSQL is asked, who may ask, and money over processes."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa
from faults.server import FaultServer
from sqlalchemy.dialects import postgresql

from klingo1 import schema
from klingo1.errors import BudgetReached, LedgerError
from klingo1.groups import Groups, quote_of
from klingo1.job import Money, State
from klingo1.ledger import Ledger
from klingo1.money import Caps, NewJob
from klingo1.pricing import Price
from klingo1.request import Engine, VideoRequest

ROOT = Path(__file__).parents[1]
NOW = 1_750_000_000.0
REQUEST = VideoRequest("a walk", ("https://example.com/a.jpg",))
server_needed = pytest.mark.skipif(
    bool(postgres.missing(driver=False)), reason=postgres.missing(driver=False)
)
driver_needed = pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing())


def new_job(name, quote, *, owner="desk", price=560_000):
    return NewJob(name, owner, Engine.KLING, REQUEST, Price(price), "digest", quote)


def live(ledger, group):
    """Ask a ledger for everything it can do, so that every statement is made at least once."""
    news = [new_job(f"job{n}", quote_of(group, n)) for n in range(3)]
    caps = Caps(run=10**9, owner_day=10**9, day=10**9)
    ledger.admit_group(group, news, caps=caps, now=NOW)
    ledger.standing(group, owner="desk")
    ledger.begin(group, "job0", worker="w", now=NOW, lease=10.0)
    ledger.traffic(Engine.KLING, now=NOW)
    ledger.withdraw(group, now=NOW)
    job, _ = ledger.admit(new_job("single", ledger.new_quote("desk", now=NOW)), caps=caps, now=NOW)
    ledger.claim(worker="w", now=NOW, lease=10.0, gone=["x"])
    ledger.advance(job.id, leave=[State.QUEUED], to=State.SUBMITTING, now=NOW, worker="w", submitted_at=NOW)
    ledger.advance(job.id, leave=[State.SUBMITTING], to=State.RUNNING, now=NOW, prediction_id="p1")
    ledger.note(job.id, now=NOW, during=State.RUNNING, progress=0.5, details={"a": "%s 'b'"})
    ledger.advance(
        job.id, leave=[State.RUNNING], to=State.NOT_CREATED, now=NOW, money=Money.RELEASED, prediction_id=""
    )
    ledger.readmit(ledger.job(job.id, owner="desk"), caps=caps, now=NOW)
    ledger.jobs(owner="desk", limit=5, before=NOW + 1)
    ledger.in_state(State.QUEUED, State.UNKNOWN)
    ledger.job_of_worker(job.id, "w")
    ledger.prediction_ids()
    ledger.unsettled()
    ledger.spending()
    ledger.workers()
    ledger.renew(worker="w", now=NOW, lease=10.0)
    ledger.leave(worker="w")
    ledger.record(job.id)
    ledger.hide(job.id, now=NOW)
    ledger.restore(job.id, owner="desk")
    ledger.hidden(before=NOW)
    ledger.owned("desk")
    ledger.over(before=NOW)
    ledger.ids()
    ledger.drafts_in_work(before=NOW)
    ledger.touch(now=NOW)
    ledger.advance(job.id, leave=[State.QUEUED], to=State.STOPPED, now=NOW)
    ledger.empty(ledger.job(job.id), now=NOW)
    ledger.forget_quotes(owner="desk", before=NOW)


@server_needed
def test_postgresql_understands_the_schema_and_every_statement(tmp_path, postgres_server):
    """A real server makes the tables, and plans whatever SQLite was asked by a busy ledger."""
    ledger = Groups(tmp_path / "klingo1.sqlite3", home=tmp_path)
    asked = []

    def remember(_connection, statement, many, _params, _options):
        values = many[0] if many else None
        asked.append(statement.values(values) if values and statement.is_insert else statement)

    sa.event.listen(ledger._engine, "before_execute", remember)
    live(ledger, "batch/kling/x")
    ledger.close()
    dialect = postgresql.dialect()
    plans = {str(s.compile(dialect=dialect, compile_kwargs={"literal_binds": True})) for s in asked}
    assert len(plans) > 30
    script = [f"BEGIN; SELECT pg_advisory_xact_lock({schema.LEDGER_LOCK});"]
    script += [f"{statement};" for step in schema.MIGRATIONS for statement in step]
    script += ["COMMIT;", *(f"EXPLAIN {plan.replace('%%', '%')};" for plan in sorted(plans))]
    name = postgres.new_database(postgres_server).split("/")[3].partition("?")[0]
    done = subprocess.run(
        [postgres.program("psql"), "-h", str(postgres_server), "-U", "klingo1", "-v", "ON_ERROR_STOP=1",
         "-q", name],
        input="\n".join(script), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/x", "nonsense hunter2", "postgresql+odd://u:hunter2@h/x"]
)
def test_an_address_that_is_no_database_is_refused_without_its_password(tmp_path, url):
    """What cannot be a ledger is named by the setting's name alone."""
    with pytest.raises(LedgerError) as refused:
        Ledger(url, home=tmp_path)
    assert "KLINGO1_DATABASE_URL" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@driver_needed
def test_a_server_that_is_gone_is_a_plain_error(tmp_path):
    """No traceback and no password: the ledger cannot be used."""
    with pytest.raises(LedgerError) as refused:
        Ledger(f"postgresql://u:hunter2@/x?host={tmp_path}", home=tmp_path)
    assert "hunter2" not in str(refused.value)


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
threads = [threading.Thread(target=clicks, args=(t,)) for t in range(22)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ledger.close()
print(json.dumps({"admitted": sum(admitted), "shared": shared.id, "fresh": fresh}))
"""


@driver_needed
def test_three_processes_with_many_threads_never_pass_the_cap(tmp_path, postgres_server):
    """Three processes × 22 threads × 10 clicks stop at the cap; a quote that all three use is one job."""
    url = postgres.new_database(postgres_server)
    book = Ledger(url, home=tmp_path)
    with book._writing() as connection:
        connection.execute(sa.insert(schema.quotes).values(token="shared", owner="desk", issued_at=NOW))
    replicas = [
        subprocess.Popen(
            [sys.executable, "-c", CLICKS, url, name, str(ROOT / "tests"), str(tmp_path)],
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


@driver_needed
def test_replicas_that_open_an_empty_database_together_make_one_schema(tmp_path, postgres_server):
    """Eight first starts at once: each finds or makes the newest schema."""
    url = postgres.new_database(postgres_server)
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


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=driver_needed)])
def test_a_group_is_admitted_by_one_of_many(tmp_path, kind, request):
    """Six ledgers admit the same group at once: one set of rows, one hold; a row is begun by one of them."""
    place = tmp_path / "klingo1.sqlite3"
    if kind == "postgresql":
        place = postgres.new_database(request.getfixturevalue("postgres_server"))
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
name, home, place, server = sys.argv[1:]
settings = Settings(home=Path(home), api_key="wsk_canary_0123456789", base_url=server, database_url=place)
with Studio(settings) as studio:
    for number in range(3):
        images = (f"https://example.com/{name}{number}.jpg",)
        studio.submit(VideoRequest(f"walk {name} {number}", images, duration=3), engine="kling")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="a process is killed by a signal")
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=driver_needed)])
def test_the_jobs_of_a_killed_replica_are_finished_by_the_others(tmp_path, kind, request):
    """Three processes with three runs each; one is killed while its runs are made: nine films, nine bills."""
    home = tmp_path / "home"
    home.mkdir()
    place = f"sqlite:///{home / 'klingo1.sqlite3'}"
    if kind == "postgresql":
        place = postgres.new_database(request.getfixturevalue("postgres_server"))
    with FaultServer(script=["processing"]) as server:
        replicas = [
            subprocess.Popen(
                [sys.executable, "-c", REPLICA, name, str(home), place, server.url],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for name in "abc"
        ]  # fmt: skip
        try:
            assert [replica.stdout.readline() for replica in replicas] == ["ready\n"] * 3
            book = Ledger(place, home=home)
            await_that(lambda: len(book.in_state(State.RUNNING)) == 9)
            replicas[0].kill()
            replicas[0].wait()
            server.service.script[:] = ["completed"]
            await_that(lambda: len(book.in_state(State.DONE)) == 9)
            assert server.billed == 9
            assert set(server.bills.values()) == {1}
            assert all(job.video.is_file() for job in book.in_state(State.DONE))
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
