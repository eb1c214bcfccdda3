"""One call for everything a job can be handed out as: right content, made once, and only for what is done."""

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import av
import pytest
from conftest import draw_picture
from filming import facts_of, film, finished
from PIL import Image

from klingo1 import deliver as module
from klingo1.deliver import HANDED, Kind, at_hand, deliver, kind_of, shown, write_still
from klingo1.errors import InvalidRequest
from klingo1.job import State
from klingo1.recipe import read_recipe
from klingo1.request import Engine
from klingo1.transcode import Size

DRAFT_RECIPE = {"draft": True, "engine": "klingo1 draft", "prompt": "@Image1 walks", "plan": {"shots": []}}


@pytest.fixture
def job(tmp_path):
    """A paid result whose file carries what the service wrote into it."""
    video = film(tmp_path / "v.mp4", seconds=0.5, sound=True, metadata={"comment": "theirs"})
    return finished(video, [draw_picture(tmp_path / "a.jpg")])


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_made_under_a_name_of_ours(job, tmp_path, kind):
    """The file is of the form its name promises, and nothing else stays in the folder."""
    to = deliver(job, kind, tmp_path / "exports")
    stem = {Kind.PAGE: "page", Kind.SHEET: "sheet"}.get(kind, "clip")
    assert to == tmp_path / "exports" / f"{stem}.{kind}"
    assert list(to.parent.iterdir()) == [to]
    head = to.read_bytes()[:16]
    starts = {
        "mp4": b"ftyp",
        "webm": b"\x1aE\xdf\xa3",
        "gif": b"GIF89a",
        "html": b"<!doctype",
        "png": b"\x89PNG",
    }
    assert starts[kind.value] in head


@pytest.mark.parametrize("kind", [Kind.MP4, Kind.WEBM])
def test_a_paid_result_carries_its_recipe(job, tmp_path, kind):
    """In the place of whatever the service had written there."""
    recipe = read_recipe(deliver(job, kind, tmp_path))
    assert (recipe.prompt, recipe.engine, recipe.images) == ("@Image1 walks", Engine.KLING, 1)


@pytest.mark.parametrize("kind", [Kind.MP4, Kind.WEBM])
def test_a_draft_stays_marked_and_keeps_its_whole_recipe(tmp_path, kind):
    """The plan of its engine is still in it, and the title says DRAFT."""
    comment = json.dumps(DRAFT_RECIPE)
    video = film(tmp_path / "v.mp4", seconds=0.5, size=(960, 540), metadata={"comment": comment})
    job = finished(video, [draw_picture(tmp_path / "a.jpg")], engine=Engine.DRAFT)
    metadata = facts_of(deliver(job, kind, tmp_path, size=Size.P480))["metadata"]
    assert json.loads(metadata["comment"]) == DRAFT_RECIPE
    assert metadata["title"] == "DRAFT: @Image1 walks"


def packets(path):
    with av.open(str(path)) as container:
        return [(p.stream.type, bytes(p)) for p in container.demux() if p.size]


def test_the_paid_result_that_a_page_plays_carries_its_recipe(job, tmp_path):
    """Its pictures and sound are those of the download bit for bit, and the download stays as it came."""
    came = job.video.read_bytes()
    first = shown(job)
    assert first == job.video.parent / HANDED / "clip.mp4"
    assert read_recipe(first).prompt == "@Image1 walks"
    assert packets(first) == packets(job.video)
    assert {kind for kind, _ in packets(first)} == {"audio", "video"}
    assert job.video.read_bytes() == came
    written = first.stat().st_mtime_ns
    assert shown(job).stat().st_mtime_ns == written
    assert deliver(job, Kind.MP4, job.video.parent / HANDED) == first


def test_a_list_of_runs_stamps_nothing(job):
    """It plays the download until the run itself was shown, and from then on the stamped copy."""
    assert at_hand(job) == job.video
    assert not (job.video.parent / HANDED).exists()
    assert shown(job) == at_hand(job) == job.video.parent / HANDED / "clip.mp4"


def test_what_cannot_be_stamped_is_shown_as_it_came(job, tmp_path):
    """A draft tells its own recipe; a file that cannot be read, or has no room beside it, is still shown."""
    drafted = film(tmp_path / "d.mp4", seconds=0.5, metadata={"comment": json.dumps(DRAFT_RECIPE)})
    draft = finished(drafted, [draw_picture(tmp_path / "b.jpg")], engine=Engine.DRAFT)
    assert shown(draft) == drafted
    job.video.write_bytes(b"not a film")
    assert shown(job) == job.video
    job.video.unlink()
    assert shown(job) is None


def test_what_was_made_is_given_again_until_the_video_changes(job, tmp_path):
    """The same file, not written anew; a newer video makes it anew."""
    first = deliver(job, Kind.SHEET, tmp_path)
    os.utime(first, (2e9, 2e9))
    assert deliver(job, Kind.SHEET, tmp_path).stat().st_mtime == 2e9
    os.utime(job.video, (2.1e9, 2.1e9))
    assert deliver(job, Kind.SHEET, tmp_path).stat().st_mtime != 2e9


def test_sizes_and_the_cost_have_names_of_their_own(job, tmp_path):
    """Nobody gets the page with the cost who asked for the one without."""
    plain = deliver(job, Kind.PAGE, tmp_path)
    cost = deliver(job, Kind.PAGE, tmp_path, with_cost=True)
    assert (plain.name, cost.name) == ("page.html", "page-cost.html")
    assert "$0.56" in cost.read_text(encoding="utf-8")
    assert "$0.56" not in plain.read_text(encoding="utf-8")
    assert deliver(job, Kind.WEBM, tmp_path, size=Size.P480).name == "clip-480p.webm"


def test_two_who_ask_at_once_get_the_one_file(job, tmp_path, monkeypatch):
    """It is made once."""
    made, write = [], module.write
    monkeypatch.setattr(module, "write", lambda *a, **k: (made.append(a), write(*a, **k)))
    threads = [threading.Thread(target=deliver, args=(job, Kind.WEBM, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert (tmp_path / "clip.webm").exists()


def test_a_page_with_a_large_video_plays_a_smaller_one(tmp_path, monkeypatch):
    """Mail takes no more; the settings tell the size that it has then."""
    video = film(tmp_path / "v.mp4", size=(1920, 1080), seconds=0.2)
    job = finished(video, ["https://e.com/a.png"])
    assert "1920 × 1080 px" in deliver(job, Kind.PAGE, tmp_path / "a").read_text(encoding="utf-8")
    monkeypatch.setattr(module, "PAGE_VIDEO_MAX", 100)
    assert "1280 × 720 px" in deliver(job, Kind.PAGE, tmp_path / "b").read_text(encoding="utf-8")


def test_a_still_is_one_picture_of_the_video(job, tmp_path):
    """In the video's own size."""
    write_still(job, 0.2, tmp_path / "still.png")
    with Image.open(tmp_path / "still.png") as still:
        assert still.size == (320, 180)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_job_without_a_video_is_refused(job, tmp_path, kind):
    """Still running, failed, or its files deleted: a sentence and a remedy, and no file."""
    others = [
        replace(job, state=State.RUNNING, video=None),
        replace(job, state=State.FAILED, video=None),
        replace(job, video=tmp_path / "deleted.mp4"),
    ]
    for other in others:
        with pytest.raises(InvalidRequest) as caught:
            deliver(other, kind, tmp_path / "exports")
        assert caught.value.field == "video"
        assert caught.value.remedy
    assert not (tmp_path / "exports").exists()


@pytest.mark.parametrize("name", ["clip", "clip.avi", "clip.mp4.exe", ".mp4", "clip."])
def test_another_ending_is_refused_by_name(name):
    """The endings that exist are told."""
    with pytest.raises(InvalidRequest, match=r"\.webm"):
        kind_of(Path(name))


def test_endings_are_read_in_any_case():
    """CLIP.WEBM is a WebM."""
    assert kind_of(Path("CLIP.WEBM")) is Kind.WEBM
