"""How the ledger's file grows old: upgrades from the first schema on, and migrations that never change."""

import hashlib
import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from klingo1 import schema
from klingo1.database import connect
from klingo1.errors import LedgerError
from klingo1.job import Money, State
from klingo1.ledger import Ledger
from klingo1.schema import MIGRATIONS, meta, metadata

FIRST = Path(__file__).parent / "fixtures" / "ledger_first_schema.sql"
"""A ledger that the first schema's own code wrote, with runs in several states."""
VERSION = sa.select(meta.c.value).where(meta.c.name == "version")
RELEASED = (
    "9760d3f1",
    "667be530",
    "e3b0c442",
    "0c796414",
)
"""Of each released migration, the beginning of its SHA-256. A new one is added here; none ever changes."""


def old_ledger(path):
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST.read_text("utf-8"))
    connection.close()
    return path


@pytest.fixture
def old_place(place, request):
    """A ledger of the first schema, in a file and on a server."""
    if isinstance(place, Path):
        return old_ledger(place)
    request.getfixturevalue("postgres_server").load(place, FIRST)
    return place


def test_a_ledger_of_the_first_schema_is_brought_up_with_everything_in_it(old_place, tmp_path):
    """Runs, money, problems and uploads of the first schema read back, and it is of the newest one."""
    book = Ledger(old_place, home=tmp_path)
    jobs = {int(job.id, 16): job for job in book.jobs(owner="desk", limit=50)}
    assert {n: job.state for n, job in jobs.items()} == {
        1: State.DONE,
        2: State.RUNNING,
        3: State.FAILED,
        4: State.REFUSED,
        5: State.UNKNOWN,
        6: State.QUEUED,
        7: State.DONE,
    }
    assert jobs[1].video == tmp_path / "jobs" / f"{1:032x}" / "video.mp4"
    assert jobs[3].problem.text == "moderation"
    assert jobs[5].request.prompt == "walk 5"
    assert len(jobs[1].phases) == 2
    ((_, amounts),) = book.spending()
    assert amounts == {Money.SPENT: 560_000, Money.RELEASED: 560_000, Money.HELD: 4 * 560_000}
    ((unknown, uploads),) = book.unsettled()
    assert unknown.id == jobs[5].id
    assert "https://media.example/u5" in uploads
    assert len(book.claim(worker="w", now=1.0, lease=1.0)) == 3
    with book._reading() as connection:
        assert connection.execute(VERSION).scalar() == str(len(MIGRATIONS))
    book.close()
    Ledger(old_place, home=tmp_path).close()
    if isinstance(old_place, Path):
        with sqlite3.connect(old_place) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


def test_an_upgraded_and_a_new_ledger_have_the_same_shape(tmp_path):
    """Tables, columns and indexes do not depend on where a file began."""
    shapes = []
    (tmp_path / "old").mkdir()
    for path in (old_ledger(tmp_path / "old" / "k.sqlite3"), tmp_path / "new.sqlite3"):
        Ledger(path, home=tmp_path).close()
        engine = sa.create_engine(f"sqlite:///{path}")
        inspector = sa.inspect(engine)
        shapes.append(
            {
                table: (
                    sorted((c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)),
                    sorted(index["name"] for index in inspector.get_indexes(table)),
                )
                for table in inspector.get_table_names()
            }
        )
        engine.dispose()
    assert shapes[0] == shapes[1]
    for table in metadata.tables.values():
        named = {column for column, _, _ in shapes[0][table.name][0]}
        assert {column.name for column in table.columns} == named


def test_released_migrations_are_never_edited():
    """Files that people have were made by these very statements."""
    found = [hashlib.sha256("\0".join(statements).encode()).hexdigest()[:8] for statements in MIGRATIONS]
    assert found[: len(RELEASED)] == list(RELEASED)


def test_an_upgrade_that_is_cut_leaves_the_old_ledger(old_place, tmp_path, monkeypatch):
    """All migrations are one transaction: when one fails, all is as it was and can still be opened."""
    broken = (*MIGRATIONS, ("ALTER TABLE jobs ADD COLUMN more TEXT", "this is no statement"))
    monkeypatch.setattr(schema, "MIGRATIONS", broken)
    with pytest.raises(LedgerError):
        Ledger(old_place, home=tmp_path)
    monkeypatch.undo()
    engine = connect(f"sqlite:///{old_place}" if isinstance(old_place, Path) else old_place)
    with engine.connect() as connection:
        assert connection.execute(VERSION).scalar() == "1"
    assert "more" not in {column["name"] for column in sa.inspect(engine).get_columns("jobs")}
    engine.dispose()
    Ledger(old_place, home=tmp_path).close()


def test_a_big_ledger_is_checked_quickly(tmp_path, monkeypatch):
    """Above a size the check at the start leaves out the indexes; below, it reads them too."""
    path = tmp_path / "k.sqlite3"
    Ledger(path, home=tmp_path).close()
    said = []

    def note(_connection, _cursor, statement, *_):
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        Ledger(path, home=tmp_path).close()
        assert any("integrity_check" in statement for statement in said)
        said.clear()
        monkeypatch.setattr(schema, "CHECKED_WHOLE", 100)
        Ledger(path, home=tmp_path).close()
        assert any("quick_check" in statement for statement in said)
        assert not any("integrity_check" in statement for statement in said)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def test_a_start_waits_for_another_that_makes_the_ledger(tmp_path):
    """Of two starts at the same moment neither fails: while one writes, the other waits for its turn."""
    path = tmp_path / "klingo1.sqlite3"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, other.execute, ["ROLLBACK"])
    timer.start()
    try:
        ledger = Ledger(path, home=tmp_path)
        ledger.close()
    finally:
        timer.join()
        other.close()
