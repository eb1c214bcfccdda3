"""The ledger's tables and how they came to be: append-only migrations, from the first schema on.

A database knows its version; older ones are brought up step by step in one transaction, newer or damaged
ones are refused untouched. A migration, once released, is never edited.
"""

from __future__ import annotations

import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from klingo1 import database
from klingo1.database import READ_ONLY, damaged, unusable
from klingo1.errors import LedgerError

CHECKED_WHOLE = 32 * 2**20
"""Bytes up to which a ledger is checked with every index entry at start; that takes well under a second."""

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("price", sa.BigInteger, nullable=False),
    sa.Column("money", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("quote", sa.Text, unique=True),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("finished_at", sa.Double),
    sa.Column("submitted_at", sa.Double),
    sa.Column("prediction_id", sa.Text, nullable=False, default=""),
    sa.Column("uploads", sa.Text, nullable=False, default="[]"),
    sa.Column("details", sa.Text, nullable=False, default="{}"),
    sa.Column("progress", sa.Double),
    sa.Column("problem", sa.Text),
    sa.Column("video", sa.Text),
    sa.Column("poster", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("worker", sa.Text),
    sa.Column("lease_until", sa.Double, nullable=False, default=0.0),
    sa.Column("deleted_at", sa.Double),
    sa.Column("account", sa.Text, nullable=False, default=""),
    sa.Column("ahead", sa.Double, nullable=False, default=0.0),
)
phases = sa.Table(
    "phases",
    metadata,
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)
quotes = sa.Table(
    "quotes",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("issued_at", sa.Double, nullable=False),
    sa.Column("digest", sa.Text),
    sa.Column("job_id", sa.Text),
)

_FIRST = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE jobs (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, engine TEXT NOT NULL, state TEXT NOT NULL,
        request TEXT NOT NULL, price BIGINT NOT NULL, money TEXT NOT NULL, day TEXT NOT NULL,
        quote TEXT UNIQUE, created_at DOUBLE PRECISION NOT NULL, updated_at DOUBLE PRECISION NOT NULL,
        finished_at DOUBLE PRECISION, submitted_at DOUBLE PRECISION, prediction_id TEXT NOT NULL,
        uploads TEXT NOT NULL, details TEXT NOT NULL, progress DOUBLE PRECISION, problem TEXT, video TEXT,
        poster TEXT, attempts INTEGER NOT NULL, worker TEXT, lease_until DOUBLE PRECISION NOT NULL,
        deleted_at DOUBLE PRECISION)""",
    "CREATE INDEX jobs_by_owner ON jobs (owner, created_at)",
    "CREATE INDEX jobs_by_state ON jobs (state)",
    "CREATE INDEX jobs_by_day ON jobs (day)",
    "CREATE TABLE phases (job_id TEXT NOT NULL, state TEXT NOT NULL, at DOUBLE PRECISION NOT NULL)",
    "CREATE INDEX phases_by_job ON phases (job_id)",
    """CREATE TABLE quotes (
        token TEXT PRIMARY KEY, owner TEXT NOT NULL, issued_at DOUBLE PRECISION NOT NULL,
        digest TEXT, job_id TEXT)""",
)
_SECOND = (
    # Which account a submit went to: a digest of the key, so that a look-up under another key proves nothing.
    "ALTER TABLE jobs ADD COLUMN account TEXT NOT NULL DEFAULT ''",
    # One prediction belongs to one job, whoever found it.
    "CREATE UNIQUE INDEX jobs_by_prediction ON jobs (prediction_id) WHERE prediction_id <> ''",
    "CREATE INDEX jobs_by_time ON jobs (created_at)",
)
_THIRD: tuple[str, ...] = ()
_FOURTH = (
    # By how many seconds the service's clock was ahead of ours at the submit, as far as that was known then.
    "ALTER TABLE jobs ADD COLUMN ahead DOUBLE PRECISION NOT NULL DEFAULT 0",
)
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND, _THIRD, _FOURTH)
"""Statements that lead from version n to n + 1. Append only."""
ON_SERVER = {
    # Groups are ranges of quotes: bytes in order, as SQLite has them, whatever language the server speaks.
    2: ('ALTER TABLE jobs ALTER COLUMN quote TYPE TEXT COLLATE "C"',)
}
"""What PostgreSQL needs beyond the statements of the same step. Append only."""


def migrate(engine: Engine, *, path: Path | None) -> None:
    """Bring the database to the newest version; refuse one that is newer or damaged, naming `path`."""
    try:
        if engine.dialect.name == "sqlite":
            _check_sqlite(engine, path)
        with engine.begin() as connection:
            version = _version(connection, path)
            for step in range(version, len(MIGRATIONS)):
                more = () if engine.dialect.name == "sqlite" else ON_SERVER.get(step, ())
                for statement in (*MIGRATIONS[step], *more):
                    connection.exec_driver_sql(statement)
            if version < len(MIGRATIONS):
                connection.execute(sa.delete(meta).where(meta.c.name == "version"))
                connection.execute(sa.insert(meta).values(name="version", value=str(len(MIGRATIONS))))
            elif version > len(MIGRATIONS):
                raise _newer(path, version)
    except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
        raise unusable(path, error) from error
    except sa.exc.DatabaseError as error:
        if "permission denied" in str(error.orig):
            raise unusable(path, error) from error
        raise damaged(path, str(error.orig)) from error


def _check_sqlite(engine: Engine, path: Path | None) -> None:
    """Read the file through before it is written to: every index entry too, unless it is a big one."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        tables = sa.inspect(connection).get_table_names()  # first: another start may be making ours just now
        version = _version(connection, path)
        if version > len(MIGRATIONS):
            raise _newer(path, version)
        if tables and meta.name not in tables:
            raise damaged(path, "it holds the tables of another program")
        small = path is None or not path.exists() or path.stat().st_size <= CHECKED_WHOLE
        verdict = connection.exec_driver_sql(f"PRAGMA {'integrity' if small else 'quick'}_check(1)").scalar()
        if verdict != "ok":
            raise damaged(path, str(verdict))
        _write_ahead(connection)


def _write_ahead(connection: Connection) -> None:
    """Switch to a write-ahead log. SQLite itself does not wait when another start does so at this moment."""
    until = time.monotonic() + database.PATIENCE_MS / 1000
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except sa.exc.OperationalError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.02)
        else:
            return


def _version(connection: Connection, path: Path | None) -> int:
    if not sa.inspect(connection).has_table("meta"):
        return 0
    value = connection.execute(sa.select(meta.c.value).where(meta.c.name == "version")).scalar()
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and value != "0"):
        raise damaged(path, "it does not say of which version it is")
    return int(value)


def _newer(path: Path | None, version: int) -> LedgerError:
    return LedgerError(
        f"{path or 'The database'} was written by a newer klingo1: its schema is {version}, this one knows "
        f"{len(MIGRATIONS)}. Use the newer klingo1, or set KLINGO1_HOME to another folder.",
        path=path,
    )
