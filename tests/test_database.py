"""The ledger's database as a server: what is asked of it, who may ask, and what happens when it goes away."""

import threading

import postgres
import pytest
from test_replicas import NOW, new_job

from klingo1 import database
from klingo1.errors import JobNotFound, LedgerError
from klingo1.groups import Groups, quote_of
from klingo1.job import Money, State
from klingo1.ledger import Ledger
from klingo1.money import Caps
from klingo1.request import Engine


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


def enter_twice(ledger, between):
    """A transaction of two writes, and what happens between them."""
    with ledger._writing() as connection:
        ledger._enter(connection, "job", State.QUEUED, NOW)
        between()
        ledger._enter(connection, "job", State.DONE, NOW)


def test_every_statement_is_understood_whatever_language_the_server_speaks(postgres_server, tmp_path):
    """A ledger does all that it can, where the order of texts passes over punctuation."""
    options = ()
    if int(postgres_server.ask("SHOW server_version_num")) >= 150_000:
        options = ("--template=template0", "--locale-provider=icu", "--icu-locale=en-u-ka-shifted")
    url = postgres_server.new_database(*options)
    ledger = Groups(url, home=tmp_path)
    live(ledger, "batch/kling/x")
    ledger.close()


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/x", "nonsense hunter2", "postgresql+odd://u:hunter2@h/x"]
)
def test_an_address_that_is_no_database_is_refused_without_its_password(tmp_path, url):
    """What cannot be a ledger is named by the setting's name alone."""
    with pytest.raises(LedgerError) as refused:
        Ledger(url, home=tmp_path)
    assert "KLINGO1_DATABASE_URL" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_server_that_is_gone_is_a_plain_error(postgres_server, tmp_path):
    """No traceback and no password: the ledger cannot be used, and what to look at."""
    with pytest.raises(LedgerError) as refused:
        Ledger(f"postgresql://u:hunter2@/x?host={tmp_path}", home=tmp_path)
    assert "hunter2" not in str(refused.value)
    assert "Check that the server of KLINGO1_DATABASE_URL runs" in str(refused.value)


def test_a_user_who_may_not_make_tables_is_told_so(postgres_server, tmp_path):
    """The remedy names the right that is missing, not a file to restore."""
    url = postgres_server.new_database()
    postgres_server.ask(
        "CREATE ROLE guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC", postgres.name_of(url)
    )
    with pytest.raises(LedgerError) as refused:
        Ledger(url.replace("klingo1@", "guest@"), home=tmp_path)
    assert "the right to create tables" in str(refused.value)


def test_a_replica_that_freezes_in_a_transaction_loses_the_lock(postgres_server, tmp_path, monkeypatch):
    """The others write on after a while; what the frozen one had begun never happened."""
    monkeypatch.setitem(database._SERVER_SETTINGS, "idle_in_transaction_session_timeout", 200)
    url = postgres_server.new_database()
    frozen, other = Ledger(url, home=tmp_path), Ledger(url, home=tmp_path)
    with pytest.raises(LedgerError):
        enter_twice(frozen, lambda: other.new_quote("desk", now=NOW))
    assert frozen.new_quote("desk", now=NOW)
    with other._reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM phases").scalar() == 0
    frozen.close()
    other.close()


def test_a_restarted_server_is_found_again(postgres_server, tmp_path):
    """A crash cuts every session: what was in a transaction fails as a whole, all later ones go through."""
    url = postgres_server.new_database()
    book = Ledger(url, home=tmp_path)
    with pytest.raises(LedgerError):
        enter_twice(book, lambda: postgres_server.stop(postgres_server.CRASH))
    with pytest.raises(LedgerError):
        book.new_quote("desk", now=NOW)
    postgres_server.start()
    assert book.new_quote("desk", now=NOW)
    with book._reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM phases").scalar() == 0
    book.close()


def test_more_readers_than_connections_are_a_plain_error(postgres_server, tmp_path, monkeypatch):
    """Who finds no free connection in time is told what there are too few of."""
    monkeypatch.setattr(database, "CONNECTIONS", 1)
    monkeypatch.setattr(database, "MORE_CONNECTIONS", 0)
    monkeypatch.setattr(database, "PATIENCE_MS", 100)
    book = Ledger(postgres_server.new_database(), home=tmp_path)
    with book._reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        with pytest.raises(LedgerError, match="max_connections"):
            book.prediction_ids()
    assert book.prediction_ids() == set()
    book.close()


def test_closing_lets_askers_end_and_leaves_no_connection(place, request, tmp_path):
    """Threads that ask while the ledger closes end or are refused; the server has no client left."""
    book = Ledger(place, home=tmp_path)
    told = []

    def ask():
        try:
            while True:
                book.new_quote("desk", now=NOW)
                book.prediction_ids()
        except LedgerError as error:
            told.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    book.close()
    for thread in threads:
        thread.join()
    assert told == ["The ledger is closed."] * 4
    if book.on_server:
        assert request.getfixturevalue("postgres_server").clients(place) == 0


def test_a_name_that_no_database_can_hold_is_nobodys(place, tmp_path):
    """A zero byte in an id or an owner, which a server refuses to be asked, finds nothing."""
    book = Ledger(place, home=tmp_path)
    for job_id, owner in (("a\0", "desk"), ("a", "desk\0")):
        with pytest.raises(JobNotFound):
            book.job(job_id, owner=owner)
    book.close()
