"""What is deleted is gone down to the bytes; what nobody asked to delete stays."""

import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import draw_picture, wait_for
from faults.server import FaultServer
from PIL import Image

from klingo1 import disk
from klingo1.errors import Busy, JobNotFound
from klingo1.job import Money, State
from klingo1.request import VideoRequest
from klingo1.retention import FREE_MIN, UNDO_SECONDS
from klingo1.ui.shelf import Shelf
from klingo1.visitors import DESK, new_token

SECRET_WORDS = "zebra-canary walks along the quay"
DAY = 24 * 3600.0
MB, GB = 10**6, 10**9


def render_quickly(order):
    """A renderer that leaves what the real one leaves: a film, and a cut-out in the cache."""
    from faults.clip import clip

    if order.cache is not None:
        order.cache.mkdir(exist_ok=True)
        (order.cache / "cut.npz").write_bytes(b"cut out of a picture")
    order.output.write_bytes(clip())
    return {"summary": order.request.prompt}


@pytest.fixture
def quick_drafts(monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    from klingo1.draft import service
    from klingo1.engines import Engines

    executor = ThreadPoolExecutor(2)

    def make(engines):
        home = engines._settings.home
        return service.DraftService(home / "drafts", executor=executor, render=render_quickly)

    monkeypatch.setattr(Engines, "_draft_service", make)
    yield
    executor.shutdown()


def traces(folder: Path, *needles: bytes) -> list[str]:
    """Every file, journals included, whose bytes hold one of these."""
    return [
        f"{path.relative_to(folder)} holds {needle[:30]!r}"
        for path in disk.files_in(folder)
        for needle in needles
        if needle in path.read_bytes()
    ]


def middle(file: Path) -> bytes:
    """Forty bytes out of the middle of a file: they are in no other."""
    data = file.read_bytes()
    return data[len(data) // 2 : len(data) // 2 + 40]


def ask(picture, prompt=SECRET_WORDS):
    return VideoRequest(prompt=prompt, images=(picture,))


def ended(studio, job, owner):
    until = time.monotonic() + 15
    while time.monotonic() < until:
        now = studio.job(job.id, owner=owner)
        if now.state.ended:
            return now
        time.sleep(0.01)
    raise AssertionError(now.state)


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def put_in_cache(cache, file, name):
    to = cache / os.urandom(8).hex() / name
    to.parent.mkdir()
    to.write_bytes(file.read_bytes())
    return to


def test_delete_everything_of_mine_leaves_no_byte(open_studio, tmp_path, cache, quick_drafts):
    """Prompt, picture, clean copy, film and what was uploaded or shown are gone from every file; another's
    are there, even the very same picture.
    """
    studio = open_studio(hosted=True, cache=cache)
    mine, other = new_token(), new_token()
    picture = draw_picture(tmp_path / "mine.jpg", colour=(200, 30, 30))
    Image.effect_noise((640, 480), 90).convert("RGB").save(picture)
    uploaded = put_in_cache(cache, picture, "holiday of Ada.jpg")
    jobs = [studio.submit(ask(uploaded, f"{SECRET_WORDS} {n}"), owner=mine) for n in range(2)]
    jobs = [ended(studio, job, mine) for job in jobs]
    kept = ended(
        studio, studio.submit(ask(draw_picture(tmp_path / "b.jpg"), "other words"), owner=other), other
    )
    Shelf(cache).publish(jobs[0].video)
    put_in_cache(cache, tmp_path / "b.jpg", "b.jpg")
    put_in_cache(cache, picture, "the same holiday.jpg")
    home = studio.settings.home
    prepared = next((home / "jobs" / jobs[0].id / "prepared").iterdir())
    needles = [b"zebra-canary", middle(picture), middle(prepared)]
    assert len(traces(home, *needles)) >= 5
    assert studio.delete_all(mine) == 0
    assert traces(home, *needles) == []
    assert {path.name for path in disk.files_in(cache)} == {"b.jpg", "the same holiday.jpg"}
    assert not (home / "jobs" / jobs[0].id).exists()
    assert studio.jobs(owner=mine) == []
    assert studio.job(kept.id, owner=other).request.prompt == "other words"
    assert kept.video.is_file()
    assert traces(home, b"other words")


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a second disk")
def test_a_cache_on_another_disk_is_searched_by_content(open_studio, tmp_path, quick_drafts):
    """Where no link can be made, what was uploaded is known by its bytes."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        studio = open_studio(hosted=True, cache=Path(folder))
        mine = new_token()
        uploaded = put_in_cache(Path(folder), draw_picture(tmp_path / "mine.jpg"), "holiday of Ada.jpg")
        ended(studio, studio.submit(ask(uploaded), owner=mine), mine)
        assert studio.delete_all(mine) == 0
        assert list(disk.files_in(Path(folder))) == []


def test_f76_delete_keeps_id_and_cost(open_studio, picture):
    """A paid run that is deleted stays in the account: its id, its prediction, its price, its day."""
    with FaultServer() as server:
        studio = open_studio(server)
        job = wait_for(studio, studio.submit(ask(picture), engine="kling").id, State.DONE)
        spent = studio.spending()
        studio.delete_all()
        assert studio.spending() == spent
        row = studio._ledger.job(job.id)
        assert (row.prediction_id, row.price, row.money) == (job.prediction_id, job.price, Money.SPENT)
        assert traces(studio.settings.home, b"zebra-canary") == []


def test_a_deleted_run_can_be_restored_for_half_a_minute(open_studio, picture, clock, quick_drafts):
    """Hidden at once, back with one call, gone with the first sweep after the time."""
    studio = open_studio()
    job = wait_for(studio, studio.submit(ask(picture)).id, State.DONE)
    studio.delete(job.id)
    assert studio.jobs() == []
    with pytest.raises(JobNotFound):
        studio.job(job.id)
    assert studio.sweep() == 0
    assert studio.restore(job.id).video.is_file()
    studio.delete(job.id)
    clock.skip(UNDO_SECONDS + 1)
    assert studio.sweep() == 1
    with pytest.raises(JobNotFound):
        studio.restore(job.id)
    assert traces(studio.settings.home, b"zebra-canary") == []


def test_a_paid_run_under_way_is_deleted_without_losing_the_trail_of_its_money(open_studio, picture, clock):
    """It counts as spent, its text goes, and its prediction id stays."""
    with FaultServer(script=["processing"]) as server:
        studio = open_studio(server)
        job = wait_for(studio, studio.submit(ask(picture), engine="kling").id, State.RUNNING)
        studio.delete(job.id)
        row = studio._ledger.job(job.id)
        assert (row.state, row.money) == (State.STOPPED, Money.SPENT)
        clock.skip(UNDO_SECONDS + 1)
        assert studio.sweep() == 1
        assert studio._ledger.job(job.id).prediction_id == job.prediction_id
        assert traces(studio.settings.home, b"zebra-canary") == []


def test_old_runs_are_erased_after_the_days_that_are_kept(open_studio, picture, clock, quick_drafts):
    """KLINGO1_KEEP_DAYS counts from the last change; without it nothing is ever erased."""
    studio = open_studio(keep_days=2)
    job = wait_for(studio, studio.submit(ask(picture)).id, State.DONE)
    clock.skip(1.9 * DAY)
    assert studio.sweep() == 0
    clock.skip(0.2 * DAY)
    assert studio.sweep() == 1
    assert not job.video.exists()
    desk = open_studio(home=studio.settings.home.with_name("desk"))
    job = wait_for(desk, desk.submit(ask(picture)).id, State.DONE)
    clock.skip(1000 * DAY)
    assert desk.sweep() == 0
    assert job.video.exists()


def test_a_full_home_makes_room_when_hosted_and_refuses_at_a_desk(open_studio, picture, quick_drafts):
    """Strangers' oldest runs give way; a person's own are never touched, new ones are refused instead."""
    studio = open_studio(hosted=True, quota=10**9)
    owner = new_token()
    for number in range(3):
        ended(studio, studio.submit(ask(picture, f"walk {number}"), owner=owner), owner)
    crowded = open_studio(hosted=True, quota=1)
    crowded.sweep()
    assert crowded.jobs(owner=owner) == []
    assert not list((crowded.settings.home / "jobs").iterdir())
    desk = open_studio(home=studio.settings.home.with_name("desk"), quota=1)
    with pytest.raises(Busy) as refused:
        desk.submit(ask(picture))
    assert refused.value.what == "disk"


def test_a_hosted_page_takes_nothing_when_the_disk_is_nearly_full(open_studio, picture, cache, quick_drafts):
    """Neither a run nor a file that would leave less than 500 MB, on either of the two disks; a desk may."""
    studio = open_studio(hosted=True, cache=cache)
    left = {studio.settings.home: 10 * GB, cache: 10 * GB}
    studio._retention._free = left.__getitem__
    assert studio.has_room(200 * MB)
    for disk_of in left:
        left[disk_of] = FREE_MIN + 100 * MB
        assert studio.has_room(100 * MB)
        assert not studio.has_room(100 * MB + 1)
        left[disk_of] = FREE_MIN - 1
        with pytest.raises(Busy) as refused:
            studio.submit(ask(picture), owner=new_token())
        assert (refused.value.what, refused.value.limit) == ("disk", FREE_MIN)
        assert not list((studio.settings.home / "jobs").glob("*"))
        left[disk_of] = 10 * GB
    owner = new_token()
    assert ended(studio, studio.submit(ask(picture), owner=owner), owner).state is State.DONE
    desk = open_studio(home=studio.settings.home.with_name("desk"), cache=cache)
    desk._retention._free = lambda _: 0
    assert desk.has_room(200 * MB)


def test_free_space_is_that_of_the_disk_where_a_folder_will_lie(tmp_path):
    """A folder need not be there yet."""
    there = shutil.disk_usage(tmp_path).free
    assert disk.free(tmp_path / "a" / "b") == pytest.approx(there, rel=0.2)


def test_folders_without_a_row_are_swept_after_an_hour(open_studio):
    """What a crash between copying and committing left behind goes; what may be about to be written stays."""
    studio = open_studio()
    orphan = studio.settings.home / "jobs" / ("0" * 32) / "references"
    orphan.mkdir(parents=True)
    (orphan / "1.jpg").write_bytes(b"left behind")
    studio.sweep()
    assert orphan.exists()
    os.utime(orphan.parent, times=(time.time() - 3700,) * 2)
    studio.sweep()
    assert not orphan.parent.exists()


def test_a_cache_is_bounded_by_its_oldest_files(cache):
    """The newest files stay; emptied folders go."""
    for age in range(5):
        folder = cache / str(age)
        folder.mkdir()
        (folder / "f").write_bytes(b"x" * 100)
        os.utime(folder / "f", (10**9 - age, 10**9 - age))
    assert disk.bound(cache, 250) == 300
    assert sorted(path.name for path in cache.iterdir()) == ["0", "1"]


def test_f67_what_is_offered_and_never_used_does_not_pile_up(open_studio, clock):
    """Quotes of visitors who never clicked are dropped after two days."""
    studio = open_studio()
    for _ in range(50):
        studio.new_quote()
    clock.skip(3 * DAY)
    studio.sweep()
    with studio._ledger._reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM quotes").scalar() == 0


def test_another_ledgers_videos_are_never_swept(open_studio, picture, quick_drafts):
    """A ledger that was lost, or moved to another database: what it made stays, and comes back with it."""
    studio = open_studio()
    job = ended(studio, studio.submit(ask(picture)), DESK)
    studio.close()
    ledger = studio.settings.home / "klingo1.sqlite3"
    kept = ledger.rename(ledger.with_suffix(".kept"))
    os.utime(job.video.parent, times=(time.time() - 3700,) * 2)
    other = open_studio()
    other.sweep()
    assert other.jobs() == []
    assert job.video.exists()
    other.close()
    kept.replace(ledger)
    assert open_studio().job(job.id).video.read_bytes()
