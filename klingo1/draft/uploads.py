"""Uploads of the draft service: one-shot tickets, the bytes that came, and the space they may take.

A file is named by the id that this service gave it; what the sender called it is not kept. Also opens the
database that it shares with store.py.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError

from klingo1.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

VERSION = 1
_MEDIA = re.compile(r"/media/([0-9a-f]{32})\b")
WEEK_NS = 7 * 24 * 3600 * 10**9
"""The contract keeps uploads, outputs and the list for seven days."""
TICKET_NS = 3600 * 10**9
"""A ticket or a half-sent upload that is older than an hour is over."""
SPACE = 4 * 1024**3
"""Bytes that all uploads together may take."""

META = MetaData()
_UPLOADS = Table(
    "uploads",
    META,
    Column("id", String(32), primary_key=True),
    Column("token", String(32), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("content_type", String(100), nullable=False),
    Column("state", String(8), nullable=False),
    Column("created_ns", BigInteger, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A ticket and what came of it: `state` is ticket, writing, kept or void; `size` is in bytes."""

    id: str
    token: str
    size: int
    content_type: str
    state: str


def open_database(path: Path) -> Engine:
    """The SQLite file at `path`, made when missing. Raises LedgerError when it is unreadable or newer."""
    engine = create_engine(f"sqlite:///{path.as_posix()}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        # A draft costs nothing: losing the last one to a power cut is cheaper than a flush a step.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")

    try:
        with engine.begin() as db:
            version = int(db.exec_driver_sql("PRAGMA user_version").scalar_one())
            if version <= VERSION:
                META.create_all(db)
                db.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    except DatabaseError as error:
        engine.dispose()
        raise LedgerError("The record of drafts cannot be opened.", path=path) from error
    if version > VERSION:
        engine.dispose()
        raise LedgerError("A newer klingo1 wrote this folder of drafts.", path=path)
    return engine


class Uploads:
    """Uploads in `folder`. Safe to call from several threads."""

    def __init__(self, engine: Engine, folder: Path, *, space: int = SPACE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._engine = engine
        self._folder = folder
        self._space = space

    def path(self, upload_id: str) -> Path:
        """Where an upload's bytes are, or will be."""
        return self._folder / upload_id

    def reserve(self, size: int, content_type: str) -> Upload | None:
        """A ticket for `size` bytes, or None when there is no space left."""
        new = Upload(secrets.token_hex(16), secrets.token_hex(16), size, content_type, "ticket")
        c = _UPLOADS.c
        with self._engine.begin() as db:
            db.execute(
                update(_UPLOADS)
                .where(c.state.in_(("ticket", "writing")), c.created_ns < time.time_ns() - TICKET_NS)
                .values(state="void", size=0)
            )
            if int(db.scalar(select(func.sum(c.size))) or 0) + size > self._space:
                return None
            db.execute(
                insert(_UPLOADS).values(
                    id=new.id,
                    token=new.token,
                    size=size,
                    content_type=content_type,
                    state=new.state,
                    created_ns=time.time_ns(),
                )
            )
        return new

    def by_token(self, token: str) -> Upload | None:
        """The ticket with this token, in whatever state."""
        return self._one(_UPLOADS.c.token == token)

    def kept(self, upload_id: str) -> Upload | None:
        """An upload that arrived whole, or None."""
        found = self._one(_UPLOADS.c.id == upload_id)
        return found if found and found.state == "kept" and self.path(upload_id).is_file() else None

    def claim(self, upload: Upload) -> bool:
        """Use the ticket up; only one caller wins."""
        return self._move(upload, "ticket", state="writing")

    def keep(self, upload: Upload, part: Path) -> bool:
        """All bytes are in `part`: they become the upload. False when the ticket was over meanwhile."""
        part.replace(self.path(upload.id))
        if self._move(upload, "writing", state="kept"):
            return True
        self.path(upload.id).unlink(missing_ok=True)
        return False

    def void(self, upload: Upload) -> None:
        """The bytes did not come as promised; the ticket is over."""
        self._move(upload, "writing", state="void", size=0)

    def discard(self, ids: Iterable[str]) -> None:
        """Remove uploads and their files."""
        for one in ids:
            with self._engine.begin() as db:
                db.execute(delete(_UPLOADS).where(_UPLOADS.c.id == one))
            self.path(one).unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove uploads older than a week, and files that no row keeps."""
        c = _UPLOADS.c
        with self._engine.begin() as db:
            db.execute(delete(_UPLOADS).where(c.created_ns < time.time_ns() - WEEK_NS))
            live = set(db.scalars(select(c.id).where(c.state.in_(("kept", "writing")))))
        for path in self._folder.iterdir():
            if path.name.partition(".")[0] not in live:
                path.unlink(missing_ok=True)

    def _one(self, condition: Any) -> Upload | None:
        c = _UPLOADS.c
        with self._engine.connect() as db:
            row = db.execute(select(c.id, c.token, c.size, c.content_type, c.state).where(condition)).first()
        return None if row is None else Upload(*row)

    def _move(self, upload: Upload, leaves: str, **values: Any) -> bool:
        query = update(_UPLOADS).where(_UPLOADS.c.id == upload.id, _UPLOADS.c.state == leaves)
        with self._engine.begin() as db:
            return bool(db.execute(query.values(**values)).rowcount)


def uploads_named(fields: Mapping[str, Any]) -> set[str]:
    """Ids of uploads that a prediction's input names."""
    addresses = [*(fields.get("images") or ()), fields.get("video") or ""]
    return {found[1] for address in addresses if (found := _MEDIA.search(str(address)))}
