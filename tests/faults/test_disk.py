"""The ledger's own disk: full at each commit, locked, read-only, damaged, newer, and very long."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from conftest import wait_for
from faults.clock import OrderlyClock
from faults.invariants import CANARY, check_invariants
from faults.server import Always, FaultServer, Reply
from faults.tables import say
from faults.victims import settle

from klingo1 import database, leases, schema
from klingo1.errors import LedgerError
from klingo1.job import Money, State
from klingo1.ledger import Ledger
from klingo1.pricing import Price
from klingo1.records import encode_request
from klingo1.request import Engine, VideoRequest
from klingo1.settings import Settings
from klingo1.studio import Studio

URL = "https://example.com/one.jpg"


def request_of(prompt="a quiet walk"):
    return VideoRequest(prompt=prompt, images=(URL,), duration=3)


class FullDisk:
    """Refuses commits of a studio's ledger: `times` of them, from the `first` one on."""

    def __init__(self, studio, *, first, times):
        self.refused = range(first, first + times)
        self.commits = 0
        self.submits_when_refused = None
        sa.event.listen(studio._ledger._engine, "commit", self.commit)

    def commit(self, _connection):
        self.commits += 1
        if self.commits in self.refused:
            full = sqlite3.OperationalError("database or disk is full")
            raise sa.exc.OperationalError("COMMIT", None, full)


class LostAnswers:
    """Commits of a studio's ledger that succeed and are reported as failed: the `first` one and one more."""

    def __init__(self, page, *, first):
        self.lost = {first, first + 2}
        self.commits = 0
        dialect = page._ledger._engine.dialect
        self._commit, dialect.do_commit = dialect.do_commit, self.commit

    def commit(self, connection):
        self._commit(connection)
        self.commits += 1
        if self.commits in self.lost:
            raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("first", range(1, 12))
def test_f49_a_commit_whose_answer_is_lost(open_studio, picture, monkeypatch, first):
    """At whichever commit: what stands in the ledger is found there and goes on, with its own pictures."""
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.1)
    with FaultServer() as server:
        page = open_studio(server)
        quote = page.new_quote()
        request = VideoRequest(prompt="a quiet walk", images=(picture,), duration=3)
        disk = LostAnswers(page, first=first)
        for _ in range(4):
            try:
                job = page.submit(request, engine="kling", quote=quote)
                break
            except LedgerError:
                assert server.calls("submit") == [] or page.jobs()
        if wait_for(page, job.id, State.DONE, State.NOT_CREATED).state is State.NOT_CREATED:
            assert server.calls("submit") == []  # nobody could know that it was not sent
            disk.lost.clear()
            page.resume(job.id)
        wait_for(page, job.id, State.DONE)
        (kept,) = check_invariants(server, page)
        assert server.billed == len(server.calls("submit")) == 1
        assert kept.money is Money.SPENT


@pytest.mark.parametrize("first", range(1, 11))
def test_f49_a_disk_that_is_full_for_three_commits(open_studio, first):
    """At whichever commit the disk fills up: no POST before its row stands, and the run ends once billed."""
    with FaultServer() as server:
        studio = open_studio(server)
        quote = studio.new_quote()
        disk = FullDisk(studio, first=first, times=3)
        for _ in range(4):
            try:
                job = studio.submit(request_of(), engine="kling", quote=quote)
                break
            except LedgerError as error:
                assert "Free some space" in str(error)  # noqa: PT017 - some clicks are refused, some not
                assert server.requests == []
        wait_for(studio, job.id, State.DONE)
        assert disk.commits >= first
        (kept,) = check_invariants(server, studio)
        assert server.billed == len(server.calls("submit")) == 1
        assert kept.money is Money.SPENT


def test_f13_an_id_that_cannot_be_written_is_logged_and_written_later(open_studio, caplog):
    """The answer is there and the disk is full: the id is in the log, its commit is tried on, one POST."""
    with FaultServer() as server:
        studio = open_studio(server)
        disk = FullDisk(studio, first=1, times=0)

        def fill_up():
            disk.refused = range(disk.commits + 1, disk.commits + 6)

        server.set_faults("submit", [Noted(fill_up)])
        job = studio.submit(request_of(), engine="kling")
        done = wait_for(studio, job.id, State.DONE)
        assert f"({done.prediction_id}) is not written yet" in caplog.text
        check_invariants(server, studio, log=caplog.text)
        assert server.billed == len(server.calls("submit")) == 1


@pytest.mark.parametrize("first", range(1, 6))
def test_f49_a_disk_that_stays_full_sends_nothing_new(open_studio, first):
    """When `submitting` cannot be written nothing leaves; the row goes on when there is room again."""
    with FaultServer() as server:
        studio = open_studio(server)
        disk = FullDisk(studio, first=first, times=40)
        try:
            job = studio.submit(request_of(), engine="kling")
        except LedgerError:
            assert studio.jobs() == []
            assert server.requests == []
            return
        until = time.monotonic() + 5
        while disk.commits < first + 10 and time.monotonic() < until:
            assert server.calls("submit") == []
            time.sleep(0.005)
        disk.refused = range(0)
        wait_for(studio, job.id, State.DONE)
        assert server.billed == 1


def test_f36_a_video_that_cannot_be_written_waits_and_says_why(open_studio, tmp_path):
    """While the disk refuses the video the job stays in downloading with a reason, and ends when it can."""
    with FaultServer(faults={"result": [Noted(lambda: None, pause=0.3)]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        in_the_way = tmp_path / "home" / "jobs" / job.id / "video.mp4.part"
        in_the_way.mkdir()
        until = time.monotonic() + 10
        while not studio.job(job.id).problem and time.monotonic() < until:
            time.sleep(0.01)
        waiting = studio.job(job.id)
        assert (waiting.state, waiting.money) == (State.DOWNLOADING, Money.HELD)
        assert waiting.problem.kind == "DiskError"
        in_the_way.rmdir()
        done = wait_for(studio, job.id, State.DONE)
        assert done.problem is None
        check_invariants(server, studio)
        assert server.billed == 1


def test_f49_sqlites_own_full(tmp_path):
    """A database that may not grow says so by name, keeps what it has, and goes on when it may."""
    book = Ledger(tmp_path / "k.sqlite3", home=tmp_path)

    def limit(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    book._engine.dispose()
    sa.event.listen(book._engine, "connect", limit)
    with pytest.raises(LedgerError) as refused:
        [book.new_quote("desk", now=1.0) for _ in range(1000)]
    assert refused.value.path == tmp_path / "k.sqlite3"
    assert "Free some space" in str(refused.value)
    assert book.jobs(owner=None) == []
    sa.event.remove(book._engine, "connect", limit)
    book._engine.dispose()
    assert book.new_quote("desk", now=1.0)
    book.close()


def test_f50_a_locked_ledger_is_named_and_nothing_is_sent(open_studio, tmp_path, monkeypatch):
    """While another program holds the file, a click is refused by name and can be made again after."""
    monkeypatch.setattr(database, "PATIENCE_MS", 50)
    with FaultServer() as server:
        studio = open_studio(server)
        quote = studio.new_quote()
        other = sqlite3.connect(tmp_path / "home" / "klingo1.sqlite3", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError) as refused:
            studio.submit(request_of(), engine="kling", quote=quote)
        assert "Another program holds it" in str(refused.value)
        assert refused.value.path == tmp_path / "home" / "klingo1.sqlite3"
        assert server.requests == []
        other.execute("ROLLBACK")
        other.close()
        job = studio.submit(request_of(), engine="kling", quote=quote)
        wait_for(studio, job.id, State.DONE)
        check_invariants(server, studio)
        assert server.billed == 1


def test_f50_a_ledger_that_cannot_be_written_refuses_to_start(open_studio, tmp_path):
    """Where the journal cannot be made, the studio does not start, and says which file it is about."""
    home = tmp_path / "home"
    home.mkdir()
    Ledger(home / "klingo1.sqlite3", home=home).close()
    (home / "klingo1.sqlite3-wal").mkdir()
    before = (home / "klingo1.sqlite3").read_bytes()
    with pytest.raises(LedgerError) as refused:
        open_studio(home=home)
    assert refused.value.path == home / "klingo1.sqlite3"
    assert (home / "klingo1.sqlite3").read_bytes() == before


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize(
    "alter",
    [
        "UPDATE meta SET value = '99' WHERE name = 'version'",
        "UPDATE meta SET value = 'two' WHERE name = 'version'",
        "UPDATE meta SET value = '-1' WHERE name = 'version'",
        "DELETE FROM meta",
        "DROP TABLE meta",
        "ALTER TABLE meta RENAME COLUMN value TO text",
    ],
)
def test_f50_a_file_of_another_version_or_program_is_left_as_it_is(open_studio, tmp_path, alter, journal):
    """Newer, without a readable version, or another program's: named, refused, and not one byte written,
    whichever journal it keeps.
    """
    home = tmp_path / "home"
    home.mkdir()
    path = home / "klingo1.sqlite3"
    Ledger(path, home=home).close()
    with sqlite3.connect(path) as plain:
        plain.execute(f"PRAGMA journal_mode = {journal}")
        plain.execute(alter)
    plain.close()
    before = {file.name: file.read_bytes() for file in home.iterdir()}
    with pytest.raises(LedgerError) as refused:
        open_studio(home=home)
    assert refused.value.path == path
    assert str(path) in str(refused.value)
    assert {file.name: file.read_bytes() for file in home.iterdir()} == before


@pytest.mark.parametrize("at", [0.0, 0.3, 0.6, 0.9])
def test_f50_a_damaged_page_is_found_at_the_start_and_left_alone(open_studio, tmp_path, at):
    """Bytes lost anywhere in the file: no start, the file's name, and not a byte of it changed."""
    home = tmp_path / "home"
    home.mkdir()
    path = home / "klingo1.sqlite3"
    book = Ledger(path, home=home)
    fill(book, 200)
    book.close()
    content = bytearray(path.read_bytes())
    start = int(len(content) * at) // 4096 * 4096
    content[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(LedgerError) as refused:
        open_studio(home=home)
    assert refused.value.path == path
    assert str(path) in str(refused.value)
    assert path.read_bytes() == bytes(content)


def fill(book, count, *, state=State.DONE, owner="desk"):
    """Rows as a long life leaves them, written in one go."""
    row = {
        "owner": owner,
        "engine": Engine.KLING.value,
        "state": state.value,
        "request": encode_request(request_of(), book._home),
        "price": Price(560_000).micro,
        "money": (Money.SPENT if state is State.DONE else Money.HELD).value,
        "day": "2025-01-01",
        "updated_at": 1.0,
        "uploads": "[]",
        "details": "{}",
        "attempts": 0,
        "lease_until": 0.0,
    }
    rows = [
        row | {"id": f"{n:032x}", "created_at": float(n), "prediction_id": f"old{n:08d}"}
        for n in range(count)
    ]
    entered = [
        {"job_id": r["id"], "state": s.value, "at": r["created_at"]}
        for r in rows
        for s in (State.QUEUED, State.PREPARING, State.UPLOADING, State.SUBMITTING, State.RUNNING)
    ]
    with book._writing() as connection:
        connection.execute(sa.insert(schema.jobs), rows)
        connection.execute(sa.insert(schema.phases), entered)


def test_f51_the_first_page_of_ten_thousand_rows(tmp_path):
    """A page of history reads its own rows by an index, for one owner and for all, and never sorts."""
    book = Ledger(tmp_path / "k.sqlite3", home=tmp_path)
    fill(book, 10_000)
    statements = []
    sa.event.listen(
        book._engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, given, *_: statements.append((statement, given)),
    )
    took = []
    for owner in ("desk", None):
        for before in (None, 5000.0):
            started = time.perf_counter()
            page = book.jobs(owner=owner, limit=20, before=before)
            took.append(time.perf_counter() - started)
            assert [job.created_at for job in page] == [float(n) for n in reversed(range(10_000))][
                0 if before is None else 5000 :
            ][:20]
            assert len(page[0].phases) == 5
    assert len(statements) == 8  # two a page, however many rows
    with sqlite3.connect(tmp_path / "k.sqlite3") as plain:
        for statement, given in statements:
            plan = " ".join(row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {statement}", given))
            assert "USING INDEX" in plan
            assert "SCAN jobs" not in plan.replace("SCAN jobs USING INDEX", "")
            assert "jobs" not in statement.split("FROM")[1].split()[0] or "TEMP B-TREE" not in plan
    plain.close()
    book.close()
    say(f"pages of 10,000 rows: {', '.join(f'{seconds * 1000:.1f} ms' for seconds in took)}")


@pytest.mark.soak
def test_f51_a_click_among_ten_thousand_rows(open_studio, tmp_path):
    """A long history changes nothing about a new run."""
    home = tmp_path / "home"
    home.mkdir()
    book = Ledger(home / "klingo1.sqlite3", home=home)
    fill(book, 10_000, state=State.FAILED)
    book.close()
    with FaultServer() as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        wait_for(studio, job.id, State.DONE)
        assert studio.jobs(limit=20)[0].id == job.id
        assert len(check_invariants(server, studio)) == 10_001
        assert server.billed == 1


def test_f52_a_thousand_unfinished_rows_are_polled_at_their_pace(tmp_path):
    """A thousand runs found at the start: ten polls at once, then one a second."""
    home = tmp_path / "home"
    home.mkdir()
    book = Ledger(home / "klingo1.sqlite3", home=home)
    fill(book, 1000, state=State.RUNNING)
    book.close()
    clock, polls = OrderlyClock(), []
    still = Noted(lambda: polls.append(clock.monotonic()), Reply(502))
    with FaultServer(faults={"result": Always(still)}) as server:
        started = clock.monotonic()
        settings = Settings(home=home, api_key=CANARY, base_url=server.url)
        with Studio(settings, clock=clock):
            until = time.monotonic() + 30
            while len(polls) < 150 and time.monotonic() < until:
                time.sleep(0.01)
    assert len(polls) >= 150
    for count, moment in enumerate(polls, 1):
        assert count <= 12 + moment - started, f"{count} polls in {moment - started:.1f} s"
    say(f"1,000 unfinished rows: {len(polls)} polls in the first {polls[-1] - started:.0f} s")


@dataclass
class Noted:
    """Tells when a call begins and when it has ended."""

    begin: Callable[[], None]
    reply: Reply | None = None
    end: Callable[[], None] = lambda: None
    pause: float = 0.0

    def play(self, line, act):
        self.begin()
        line.pause(self.pause)
        line.send(self.reply or act())
        self.end()


def test_f52_many_clicks_are_sent_a_few_at_a_time(open_studio, picture):
    """Twenty clicks at once never have more than four uploads under way, and all of them end."""
    lock, now, most = threading.Lock(), [0], [0]

    def count(step):
        with lock:
            now[0] += step
            most[0] = max(most[0], now[0])

    busy = Noted(lambda: count(1), end=lambda: count(-1), pause=0.03)
    with FaultServer(faults={"put": Always(busy)}) as server:
        studio = open_studio(server, api_key=CANARY)
        for n in range(20):
            request = VideoRequest(prompt=f"click {n:02d}", images=(picture,), duration=3)
            studio.submit(request, engine="kling")
        settle(studio, seconds=60)
        jobs = check_invariants(server, studio)
        assert {job.state for job in jobs} == {State.DONE}
        assert server.billed == 20
        assert 1 <= most[0] <= 4


def test_f53_the_key_and_the_words_are_in_no_log_of_a_bad_run(open_studio, caplog, tmp_path):
    """At DEBUG, through faults that throw the key back, nothing logged or stored holds it."""
    caplog.set_level(logging.DEBUG)
    leaky = Reply(500, f'{{"message": "key {CANARY} a quiet walk"}}', {"X-Key": CANARY})
    faults = {"result": [leaky], "list": [leaky], "submit": [Reply(500, f"{CANARY}", billed=True)]}
    faults["download"] = [leaky]
    with FaultServer(faults=faults) as server:
        studio = open_studio(server, api_key=CANARY)
        job = studio.submit(request_of(), engine="kling")
        wait_for(studio, job.id, State.DONE)
        log = caplog.text.replace("b'X-Key', b'" + CANARY, "")  # httpcore shows headers that others wrote
        check_invariants(server, studio, log=log)
        assert server.billed == 1
