"""The studio against a server on real sockets: one POST per click, nothing lost, money always known."""

import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import draw_picture, wait_for
from faults.invariants import check_invariants
from faults.server import Always, FaultServer, Hang, Reply, Reset, closed_port

from klingo1.errors import BudgetReached, InvalidRequest, JobNotFound, KeyMissing, QuoteRefused
from klingo1.job import Money, State
from klingo1.ledger import Ledger
from klingo1.pricing import Price
from klingo1.request import VideoRequest

FIVE_SECONDS = Price(560_000)


def request_of(*images, **fields):
    return VideoRequest(prompt=fields.pop("prompt", "a quiet walk"), images=images, **fields)


def posts(server):
    return sum(seen.route == "submit" for seen in server.requests)


def spent(studio):
    return {money: amount for _, day in studio.spending() for money, amount in day.items()}


def test_a_paid_run_ends_with_a_video_on_disk(open_studio, picture):
    """Pictures are uploaded, one submit leaves, and the verified video lies in the home folder."""
    with FaultServer() as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture, picture), engine="kling")
        done = wait_for(studio, job.id, State.DONE)
        assert done.video.read_bytes()[4:8] == b"ftyp"
        assert done.poster.exists()
        assert (done.money, done.price) == (Money.SPENT, FIVE_SECONDS)
        assert server.billed == posts(server) == 1
        names = [state for state, _ in done.phases]
        assert names == [
            State.QUEUED,
            State.PREPARING,
            State.UPLOADING,
            State.SUBMITTING,
            State.RUNNING,
            State.DOWNLOADING,
            State.DONE,
        ]
        assert done.details["data"]["id"] == done.prediction_id


def test_the_prompt_leaves_in_klings_own_form(open_studio, picture):
    """A mention made on the page is translated at one place; everything else goes out as typed."""
    with FaultServer() as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture, prompt="@Image1 waves"), engine="kling")
        wait_for(studio, job.id, State.DONE)
        (sent,) = [seen.json() for seen in server.requests if seen.route == "submit"]
        assert sent["prompt"] == "<<<image_1>>> waves"
        assert "video" not in sent
        assert "klingo1" not in sent


@pytest.mark.parametrize(
    "fault",
    [
        Reset(after="body"),
        Hang(seconds=0.05, billed=True),
        Reply(500, billed=True),
        Reply(503, "<html>gateway</html>", billed=True),
        Reply(200, "<html>", billed=True),
        Reply(200, b"", billed=True),
        Reply(200, {"code": 200, "data": None}, billed=True),
        Reply(200, {"code": 500, "message": "oops"}, billed=True),
        Reply(302, headers={"Location": "/elsewhere"}, billed=True),
    ],
    ids=repr,
)
def test_f02_a_billed_submit_with_a_lost_answer_is_found_and_never_sent_again(open_studio, picture, fault):
    """The task exists although no id came back: it is looked up, and its video arrives."""
    with FaultServer(faults={"submit": [fault]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        done = wait_for(studio, job.id, State.DONE)
        assert State.UNKNOWN in [state for state, _ in done.phases]
        assert server.billed == posts(server) == 1
        assert spent(studio) == {Money.SPENT: 560_000}


@pytest.mark.parametrize("fault", [Reset(after="headers", billed=False), Reply(502, billed=False)], ids=repr)
def test_f03_an_unbilled_submit_is_looked_up_three_times_and_then_released(
    open_studio, picture, clock, fault
):
    """Three empty lists over ten minutes mean: never created; nothing is sent, the hold is given back."""
    with FaultServer(faults={"submit": [fault]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        ended = wait_for(studio, job.id, State.NOT_CREATED)
        assert posts(server) == 1
        assert server.billed == 0
        assert sum(seen.route == "list" for seen in server.requests) == 3
        assert sum(wait for wait in clock.waits if wait in {15.0, 105.0, 480.0}) == 600
        assert ended.money is Money.RELEASED
        again = studio.resume(job.id)
        assert again.state is not State.NOT_CREATED
        wait_for(studio, job.id, State.DONE)
        assert server.billed == 1


def test_a_list_that_lags_or_fails_does_not_make_a_run_not_created(open_studio, picture):
    """Looks that cannot be read do not count, and a prediction that is listed late is still found."""
    faults = {"submit": [Reset(after="body")], "list": [Reply(502), Reply(200, "<html>"), Reply(429)]}
    with FaultServer(faults=faults, list_lag=2) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        wait_for(studio, job.id, State.DONE)
        assert server.billed == posts(server) == 1


def test_two_lost_submits_with_the_same_words_find_their_own_predictions(open_studio, picture):
    """Upload addresses tell apart what prompts and times cannot."""
    with FaultServer(faults={"submit": [Reset(after="body"), Reset(after="body")]}) as server:
        studio = open_studio(server)
        jobs = [studio.submit(request_of(picture), engine="kling") for _ in range(2)]
        done = [wait_for(studio, job.id, State.DONE) for job in jobs]
        assert len({job.prediction_id for job in done}) == 2
        assert server.billed == posts(server) == 2


def test_f01_what_was_certainly_not_sent_is_tried_three_times(open_studio):
    """A refused connection is tried three times; then a person is asked, and nothing is held."""
    studio = open_studio(base_url=closed_port())
    job = studio.submit(request_of("https://example.com/a.jpg"), engine="kling")
    ended = wait_for(studio, job.id, State.NOT_CREATED)
    assert [state for state, _ in ended.phases].count(State.SUBMITTING) == 3
    assert ended.money is Money.RELEASED


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "invalid key", "KeyRejected"),
        (402, "payment required", "OutOfCredit"),
        (403, "insufficient balance, please top up", "OutOfCredit"),
        (403, "not allowed", "Refused"),
        (404, "model not found", "NotFound"),
        (422, "bad", "Refused"),
    ],
)
def test_f08_a_clear_no_is_shown_with_the_right_words_and_released(
    open_studio, picture, status, message, kind
):
    """A refused submit names its reason and gives its hold back."""
    fault = Reply(status, {"code": status, "message": message})
    with FaultServer(faults={"submit": [fault]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        ended = wait_for(studio, job.id, State.REFUSED)
        assert ended.problem.kind == kind
        assert ended.money is Money.RELEASED
        assert posts(server) == 1


def test_f07_too_many_requests_waits_as_asked_and_then_runs(open_studio, picture, clock):
    """A 429 created nothing: after the wait the same click still makes one run."""
    fault = Reply(429, {"code": 429, "message": "slow down"}, headers={"Retry-After": "7"})
    with FaultServer(faults={"submit": [fault]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        wait_for(studio, job.id, State.DONE)
        assert 7.0 in clock.waits
        assert server.billed == 1


def test_f20_one_upload_that_fails_for_good_refuses_the_run_and_names_the_picture(open_studio, tmp_path):
    """No submit leaves before every upload stands."""
    pictures = [draw_picture(tmp_path / f"{n}.png", colour=(n * 40, 80, 90)) for n in range(3)]
    with FaultServer(faults={"ticket": [None, None, *[Reply(413)] * 9]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(*pictures), engine="kling")
        ended = wait_for(studio, job.id, State.REFUSED)
        assert ended.problem.field.startswith("images[")
        assert posts(server) == 0
        assert ended.money is Money.RELEASED


def test_f25_a_key_that_is_rejected_while_polling_waits_for_a_new_one(open_studio, picture):
    """The run goes on there; with a good key its video is fetched."""
    with FaultServer(faults={"result": [Reply(401, {"code": 401, "message": "no"})]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        wait_for(studio, job.id, State.NEEDS_KEY)
        assert studio.give_key("desk", "wsk_another_key_9876") >= 0
        wait_for(studio, job.id, State.DONE)
        assert server.billed == 1


def test_f30_a_failed_task_keeps_its_hold_and_its_words(open_studio, picture):
    """A task that failed there is shown as failed; its money counts until the refund window is over."""
    failed = {"status": "failed", "error": "<b>moderation</b>"}
    with FaultServer(script=["processing", failed]) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        ended = wait_for(studio, job.id, State.FAILED)
        assert (ended.problem.kind, ended.problem.text) == ("GenerationFailed", "<b>moderation</b>")
        assert ended.money is Money.HELD


def test_f39_a_double_click_is_one_run(open_studio, picture):
    """Twenty threads with one quote make one job and one POST, and all of them see it."""
    with FaultServer() as server:
        studio = open_studio(server)
        quote, seen = studio.new_quote(), []
        request = request_of(picture)

        def click():
            seen.append(studio.submit(request, engine="kling", quote=quote).id)

        threads = [threading.Thread(target=click) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 20
        assert len(set(seen)) == 1
        wait_for(studio, seen[0], State.DONE)
        assert server.billed == posts(server) == 1
        with pytest.raises(QuoteRefused):
            studio.submit(request_of(picture, prompt="another"), engine="kling", quote=quote)


def test_f44_a_changed_price_is_asked_again(open_studio, picture):
    """The price that the person saw must be the price that is held."""
    with FaultServer() as server:
        studio = open_studio(server)
        with pytest.raises(QuoteRefused):
            studio.submit(request_of(picture), engine="kling", expected=Price(1))
        assert check_invariants(server, studio) == []


@pytest.mark.parametrize("state", [State.QUEUED, State.UPLOADING, State.SUBMITTING, State.RUNNING])
def test_f46_a_killed_process_goes_on_where_it_stood(open_studio, picture, tmp_path, state):
    """A row left in any state by a process that is gone ends done or not created, billed at most once."""
    with FaultServer() as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        done = wait_for(studio, job.id, State.DONE)
        studio.close()
        book = Ledger(tmp_path / "home" / "klingo1.sqlite3", home=tmp_path / "home")
        gone = {} if state is State.RUNNING else {"prediction_id": ""}
        if state in {State.QUEUED, State.UPLOADING}:
            server.service.tasks.clear()
        book.advance(job.id, leave=[State.DONE], to=state, now=1.0, worker=None, video=None, **gone)
        book.close()
        again = open_studio(server)
        ended = wait_for(again, job.id, State.DONE)
        assert ended.video.read_bytes() == done.video.read_bytes()
        assert posts(server) == (2 if state in {State.QUEUED, State.UPLOADING} else 1)


def test_f53_the_key_is_in_no_file_of_the_home_folder(open_studio, picture, tmp_path):
    """After a full run with a fault, no byte on disk holds the key."""
    with FaultServer(faults={"submit": [Reply(500, "wsk_canary_0123456789 leaked", billed=True)]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        wait_for(studio, job.id, State.DONE)
        studio.close()
    for file in Path(tmp_path / "home").rglob("*"):
        assert not file.is_file() or b"wsk_canary" not in file.read_bytes(), file


def test_nothing_wrong_reaches_the_network(open_studio, picture, tmp_path):
    """A small picture, a missing key and a spent budget are told before anything is sent or written."""
    small = draw_picture(tmp_path / "small.png", size=(256, 256))
    with FaultServer() as server:
        studio = open_studio(server, budget_run=100_000)
        with pytest.raises(InvalidRequest) as refused:
            studio.submit(request_of(picture, small), engine="kling")
        assert refused.value.field == "images[1]"
        with pytest.raises(BudgetReached):
            studio.submit(request_of(picture), engine="kling")
        without_key = open_studio(server, api_key="", home=tmp_path / "other")
        with pytest.raises(KeyMissing):
            without_key.submit(request_of(picture), engine="kling")
        assert server.requests == []
        assert studio.jobs() == without_key.jobs() == []
        assert list((tmp_path / "home").glob("jobs/*")) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompt": "@Image2 waves"}, "prompt"),
        ({"images": ("http://example.com/a.jpg",)}, "images[0]"),
        ({"video": "ftp://example.com/v.mp4"}, "video"),
    ],
)
def test_what_a_paid_run_could_not_use_is_refused_before_it_is_paid(open_studio, fields, field):
    """A mention without its picture, and addresses that the service cannot fetch, cost nothing."""
    with FaultServer() as server:
        studio = open_studio(server)
        given = {"prompt": "a walk", "images": ("https://example.com/a.jpg",)} | fields
        with pytest.raises(InvalidRequest) as refused:
            studio.submit(VideoRequest(**given), engine="kling")
        assert refused.value.field == field
        assert server.requests == []


def test_f74_a_clip_leaves_without_its_place_and_date(open_studio, picture, tmp_path):
    """Metadata of a reference video stays here, its pictures and sound go."""
    clip = tmp_path / "phone.mp4"
    with av.open(str(clip), "w") as out:
        out.metadata["location"] = "+48.8584+002.2945/"
        stream = out.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((720, 1280, 3), 90, np.uint8), "rgb24")
        for _ in range(96):
            frame.pts = None
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with FaultServer() as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture, video=clip), engine="kling")
        done = wait_for(studio, job.id, State.DONE)
        assert done.price == Price(840_000)
        sent = [data for data in server.service.uploads.values() if data[4:8] == b"ftyp"]
        assert len(sent) == 1
        assert b"loci" in clip.read_bytes()
        assert b"loci" not in sent[0]


def test_f58_another_owner_cannot_see_stop_or_resume(open_studio, picture):
    """A job is its owner's alone."""
    with FaultServer(faults={"result": Always(Reply(502))}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling", owner="desk")
        for act in (studio.job, studio.stop, studio.resume):
            with pytest.raises(JobNotFound):
                act(job.id, owner="somebody else")


def test_stopping_to_wait_keeps_the_money_and_the_id(open_studio, picture):
    """A paid run that is no longer waited for counts as spent, and can be fetched later."""
    with FaultServer(faults={"result": [Reply(502)] * 200}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        wait_for(studio, job.id, State.RUNNING)
        stopped = studio.stop(job.id)
        assert (stopped.state, stopped.money) == (State.STOPPED, Money.SPENT)
        assert stopped.prediction_id
        studio.resume(job.id)
        wait_for(studio, job.id, State.DONE)
        assert server.billed == posts(server) == 1


def test_a_stop_in_the_moment_of_a_step_is_not_lost(open_studio, picture, monkeypatch):
    """The run has left the state that the stop saw: the stop looks again, and ends it where it is now."""
    advance, late = Ledger.advance, []

    def later(self, job_id, *, to, **facts):
        if to is State.STOPPED and not late:
            late.append(job_id)
            return False
        return advance(self, job_id, to=to, **facts)

    monkeypatch.setattr(Ledger, "advance", later)
    with FaultServer(faults={"result": [Reply(502)] * 200}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(picture), engine="kling")
        wait_for(studio, job.id, State.RUNNING)
        assert studio.stop(job.id).state is State.STOPPED
        assert late == [job.id]


def test_any_prediction_can_be_adopted_once(open_studio, picture):
    """A bare id that this ledger never knew gets a row and its video; asking twice gives the same row."""
    with FaultServer() as server:
        studio = open_studio(server)
        first = studio.submit(request_of(picture), engine="kling")
        done = wait_for(studio, first.id, State.DONE)
        other = open_studio(server, home=picture.parent / "elsewhere")
        adopted = other.adopt(done.prediction_id)
        assert wait_for(other, adopted.id, State.DONE).video.exists()
        assert other.adopt(done.prediction_id).id == adopted.id
        assert server.billed == 1


def test_a_draft_shows_its_first_frame_while_it_is_made(open_studio, picture, slow_drafts):
    """As soon as a frame is painted the run in work has a poster."""
    slow_drafts.early = b"\xff\xd8\xff an early frame"
    studio = open_studio()
    job = studio.submit(request_of(picture), engine="draft")
    until = time.monotonic() + 10
    while time.monotonic() < until and studio.job(job.id).poster is None:
        time.sleep(0.01)
    seen = studio.job(job.id)
    assert seen.state is State.RUNNING
    assert seen.poster.read_bytes() == slow_drafts.early
