"""Files that are made aside: begun by a question, told by the next, of finished runs only."""

import threading
import time

import pytest
from conftest import draw_picture
from filming import film, finished

from klingo1.ui import handout as module
from klingo1.ui.handout import Handout, recipe_view


@pytest.fixture
def job(tmp_path):
    return finished(film(tmp_path / "v.mp4", seconds=0.5), [draw_picture(tmp_path / "a.jpg")])


@pytest.fixture
def held(monkeypatch):
    """Making waits until the test lets it go on."""
    gate = threading.Event()
    real = module.deliver

    def slow(*args, **options):
        assert gate.wait(10)
        return real(*args, **options)

    monkeypatch.setattr(module, "deliver", slow)
    yield gate
    gate.set()


def settled(handout, job, values, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = handout.ask(job, values)
        if answer["state"] != "making":
            return answer
        time.sleep(0.02)
    raise AssertionError("still being made")


def test_a_question_begins_the_work_and_a_later_one_has_the_file(job, held):
    """It never waits; the name tells engine, run and size."""
    handout = Handout(publish=str)
    wish = {"kind": "webm", "size": "480p"}
    assert handout.ask(job, wish) == {"state": "making"}
    assert handout.ask(job, wish) == {"state": "making"}
    held.set()
    ready = settled(handout, job, wish)
    assert ready["state"] == "ready"
    assert ready["name"] == f"klingo1-{job.engine}-{job.id[:8]}-480p.webm"
    assert (job.video.parent / "handed" / "clip-480p.webm").read_bytes()[:4] == b"\x1aE\xdf\xa3"


def test_only_so_many_wait(job, held):
    """The seventh file is refused in words while six are in line."""
    handout = Handout(publish=str)
    wishes = [{"kind": kind, "size": size} for kind in ("mp4", "webm", "gif") for size in ("720p", "480p")]
    for wish in wishes:
        assert handout.ask(job, wish) == {"state": "making"}
    assert "minute" in handout.ask(job, {"kind": "png"})["text"]


@pytest.mark.parametrize("wish", [{}, {"kind": "exe"}, {"kind": ["mp4"]}, {"kind": "mp4", "size": "9p"}])
def test_odd_wishes_are_refused(job, wish):
    """Nothing is begun for a form that is none."""
    assert Handout(publish=str).ask(job, wish)["state"] == "refused"


def test_no_run_no_file(job):
    """A run that is not this owner's arrives here as none; a film that was deleted is told."""
    handout = Handout(publish=str)
    assert handout.ask(None, {"kind": "mp4"})["state"] == "refused"
    job.video.unlink()
    assert "deleted" in settled(handout, job, {"kind": "mp4", "size": "480p"})["text"]


def test_a_recipe_is_read_from_received_files_only(tmp_path):
    """Neither another folder nor a link out of this one is opened."""
    recipe = '{"prompt": "A fox", "duration": 7, "aspect_ratio": "1:1", "engine": "kling"}'
    box, outside = tmp_path / "received", tmp_path / "else"
    box.mkdir()
    outside.mkdir()
    ours = film(box / "v.mp4", seconds=0.2, metadata={"comment": recipe})
    theirs = film(outside / "v.mp4", seconds=0.2, metadata={"comment": recipe})
    (box / "link.mp4").symlink_to(theirs)
    found = recipe_view(str(ours), received=box)
    assert (found["prompt"], found["duration"], found["aspect"]) == ("A fox", 7, "1:1")
    for path in (str(theirs), str(box / "link.mp4"), str(box / ".." / "else" / "v.mp4"), "", None, 7, "\0"):
        assert recipe_view(path, received=box) is None
    plain = film(box / "plain.mp4", seconds=0.2)
    assert recipe_view(str(plain), received=box) is None
