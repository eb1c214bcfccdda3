"""Finding, deleting and taking back runs, by their owner alone."""

from dataclasses import replace
from fractions import Fraction

import pytest
from conftest import draw_picture
from faults.server import FaultServer
from filming import film

from klingo1.job import State
from klingo1.request import Engine, VideoRequest
from klingo1.ui import library
from klingo1.ui.library import Library

A, B = {"owner": "a" * 32}, {"owner": "b" * 32}


@pytest.fixture
def studio(open_studio):
    """A studio whose paid runs are never sent, for want of a key to a service."""
    with FaultServer() as service:
        yield open_studio(service)


@pytest.fixture
def shelves(studio):
    return Library(studio, hosted=True, publish=str)


def start(studio, picture, prompt):
    request = VideoRequest(prompt=prompt, images=(picture,), duration=3)
    return studio.submit(request, engine=Engine.KLING, owner=A["owner"]).id


@pytest.fixture
def picture(tmp_path):
    return draw_picture(tmp_path / "one.jpg")


def found(shelves, **wish):
    return [job["id"] for job in shelves.history(A | wish)["jobs"]]


def test_words_engine_and_state_narrow_the_history(shelves, studio, picture):
    """Every word must stand in the prompt, in any case; unknown filters narrow nothing."""
    fox = start(studio, picture, "A red FOX waits")
    assert found(shelves, search="fox WAITS") == [fox]
    assert found(shelves, search="heron") == []
    assert found(shelves, engine="kling") == [fox]
    assert found(shelves, engine="draft") == []
    assert found(shelves, engine="x", state=["y"], search=None) == [fox]
    assert shelves.history(B | {"search": "fox"})["jobs"] == []
    states = [group for group in ("done", "going", "waiting", "ended") if found(shelves, state=group)]
    assert len(states) <= 1


def test_a_search_is_paged_like_the_list(shelves, studio, picture, monkeypatch):
    """Each page begins where the last one ended, until nothing is left."""
    monkeypatch.setattr(library, "HISTORY_PAGE", 1)
    monkeypatch.setattr(library, "_SCANNED", 2)
    made = [start(studio, picture, f"fox {n}") for n in range(2)]
    first = shelves.history(A | {"search": "fox"})
    second = shelves.history(A | {"search": "fox", "before": first["next"]})
    assert [first["jobs"][0]["id"], second["jobs"][0]["id"]] == made[::-1]
    assert shelves.history(A | {"search": "fox", "before": second["next"]}) == {"jobs": [], "next": None}


def test_deleting_is_the_owners_alone_and_can_be_taken_back(shelves, studio, picture):
    """B cannot delete or restore A's run; A can, and the run is as it was but for its work."""
    job = start(studio, picture, "A fox")
    asked = {"job": job}
    assert shelves.delete(B | asked) == {"ok": False}
    assert shelves.delete(A | asked)["ok"] is True
    assert found(shelves) == []
    assert shelves.inputs(A | asked) is None
    assert shelves.restore(B | asked) == {"ok": False}
    assert shelves.restore(A | asked) == {"ok": True}
    assert found(shelves) == [job]
    assert studio.job(job, owner=A["owner"]).state in set(State)


def test_the_rate_of_a_video_is_told_to_its_owner(shelves, studio, picture, tmp_path, monkeypatch):
    """As the file has it, also a broken number; nothing for another's run, a broken file, or none."""
    job = studio.job(start(studio, picture, "stepped"), owner=A["owner"])
    asked = {"job": job.id}
    made = film(tmp_path / "made.mp4", fps=30, seconds=0.5)
    ntsc = film(tmp_path / "ntsc.mp4", fps=Fraction(24000, 1001), seconds=0.5)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(made.read_bytes()[:300])
    told = []
    for video in (made, ntsc, cut, None):
        monkeypatch.setattr(studio, "job", lambda *_, video=video, **__: replace(job, video=video))
        told.append(shelves.rate(A | asked))
    assert told == [30.0, pytest.approx(23.976, abs=0.001), None, None]
    monkeypatch.undo()
    assert shelves.rate(B | asked) is None


@pytest.mark.parametrize("asked", [None, [], {}, {"owner": "a" * 32, "job": ["x"]}, {"job": "x" * 99}])
def test_odd_wishes_change_nothing(shelves, asked):
    """Anyone can ask anything."""
    assert shelves.delete(asked) == {"ok": False}
    assert shelves.restore(asked) == {"ok": False}
