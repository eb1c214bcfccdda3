"""A whole run under each numbered fault, from the click to its end: one bill at most, nothing lost, no secret
told. The finer forms of each fault are tested where they are handled; here the first few of each are run by
default, and all of them by `make soak`.
"""

import json
import logging
from functools import partial

import pytest
from conftest import draw_picture
from faults.clip import clip
from faults.invariants import CANARY, check_invariants
from faults.server import (
    Altered,
    Always,
    Close,
    Cut,
    Drip,
    FaultServer,
    Hang,
    Reply,
    Reset,
    Stale,
    Swallow,
    closed_port,
    endless,
    redirect,
)
from faults.victims import settle

from klingo1 import engines
from klingo1.client import Client
from klingo1.errors import InvalidRequest
from klingo1.job import Money, State
from klingo1.request import DraftOptions, VideoRequest
from klingo1.retry import Patience

URL = "https://example.com/one.jpg"
HASTY = Patience(connect=5.0, silence=0.6, answer=0.8, submit=1.5, polls_per_second=500.0)
CALM = Patience(silence=20.0, answer=30.0, submit=30.0, polls_per_second=500.0)
SUCCESS = {"code": 200, "message": "success"}


def forms(usual, cases):
    """All cases as parameters, those after the first `usual` for the long run only."""
    many = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [
        pytest.param(*case, marks=[pytest.mark.soak] if number >= usual else [])
        for number, case in enumerate(many)
    ]


class Run:
    """What became of one click: the job as the ledger kept it, and the server that it met."""

    def __init__(self, job, server, clock):
        self.job, self.server, self.clock = job, server, clock
        self.states = [state for state, _ in job.phases]

    def ended(self, state, money, *, billed, submits=1):
        assert (self.job.state, self.job.money) == (state, money), self.job.problem
        assert self.server.billed == billed
        assert len(self.server.calls("submit")) == submits
        return self

    def done(self):
        return self.ended(State.DONE, Money.SPENT, billed=1)

    def found(self):
        """Its answer was lost, and it was found."""
        assert State.UNKNOWN in self.states
        return self.done()


@pytest.fixture
def run(open_studio, clock, caplog, monkeypatch, tmp_path):
    """Runs one click to its end against a server; every run ends in the common invariants."""
    caplog.set_level(logging.DEBUG)

    def play(faults=None, *, images=(URL,), patience=CALM, prepare=None, base_url="", resume=None, **service):
        monkeypatch.setattr(engines, "Client", partial(Client, patience=patience))
        with FaultServer(faults=faults, **service) as server:
            studio = open_studio(base_url=base_url or server.url, budget_day=1_000_000)
            if prepare is not None:
                prepare(server)
            wishes = DraftOptions(size="1080p", roles=("prop",))  # a draft's alone: they are never sent
            request = VideoRequest(prompt="a walk along the quay", images=images, duration=3, draft=wishes)
            job = studio.submit(request, engine="kling")
            settle(studio, seconds=30)
            if resume is not None:
                resume(server, studio.job(job.id))
                studio.resume(job.id)
                settle(studio, seconds=30)
            (kept,) = check_invariants(server, studio, log=caplog.text)
            return Run(kept, server, clock)

    return play


@pytest.fixture
def pictures(tmp_path):
    return [draw_picture(tmp_path / f"{n}.jpg", size=(320, 300), colour=(n * 30, 90, 120)) for n in range(7)]


@pytest.mark.parametrize("base_url", [closed_port(), "http://nowhere.invalid"], ids=["refused", "unknown"])
def test_f01_what_never_left_is_tried_three_times(run, base_url):
    """Refused or without an address: three tries, then a person is asked, and nothing is held."""
    ended = run(base_url=base_url).ended(State.NOT_CREATED, Money.RELEASED, billed=0, submits=0)
    assert ended.states.count(State.SUBMITTING) == 3


@pytest.mark.parametrize("billed", [True, False])
def test_f04_no_answer_in_time(run, billed):
    """The run is found when it was made, and not created when it never was."""
    ended = run({"submit": [Hang(1.8, billed=billed)]}, patience=HASTY)
    assert State.UNKNOWN in ended.states
    ended.done() if billed else ended.ended(State.NOT_CREATED, Money.RELEASED, billed=0)


@pytest.mark.parametrize("status", forms(2, [500, 502, 503, 504, 520, 599, 408, 425, 499]))
@pytest.mark.parametrize("billed", [True, False])
def test_f05_f06_whatever_a_gateway_says(run, status, billed):
    """The run is found when it was billed, and not created when it was not."""
    ended = run({"submit": [Reply(status, "<html>gateway</html>", billed=billed)]})
    assert State.UNKNOWN in ended.states
    ended.done() if billed else ended.ended(State.NOT_CREATED, Money.RELEASED, billed=0)


@pytest.mark.parametrize(
    ("value", "wait"),
    forms(
        4,
        [
            ("2", 2.0),
            ("-10", 0.0),
            ("1e35", 120.0),
            (None, 5.0),
            ("", 5.0),
            (" ", 5.0),
            ("0", 0.0),
            ("2.5", 2.5),
            ("+2", 2.0),
            ("1e1", 10.0),
            ("-1e35", 0.0),
            ("120", 120.0),
            ("121", 120.0),
            ("86400", 120.0),
            ("9" * 39, 120.0),
            ("9" * 400, 5.0),
            ("nan", 5.0),
            ("inf", 5.0),
            ("-inf", 5.0),
            ("soon", 5.0),
            ("2, 5", 5.0),
            ("0x10", 5.0),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 120.0),
            ("Fri, 31 Dec 100000 23:59:59 GMT", 5.0),
        ],
    ),
)
def test_f07_twenty_five_forms_of_retry_after(run, value, wait):
    """A submit that came too soon is sent again after a sane wait, and billed once."""
    headers = {} if value is None else {"Retry-After": value}
    ended = run({"submit": [Reply(429, {"code": 429}, headers)]}).ended(
        State.DONE, Money.SPENT, billed=1, submits=2
    )
    assert wait in ended.clock.waits or wait == 0.0
    assert all(0 <= waited <= 120 for waited in ended.clock.waits)


@pytest.mark.parametrize("now", ["Wed, 21 Oct 2015 07:28:00 GMT", "Thu, 21 Oct 2055 07:28:00 GMT"])
def test_f07_a_date_counts_from_the_services_own_now(run, now):
    """A Retry-After that is a date is read by the Date of the same answer, however wrong a clock is."""
    headers = {"Date": now, "Retry-After": now.replace("28:00", "28:37")}
    ended = run({"submit": [Reply(429, {"code": 429}, headers)]})
    assert 37.0 in ended.clock.waits


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    forms(
        3,
        [
            (402, "", "OutOfCredit"),
            (401, "invalid key", "KeyRejected"),
            (422, "duration", "Refused"),
            (400, "bad parameter", "Refused"),
            (400, "Insufficient balance", "OutOfCredit"),
            (403, "please top up", "OutOfCredit"),
            (403, "account disabled", "Refused"),
            (404, "unknown model", "NotFound"),
            (413, "too large", "TooLarge"),
        ],
    ),
)
@pytest.mark.parametrize("enveloped", [False, True])
def test_f08_f10_a_clear_no(run, status, message, kind, enveloped):
    """As HTTP status or as the envelope's code: refused with its own kind, the hold released."""
    fault = Reply(200 if enveloped else status, {"code": status, "message": message, "data": None})
    ended = run({"submit": [fault]}).ended(State.REFUSED, Money.RELEASED, billed=0)
    assert ended.job.problem.kind == kind
    if kind == "OutOfCredit":
        assert "credit" in ended.job.problem.text


@pytest.mark.parametrize(
    "body",
    forms(
        3,
        [
            "<html>",
            b'{"code":200,"data":{"id":"ab',
            SUCCESS,
            b"",
            b"null",
            [],
            f'"{CANARY}"',
            b" " * 5_000_000,
        ],
    ),
    ids=range(8),
)
def test_f09_an_unreadable_yes(run, body):
    """The run is looked up; nothing of what came is stored that should not be."""
    run({"submit": [Reply(200, body, billed=True)]}).found()


@pytest.mark.parametrize("code", forms(2, [500, "x", 503, 0, True, 201]))
def test_f10_a_code_that_is_no_clear_no(run, code):
    """Under HTTP 200 it leaves the outcome open."""
    run({"submit": [Reply(200, {"code": code, "data": {"id": "abcd1234"}}, billed=True)]}).found()


@pytest.mark.parametrize("status", forms(1, [307, 301, 302, 303, 308]))
def test_f11_a_redirected_submit(run, status):
    """It is not followed; what it made is found."""
    with FaultServer() as other:
        run({"submit": [Altered(status=status, headers={"Location": other.url + "/api/v3/balance"})]}).found()
    assert other.requests == []


@pytest.mark.parametrize(
    "bad",
    forms(4, ["../balance", "a" * 10_240, "ab\ncd", 12345678, None, "", "ab/cd", "abcd?x=1", "ab%2e%2e"]),
)
def test_f12_an_id_that_could_be_a_path(run, bad):
    """No address is made of it; the run is found under its true name."""
    ended = run({"submit": [Altered(data={"id": bad})]}).found()
    assert ended.server.calls("other") == ended.server.calls("balance") == []


@pytest.mark.parametrize("outputs", [None, [], "there"])
def test_f14_done_in_the_first_answer(run, outputs):
    """Whether or not it names the video already."""

    def prepare(server):
        film = [f"{server.url}/output/task00000001.mp4?sig=1"] if outputs == "there" else outputs
        server.set_faults("submit", [Altered(data={"status": "completed", "outputs": film})])

    ended = run(prepare=prepare, script=["completed"]).done()
    assert State.UNKNOWN not in ended.states


def test_f15_stale_connections_on_every_route(run, pictures):
    """The service resets kept connections when they are used again: no false unknown."""
    routes = ("ticket", "put", "submit", "result", "download")
    ended = run({route: [Stale()] for route in routes}, images=tuple(pictures[:2])).done()
    assert State.UNKNOWN not in ended.states


@pytest.mark.parametrize(
    ("route", "faults"),
    forms(
        5,
        [
            ("ticket", [Reply(500), Reply(503)]),
            ("put", [Close("headers"), Reset("headers")]),
            ("put", [Reply(403)]),
            ("put", [Reply(412)]),
            ("put", [Swallow(size=4096, pause=0.01, reply=Reply(200))]),
            ("put", [Hang(1.2)]),
            ("ticket", [Hang(1.2)]),
            ("ticket", [Reply(429, headers={"Retry-After": "9"})]),
            ("ticket", [Reply(200, {"code": 200, "data": None}), Cut(at=0.5)]),
        ],
    ),
)
def test_f17_uploads_that_fail_at_first(run, pictures, route, faults):
    """They are made good with new tickets, and the submit leaves after the last of them."""
    ended = run({route: faults}, images=tuple(pictures[:1]), patience=HASTY).done()
    order = [seen.route for seen in ended.server.requests]
    assert max(n for n, name in enumerate(order) if name == "put") < order.index("submit")


@pytest.mark.parametrize(
    "inner",
    [
        "http://93.184.216.34/put",
        "https://127.0.0.1/put",
        "https://10.1.2.3/put",
        "https://[::ffff:10.0.0.1]/p",
    ],
)
def test_f18_a_ticket_that_points_inwards(run, pictures, inner):
    """The run is refused and named; no byte of the picture leaves."""

    def prepare(server):
        server.service.ticket_url = inner

    ended = run(images=tuple(pictures[:1]), prepare=prepare)
    ended.ended(State.REFUSED, Money.RELEASED, billed=0, submits=0)
    assert ended.job.problem.field == "images[0]"
    assert ended.server.calls("put") == []


def test_f19_a_put_carries_the_tickets_headers(run, pictures):
    """Exactly those, and no key."""
    (put,) = run(images=tuple(pictures[:1])).done().server.calls("put")
    wanted = {"host", "content-length", "content-type", "x-amz-acl"}
    assert set(put.headers) == wanted


def test_f20_one_of_seven_pictures(run, pictures):
    """It is named; the six others stand, and are not sent again when a person lets the run go on."""
    upload = Refusing(name=b"reference-3.")

    def now_it_works(_server, job):
        assert (job.state, job.problem.field) == (State.REFUSED, "images[3]")
        upload.over = True

    ended = run({"ticket": Always(upload)}, images=tuple(pictures), resume=now_it_works).done()
    assert len(ended.server.calls("put")) == 7


class Refusing:
    """Tickets for one file are refused, until `over`."""

    def __init__(self, name):
        self.name, self.over = name, False

    def play(self, line, act):
        reply = act()
        named = self.name in json.dumps(reply.body).encode()
        line.send(Reply(413) if named and not self.over else reply)


def test_f21_words_that_nobody_knows(run):
    """They mean: still running."""
    run(script=["created", "processing", "queued", "reticulating", "", "completed"]).done()


def test_f22_a_run_that_takes_for_ever(run):
    """It is asked for ever more rarely, at most every half minute, and not failed by us."""
    ended = run(script=["processing"] * 60 + ["completed"]).done()
    assert 20 < max(ended.clock.waits) <= 30


@pytest.mark.parametrize(
    "fault",
    [
        Reply(502, b"{}"),
        Reply(200, "<html>maintenance</html>"),
        Cut(at=0.7),
        pytest.param(Reset(), marks=pytest.mark.soak),
        pytest.param(Reply(200, b""), marks=pytest.mark.soak),
        pytest.param(Reply(200, {"code": 200, "data": None}), marks=pytest.mark.soak),
        pytest.param(Reply(200, {"code": 500, "message": "completed"}), marks=pytest.mark.soak),
    ],
    ids=range(7),
)
def test_f24_what_is_no_answer(run, fault):
    """It is not a status either."""
    run({"result": [fault] * 3}).done()


def test_f26_a_run_that_the_service_does_not_know_yet(run):
    """A minute is granted."""
    run({"result": [Reply(404)] * 6}).done()


def test_f26_a_run_that_the_service_does_not_know_any_more(run):
    """After the minute a person is told; id and hold are kept, and it can be asked for again."""

    def it_comes_back(server, job):
        assert (job.state, job.money) == (State.EXPIRED, Money.HELD)
        assert job.prediction_id
        server.set_faults("result", [])

    run({"result": Always(Reply(404))}, resume=it_comes_back).done()


@pytest.mark.parametrize(
    "fault", [Reply(200, endless(b" " * 65536)), Drip(size=1, pause=0.02)], ids=["huge", "drip"]
)
def test_f28_answers_that_are_too_much(run, fault):
    """Megabytes, or a byte at a time: given up in time and asked again."""
    run({"result": [fault]}, patience=HASTY).done()


@pytest.mark.parametrize("shape", forms(2, ["objects", "mixed", "text", "twice", "fifty"]))
def test_f29_outputs_of_every_shape(run, shape):
    """The first address is the video."""

    def prepare(server):
        film = f"{server.url}/output/task00000001.mp4?sig=9"
        shapes = {
            "text": film,
            "objects": [{"url": film, "type": "video"}],
            "twice": [film, film],
            "fifty": [film, *[f"{server.url}/output/x{n}.mp4" for n in range(49)]],
            "mixed": [None, 7, "", {"href": "x"}, [film], film],
        }
        server.service.script = [{"status": "completed", "outputs": shapes[shape]}]

    run(prepare=prepare).done()


@pytest.mark.parametrize("outputs", forms(1, [[], None, {}, 7]))
def test_f29_done_without_a_video(run, outputs):
    """It is waited for; then a person is told and the id is kept. When it is there, it is fetched."""

    def it_comes(server, job):
        assert (job.state, job.money) == (State.EXPIRED, Money.HELD)
        server.service.script = ["completed"]

    run(script=[{"status": "completed", "outputs": outputs}], resume=it_comes).done()


@pytest.mark.parametrize("word", forms(1, ["failed", "cancelled", "timeout", "deleted"]))
@pytest.mark.parametrize("error", forms(3, ["x" * 2**19, f"your key {CANARY}", None, "<b>no</b>", "", 7]))
def test_f30_a_run_that_failed_there(run, word, error):
    """Short, plain, without the key; its price is held until the refund."""
    ended = run(script=["processing", {"status": word, "error": error}])
    ended.ended(State.FAILED, Money.HELD, billed=1)
    assert 0 < len(ended.job.problem.text) <= 500


@pytest.mark.parametrize(
    "later", forms(2, ["processing", {"status": "deleted", "outputs": []}, "created", "failed"])
)
def test_f31_completed_and_then_another_word(run, later):
    """What was done once stays done."""
    run(script=["processing", "completed", later]).done()


def test_f32_an_answer_about_another_run(run):
    """It is no answer about this one, whatever it says."""
    other = {"id": "task99999999", "status": "failed"}
    run({"result": [Altered(data=other)] * 3}).done()


@pytest.mark.parametrize(
    "faults",
    [
        [Cut(at=0.6)],
        [Cut(at=0.6), Altered(headers={"Content-Range": "bytes 1-39999/40000"})],
        [Cut(at=0.6), Altered(status=200, headers={"Content-Range": None}, body=clip(size=200_000))],
        [Cut(at=0.6), Reply(416)],
        [Cut(at=0.6), Altered(headers={"ETag": '"another"'})],
        [Cut(at=at) for at in (1, 7, 100, 0.1, 0.5, 0.99)],
    ],
    ids=["rest", "start", "whole", "416", "etag", "cuts"],
)
def test_f33_downloads_that_break(run, faults):
    """The video is whole, byte for byte."""
    run({"download": faults}, film=clip(size=200_000)).done()


@pytest.mark.parametrize("at", forms(2, [0, 0.5, 5, 0.99]))
def test_f34_a_cut_that_nothing_announces(run, at):
    """The boxes of the MP4 tell."""
    run({"download": [Cut(at=at, with_length=False)]}).done()


STALE = [
    Reply(403),
    Reply(404),
    Reply(410),
    Reply(401),
    Reply(200, "<html>sorry</html>", {"Content-Type": "text/html"}),
    Reply(200, "<html>sorry</html>", {"Content-Type": "video/mp4"}),
]


@pytest.mark.parametrize("fault", forms(3, STALE), ids=range(6))
def test_f35_an_address_that_has_expired(run, fault):
    """A fresh one is asked for."""
    ended = run({"download": [fault]}).done()
    first, second = (seen.path for seen in ended.server.calls("download"))
    assert first != second


@pytest.mark.parametrize("fault", forms(1, STALE), ids=range(6))
def test_f35_addresses_that_all_have_expired(run, fault):
    """After three fresh ones a person is told; the id is kept, and it can be fetched later."""

    def it_comes_back(server, job):
        assert (job.state, job.money) == (State.EXPIRED, Money.HELD)
        assert len(server.calls("download")) == 4
        server.set_faults("download", [])

    run({"download": Always(fault)}, resume=it_comes_back).done()


@pytest.mark.parametrize(
    "inner",
    forms(
        2,
        [
            "https://169.254.169.254/latest/meta-data",
            "https://[::ffff:10.0.0.1]/x.mp4",
            "http://127.0.0.1:9/x.mp4",
            "https://100.64.0.1/x.mp4",
            "https://[64:ff9b::7f00:1]/x.mp4",
            "https://[2002:7f00:1::]/x.mp4",
            "https://2130706433/x.mp4",
            "file:///etc/passwd",
        ],
    ),
)
@pytest.mark.parametrize("redirected", [False, True])
def test_f37_f38_addresses_inside(run, inner, redirected):
    """Named or redirected to, they are not asked; the run waits for a person, its id and its hold kept."""
    faults = {"download": Always(redirect(inner))} if redirected else {}
    script = ["completed"] if redirected else [{"status": "completed", "outputs": [inner]}]
    ended = run(faults, script=script).ended(State.EXPIRED, Money.HELD, billed=1)
    assert ended.job.problem.kind == "DownloadFailed"
    assert ended.job.prediction_id


@pytest.mark.parametrize(
    "bad", forms(1, ["wsk canary", "wsk\ncanary", "wsk_\U0001f511", '"wsk_canary"x y', "\u201cwsk\u201d"])
)
def test_f54_a_key_that_cannot_be_one(open_studio, caplog, bad):
    """Refused before any header is built, and told to nobody; a space pasted around a good one is not."""
    caplog.set_level(logging.DEBUG)
    with FaultServer(key=CANARY) as server:
        studio = open_studio(server, api_key="")
        with pytest.raises(InvalidRequest) as refused:
            studio.give_key("desk", bad)
        assert bad not in str(refused.value)
        assert server.requests == []
        studio.give_key("desk", f" \t{CANARY}\n")
        request = VideoRequest(prompt="a walk along the quay", images=(URL,), duration=3)
        studio.submit(request, engine="kling")
        settle(studio)
        (kept,) = check_invariants(server, studio, log=caplog.text)
        assert (kept.state, server.billed) == (State.DONE, 1)
