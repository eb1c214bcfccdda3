"""A PostgreSQL server on a folder of its own: no network, one socket, gone with the tests.

PostgreSQL does not run as root, so there it runs as the account that its system package made. Why it cannot
run here is a sentence (`missing`), which a skipped test shows.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB")
"""Nothing here outlives a power cut, nor, but for what a client asks for itself, a crash of the server."""


def program(name: str) -> str | None:
    """Where a program of the newest PostgreSQL lies."""
    found = [path for pattern in _FOLDERS for path in Path("/").glob(f"{pattern[1:]}/{name}")]
    return shutil.which(name) or (str(max(found)) if found else None)


def missing() -> str:
    """Why no server can be used here; "" when one can."""
    if os.name != "posix":
        return "the server is started on POSIX systems only"
    if program("initdb") is None or program("postgres") is None:
        return "PostgreSQL is not installed (apt install postgresql)"
    if os.geteuid() == 0 and _account() is None:
        return "PostgreSQL does not run as root, and there is no account postgres"
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed (pip install 'klingo1[replicas]')"
    return ""


@functools.cache
def _account() -> int | None:
    import pwd

    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_uid
    return None


class Server:
    """PostgreSQL in a folder of its own. The only user is "klingo1", without a password."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder
        """The folder of its socket."""
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user = {"user": _account()} if os.geteuid() == 0 else {}
        if self._as_user:
            os.chown(folder, self._as_user["user"], -1)
        options = ("-U", "klingo1", "-A", "trust", "-E", "UTF8", "--no-sync")
        subprocess.run(
            [program("initdb"), "-D", str(self._data), *options],
            check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **self._as_user,
        )  # fmt: skip
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write("".join(f"{line}\n" for line in _QUICK))
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n")
            settings.write("max_connections = 100\n")

    def start(self) -> None:
        """Returns when it answers."""
        self._process = subprocess.Popen(
            [program("postgres"), "-D", str(self._data)],
            cwd=self.socket,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_user,
        )
        ready = [program("pg_isready"), "-q", "-h", str(self.socket), "-t", "30"]
        for _ in range(200):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not start")

    CRASH = signal.SIGQUIT

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Cut every client off; with CRASH, leave at once."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(20)

    def new_database(self, *options: str) -> str:
        """The address of an empty database."""
        name = f"k{uuid.uuid4().hex[:12]}"
        subprocess.run(
            [program("createdb"), "-h", str(self.socket), "-U", "klingo1", *options, name], check=True
        )
        return f"postgresql://klingo1@/{name}?host={self.socket}"

    def ask(self, question: str, database: str = "postgres") -> str:
        """The answer of a session of its own, one line a row."""
        words = [program("psql"), "-h", str(self.socket), "-U", "klingo1", "-Atq", "-c", question, database]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def load(self, address: str, script: Path) -> None:
        """Run a script in a database."""
        words = [program("psql"), "-v", "ON_ERROR_STOP=1", "-q", "-f", str(script), address]
        subprocess.run(words, check=True)

    def clients(self, address: str) -> int:
        """How many connections a database has now."""
        where = f"datname = '{name_of(address)}' AND backend_type = 'client backend'"
        return int(self.ask(f"SELECT count(*) FROM pg_stat_activity WHERE {where}"))


def name_of(address: str) -> str:
    """The database's name."""
    return address.split("/")[3].partition("?")[0]


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server that runs for the length of the block."""
    # Its path is short: a socket's may have some 100 characters.
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        server = Server(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop(server.CRASH)  # nobody reads it again
