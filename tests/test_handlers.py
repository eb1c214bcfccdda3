"""The page's behaviour without a page: owners, clicks, forged values."""

import pytest
from conftest import draw_picture, wait_for
from faults.server import FaultServer

from klingo1.errors import InvalidRequest
from klingo1.job import State
from klingo1.request import DraftOptions
from klingo1.ui.handlers import DESK_OWNER, Form, Handlers

A, B = {"owner": "a" * 32}, {"owner": "b" * 32}


@pytest.fixture
def service():
    with FaultServer() as server:
        yield server


@pytest.fixture
def studio(open_studio, service):
    return open_studio(service)


@pytest.fixture
def hosted(studio):
    """Handlers for visitors who must not see each other's jobs."""
    return Handlers(studio, hosted=True, publish=str)


def form(picture, **changes):
    values = {
        "pictures": [{"path": str(picture), "name": "one.jpg", "role": "character"}],
        "clip": {"path": "", "url": "", "keep_sound": True},
        "prompt": "A fox walks",
        "duration": 3,
        "aspect": "16:9",
        "engine": "kling",
    }
    return Form(**values | changes)


def click(handlers, visitor, **changes):
    """What the button sends: the quote of the last session and the price it shows."""
    _, session = handlers.arrive(visitor)
    return {"quote": session["quote"], "expected": 336_000} | changes


def test_what_only_drafts_know_reaches_the_request(picture, tmp_path):
    """Roles, views, masks, groups and the size, and of forged ones nothing but an error for the size."""
    mask = tmp_path / "mask.png"
    one = {"path": str(picture), "role": "prop", "view": "back", "mask": str(mask), "group": 2}
    odd = {"path": str(picture), "role": "king", "view": "up", "mask": "", "group": "2"}
    draft = form(picture, pictures=[one, odd], size="1080p").read_request().draft
    assert draft == DraftOptions("1080p", ("prop", ""), ("back", ""), (mask, None), (2, 0))
    for forged in ("4k", None, ["720p"]):
        with pytest.raises(InvalidRequest) as refused:
            form(picture, size=forged).read_request()
        assert refused.value.field == "size"


def test_a_click_starts_one_job_and_gives_a_new_quote(hosted, studio, picture, service):
    """The session names the job, carries no problem, and the quote is fresh."""
    sent = click(hosted, A)
    memory, session = hosted.submit(form(picture), sent, A)
    assert session["started"]
    assert session["problems"] == []
    assert memory == {"owner": A["owner"], "job": session["job"]}
    assert session["quote"] not in {"", sent["quote"]}
    _, again = hosted.submit(form(picture), sent, A)
    assert again["job"] == session["job"]
    assert len(studio.jobs(owner=A["owner"])) == 1


def test_f58_another_owner_finds_nothing(hosted, studio, picture):
    """B asks for A's job, inputs and history, and tries to stop, resume and promote it."""
    _, session = hosted.submit(form(picture), click(hosted, A), A)
    job = session["job"]
    assert hosted.status(A | {"job": job})["id"] == job
    for call in (hosted.status, hosted.inputs, hosted.stop):
        assert call(B | {"job": job}) is None
    assert hosted.history(B)["jobs"] == []
    for act in (hosted.resume, hosted.promote):
        _, refused = act({"job": job, "quote": "", "expected": 336_000}, B)
        assert refused["problems"]
    assert studio.jobs(owner=B["owner"]) == []
    memory, arrived = hosted.arrive(B | {"job": job})
    assert (memory["job"], arrived["job"]) == ("", "")


@pytest.mark.parametrize("memory", [None, {}, [], "x", {"owner": 7}, {"owner": "short"}, {"owner": "ü" * 30}])
def test_a_visitor_without_a_token_gets_one(hosted, memory):
    """A new, unguessable owner for whoever has none that could be one."""
    first, second = hosted.arrive(memory)[0]["owner"], hosted.arrive(memory)[0]["owner"]
    assert len(first) >= 32
    assert first != second


def test_on_a_desk_there_is_one_owner(studio):
    """Whatever the browser remembers."""
    desk = Handlers(studio, hosted=False, publish=str)
    assert desk.owner_of(A) == desk.owner_of(None) == DESK_OWNER


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prompt": "  "}, "prompt"),
        ({"prompt": "x" * 2501}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"pictures": []}, "images"),
        ({"duration": "5"}, "duration"),
        ({"duration": 4.5}, "duration"),
        ({"duration": float("nan")}, "duration"),
        ({"duration": True}, "duration"),
        ({"aspect": "4:3"}, "aspect_ratio"),
        ({"aspect": ["16:9"]}, "aspect_ratio"),
        ({"engine": "best"}, "engine"),
        ({"engine": None}, "engine"),
        ({"clip": {"path": "", "url": "http://x.org/a.mp4"}}, "video"),
        ({"clip": {"path": "", "url": "", "keep_sound": "false"}}, "keep_original_sound"),
    ],
)
def test_f43_a_tampered_field_is_refused_by_name(hosted, studio, picture, changes, field):
    """The page never trusts its own widgets; nothing is sent, nothing is written."""
    _, session = hosted.submit(form(picture, **changes), click(hosted, A), A)
    assert [p["field"] for p in session["problems"]] == [field]
    assert not session["started"]
    assert studio.jobs(owner=A["owner"]) == []


def test_a_broken_picture_is_named_by_its_number(hosted, picture, tmp_path):
    """The second one is half a file: its tile gets the message."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(picture.read_bytes()[:300])
    pictures = [{"path": str(p), "role": ""} for p in (picture, broken)]
    _, session = hosted.submit(form(picture, pictures=pictures), click(hosted, A), A)
    assert session["problems"][0]["field"] == "images[1]"


@pytest.mark.parametrize("shown", [335_000, 0, "336000", 336_000.0, None, True])
def test_f44_a_price_that_was_not_shown_is_asked_again(hosted, studio, picture, service, shown):
    """Another amount is refused and a new quote given; what is no amount counts as not shown."""
    _, session = hosted.submit(form(picture), click(hosted, A, expected=shown), A)
    if isinstance(shown, int) and not isinstance(shown, bool):
        assert session["problems"][0]["remedy"] == "Click once more."
        assert studio.jobs(owner=A["owner"]) == []
    else:
        assert studio.job(session["job"], owner=A["owner"]).price.micro == 336_000


def test_a_paid_run_ends_with_its_video(hosted, studio, picture):
    """The status follows the job to the end and names the published file."""
    _, session = hosted.submit(form(picture), click(hosted, A), A)
    job = session["job"]
    until = wait_for_owner(studio, job, A["owner"])
    assert until.state is State.DONE
    view = hosted.status(A | {"job": job})
    assert view["engine_name"] == "Kling O1"
    assert view["video"].endswith(".mp4")
    assert view["details"]["data"]["status"] == "completed"


def test_what_earlier_runs_took_is_told_while_one_goes_on(hosted, studio, service, picture):
    """Five runs of the same owner tell a span; where one has ended, or is not asked for, none is told."""
    for _ in range(5):
        _, session = hosted.submit(form(picture), click(hosted, A), A)
        wait_for_owner(studio, session["job"], A["owner"])
    asked = A | {"usual": True}
    assert "usual" not in hosted.status(asked | {"job": session["job"]})
    service.service.script = ["processing"]
    _, session = hosted.submit(form(picture), click(hosted, A), A)
    low, high, runs = hosted.status(asked | {"job": session["job"]})["usual"]
    assert (low <= high, runs) == (True, 5)
    assert "usual" not in hosted.status(A | {"job": session["job"]})
    _, session = hosted.submit(form(picture, duration=4), click(hosted, A, expected=448_000), A)
    assert hosted.status(asked | {"job": session["job"]})["usual"] is None


def test_a_new_page_shows_what_goes_on_and_an_old_one_what_it_showed(hosted, studio, picture):
    """Without a memory of it, a finished job stays in the history."""
    memory, session = hosted.submit(form(picture), click(hosted, A), A)
    wait_for_owner(studio, session["job"], A["owner"])
    assert hosted.arrive(A)[0]["job"] == ""
    assert hosted.arrive(memory)[0]["job"] == session["job"]


def wait_for_owner(studio, job_id, owner):
    class Ours:
        @staticmethod
        def job(job_id):
            return studio.job(job_id, owner=owner)

    return wait_for(Ours, job_id, State.DONE, State.FAILED, State.REFUSED)


@pytest.mark.parametrize(
    "asked", [None, [], {}, {"owner": None}, {"owner": "a" * 32, "job": ["x"], "before": "now"}]
)
def test_odd_questions_find_nothing_and_break_nothing(hosted, asked):
    """Server functions can be called by anyone with anything."""
    assert hosted.status(asked) is None
    assert hosted.inputs(asked) is None
    assert hosted.stop(asked) is None
    assert hosted.history(asked) == {"jobs": [], "next": None}


def test_a_key_is_checked_and_forgotten(open_studio, picture):
    """The balance is told; a wrong key is not kept; afterwards there is none."""
    with FaultServer(key="wsk_right_0123456789") as service:
        studio = open_studio(service, api_key="")
        handlers = Handlers(studio, hosted=True, publish=str)
        assert not handlers.give_key(A | {"key": "wsk_wrong_0123456789"})["ok"]
        assert not studio.has_key(A["owner"])
        assert handlers.give_key(A | {"key": " wsk_right_0123456789\n"})["balance"] == "$100.00"
        assert studio.has_key(A["owner"])
        assert not studio.has_key(B["owner"])
        assert handlers.forget_key(A) == {"ok": True, "has_key": False}


def test_pictures_are_judged_before_anything_is_spent(hosted, tmp_path, picture):
    """Refusals, advice and near-duplicates by path, in plain sentences."""
    twin, tiny = draw_picture(tmp_path / "twin.jpg"), draw_picture(tmp_path / "tiny.jpg", size=(200, 200))
    notes = hosted.judge([{"path": str(p)} for p in (picture, tiny, twin)])
    assert [n["kind"] for n in notes[str(tiny)]] == ["refused"]
    assert {"kind": "duplicate", "text": "Almost the same as picture 1."} in notes[str(twin)]
    assert all(note["text"].endswith(".") for found in notes.values() for note in found)


@pytest.mark.parametrize(
    "asked", [None, [], {}, {"pictures": 7}, {"pictures": [7, {"path": 7}, {"path": "/etc/passwd"}]}]
)
def test_only_received_pictures_are_judged(hosted, picture, asked):
    """A browser names any file in any shape; only what lies in the folder for uploads is looked at."""
    assert hosted.judge_received(asked, received=picture.parent) == {}
    there = {"pictures": [{"path": str(picture), "role": None}]}
    assert list(hosted.judge_received(there, received=picture.parent)) == [str(picture)]
    assert hosted.judge_received(there, received=picture.parent / "elsewhere") == {}
