"""The draft service's record: transitions, ownership, tickets, space, pruning, foreign files."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from klingo1.draft import store as store_module
from klingo1.draft import uploads as uploads_module
from klingo1.draft.store import DraftStore, Filters
from klingo1.draft.uploads import Uploads, open_database
from klingo1.errors import LedgerError
from klingo1.prediction import Status

FIELDS = {"prompt": "a fox", "images": [], "duration": 5}


@pytest.fixture
def store(tmp_path):
    made = DraftStore(tmp_path)
    yield made
    made.close()


def test_a_prediction_goes_through_its_states(store):
    """Created, processing, completed; each step only from the one before, and the report is kept."""
    record = store.create("m", FIELDS, {"size": "720p"})
    assert (record.status, record.input, record.options) == (Status.CREATED, FIELDS, {"size": "720p"})
    assert not store.complete(record.id, inference_ms=1, report={})
    assert store.start(record)
    assert store.complete(record.id, inference_ms=7, report={"plan": 1})
    assert not store.start(record)
    assert not store.end(record.id, status=Status.FAILED, error="late", code=1)
    now = store.prediction(record.id)
    assert (now.status, now.inference_ms, now.report, now.starts) == (Status.COMPLETED, 7, {"plan": 1}, 1)


def test_the_record_outlives_the_process(tmp_path):
    """What was written is read by the next store over the same folder."""
    first = DraftStore(tmp_path)
    record = first.create("m", FIELDS, {})
    first.close()
    second = DraftStore(tmp_path)
    assert [one.id for one in second.unfinished()] == [record.id]
    second.close()


def test_work_is_taken_over_from_the_dead_only_and_once(tmp_path):
    """A living owner keeps its prediction; when it is gone, one of two survivors gets it."""
    owner, one, two = (DraftStore(tmp_path) for _ in range(3))
    record = owner.create("m", FIELDS, {})
    assert not owner.adopt(record)
    assert not one.adopt(record)
    owner.close()
    assert [one.adopt(record), two.adopt(record), one.adopt(record)] == [True, False, False]
    for each in (one, two):
        each.close()


def test_a_killed_process_counts_as_gone(tmp_path):
    """The owner's lock is let go of by the system, however the process ended."""
    program = (
        "import os, sys; from pathlib import Path; from klingo1.draft.store import DraftStore; "
        "print(DraftStore(Path(sys.argv[1])).create('m', {}, {}).id, flush=True); "
        "sys.stdin.read(); os._exit(9)"
    )
    root = Path(__file__).parents[2]
    with (
        closing(DraftStore(tmp_path)) as store,
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            text=True,
        ) as other,
    ):
        record = store.prediction(other.stdout.readline().strip())
        assert not store.adopt(record)
        other.kill()
        other.wait()
        assert store.adopt(record)


def test_forgetting_names_what_existed(store):
    """Rows go at once; the answer leaves out unknown ids and repetitions."""
    record = store.create("m", FIELDS, {})
    assert store.forget([record.id, record.id, "0" * 32]) == [record.id]
    assert store.prediction(record.id) is None


def test_the_list_ends_after_a_week(store, monkeypatch):
    """Predictions older than seven days are not listed and lose their files when it is tidied up."""
    old = store.create("m", FIELDS, {})
    store.start(old)
    store.complete(old.id, inference_ms=1, report={})
    for record in (old,):
        store.room(record.id).mkdir()
        store.video(record.id).write_bytes(b"film")
    real = time.time_ns
    monkeypatch.setattr(store_module.time, "time_ns", lambda: real() + 8 * 24 * 3600 * 10**9)
    fresh = store.create("m", FIELDS, {})
    assert [one.id for one in store.listed(Filters(1, 10))] == [fresh.id]
    store.prune()
    assert store.prediction(old.id) is None
    assert not store.room(old.id).exists()


def test_tidying_keeps_films_and_work_and_removes_the_rest(store):
    """A finished film stays without its references; rooms of nobody and of failures go."""
    done, failed, working = (store.create("m", FIELDS, {}) for _ in range(3))
    for record in (done, failed, working):
        room = store.room(record.id)
        room.mkdir()
        (room / "picture1").write_bytes(b"private")
        (room / "video.mp4").write_bytes(b"film")
        store.start(record)
    stray = store.room("f" * 32)
    stray.mkdir()
    store.complete(done.id, inference_ms=1, report={})
    store.end(failed.id, status=Status.FAILED, error="x", code=1403)
    store.prune()
    assert [path.name for path in store.room(done.id).iterdir()] == ["video.mp4"]
    assert not store.room(failed.id).exists()
    assert not stray.exists()
    assert len(list(store.room(working.id).iterdir())) == 2


def test_a_ticket_is_used_once(store, tmp_path):
    """Of many who claim a ticket at the same time one wins; its bytes are then kept under our name."""
    upload = store.uploads.reserve(4, "image/png")
    wins = []
    threads = [threading.Thread(target=lambda: wins.append(store.uploads.claim(upload))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [False] * 7 + [True]
    part = store.uploads.path(upload.id).with_suffix(".part")
    part.write_bytes(b"\x89PNG")
    assert store.uploads.kept(upload.id) is None
    assert store.uploads.keep(upload, part)
    assert store.uploads.kept(upload.id).size == 4
    assert store.uploads.path(upload.id).read_bytes() == b"\x89PNG"


def test_uploads_together_have_a_limit(store, tmp_path, monkeypatch):
    """Tickets count from the start; unused ones give their space back after an hour."""
    uploads = Uploads(store._engine, tmp_path / "uploads", space=100)
    assert uploads.reserve(60, "image/png")
    assert uploads.reserve(60, "image/png") is None
    real = time.time_ns
    monkeypatch.setattr(uploads_module.time, "time_ns", lambda: real() + 2 * 3600 * 10**9)
    assert uploads.reserve(60, "image/png")


def test_old_uploads_are_removed(store, monkeypatch):
    """After a week an upload's bytes and row are gone, and stray files with them."""
    upload = store.uploads.reserve(1, "image/png")
    store.uploads.claim(upload)
    part = store.uploads.path(upload.id).with_suffix(".part")
    part.write_bytes(b"x")
    store.uploads.keep(upload, part)
    stray = store.uploads.path("stray")
    stray.write_bytes(b"x")
    store.prune()
    assert store.uploads.kept(upload.id)
    assert not stray.exists()
    real = time.time_ns
    monkeypatch.setattr(uploads_module.time, "time_ns", lambda: real() + 8 * 24 * 3600 * 10**9)
    store.prune()
    assert store.uploads.kept(upload.id) is None
    assert not store.uploads.path(upload.id).exists()


def test_a_foreign_or_newer_file_is_refused_and_left_alone(tmp_path):
    """A file that is no database, or one from a newer version, raises LedgerError and is not changed."""
    path = tmp_path / "drafts.sqlite3"
    path.write_bytes(b"these are somebody's notes, not a database at all" * 10)
    before = path.read_bytes()
    with pytest.raises(LedgerError) as refused:
        open_database(path)
    assert (refused.value.path, path.read_bytes()) == (path, before)
    newer = tmp_path / "newer.sqlite3"
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LedgerError, match="newer"):
        open_database(newer)
