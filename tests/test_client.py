"""The client's reads, its patience, and where the key may and may not go."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
import traceback
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from faults.asgi import FaultlessApp
from faults.clock import FakeClock
from faults.server import Altered, Always, Cut, Drip, FaultServer, Hang, Reply, Reset, closed_port, redirect

from klingo1.client import Client, succeeded
from klingo1.errors import (
    ApiError,
    GenerationFailed,
    InvalidRequest,
    KeyMissing,
    KeyRejected,
    KlingoError,
    NotFound,
    RateLimited,
    Refused,
    SettingsError,
    Unavailable,
)
from klingo1.prediction import Status
from klingo1.retry import Patience

pytestmark = pytest.mark.anyio
KEY = "canary-key-0123456789abcdef"
BODY = {"prompt": "A fox in the snow", "images": ["https://example.com/a.png"], "duration": 5}
CALM = Patience(silence=20.0, answer=30.0)  # a busy machine is no fault
QUICK = Patience(silence=0.3, answer=0.6)


@pytest.fixture
def anyio_backend():
    return "asyncio"


def client_of(server, *, clock=None, patience=CALM):
    """A client of that server whose waits take no time."""
    return Client(KEY, base_url=server.url, clock=clock or FakeClock(), patience=patience)


async def started(server, client):
    """The id of a task of that server."""
    return (await client.submit(BODY)).id


async def test_f21_unknown_words_mean_still_running():
    """The task is followed through known and unknown words to its end, every answer told."""
    words = []
    with FaultServer(script=["created", "processing", "dreaming", "completed"]) as server:
        async with client_of(server) as client:
            task = await started(server, client)
            done = await client.wait(task, on_update=lambda p: words.append(p.status_word))
    assert words == ["created", "processing", "dreaming", "completed"]
    assert succeeded(done).outputs == done.outputs
    assert len(done.outputs) == 1


async def test_f22_a_task_that_never_ends_is_asked_for_ever_more_rarely():
    """Quick at first, every 30 seconds later, never given up on our own account."""
    clock = FakeClock()
    with FaultServer(script=["processing"] * 300 + ["completed"]) as server:
        async with client_of(server, clock=clock) as client:
            done = await client.wait(await started(server, client))
    assert done.status.succeeded
    assert clock.slept[0] <= 0.25
    assert 25 <= clock.slept[-1] <= 30
    assert max(clock.slept) <= 30


async def test_f23_an_hour_of_outage_is_waited_out():
    """502, resets, cuts, silence and pages for an hour, then completed: done."""
    clock = FakeClock()
    bad = [
        Reply(502, b"{}"),
        Reset(),
        Cut(at=0.5),
        Reply(200, "<html>"),
        Reply(503, "", {"Retry-After": "120"}),
    ]
    with FaultServer(script=["completed"]) as server:
        async with client_of(server, clock=clock, patience=QUICK) as client:
            task = await started(server, client)
            server.set_faults("result", [*bad * 30, Hang(1.0)])
            before = clock.now
            done = await client.wait(task)
    assert done.status.succeeded
    assert clock.now - before > 3600


@pytest.mark.parametrize(
    "fault",
    [
        Reply(502, b"{}"),
        Reply(500, {"code": 500, "message": "x"}),
        Reply(408),
        Reply(200, "<html><h1>Welcome</h1>"),
        Reply(200, b""),
        Reply(200, b"null"),
        Reply(200, []),
        Reply(200, {"code": 200, "data": None}),
        Reply(200, {"code": 500, "message": "x", "data": {"id": "x", "status": "completed"}}),
        Reply(200, b"[" * 100_000),
        Reply(204),
        Reset(),
        Cut(at=0.5),
        Hang(1.0),
        redirect("/api/v3/balance"),
        redirect("javascript:alert(1)"),
    ],
    ids=range(16),
)
async def test_f24_what_is_no_answer_is_no_status(fault):
    """Failures and pages are "unavailable", whatever they contain."""
    patience = QUICK if isinstance(fault, Hang) else CALM
    with FaultServer() as server:
        async with client_of(server) as patient, client_of(server, patience=patience) as client:
            task = await started(server, patient)
            server.set_faults("result", [fault])
            with pytest.raises(Unavailable):
                await client.result(task)
            assert (await patient.result(task)).id == task


async def test_f36_packed_answers_are_read_and_bombs_are_not():
    """A gateway may pack an answer although identity is asked for; nothing is unpacked beyond its cap."""
    good = gzip.compress(json.dumps({"code": 200, "data": {"balance": 1}}).encode())
    packed = {"Content-Encoding": "gzip"}
    faults = [
        Reply(200, good, packed),
        Reply(200, gzip.compress(bytes(200_000_000)), packed),
        Reply(200, b"no", packed),
    ]
    with FaultServer(faults={"balance": faults}) as server:
        async with client_of(server) as client:
            assert await client.balance() == 1_000_000
            tracemalloc.start()
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await client.balance()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert peak < 20 * 2**20


async def test_proxies_of_the_environment_are_used_but_not_for_this_machine(monkeypatch):
    """A corporate proxy carries calls to the service; a service on this machine is reached directly."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FaultServer() as proxy, FaultServer() as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        async with client_of(server) as client:
            await client.balance()
            await client.submit(BODY)
        assert proxy.requests == []
        async with Client(KEY, base_url="http://api.example.invalid") as client:
            with pytest.raises(NotFound):
                await client.balance()
    assert proxy.requests[0].path == "http://api.example.invalid/api/v3/balance"


async def test_a_netrc_adds_no_credentials(monkeypatch, tmp_path):
    """Only the key given here is ever sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with FaultServer() as server:
        async with client_of(server) as client:
            await client.balance()
            await client.download(f"{server.url}/output/x.mp4", tmp_path / "v.mp4")
    assert [s.headers.get("authorization") for s in server.requests] == [f"Bearer {KEY}", None]


def test_the_fault_server_speaks_the_contract_to_a_foreign_client(tmp_path):
    """The official package works against it, so that our tests do not merely test us against ourselves."""
    from wavespeed.api.client import Client as Official

    picture = tmp_path / "a.png"
    picture.write_bytes(b"picture")
    with FaultServer(key=KEY, script=["completed"]) as server:
        official = Official(api_key=KEY, base_url=server.url)
        outputs = official.run("kwaivgi/kling-video-o1/reference-to-video", BODY)["outputs"]
        assert outputs[0].startswith(server.url)
        assert official.upload(str(picture)).startswith(server.url)
    assert server.billed == 1


async def test_an_unreachable_service_is_unavailable_for_reads():
    """Reads have one error for "not now"."""
    async with Client(KEY, base_url=closed_port()) as client:
        for call in (client.result("abcd1234"), client.balance(), client.list(), client.price(BODY)):
            with pytest.raises(Unavailable):
                await call


@pytest.mark.parametrize(("status", "kind"), [(401, KeyRejected), (403, Refused), (400, Refused)])
async def test_f25_a_clear_refusal_ends_the_waiting(status, kind):
    """A key that is not accepted any more is told at once."""
    with FaultServer(faults={"result": Always(Reply(status, {"code": status, "message": "no"}))}) as server:
        async with client_of(server) as client:
            with pytest.raises(kind):
                await client.wait(await started(server, client))
    assert len(server.calls("result")) == 1


async def test_f26_an_unknown_task_is_asked_for_again_for_a_minute():
    """A task may become visible late; one that stays unknown is told."""
    clock = FakeClock()
    with FaultServer(script=["completed"]) as server:
        async with client_of(server, clock=clock) as client:
            task = await started(server, client)
            server.set_faults("result", [Reply(404)] * 6)
            assert (await client.wait(task)).status.succeeded
            before = clock.now
            with pytest.raises(NotFound):
                await client.wait("nobody1234")
    assert 60 <= clock.now - before <= 95


async def test_results_are_found_under_the_other_path_too():
    """Where `/result` is unknown, the task itself is asked for."""
    with FaultServer(script=["completed"]) as server:
        async with client_of(server) as client:
            task = await started(server, client)
            server.set_faults("result", [Reply(404)])
            assert (await client.result(task)).status.succeeded
    paths = [seen.path for seen in server.calls("result")]
    assert paths == [f"/api/v3/predictions/{task}/result", f"/api/v3/predictions/{task}"]


async def test_f27_too_many_requests_slow_down_every_job_of_the_key():
    """One job is told to wait 90 seconds, and none asks before that."""
    clock = FakeClock()
    with FaultServer(script=["completed"]) as server:
        async with client_of(server, clock=clock) as client:
            tasks = [await started(server, client) for _ in range(4)]
            server.set_faults("result", [Reply(429, headers={"Retry-After": "90"})])
            with pytest.raises(RateLimited) as caught:
                await client.result(tasks[0])
            before = clock.now
            await asyncio.gather(*(client.wait(task) for task in tasks))
    assert caught.value.retry_after == 90
    assert clock.now - before >= 90


async def test_f27_a_429_is_waited_out():
    """A 429 is no end, with or without a Retry-After."""
    faults = [Reply(429, headers={"Retry-After": value}) for value in ("3", "-1", "inf", "")] + [Reply(429)]
    with FaultServer(script=["completed"], faults={"result": faults}) as server:
        async with client_of(server) as client:
            assert (await client.wait(await started(server, client))).status.succeeded


async def test_f28_a_huge_answer_is_read_to_its_cap_only():
    """Fifty megabytes are cut off at one."""
    with FaultServer(faults={"result": [Reply(200, b" " * 50_000_000)]}) as server:
        async with client_of(server) as client:
            start = time.monotonic()
            with pytest.raises(Unavailable) as caught:
                await client.result(await started(server, client))
    assert time.monotonic() - start < 10
    assert len(caught.value.detail) <= 500


async def test_f28_a_dripping_answer_is_given_up_after_its_time():
    """A byte now and then does not hold a poll for ever."""
    with FaultServer(faults={"result": [Drip(size=1, pause=0.1)]}) as server:
        async with client_of(server, patience=Patience(answer=0.6)) as client:
            task = await started(server, client)
            start = time.monotonic()
            with pytest.raises(Unavailable):
                await client.result(task)
    assert 0.5 < time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([], ()),
        (None, ()),
        ("https://a.example/1", ("https://a.example/1",)),
        ([{"url": "https://a.example/1"}, "https://a.example/1"], ("https://a.example/1",)),
        ([f"https://a.example/{n}" for n in range(50)], tuple(f"https://a.example/{n}" for n in range(50))),
        ([None, 7, {}, {"url": 3}], ()),
    ],
)
async def test_f29_outputs_come_in_many_shapes(outputs, expected):
    """Strings and objects are read, duplicates and nonsense left out."""
    with FaultServer(script=[{"status": "completed", "outputs": outputs}]) as server:
        async with client_of(server) as client:
            assert (await client.wait(await started(server, client))).outputs == expected


@pytest.mark.parametrize("status", ["failed", "cancelled", "timeout", "deleted"])
async def test_f30_every_end_is_returned_with_a_short_clean_reason(status):
    """An end is an answer, not an exception; its text is cut and holds no key."""
    step = {"status": status, "error": f"<b>{KEY}</b>" + "x" * 900_000, "code": 1200}
    with FaultServer(script=[step]) as server:
        async with client_of(server) as client:
            ended = await client.wait(await started(server, client))
    assert ended.status is Status(status)
    assert ended.task_code == 1200
    assert ended.error.startswith("<b>[key]</b>xxx")
    assert len(ended.error) <= 500
    assert KEY not in str(ended.raw)
    with pytest.raises(GenerationFailed) as caught:
        succeeded(ended)
    assert (caught.value.prediction_id, caught.value.status, caught.value.code) == (ended.id, status, 1200)


async def test_f31_the_first_end_counts():
    """What a service says after "completed" is not asked for."""
    with FaultServer(script=["completed", "processing"]) as server:
        async with client_of(server) as client:
            assert (await client.wait(await started(server, client))).status.succeeded
    assert len(server.calls("result")) == 1


async def test_f32_an_answer_about_another_task_is_ignored():
    """Somebody else's result is not taken for ours."""
    other = Altered(data={"id": "somebodyelse", "status": "completed"})
    with FaultServer(script=["completed"], faults={"result": [other]}) as server:
        async with client_of(server) as client:
            task = await started(server, client)
            with pytest.raises(Unavailable):
                await client.result(task)
            assert (await client.wait(task)).id == task


async def test_the_services_own_address_is_asked_only_on_its_own_origin():
    """`urls.get` is used where it has the API's origin; elsewhere the key must not go."""
    with FaultServer() as other, FaultServer(script=["completed"]) as server:
        async with client_of(server) as client:
            task = await started(server, client)
            await client.result(task, get_url=f"{server.url}/api/v3/predictions/{task}?x=1")
            for foreign in (
                f"{other.url}/api/v3/predictions/{task}/result",
                f"{server.url}@127.0.0.1:1/x",
                "file:///etc/passwd",
                "not an address",
                "http://[broken",
            ):
                await client.result(task, get_url=foreign)
    paths = [seen.path for seen in server.calls("result")]
    assert paths == [f"/api/v3/predictions/{task}?x=1"] + [f"/api/v3/predictions/{task}/result"] * 5
    assert other.requests == []


async def test_list_asks_for_a_window_and_reads_what_it_can():
    """Times go out as UTC; unreadable items are left out; inputs are echoed."""
    with FaultServer(key=KEY) as server:
        async with client_of(server) as client:
            task = await started(server, client)
            east = timezone(timedelta(hours=2))
            after = datetime(2020, 1, 1, 2, 0, tzinfo=east)
            before = datetime(2099, 1, 1)  # noqa: DTZ001 - without a zone on purpose
            found = await client.list(created_after=after, created_before=before, page_size=500)
            server.set_faults(
                "list", [Altered(data={"items": [None, 7, {"id": "../x"}, {"id": "good1234"}]})]
            )
            assert [one.id for one in await client.list()] == ["good1234"]
            server.set_faults("list", [Altered(data={"items": "none"})])
            with pytest.raises(Unavailable):
                await client.list()
    assert [one.id for one in found] == [task]
    assert found[0].inputs == BODY
    assert server.calls("list")[0].json() == {
        "page": 1,
        "page_size": 100,
        "created_after": "2020-01-01T00:00:00.000Z",
        "created_before": "2099-01-01T00:00:00.000Z",
        "model": "kwaivgi/kling-video-o1/reference-to-video",
    }


@pytest.mark.parametrize(
    ("balance", "micro"),
    [
        (12.34, 12_340_000),
        (0, 0),
        (0.1 + 0.2, 300_000),
        ("7.5", 7_500_000),
        (-1.5, -1_500_000),
        (1e6, 10**12),
    ],
)
async def test_balance_is_exact_micro_dollars(balance, micro):
    """Dollars become integers without the dust of floating point."""
    with FaultServer(balance=balance) as server:
        async with client_of(server) as client:
            assert await client.balance() == micro


@pytest.mark.parametrize("balance", [None, "lots", [], {}, True, float("nan"), float("inf"), "1e999999"])
async def test_a_balance_that_is_no_amount_is_unavailable(balance):
    """Nonsense is not taken for money."""
    with FaultServer(balance=balance) as server:
        async with client_of(server) as client:
            with pytest.raises(Unavailable):
                await client.balance()


async def test_price_is_what_would_be_billed():
    """The discounted price where there is one; other currencies are not mistaken for dollars."""
    with FaultServer() as server:
        async with client_of(server) as client:
            assert await client.price(BODY) == 560_000
            server.set_faults(
                "price",
                [
                    Altered(data={"discounted_price": 0.5}),
                    Altered(data={"discounted_price": None}),
                    Altered(data={"currency": "EUR"}),
                ],
            )
            assert await client.price(BODY) == 500_000
            assert await client.price(BODY) == 560_000
            with pytest.raises(Unavailable):
                await client.price(BODY)
    assert server.calls("price")[0].json()["inputs"] == BODY
    assert server.billed == 0


async def test_delete_tells_how_many_are_gone():
    """Only ids that can be ids are sent."""
    with FaultServer() as server:
        async with client_of(server) as client:
            task = await started(server, client)
            assert await client.delete([task, "unknown1234"]) == 1
            with pytest.raises(InvalidRequest):
                await client.delete([task, "*"])


@pytest.mark.parametrize("form", ["", "/", "/api/v3", "/api/v3/", "//"])
async def test_the_base_address_is_accepted_in_every_usual_form(form):
    """Origin or full path, with or without slashes."""
    with FaultServer() as server:
        async with Client(KEY, base_url=f" {server.url}{form} ") as client:
            await client.balance()
    assert server.requests[0].path == "/api/v3/balance"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.wavespeed.ai",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x?y=1",
        "https://x#y",
        "http://[x",
        "file:///x",
    ],
)
def test_an_impossible_base_address_is_a_settings_error(address):
    """It names the variable, before anything is sent."""
    with pytest.raises(SettingsError) as caught:
        Client(KEY, base_url=address)
    assert caught.value.variable == "WAVESPEED_BASE_URL"


async def test_f54_a_key_is_trimmed():
    """White space around a pasted key is harmless."""
    with FaultServer(key=KEY) as server:
        async with Client(f" \t{KEY}\r\n", base_url=server.url) as client:
            await client.balance()


@pytest.mark.parametrize("key", ["", "  ", "\n"])
def test_f54_no_key_is_a_missing_key(key):
    """Nothing but white space is no key."""
    with pytest.raises(KeyMissing):
        Client(key)


@pytest.mark.parametrize("tail", ["\nX-Evil: 1", "\r\n", "é", "🔑", "\x00", "\x7f", "“", " x", "\u200b"])
def test_f54_a_key_that_no_header_can_carry_is_refused_without_repeating_it(tail):
    """Control characters, spaces inside and anything but ASCII are told, and the key is not."""
    with pytest.raises(InvalidRequest) as caught:
        Client(KEY + tail + "x")
    assert caught.value.field == "api_key"
    assert KEY not in "".join(traceback.format_exception(caught.value))


FAULTS = [
    Reply(500, KEY),
    Reply(401, {"code": 401, "message": f"bad {KEY}"}),
    Reset(),
    Reply(200, KEY),
    Cut(at=5),
]


@pytest.mark.parametrize("fault", FAULTS, ids=range(5))
async def test_f53_f55_key_prompt_and_addresses_stay_out_of_logs_and_errors(fault, caplog, tmp_path):
    """At DEBUG, over a life with faults: no key, prompt or signature in any record, repr or traceback."""
    caplog.set_level(logging.DEBUG)
    shown = []
    (tmp_path / "a.png").write_bytes(b"png")
    with FaultServer(key=KEY, script=["completed"]) as server:
        async with client_of(server) as client:
            shown.append(repr(client) + str(vars(client)))
            done = await client.wait(await started(server, client))
            await client.upload(tmp_path / "a.png", filename="a.png", content_type="image/png")
            server.set_faults("download", [redirect("/output/x.mp4?sig=9&X-Signature=secret")])
            await client.download(done.outputs[0], tmp_path / "v.mp4")
            for route in ("submit", "result", "list", "ticket", "balance", "price", "delete"):
                server.set_faults(route, Always(fault))
            for call in (
                client.submit(BODY),
                client.result(done.id),
                client.list(),
                client.balance(),
                client.price(BODY),
                client.delete([done.id]),
                client.upload(tmp_path / "a.png", filename="a.png", content_type="image/png"),
            ):
                with pytest.raises(ApiError) as caught:
                    await call
                shown.append("".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)))
    text = caplog.text + "".join(shown) + "".join(str(record.__dict__) for record in caplog.records)
    assert done.id in caplog.text
    assert "klingo1.client" in caplog.text
    for secret in (KEY, "fox", "presigned", "X-Amz", "sig=", "X-Signature", "a.png", "/output/"):
        assert secret not in text.replace(str(tmp_path), ""), secret


async def test_in_process_everything_works_without_a_socket(tmp_path):
    """The draft service is driven through ASGI by the same client, uploads and downloads included."""
    origin = "http://draft.klingo1.invalid"
    app = FaultlessApp(origin, script=["processing", "completed"], key="draft")
    picture = tmp_path / "a.png"
    picture.write_bytes(b"picture" * 9999)
    announced = []
    async with Client(
        "draft", base_url=origin, transport=httpx.ASGITransport(app), clock=FakeClock()
    ) as client:
        address = await client.upload(picture, filename="a.png", content_type="image/png")
        task = await client.submit(BODY | {"images": [address]}, on_sending=lambda: announced.append(1))
        done = await client.wait(task.id, get_url=task.get_url)
        video = await client.download(done.outputs[0], tmp_path / "v.mp4")
        assert await client.balance() == 100_000_000
        assert len(await client.list()) == 1
        app.service.tickets = False
        await client.upload(picture, filename="a.png", content_type="image/png")
        with pytest.raises(InvalidRequest):
            await client.result("../x")
    assert announced == [1]
    assert video.read_bytes() == app.service.film
    assert list(app.service.uploads.values()) == [picture.read_bytes()] * 2
    assert all("authorization" not in s.headers for s in app.requests if s.route in ("put", "download"))


async def test_an_application_that_raises_in_process_is_an_uncertain_submit():
    """A crash behind ASGI is a lost answer like any other."""

    async def crash(_scope, _receive, _send):
        raise RuntimeError("boom")

    async with Client(
        "draft", base_url="http://draft.invalid", transport=httpx.ASGITransport(crash)
    ) as client:
        with pytest.raises(KlingoError) as caught:
            await client.submit(BODY)
        with pytest.raises(Unavailable):
            await client.balance()
    assert type(caught.value).__name__ == "SubmitUncertain"


async def test_connections_are_kept_for_reads():
    """Polling does not open a connection each time."""
    with FaultServer(script=["processing"] * 5 + ["completed"]) as server:
        accepted = []
        server.set_faults("accept", _counting(accepted))
        async with client_of(server) as client:
            await client.wait(await started(server, client))
    assert len(server.calls("result")) == 6
    assert len(accepted) == 1  # none was kept, so the submit opened the one that the polls used


async def test_every_submit_gets_a_connection_of_its_own():
    """A submit never travels on a connection that was used before: it might just have been closed."""
    with FaultServer(script=["completed"]) as server:
        accepted = []
        server.set_faults("accept", _counting(accepted))
        async with client_of(server) as client:
            for opened in (1, 2, 3):
                await client.wait(await started(server, client))
                assert len(accepted) == opened
            await asyncio.gather(*(client.submit(BODY) for _ in range(4)))
    assert len(accepted) == 7


def _counting(accepted):
    while True:
        accepted.append(1)
        yield None


async def test_created_at_windows_are_told_in_utc():
    """A time with a zone means the same moment for the service."""
    with FaultServer() as server:
        async with client_of(server) as client:
            await client.list(
                created_after=datetime(2026, 1, 1, tzinfo=UTC), model="", status="failed", page=3
            )
    assert server.requests[0].json() == {
        "page": 3,
        "page_size": 100,
        "created_after": "2026-01-01T00:00:00.000Z",
        "status": "failed",
    }
