"""Engines on the ledger's database, SQLite or PostgreSQL, on which money is decided by one writer at a time.

SQLite's own write lock does it in a file. On PostgreSQL every write transaction first takes one advisory
lock: each later statement, at READ COMMITTED, sees all that the last holder committed. SERIALIZABLE would
keep the caps as well, by making the losers of a race repeat whole transactions: every click touches the same
sums, so under load most of them. Row locks hold no row that is not there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
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
CONNECTIONS, MORE_CONNECTIONS = 4, 6
"""Of each process to a server: kept open, and opened beyond that while many read at once."""
_SERVER_SETTINGS = {
    # What is committed is acted upon: a submit must not leave on the word of a row that a crash then forgets.
    "synchronous_commit": "on",
    "lock_timeout": PATIENCE_MS,
    # A replica that is frozen, or cut off, with a transaction open gives the lock back.
    "idle_in_transaction_session_timeout": PATIENCE_MS,
}
_CONNECTION = {
    "connect_timeout": "10",
    "application_name": "klingo1",
    # A server that vanished without a word is noticed in half a minute instead of two hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


def connect(url: str) -> Engine:
    """An engine on `url`; SQLite gets write-ahead logging with full sync and real write transactions.

    Nothing is asked of the database yet. Raises LedgerError for an address that names neither.
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
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg", query=_CONNECTION | dict(url.query)),
        # Under a stricter default of the server's, a transaction's view would be older than its lock.
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
        pool_timeout=PATIENCE_MS / 1000,
        connect_args={"options": _options(url.query.get("options", ""))},
    )


def _options(given: str | Sequence[str]) -> str:
    """Settings of each session; a person's own come after ours and so win."""
    ours = [f"-c {name}={value}" for name, value in _SERVER_SETTINGS.items()]
    return " ".join([*ours, *([given] if isinstance(given, str) else given)])


def _lock_ledger(connection: Connection) -> None:
    if not connection.get_execution_options().get(READ_ONLY):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LEDGER_LOCK})")


def _prepare_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined] # sqlite3's own: we say BEGIN ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined] # sqlite3's own
    for pragma in (f"busy_timeout = {PATIENCE_MS}", "synchronous = FULL", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}")  # none of them writes: the file may turn out not to be ours
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # The default begins as a reader and may fail to become a writer; money is decided by writers only.
    if not connection.get_execution_options().get(READ_ONLY):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def unusable(path: Path | None, error: sa.exc.SQLAlchemyError) -> LedgerError:
    """Why the ledger cannot be read or written just now, with what to do about it.

    `path` is None for a server, whose driver names host and user but never a password.
    """
    what = str(getattr(error, "orig", None) or error).strip().partition("\n")[0][:200]
    remedy = _server_remedy(what) if path is None else _file_remedy(what)
    if not remedy:
        return damaged(path, what)
    name = path or "on the database server"
    return LedgerError(f"The ledger {name} cannot be used: {what}. {remedy}; nothing is lost.", path=path)


def damaged(path: Path | None, what: str) -> LedgerError:
    """What is there is no ledger."""
    remedy = "Restore it from a copy, or set KLINGO1_HOME to another folder."
    if path is None:
        remedy = "Restore it from a copy, or name another database in KLINGO1_DATABASE_URL."
    return LedgerError(
        f"{path or 'The database'} cannot be used ({what[:200]}). Nothing was changed. {remedy}", path=path
    )


def _file_remedy(what: str) -> str:
    if "locked" in what or "busy" in what:
        return "Another program holds it: close that one"
    if "full" in what:
        return "Free some space"
    if "readonly" in what:
        return "Make the file and its folder writable"
    if "malformed" in what or "not a database" in what:
        return ""
    return "Check the folder's permissions and its disk"


def _server_remedy(what: str) -> str:
    if "lock timeout" in what:
        return "Another program holds its lock: end what hangs there"
    if "permission denied" in what or "authentication" in what:
        return "Give the user of KLINGO1_DATABASE_URL its password, and the right to create tables there"
    if "too many" in what or "connection slots" in what or "QueuePool" in what:
        return "Fewer replicas, or more of the server's max_connections"
    return "Check that the server of KLINGO1_DATABASE_URL runs and can be reached"
