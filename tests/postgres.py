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
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB")
"""Nothing here outlives a power cut."""


def program(name: str) -> str | None:
    """Where a program of the newest PostgreSQL lies."""
    found = [path for pattern in _FOLDERS for path in Path("/").glob(f"{pattern[1:]}/{name}")]
    return shutil.which(name) or (str(max(found)) if found else None)


def missing(*, driver: bool = True) -> str:
    """Why no server can be used here; "" when one can."""
    if os.name != "posix":
        return "the server is started on POSIX systems only"
    if program("initdb") is None or program("postgres") is None:
        return "PostgreSQL is not installed (apt install postgresql)"
    if os.geteuid() == 0 and _account() is None:
        return "PostgreSQL does not run as root, and there is no account postgres"
    if driver and importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed (pip install 'klingo1[replicas]')"
    return ""


@functools.cache
def _account() -> int | None:
    import pwd

    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_uid
    return None


@contextlib.contextmanager
def running() -> Iterator[Path]:
    """The folder of a running server's socket. The only user is "klingo1", without a password."""
    as_user = {"user": _account()} if os.geteuid() == 0 else {}
    # Its path is short: a socket's may have some 100 characters.
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if as_user:
            os.chown(folder, as_user["user"], -1)

        def run(*words: str) -> None:
            subprocess.run(
                words, check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **as_user
            )

        data = str(folder / "data")
        run(program("initdb"), "-D", data, "-U", "klingo1", "-A", "trust", "-E", "UTF8", "--no-sync")
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write("".join(f"{line}\n" for line in _QUICK))
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n")
            settings.write("max_connections = 200\n")
        server = subprocess.Popen(
            [program("postgres"), "-D", data],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_user,
        )
        try:
            _await(folder, server)
            yield folder
        finally:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(5)  # a smart shutdown waits for clients; they are gone or will be cut
            if server.poll() is None:
                server.send_signal(2)
                server.wait(20)


def _await(folder: Path, server: subprocess.Popen[bytes]) -> None:
    ready = [program("pg_isready"), "-q", "-h", str(folder), "-t", "30"]
    for _ in range(200):
        if subprocess.run(ready, check=False).returncode == 0:
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError("PostgreSQL did not start")


def new_database(socket: Path) -> str:
    """The address of an empty database."""
    name = f"k{uuid.uuid4().hex[:12]}"
    subprocess.run([program("createdb"), "-h", str(socket), "-U", "klingo1", name], check=True)
    return f"postgresql://klingo1@/{name}?host={socket}"
