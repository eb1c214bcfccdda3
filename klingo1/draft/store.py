"""What the draft service remembers of its predictions, in SQLite and plain files under one folder.

    drafts.sqlite3          predictions, and the uploads of uploads.py, in WAL mode
    predictions/<id>/       video.mp4, and while it is being made: progress, stop, fetched references
    cache/                  the renderer's own
    corrections/            roles, views and masks that people gave, by picture
    owners/<name>           locked for as long as the process that makes those predictions lives

Several processes may share a folder (a page and a command): each prediction belongs to one of them, and a
process that died is told by its lock being free, so a survivor or the next start takes its work over.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Integer,
    Row,
    String,
    Table,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)

from klingo1.draft.owners import Owner
from klingo1.draft.uploads import META, WEEK_NS, Uploads, open_database, uploads_named
from klingo1.prediction import Status

RUNNING = (Status.CREATED.value, Status.PROCESSING.value)

_PREDICTIONS = Table(
    "predictions",
    META,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("model", String(200), nullable=False),
    Column("account", String(32), nullable=False, index=True),
    Column("status", String(16), nullable=False, index=True),
    Column("created_ns", BigInteger, nullable=False, index=True),
    Column("input", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    Column("owner", String(32), nullable=False, default=""),
    Column("starts", Integer, nullable=False, default=0),
    Column("error", String(500), nullable=False, default=""),
    Column("code", Integer, nullable=False, default=0),
    Column("inference_ms", Integer, nullable=False, default=0),
    Column("report", JSON),
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is asked for: a page from 1, of `size` entries. Times are nanoseconds since 1970."""

    page: int
    size: int
    after_ns: int | None = None
    before_ns: int | None = None
    model: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One prediction as stored. `input` holds the contract's six fields, `options` the draft extension."""

    id: str
    model: str
    status: Status
    created_ns: int
    input: Mapping[str, Any]
    options: Mapping[str, Any]
    owner: str
    starts: int
    error: str
    code: int
    inference_ms: int
    report: Mapping[str, Any] | None

    @property
    def running(self) -> bool:
        """It waits for its turn or is being made."""
        return not self.status.ended


class DraftStore:
    """The record of one folder. Safe to call from several threads. Raises LedgerError when it cannot open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("predictions", "cache"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._engine = open_database(folder / "drafts.sqlite3")
        self._owner = Owner(folder / "owners")
        self.uploads = Uploads(self._engine, folder / "uploads")

    def close(self) -> None:
        """Let go of the files; unfinished predictions may then be taken over."""
        self._owner.release()
        self._engine.dispose()

    @property
    def cache(self) -> Path:
        """The renderer's folder."""
        return self._folder / "cache"

    @property
    def corrections(self) -> Path:
        """What people said about pictures; kept longer than films."""
        return self._folder / "corrections"

    def room(self, prediction_id: str) -> Path:
        """The folder of one prediction."""
        return self._folder / "predictions" / prediction_id

    def video(self, prediction_id: str) -> Path:
        """Where its film is, or will be."""
        return self.room(prediction_id) / "video.mp4"

    def poster(self, prediction_id: str) -> Path:
        """Where an early frame of it appears while it is made."""
        return self.room(prediction_id) / "poster.jpg"

    def create(
        self, model: str, fields: Mapping[str, Any], options: Mapping[str, Any], account: str = ""
    ) -> Record:
        """A new prediction, owned by this process. `account` is whose list shows it."""
        new = secrets.token_hex(16)
        with self._engine.begin() as db:
            db.execute(
                insert(_PREDICTIONS).values(
                    id=new,
                    model=model,
                    account=account,
                    status=Status.CREATED.value,
                    created_ns=time.time_ns(),
                    input=dict(fields),
                    options=dict(options),
                    owner=self._owner.name,
                )
            )
        record = self.prediction(new)
        assert record is not None
        return record

    def prediction(self, prediction_id: str) -> Record | None:
        """One prediction, or None."""
        with self._engine.connect() as db:
            row = db.execute(select(_PREDICTIONS).where(_PREDICTIONS.c.id == prediction_id)).first()
        return None if row is None else _record(row)

    def listed(self, wanted: Filters, account: str = "") -> list[Record]:
        """One page of an account's predictions of the last week, newest first. Time bounds are inclusive."""
        c = _PREDICTIONS.c
        since = max(time.time_ns() - WEEK_NS, wanted.after_ns or 0)
        query = select(_PREDICTIONS).where(c.account == account, c.created_ns >= since)
        if wanted.before_ns is not None:
            query = query.where(c.created_ns <= wanted.before_ns)
        if wanted.model is not None:
            query = query.where(c.model == wanted.model)
        if wanted.status is not None:
            query = query.where(c.status == wanted.status)
        query = query.order_by(c.created_ns.desc(), c.number.desc())
        query = query.limit(wanted.size).offset((wanted.page - 1) * wanted.size)
        with self._engine.connect() as db:
            return [_record(row) for row in db.execute(query)]

    def unfinished(self) -> list[Record]:
        """What waits or is being made, oldest first, whoever owns it."""
        query = select(_PREDICTIONS).where(_PREDICTIONS.c.status.in_(RUNNING)).order_by(_PREDICTIONS.c.number)
        with self._engine.connect() as db:
            return [_record(row) for row in db.execute(query)]

    def running_count(self) -> int:
        """How many wait or are being made."""
        query = select(func.count()).select_from(_PREDICTIONS).where(_PREDICTIONS.c.status.in_(RUNNING))
        with self._engine.connect() as db:
            return int(db.scalar(query) or 0)

    def adopt(self, record: Record) -> bool:
        """Take over a prediction whose owner is gone; says whether it is this process's own now."""
        if record.owner == self._owner.name or self._owner.lives(record.owner):
            return False
        return self._change(record.id, RUNNING, owner=self._owner.name, also_owner=record.owner)

    def start(self, record: Record) -> bool:
        """Its rendering begins (again)."""
        return self._change(
            record.id, RUNNING, status=Status.PROCESSING.value, starts=record.starts + 1, error="", code=0
        )

    def complete(self, prediction_id: str, *, inference_ms: int, report: Mapping[str, Any]) -> bool:
        """Its film stands."""
        return self._change(
            prediction_id,
            (Status.PROCESSING.value,),
            status=Status.COMPLETED.value,
            inference_ms=inference_ms,
            report=dict(report),
        )

    def end(
        self, prediction_id: str, *, status: Status, error: str, code: int, inference_ms: int = 0
    ) -> bool:
        """It ended without a film."""
        return self._change(
            prediction_id,
            RUNNING,
            status=status.value,
            error=error[:500],
            code=code,
            inference_ms=inference_ms,
        )

    def _change(
        self, prediction_id: str, leaves: Iterable[str], *, also_owner: str | None = None, **values: Any
    ) -> bool:
        query = update(_PREDICTIONS).where(
            _PREDICTIONS.c.id == prediction_id, _PREDICTIONS.c.status.in_(tuple(leaves))
        )
        if also_owner is not None:
            query = query.where(_PREDICTIONS.c.owner == also_owner)
        with self._engine.begin() as db:
            return db.execute(query.values(**values)).rowcount == 1

    def forget(self, ids: Iterable[str]) -> list[str]:
        """Delete these predictions' rows, and uploads that no other one names; the answer names those that
        existed. `clear` removes their files. No word of theirs stays in the database or its journal.
        """
        found = [record for one in dict.fromkeys(ids) if (record := self.prediction(one))]
        with self._engine.begin() as db:
            gone = [
                record
                for record in found
                if db.execute(delete(_PREDICTIONS).where(_PREDICTIONS.c.id == record.id)).rowcount
            ]
            named = {one for record in gone for one in uploads_named(record.input)}
            text = cast(_PREDICTIONS.c.input, String)
            unused = [
                one
                for one in named
                if db.execute(select(_PREDICTIONS.c.id).where(text.contains(one))).first() is None
            ]
        self.uploads.discard(unused)
        if gone:
            with self._engine.connect() as db:
                db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return [record.id for record in gone]

    def clear(self, prediction_id: str, *, keep_video: bool = False) -> None:
        """Remove a prediction's files, or all but its film and poster."""
        room = self.room(prediction_id)
        if not keep_video:
            shutil.rmtree(room, ignore_errors=True)
            return
        for path in room.glob("*") if room.is_dir() else ():
            if path not in (self.video(prediction_id), self.poster(prediction_id)):
                path.unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove what is older than a week, files without a row, and what finished films no longer need."""
        c = _PREDICTIONS.c
        limit = time.time_ns() - WEEK_NS
        with self._engine.connect() as db:
            old = db.scalars(select(c.id).where(c.created_ns < limit, c.status.not_in(RUNNING))).all()
        for one in self.forget(old):
            self.clear(one)
        for room in (self._folder / "predictions").iterdir():
            record = self.prediction(room.name)
            if record is None:
                self.clear(room.name)
            elif not record.running:
                self.clear(room.name, keep_video=record.status.succeeded)
        for path in self.cache.rglob("*"):
            if path.is_file() and path.stat().st_mtime_ns < limit:
                path.unlink(missing_ok=True)
        self.uploads.prune()
        self._owner.sweep()


def _record(row: Row[Any]) -> Record:
    found = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    del found["number"], found["account"]
    return Record(**found | {"status": Status(found["status"])})
