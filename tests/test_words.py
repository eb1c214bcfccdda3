"""Every state and every error has words, and they are words for people."""

import inspect
from pathlib import Path

import pytest

from klingo1 import errors
from klingo1.errors import (
    BudgetReached,
    Busy,
    GenerationFailed,
    InvalidRequest,
    KlingoError,
    PaidOff,
    SettingsError,
)
from klingo1.job import Job, Money, Problem, State
from klingo1.pricing import Price
from klingo1.request import Engine, VideoRequest
from klingo1.ui import words
from klingo1.ui.views import inputs_view, job_view, state_view, understood


def job(state=State.RUNNING, engine=Engine.DRAFT, **changes):
    request = VideoRequest(
        "A fox", (Path("/home/jobs/1/references/1.jpg"), "https://x.org/2.jpg"), duration=5
    )
    values = {
        "id": "j" * 32,
        "owner": "desk",
        "engine": engine,
        "state": state,
        "request": request,
        "price": Price(0) if engine is Engine.DRAFT else Price(560_000),
        "money": Money.FREE if engine is Engine.DRAFT else Money.HELD,
        "created_at": 100.0,
        "updated_at": 101.0,
    }
    return Job(**values | changes)


def made(kind):
    """An error of this type with plausible facts."""
    if kind is InvalidRequest:
        return kind("prompt", "It is empty.", "Describe the video.")
    if kind is BudgetReached:
        return kind("no", cap="day", limit=5_000_000, used=4_800_000, price=560_000)
    if kind is GenerationFailed:
        return kind("no", prediction_id="pred_1")
    if kind is Busy:
        return kind("no", what="drafts", limit=3)
    if kind is SettingsError:
        return kind("no", variable="KLINGO1_HOME")
    return kind("CANARY text of the service")


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("engine", list(Engine))
def test_every_state_has_words_for_both_engines(state, engine):
    """A title without full stop; a note, where there is one, is a sentence."""
    phase = words.phase_of(job(state, engine))
    assert phase.title
    assert not phase.title.endswith(".")
    assert not phase.note or phase.note.endswith(".")


KINDS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, KlingoError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_becomes_a_sentence_and_something_to_do(kind):
    """Words are chosen by type: what the service wrote is not repeated as ours."""
    notice = words.notice_of(made(kind))
    assert notice.text.endswith(".")
    assert notice.remedy.endswith(".")
    assert "CANARY" not in notice.text + notice.remedy


def test_a_switched_off_engine_is_named_with_what_still_works():
    """Who cannot pay on this page is told that drafts go on."""
    notice = words.notice_of(PaidOff("off"))
    assert "switched paid runs off" in notice.text
    assert "draft" in notice.remedy


@pytest.mark.parametrize("what", ["paid", "drafts", "queue", "disk", "else"])
def test_a_full_house_says_what_to_wait_for(what):
    """Each limit has its own sentence."""
    notice = words.notice_of(Busy("no", what=what, limit=3))
    assert notice.text.endswith(".")
    assert notice.remedy.endswith(".")


def test_an_unforeseen_error_is_calm_and_tells_nothing_of_its_text():
    """A visitor never reads a traceback."""
    notice = words.notice_of(RuntimeError("secret path /home/me"))
    assert "secret" not in notice.text + notice.remedy


def test_stopping_a_paid_run_says_that_it_is_billed():
    """What stopping means differs: a draft is thrown away, a paid run goes on."""
    assert words.stop_words(job()) == ("Stop", "The draft is thrown away.")
    label, note = words.stop_words(job(engine=Engine.KLING, prediction_id="pred_1"))
    assert label == "Stop waiting"
    assert "billed" in note
    assert "billed" in words.phase_of(job(State.STOPPED, Engine.KLING, prediction_id="pred_1")).note


def test_money_says_what_is_known():
    """Free, held, spent and given back are told apart."""
    assert words.money_words(job()) == "free"
    told = {m: words.money_words(job(engine=Engine.KLING, money=m)) for m in Money if m is not Money.FREE}
    assert told == {Money.HELD: "$0.56 held", Money.SPENT: "$0.56 spent", Money.RELEASED: "$0.56 not charged"}


def test_a_cap_is_explained_with_its_amounts():
    """Limit, used and price in dollars."""
    notice = words.notice_of(made(BudgetReached))
    assert "$5.00" in notice.text
    assert "$4.80" in notice.text
    assert "$0.56" in notice.text


def test_a_view_offers_what_fits_the_state(tmp_path):
    """Stop while it goes on; a finished draft offers the paid engine with the price of its own request."""
    film = tmp_path / "video.mp4"
    film.write_bytes(b"film")
    running = job_view(job(progress=0.4), now=107.0, publish=str)
    assert (running["stop"]["label"], running["progress"], running["promote"]) == ("Stop", 0.4, None)
    done = job_view(job(State.DONE, video=film, finished_at=108.0), now=110.0, publish=str)
    assert (done["stop"], done["promote"], done["video"]) == (None, 560_000, str(film))
    paid = job_view(job(State.DONE, Engine.KLING, video=film), now=110.0, publish=str)
    assert paid["promote"] is None
    assert job_view(job(State.DONE, video=tmp_path / "gone.mp4"), now=1.0, publish=str)["video"] == ""


@pytest.mark.parametrize("state", [State.NEEDS_KEY, State.EXPIRED, State.NOT_CREATED])
def test_what_waits_for_a_person_offers_to_go_on(state):
    """One button with a verb."""
    assert job_view(job(state, Engine.KLING), now=1.0, publish=str)["resume"]


def test_details_keep_every_field_of_the_reply():
    """The service's answer is shown whole, a refusal with its remedy."""
    details = {"code": 200, "message": "success", "data": {"id": "pred_1", "timings": {"inference": 812}}}
    view = job_view(job(details=details, prediction_id="pred_1"), now=1.0, publish=str)
    assert view["details"] == details
    refused = job(State.REFUSED, Engine.KLING, problem=Problem("OutOfCredit", "The wallet is empty."))
    assert "Top up" in job_view(refused, now=1.0, publish=str)["problem"]["remedy"]
    assert state_view(refused)["problem"]["text"] == "The wallet is empty."


def test_inputs_are_given_back_as_they_were(tmp_path):
    """Pictures on disk return as files with their roles; an address returns as an address."""
    picture = tmp_path / "1.jpg"
    picture.write_bytes(b"picture")
    request = VideoRequest(
        "A fox", (picture,), "https://x.org/clip.mp4", keep_original_sound=False, duration=8
    )
    view = inputs_view(job(request=request), publish=lambda file: f"cache/{file.name}")
    kept = {"path": "cache/1.jpg", "name": "picture 1", "role": "", "view": "", "mask": "", "group": 0}
    assert view["pictures"] == [kept]
    assert view["video"] == {"path": "", "url": "https://x.org/clip.mp4", "keep_sound": False}
    assert (view["duration"], view["engine"]) == (8, "draft")


def test_what_the_draft_understood_is_one_line():
    """Place, time, looks, actions, shots; what was passed over is said; long fields stay out of the view."""
    report = {
        "place": "city",
        "time": "night",
        "looks": ["neon", "wet"],
        "actions": ["walk"],
        "shots": [{}, {}],
        "ignored": ["tower"],
        "boxes": {str(i): [1, 2, 3, 4] for i in range(200)},
    }
    assert understood(report) == "city, night, neon, wet, walk · 2 shots · passed over: tower"
    assert understood({}) == ""
    view = job_view(job(details={"data": {"id": "pred_1", "draft": report}}), now=1.0, publish=str)
    assert "boxes" not in view["details"]["data"]["draft"]
    assert view["details"]["data"]["draft"]["place"] == "city"
