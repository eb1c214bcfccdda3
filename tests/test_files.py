"""Files of runs behind an address: shared by replicas with homes of their own, or nowhere but at home."""

import contextlib
import os
import shutil
import uuid

import fsspec
import pytest
from conftest import draw_picture, wait_for
from faults.clock import HastyClock
from faults.server import FaultServer
from test_replicas import await_that

from klingo1 import files as files_module
from klingo1.download import is_whole_mp4
from klingo1.errors import FilesUnreachable, LedgerError, SettingsError
from klingo1.files import Files, files_of
from klingo1.job import State
from klingo1.request import VideoRequest
from klingo1.retention import ORPHAN_SECONDS
from klingo1.settings import Settings
from klingo1.studio import Studio
from klingo1.uploads import PREPARED, job_folder


@pytest.fixture
def clock():
    return HastyClock()


@pytest.fixture(params=["memory", "file"])
def address(request, tmp_path):
    """A shared place, in memory and on disk."""
    name = f"shared-{uuid.uuid4().hex}"
    yield f"memory://{name}" if request.param == "memory" else f"file://{tmp_path / name}"
    if request.param == "memory":
        with contextlib.suppress(FileNotFoundError):
            fsspec.filesystem("memory").rm(f"/{name}", recursive=True)


@pytest.fixture
def replicas(address, tmp_path, clock):
    """Opens studios on one ledger and one shared place, each with a home of its own."""
    opened = []

    def open_one(name, server, **settings):
        given = {
            "home": tmp_path / name,
            "api_key": "wsk_canary_0123456789",
            "base_url": server.url,
            "database_url": f"sqlite:///{tmp_path / 'ledger.sqlite3'}",
            "files": address,
        }
        opened.append(Studio(Settings(**given | settings), clock=clock))
        opened[-1].start()
        return opened[-1]

    yield open_one
    for studio in opened:
        studio.close()


def contents(address):
    system, root = fsspec.core.url_to_fs(address)
    return {name.removeprefix(root): system.cat_file(name) for name in system.find(root)}


def freeze(studio):
    """As a process that was stopped: nothing is let go of."""
    studio._background.call(studio._background.cancel_all()).result(5)


def test_files_go_to_the_shared_place_whole_and_come_back(address, tmp_path):
    """What one home keeps another fetches, byte for byte; a second time nothing is moved."""
    here, there = tmp_path / "here", tmp_path / "there"
    made = here / "jobs" / "1" / "video.mp4"
    made.parent.mkdir(parents=True)
    made.write_bytes(os.urandom(70_000))
    Files(here, address).keep([made])
    assert contents(address) == {"/jobs/1/video.mp4": made.read_bytes()}
    other = Files(there, address)
    wanted = there / "jobs" / "1" / "video.mp4"
    other.fetch([wanted, there / "jobs" / "1" / "nowhere.jpg"])
    assert wanted.read_bytes() == made.read_bytes()
    assert {path.name for path in wanted.parent.iterdir()} == {"video.mp4"}
    before = wanted.stat()
    other.fetch([wanted])
    assert wanted.stat().st_ino == before.st_ino


def test_on_one_disk_a_shared_file_is_no_copy(tmp_path):
    """A shared folder on the same disk holds the same file under another name."""
    made = tmp_path / "home" / "jobs" / "1" / "video.mp4"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"x" * 1000)
    Files(tmp_path / "home", f"file://{tmp_path / 'shared'}").keep([made])
    assert (tmp_path / "shared" / "jobs" / "1" / "video.mp4").samefile(made)


def test_without_an_address_nothing_leaves_the_home(tmp_path):
    """A desk's files lie where they are; no other place is asked, and fsspec is not even loaded."""
    files = Files(tmp_path)
    files.keep([tmp_path / "jobs" / "1" / "video.mp4"])
    files.fetch([tmp_path / "jobs" / "1" / "video.mp4"])
    assert not files.shared
    assert files.remove_orphans(known=[], gone=["1"], unborn="references") == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["nonsense://x", "smb://u:hunter2@h/x"])
def test_a_place_that_cannot_be_opened_is_named_by_its_setting(tmp_path, address):
    """An unknown kind, or one whose package is missing, ends the start; the setting is named, no secret."""
    with pytest.raises(SettingsError) as refused:
        Studio(Settings(home=tmp_path, files=address)).start()
    assert refused.value.variable == "KLINGO1_FILES"
    assert "hunter2" not in str(refused.value)


def test_a_file_that_arrives_cut_is_not_kept(tmp_path, monkeypatch):
    """The length is verified where the file went; a short one is an error, and the next attempt mends it."""
    made = tmp_path / "jobs" / "1" / "video.mp4"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"x" * 1000)
    files = Files(tmp_path, f"memory://{uuid.uuid4().hex}")
    put = files._system.put_file

    def cut(source, to):
        put(source, to)
        files._system.pipe_file(to, b"x" * 10)

    monkeypatch.setattr(files._system, "put_file", cut)
    with pytest.raises(FilesUnreachable):
        files.keep([made])
    monkeypatch.undo()
    files.keep([made])
    assert files._system.info(f"{files._root}/jobs/1/video.mp4")["size"] == 1000


def test_any_replica_shows_what_another_has_made(replicas, picture):
    """Video, poster and references of a run are at hand in a home that never saw it."""
    with FaultServer() as server:
        first, second = replicas("a", server), replicas("b", server)
        job = first.submit(VideoRequest("a walk", (picture,), duration=3), engine="kling")
        done = wait_for(first, job.id, State.DONE)
        shown = second.job(job.id)
        assert shown.video != done.video
        assert is_whole_mp4(shown.video)
        assert [path.read_bytes() for path in files_of(shown)] == [
            path.read_bytes() for path in files_of(done)
        ]
        assert shown.poster in files_of(shown)


def test_a_run_goes_on_where_its_references_never_were(replicas, picture, monkeypatch):
    """The replica that prepared it is gone with its home: another prepares anew and sends clean copies."""
    monkeypatch.setattr("klingo1.leases.LEASE_SECONDS", 0.4)
    monkeypatch.setattr("klingo1.studio.LEASE_SECONDS", 0.4)
    monkeypatch.setattr("klingo1.leases.HEARTBEAT_SECONDS", 0.1)
    with FaultServer() as server:
        first = replicas("a", server)
        monkeypatch.setattr(first._course, "_upload_and_submit", lambda _: first._clock.sleep(1))
        job = first.submit(VideoRequest("a walk", (picture,), duration=3), engine="kling")
        wait_for(first, job.id, State.UPLOADING)
        freeze(first)
        shutil.rmtree(job_folder(first.settings.home, job.id))
        second = replicas("b", server)
        wait_for(second, job.id, State.DONE)
        assert server.billed == 1
        folder = job_folder(second.settings.home, job.id)
        sent = [seen.body for seen in server.requests if seen.route == "put"]
        assert sent == [(folder / PREPARED / "1.jpg").read_bytes()]


@pytest.mark.parametrize("address", ["file"], indirect=True)
def test_a_draft_of_a_replica_that_is_gone_is_made_anew(replicas, picture):
    """Its service, which alone knew the prediction, is gone: the survivor makes it from the references."""
    with FaultServer() as server:
        first = replicas("a", server)
        job = first.submit(VideoRequest("a walk", (picture,), duration=3))
        wait_for(first, job.id, State.RUNNING)
        first.close()
        shutil.rmtree(first.settings.home)
        second = replicas("b", server)
        done = wait_for(second, job.id, State.DONE, seconds=120)  # films come after other tests' work
        assert is_whole_mp4(done.video)
        assert server.requests == []
        # The engine's own copy is gone once the film is kept.
        predictions = second.settings.home / "drafts" / "predictions"
        await_that(lambda: not list(predictions.iterdir()))


def test_a_place_that_is_away_makes_results_wait_and_pages_go_without(replicas, picture, monkeypatch):
    """A finished video waits until it can be kept, and says why; a page shows the run without its files."""
    with FaultServer() as server:
        first, second = replicas("a", server), replicas("b", server)
        put = Files._put

        def away(*_):
            raise ConnectionError("s3://user:hunter2@host is away")

        monkeypatch.setattr(Files, "_put", away)
        with pytest.raises(LedgerError):
            first.submit(VideoRequest("a walk", (picture,), duration=3), engine="kling")
        assert server.requests == []
        job = first.submit(VideoRequest("a walk", ("https://example.com/a.jpg",), duration=3), engine="kling")
        waiting = wait_for(first, job.id, State.DOWNLOADING)
        while waiting.problem is None:
            waiting = first.job(job.id)
        assert waiting.problem.kind == "DiskError"
        assert "hunter2" not in waiting.problem.text
        monkeypatch.setattr(Files, "_put", put)
        assert wait_for(first, job.id, State.DONE).problem is None
        monkeypatch.setattr(Files, "_get", away)
        assert not second.job(job.id).video.exists()
        monkeypatch.undo()
        assert not second.job(job.id).video.exists()  # it rests, so that no look waits for it
        monkeypatch.setattr(second._files, "_rest_until", 0.0)
        assert second.job(job.id).video.exists()
        assert server.billed == 1


def test_forgetting_reaches_the_shared_place_and_other_homes(replicas, address, picture):
    """A deleted run's files go from the shared place at once, from another replica's home with its sweep."""
    with FaultServer() as server:
        first, second = replicas("a", server), replicas("b", server)
        job = first.submit(VideoRequest("a walk", (picture,), duration=3), engine="kling")
        wait_for(first, job.id, State.DONE)
        copy = second.job(job.id).video
        assert contents(address)
        second._retention.delete_all("desk")
        assert contents(address) == {}
        folder = job_folder(first.settings.home, job.id)
        os.utime(folder, (0, 0))
        first.sweep()
        assert not folder.exists()
        assert not copy.exists()


def test_what_nobody_owns_in_the_shared_place_goes_at_the_second_look(address, tmp_path):
    """Without a row a folder may be about to get one; later it is litter, unless it holds a result."""
    files = Files(tmp_path, address)
    paths = ("known/references/1", "litter/references/1", "another/video", "emptied/video")
    for path in paths:
        made = tmp_path / "jobs" / f"{path}.jpg"
        made.parent.mkdir(parents=True)
        draw_picture(made)
        files.keep([made])
    asked = {"known": ["known"], "gone": ["emptied"], "unborn": "references"}
    assert [files.remove_orphans(**asked) for _ in range(3)] == [1, 1, 0]
    assert set(contents(address)) == {"/jobs/known/references/1.jpg", "/jobs/another/video.jpg"}


def test_a_full_home_lets_copies_go_and_no_run(replicas, picture, clock):
    """Where files are shared the quota is a cache of copies, which are fetched again."""
    with FaultServer() as server:
        studio = replicas("a", server, hosted=True, quota=60_000)
        owner = "v-" + "x" * 24
        studio.give_key(owner, "wsk_canary_0123456789")
        job = studio.submit(VideoRequest("a walk", (picture,), duration=3), engine="kling", owner=owner)
        while studio.job(job.id, owner=owner).state is not State.DONE:
            pass
        folder = job_folder(studio.settings.home, job.id)
        assert folder.exists()
        studio.settings.home.joinpath("ballast").write_bytes(b"x" * 60_000)
        studio.sweep()
        assert not folder.exists()
        assert is_whole_mp4(studio.job(job.id, owner=owner).video)
        assert files_module.REST_SECONDS < ORPHAN_SECONDS
