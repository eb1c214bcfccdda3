"""The submit under every fault: it leaves at most once, and each outcome is told apart from the others."""

from __future__ import annotations

import socket
import threading

import pytest
from faults.clock import FakeClock
from faults.server import (
    Altered,
    Always,
    Close,
    Cut,
    Drip,
    FaultServer,
    Hang,
    Late,
    Reply,
    Reset,
    Stale,
    closed_port,
    endless,
    redirect,
)

from klingo1.client import Client
from klingo1.errors import (
    InvalidRequest,
    KeyRejected,
    LedgerError,
    NotFound,
    NotSent,
    OutOfCredit,
    RateLimited,
    Refused,
    SubmitUncertain,
    TooLarge,
)
from klingo1.prediction import Status
from klingo1.retry import Patience

pytestmark = pytest.mark.anyio
KEY = "canary-key-0123456789abcdef"
BODY = {"prompt": "A fox in the snow", "images": ["https://example.com/a.png"], "duration": 5}
CALM = Patience(silence=20.0, submit=30.0)  # a busy machine is no fault
QUICK = Patience(silence=0.3, submit=0.6)


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def submit(server_url: str, *, on_sending=None, patience=CALM):
    """What one submit comes to: a prediction or an error."""
    async with Client(KEY, base_url=server_url, clock=FakeClock(), patience=patience) as client:
        try:
            return await client.submit(BODY, on_sending=on_sending)
        except Exception as error:
            return error


async def test_a_good_submit_is_billed_once_and_answers_the_prediction():
    """The ordinary case: one request with the key and the body as given, one bill."""
    with FaultServer(key=KEY) as server:
        prediction = await submit(server.url)
    assert prediction.status is Status.CREATED
    assert server.billed == 1
    assert server.calls("submit")[0].json() == BODY


async def test_f01_refused_connection_is_certainly_not_sent():
    """Nobody listens: the request may be repeated, and sending was never announced."""
    announced = []
    outcome = await submit(closed_port(), on_sending=lambda: announced.append(1))
    assert isinstance(outcome, NotSent)
    assert announced == []


async def test_f01_unknown_host_is_certainly_not_sent():
    """A name without an address fails before anything is sent."""
    assert isinstance(await submit("http://no-such-host.invalid"), NotSent)


async def test_f01_failed_tls_handshake_is_certainly_not_sent():
    """A server that speaks no TLS never saw the request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def chatter():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"this is not TLS")
                connection.recv(1000)

        thread = threading.Thread(target=chatter)
        thread.start()
        outcome = await submit(f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert isinstance(outcome, NotSent)


async def test_f01_connect_timeout_is_certainly_not_sent():
    """A host that never finishes the TLS handshake is given up on, unsent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        outcome = await submit(url, patience=Patience(connect=0.2))
    assert isinstance(outcome, NotSent)


@pytest.mark.parametrize(
    ("fault", "bills"),
    [
        (Reset(after="body"), 1),
        (Close(after="body"), 1),
        (Reset(after="body", billed=False), 0),
        (Reset(after="headers"), 0),
        (Hang(2.0), 1),
        (Hang(2.0, billed=False), 0),
        (Cut(at=0.5), 1),
        (Cut(at=0.5, with_length=False), 1),
        (Cut(at=0), 1),
        (Drip(size=1, pause=0.02), 1),
    ],
)
async def test_f02_f04_a_lost_answer_is_uncertain_and_never_sent_again(fault, bills):
    """Reset, closed, silent, cut or too slow: the task may exist, so the request leaves exactly once."""
    patience = QUICK if isinstance(fault, Hang | Drip) else CALM
    with FaultServer(faults={"submit": Always(fault)}) as server:
        outcome = await submit(server.url, patience=patience)
    assert isinstance(outcome, SubmitUncertain)
    assert len(server.calls("submit")) == 1
    assert server.billed == bills


async def test_f04_a_slow_answer_to_a_submit_is_awaited():
    """An answer that comes late is better than an unknown outcome: silence alone ends no submit."""
    with FaultServer(faults={"submit": [Late(0.4)]}) as server:
        prediction = await submit(server.url, patience=Patience(silence=0.1, submit=20.0))
    assert prediction.status is Status.CREATED


async def test_f03_closed_at_accept_is_uncertain():
    """It looks the same as a billed reset, so it is treated alike."""
    with FaultServer(faults={"accept": Always(Close())}) as server:
        outcome = await submit(server.url)
    assert isinstance(outcome, SubmitUncertain)
    assert server.billed == 0


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 599, 408, 425, 499])
@pytest.mark.parametrize("billed", [True, False])
async def test_f05_f06_a_falling_server_or_gateway_is_uncertain(status, billed):
    """5xx, and gateways that gave up waiting, say nothing about the task."""
    fault = Reply(status, "<html><h1>Bad gateway</h1></html>", {"Retry-After": "7"}, billed=billed)
    with FaultServer(faults={"submit": [fault]}) as server:
        outcome = await submit(server.url)
    assert isinstance(outcome, SubmitUncertain)
    assert outcome.status_code == status
    assert outcome.detail == "Bad gateway"
    assert len(server.calls("submit")) == 1
    assert server.billed == billed


@pytest.mark.parametrize(("value", "expected"), [("2", 2.0), ("-10", 0.0), ("nan", None), ("86400", 120.0)])
async def test_f07_too_many_requests_carries_a_sane_wait(value, expected):
    """429 is a clear no; how long to wait is told when the service said something sensible."""
    with FaultServer(faults={"submit": [Reply(429, {"code": 429}, {"Retry-After": value})]}) as server:
        outcome = await submit(server.url)
    assert isinstance(outcome, RateLimited)
    assert outcome.retry_after == expected


REFUSALS = [
    (400, 'field "aspect_ratio" must be one of 16:9', Refused),
    (400, "Insufficient balance", OutOfCredit),
    (401, "invalid api key", KeyRejected),
    (402, "", OutOfCredit),
    (403, "Insufficient credits, please top up your account", OutOfCredit),
    (403, "please top-up", OutOfCredit),
    (403, "account disabled", Refused),
    (403, "insufficient permissions for this model", Refused),
    (404, "unknown model", NotFound),
    (409, "conflict", Refused),
    (413, "too large", TooLarge),
    (422, "duration must be an integer", Refused),
]


@pytest.mark.parametrize("enveloped", [False, True])
@pytest.mark.parametrize(("status", "message", "kind"), REFUSALS)
async def test_f08_f10_clear_refusals_are_told_apart(status, message, kind, enveloped):
    """Each refusal is its own kind with the service's words, as HTTP status or as code under HTTP 200."""
    body = {"code": status, "message": message, "data": None}
    with FaultServer(faults={"submit": [Reply(200 if enveloped else status, body)]}) as server:
        outcome = await submit(server.url)
    assert type(outcome) is kind
    assert outcome.detail == (message or ('{"code": 402, "message": "", "data": null}' if enveloped else ""))
    assert outcome.code == status
    assert server.billed == 0


@pytest.mark.parametrize(
    "body",
    [
        "<html>a captive portal</html>",
        b"",
        b'{"code":200,"data":{"id":"abcd12',
        None,
        [],
        "true",
        {"code": 200, "message": "success"},
        {"code": 200, "message": "success", "data": None},
        {"code": 200, "message": "success", "data": {"status": "created"}},
        {"code": 200, "message": "success", "data": [1]},
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b" " * 5_000_000,
        endless(b"x" * 65536),
    ],
    ids=range(14),
)
async def test_f09_an_unreadable_success_is_uncertain(body):
    """HTTP 200 with anything but a prediction: the task may exist; little of the answer is kept."""
    body = b"null" if body is None else body
    with FaultServer(faults={"submit": [Reply(200, body, billed=True)]}) as server:
        outcome = await submit(server.url)
    assert isinstance(outcome, SubmitUncertain)
    assert outcome.status_code == 200
    assert len(outcome.detail) <= 500
    assert server.billed == 1


async def test_f09_what_is_kept_of_a_bad_answer_holds_no_key_and_no_signature():
    """The words kept for a person are plain, one line, without key and without an address's query."""
    said = f"Oops\n\x1b[31m{KEY}\u202e https://bucket.example/x.mp4?X-Amz-Signature=sekret and on"
    with FaultServer(faults={"submit": [Reply(500, {"code": 500, "message": said})]}) as server:
        outcome = await submit(server.url)
    assert outcome.detail == "Oops [31m[key] https://bucket.example/x.mp4 and on"
    assert KEY not in repr(outcome)
    assert KEY not in str(outcome.__cause__)


@pytest.mark.parametrize("code", [500, 503, 0, 201, -1, "500", True, 4.5, [200]])
async def test_f10_another_code_under_http_200_is_uncertain(code):
    """An envelope code that is neither success nor a clear refusal leaves the outcome open."""
    fault = Reply(200, {"code": code, "message": "x", "data": {"id": "abcd1234"}}, billed=True)
    with FaultServer(faults={"submit": [fault]}) as server:
        outcome = await submit(server.url)
    assert isinstance(outcome, SubmitUncertain)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_f11_redirects_are_not_followed(status):
    """A redirected submit is uncertain, and neither body nor key goes to the other place."""
    with FaultServer() as other, FaultServer() as server:
        server.set_faults("submit", [redirect(other.url + "/api/v3/balance", status)])
        outcome = await submit(server.url)
    assert isinstance(outcome, SubmitUncertain)
    assert other.requests == []


@pytest.mark.parametrize("location", ["javascript:alert(1)", "http://[broken", "https://", "", "//", "\\x00"])
async def test_f11_a_redirect_to_nowhere_is_uncertain_too(location):
    """The library stumbles over a bad Location; that must not pass for "not sent"."""
    with FaultServer() as server:
        server.set_faults("submit", [Reply(302, headers={"Location": location}, billed=True)])
        outcome = await submit(server.url)
    assert isinstance(outcome, SubmitUncertain)
    assert server.billed == 1


@pytest.mark.parametrize(
    "bad", ["../balance", "a" * 10_000, "abcd\n1234", "", 12345678, None, "ab/cd12", "abcd%2e", "äöüßx"]
)
async def test_f12_an_id_that_could_be_a_path_is_not_used(bad):
    """A strange id makes the outcome uncertain, and it can never be asked for."""
    with FaultServer(faults={"submit": [Altered(data={"id": bad})]}) as server:
        outcome = await submit(server.url)
        async with Client(KEY, base_url=server.url) as client:
            with pytest.raises(InvalidRequest):
                await client.result(bad)
            with pytest.raises(InvalidRequest):
                await client.delete([bad])
    assert isinstance(outcome, SubmitUncertain)
    assert [seen.route for seen in server.requests] == ["submit"]


async def test_f14_a_task_may_be_done_in_the_first_answer():
    """A submit that answers "completed" with outputs is taken as it is."""
    done = Altered(data={"status": "completed", "outputs": ["https://example.com/v.mp4"]})
    with FaultServer(faults={"submit": [done]}) as server:
        prediction = await submit(server.url)
    assert prediction.status.ended
    assert prediction.outputs == ("https://example.com/v.mp4",)


async def test_f15_a_stale_connection_gives_no_false_unknown():
    """The service resets kept connections when they are used again: every submit still gets through."""
    with FaultServer(faults={"submit": Always(Stale()), "balance": [Stale()]}) as server:
        async with Client(KEY, base_url=server.url, patience=CALM) as client:
            await client.balance()
            for _ in range(3):
                assert (await client.submit(BODY)).status is Status.CREATED
    assert server.billed == 3


async def test_sending_is_announced_once_before_the_first_byte():
    """The record can be made when the connection stands and nothing has left yet."""
    seen = []
    with FaultServer() as server:
        await submit(server.url, on_sending=lambda: seen.append(len(server.requests)))
    assert seen == [0]


async def test_f49_what_the_announcement_raises_is_passed_on_and_nothing_is_sent():
    """When the row cannot be written there is no POST."""

    def disk_full():
        raise LedgerError("the disk is full")

    with FaultServer() as server:
        outcome = await submit(server.url, on_sending=disk_full)
        other = await submit(server.url, on_sending=lambda: {}["missing"])
    assert isinstance(outcome, LedgerError)
    assert isinstance(other, KeyError)
    assert server.requests == []


async def test_a_body_that_is_no_json_is_refused_before_anything_is_sent():
    """NaN has no wire form."""
    with FaultServer() as server:
        async with Client(KEY, base_url=server.url) as client:
            with pytest.raises(InvalidRequest):
                await client.submit({"duration": float("nan")})
    assert server.requests == []
