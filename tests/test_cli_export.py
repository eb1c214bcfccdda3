"""`export` as scripts use it: files of every form, one JSON object, exit codes."""

import json
import time
from pathlib import Path

import av
import pytest
from conftest import draw_picture
from filming import film
from PIL import Image
from typer.testing import CliRunner

from klingo1.cli import app
from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.pricing import price_of
from klingo1.request import Engine, VideoRequest

JOB_ID = "5f0c6c1d9a7e4b0c8f1e2d3c4b5a6978"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home whose ledger has one finished paid run of half a second."""
    home = tmp_path / "home"
    folder = home / "jobs" / JOB_ID
    (folder / "references").mkdir(parents=True)
    image = draw_picture(folder / "references" / "1.jpg")
    film(folder / "video.mp4", size=(960, 540), seconds=0.5, sound=True)
    request = VideoRequest(prompt="@Image1 walks", images=(image,))
    price, now = price_of(request, Engine.KLING), time.time()
    ledger = Ledger(home / "klingo1.sqlite3", home=home)
    job = Job(
        id=JOB_ID, owner="desk", engine=Engine.KLING, state=State.DOWNLOADING, request=request, price=price,
        money=Money.SPENT, created_at=now, updated_at=now, prediction_id="pred_0001",
    )  # fmt: skip
    with ledger._writing() as connection:
        ledger._insert(connection, job, day="2026-01-01", quote=None)
    assert ledger.advance(
        JOB_ID, leave=[State.DOWNLOADING], to=State.DONE, now=now, video=f"jobs/{JOB_ID}/video.mp4"
    )
    ledger.close()
    for name in ("KLINGO1_DATABASE_URL", "WAVESPEED_API_KEY", "WAVESPEED_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KLINGO1_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return home


def run(*words):
    """Exit code and standard output."""
    result = CliRunner().invoke(app, ["export", *map(str, words)])
    return result.exit_code, result.stdout


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.gif", "page.html", "sheet.png"])
def test_every_form_is_written_where_it_was_asked_for(home, tmp_path, name):
    """Missing folders are made, the place is printed, and only that file is there."""
    code, out = run(JOB_ID, "--to", Path("out") / name)
    assert (code, out.strip()) == (0, str(Path("out") / name))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]
    assert (tmp_path / "out" / name).stat().st_size > 1000


def test_a_size_is_the_short_side(home, tmp_path):
    """480p of a 960 × 540 film is 854 × 480, with its sound."""
    code, out = run(JOB_ID, "--to", "clip.webm", "--size", "480p", "--json")
    assert code == 0
    assert json.loads(out) == {"export": "clip.webm", "bytes": (tmp_path / "clip.webm").stat().st_size}
    with av.open(str(tmp_path / "clip.webm")) as clip:
        assert (clip.streams.video[0].width, clip.streams.video[0].height) == (854, 480)
        assert len(clip.streams.audio) == 1
        assert json.loads(clip.metadata["COMMENT"])["prompt"] == "@Image1 walks"


def test_a_frame_is_written_with_at(home, tmp_path):
    """The picture at that second, in the size of the video."""
    assert run(JOB_ID, "--to", "frame.jpg", "--at", "0.25")[0] == 0
    with Image.open(tmp_path / "frame.jpg") as frame:
        assert (frame.size, frame.format) == ((960, 540), "JPEG")


def test_the_cost_is_in_the_page_only_when_asked_for(home, tmp_path):
    """A stakeholder need not know."""
    run(JOB_ID, "--to", "a.html")
    run(JOB_ID, "--to", "b.html", "--cost")
    assert "$0.56" not in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "$0.56" in (tmp_path / "b.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ((JOB_ID, "--to", "clip.avi"), "InvalidRequest"),
        (("nobody", "--to", "clip.gif"), "JobNotFound"),
        ((JOB_ID, "--to", "frame.webm", "--at", "1"), "InvalidRequest"),
    ],
)
def test_wrong_input_exits_with_2_and_says_what_is_wrong(home, tmp_path, words, kind):
    """One JSON object, and no file."""
    code, out = run(*words, "--json")
    assert code == 2
    assert json.loads(out)["error"]["type"] == kind
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_target_that_cannot_be_written_is_told(home, tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "taken").write_text("")
    code, out = run(JOB_ID, "--to", "taken/clip.gif", "--json")
    assert code == 2
    assert "taken" in json.loads(out)["error"]["message"]


def test_a_deleted_video_is_told(home):
    """The row is there, the file is not."""
    (home / "jobs" / JOB_ID / "video.mp4").unlink()
    code, out = run(JOB_ID, "--to", "clip.gif", "--json")
    assert code == 2
    assert "deleted" in json.loads(out)["error"]["message"]
