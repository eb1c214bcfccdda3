"""The ledger's tables and how they came to be: append-only migrations, from the first schema on.

A database knows its version; older ones are brought up step by step in one transaction, newer or damaged
ones are refused untouched. A migration, once released, is never edited.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from klingo1.errors import LedgerError

READ_ONLY = "klingo1_read_only"
"""Execution option of connections that only read: they take no lock."""

PATIENCE_MS = 15_000
"""How long a write waits for another process to finish its own."""
LEDGER_LOCK = 0x6B6C696E676F31
"""The advisory lock that PostgreSQL's writers take: "klingo1" in ASCII."""
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
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND)
"""Statements that lead from version n to n + 1. Append only."""


def connect(url: str) -> Engine:
    """An engine on `url`; SQLite gets write-ahead logging with full sync and real write transactions.

    On PostgreSQL every writer first takes one lock of the whole ledger, so that money is decided by one
    transaction at a time there too. Raises LedgerError for an address that names neither.
    """
    try:
        engine = _engine(sa.make_url(url))
    except ImportError as error:
        raise LedgerError(
            "A PostgreSQL ledger needs the package psycopg: pip install 'klingo1[replicas]'.", path=None
        ) from error
    except sa.exc.ArgumentError as error:  # its text may hold the password
        raise LedgerError(
            "KLINGO1_DATABASE_URL is not the address of a database, such as postgresql://user@host/klingo1.",
            path=None,
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_immediate)
    else:
        sa.event.listen(engine, "begin", _lock_ledger)
    return engine


def _engine(url: sa.URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return sa.create_engine(url)
    if url.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise sa.exc.ArgumentError(url.drivername)
    given = {"connect_timeout": "10", "application_name": "klingo1"} | dict(url.query)
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg", query=given),
        pool_pre_ping=True,
        connect_args={"options": f"-c lock_timeout={PATIENCE_MS}"} if "options" not in url.query else {},
    )


def _lock_ledger(connection: Connection) -> None:
    # Released with the transaction. At READ COMMITTED each later statement sees what the last holder wrote.
    if not connection.get_execution_options().get(READ_ONLY):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LEDGER_LOCK})")


def _prepare_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined] # sqlite3's own: we say BEGIN ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined] # sqlite3's own
    for pragma in (
        f"busy_timeout = {PATIENCE_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # The default begins as a reader and may fail to become a writer; money is decided by writers only.
    if not connection.get_execution_options().get(READ_ONLY):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate(engine: Engine, *, path: Path | None) -> None:
    """Bring the database to the newest version; refuse one that is newer or damaged, naming `path`."""
    try:
        if engine.dialect.name == "sqlite":
            _check_sqlite(engine, path)
        with engine.begin() as connection:
            version = _version(connection)
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    connection.exec_driver_sql(statement)
            if version < len(MIGRATIONS):
                connection.execute(sa.delete(meta).where(meta.c.name == "version"))
                connection.execute(sa.insert(meta).values(name="version", value=str(len(MIGRATIONS))))
            elif version > len(MIGRATIONS):
                raise _newer(path, version)
    except sa.exc.OperationalError as error:
        raise unusable(path, error) from error
    except sa.exc.DatabaseError as error:
        raise _damaged(path, str(error.orig)) from error


def _check_sqlite(engine: Engine, path: Path | None) -> None:
    """Read the file through before it is written to: every index entry too, unless it is a big one."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        version = _version(connection)
        if version > len(MIGRATIONS):
            raise _newer(path, version)
        small = path is None or not path.exists() or path.stat().st_size <= CHECKED_WHOLE
        verdict = connection.exec_driver_sql(f"PRAGMA {'integrity' if small else 'quick'}_check(1)").scalar()
        if verdict != "ok":
            raise _damaged(path, str(verdict))


def _version(connection: Connection) -> int:
    if not sa.inspect(connection).has_table("meta"):
        return 0
    value = connection.execute(sa.select(meta.c.value).where(meta.c.name == "version")).scalar()
    return int(value) if value else 0


def unusable(path: Path | None, error: sa.exc.DBAPIError) -> LedgerError:
    """Why the ledger cannot be read or written just now, with what to do about it."""
    what = str(error.orig)[:200]
    remedy = "Check the folder's permissions and its disk"
    if "locked" in what or "busy" in what or "lock timeout" in what:
        remedy = "Another program holds it: close that one"
    elif "full" in what:
        remedy = "Free some space"
    elif "readonly" in what:
        remedy = "Make the file and its folder writable"
    elif "malformed" in what or "not a database" in what:
        return _damaged(path, what)
    return LedgerError(
        f"The ledger {path or ''} cannot be used: {what}. {remedy}; nothing is lost.", path=path
    )


def _newer(path: Path | None, version: int) -> LedgerError:
    return LedgerError(
        f"{path or 'The database'} was written by a newer klingo1: its schema is {version}, this one knows "
        f"{len(MIGRATIONS)}. Use the newer klingo1, or set KLINGO1_HOME to another folder.",
        path=path,
    )


def _damaged(path: Path | None, what: str) -> LedgerError:
    return LedgerError(
        f"{path or 'The database'} cannot be used ({what[:200]}). Nothing was changed. "
        "Restore it from a copy, or set KLINGO1_HOME to another folder.",
        path=path,
    )
