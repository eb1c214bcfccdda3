"""Uploads: tickets, what goes to the host they name, and what is tried again."""

from __future__ import annotations

import time
import tracemalloc

import httpx
import pytest
from faults.clock import FakeClock
from faults.server import (
    Altered,
    Always,
    Close,
    Cut,
    FaultServer,
    Hang,
    Reply,
    Reset,
    Swallow,
    redirect,
)

from klingo1.client import Client
from klingo1.errors import KeyRejected, Refused, TooLarge, Unavailable
from klingo1.retry import Patience

pytestmark = pytest.mark.anyio
QUICK = Patience(silence=0.4, answer=0.6)
KEY = "canary-key-0123456789abcdef"
PICTURE = bytes(range(256)) * 800


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "aunt mary.png"
    path.write_bytes(PICTURE)
    return path


async def upload(server, picture, *, clock=None, patience=None):
    """The address that an upload answers."""
    patience = patience or Patience(silence=20.0, answer=30.0)
    async with Client(KEY, base_url=server.url, clock=clock or FakeClock(), patience=patience) as client:
        return await client.upload(picture, filename="image-1.png", content_type="image/png")


def stored(server, address):
    """What the service holds under that address."""
    return server.service.uploads[address.rsplit("/", 1)[1]]


def routes(server):
    return [seen.route for seen in server.requests]


async def test_a_file_is_sent_by_ticket(picture):
    """One ticket with name, size and type; one PUT with the bytes."""
    with FaultServer(key=KEY) as server:
        address = await upload(server, picture)
    assert stored(server, address) == PICTURE
    wish = {"filename": "image-1.png", "size": len(PICTURE), "content_type": "image/png"}
    assert server.requests[0].json() == wish
    assert routes(server) == ["ticket", "put"]


async def test_an_empty_file_is_sent_too(tmp_path):
    """Zero bytes are sent with Content-Length 0."""
    empty = tmp_path / "empty"
    empty.touch()
    with FaultServer() as server:
        address = await upload(server, empty)
    assert stored(server, address) == b""
    assert server.calls("put")[0].headers["content-length"] == "0"


@pytest.mark.parametrize(
    "fault", [Reply(500), Reply(502, "<html>"), Reply(200, b"{"), Reset(), Hang(1.0), Cut(at=0.5)]
)
async def test_f17_a_ticket_that_fails_is_asked_for_again(picture, fault):
    """5xx, silence, cuts and unreadable answers are tried again, with waits between."""
    clock = FakeClock()
    patience = QUICK if isinstance(fault, Hang) else None
    with FaultServer(faults={"ticket": [fault, fault]}) as server:
        address = await upload(server, picture, clock=clock, patience=patience)
    assert stored(server, address) == PICTURE
    assert routes(server) == ["ticket"] * 3 + ["put"]
    assert len(clock.slept) == 2


async def test_f17_three_failed_tickets_are_the_end(picture):
    """There is no fourth try."""
    with FaultServer(faults={"ticket": Always(Reply(503))}) as server, pytest.raises(Unavailable):
        await upload(server, picture)
    assert routes(server) == ["ticket"] * 3


async def test_f17_a_ticket_waits_as_long_as_the_service_asks(picture):
    """429 with Retry-After is obeyed."""
    clock = FakeClock()
    with FaultServer(faults={"ticket": [Reply(429, headers={"Retry-After": "17"})]}) as server:
        await upload(server, picture, clock=clock)
    assert clock.slept == [17.0]


@pytest.mark.parametrize(
    "fault", [Reply(403), Reply(412), Reply(500), Reset(), Reset("headers"), Close("headers"), Hang(1.0)]
)
async def test_f17_a_put_that_fails_takes_a_new_ticket(picture, fault):
    """A ticket is one shot: after a refusal or a cut the next PUT goes to another address."""
    patience = QUICK if isinstance(fault, Hang) else None
    with FaultServer(faults={"put": [fault, fault]}) as server:
        address = await upload(server, picture, patience=patience)
    assert stored(server, address) == PICTURE
    assert routes(server) == ["ticket", "put"] * 3
    assert len({seen.path for seen in server.calls("put")}) == 3


async def test_f17_a_put_that_keeps_failing_ends_after_three(picture):
    """Three tickets, three PUTs, then the upload has failed."""
    with FaultServer(faults={"put": Always(Reply(403))}) as server, pytest.raises(Unavailable) as caught:
        await upload(server, picture)
    assert caught.value.status_code == 403
    assert routes(server) == ["ticket", "put"] * 3


@pytest.mark.parametrize(
    ("route", "status", "kind"),
    [
        ("ticket", 401, KeyRejected),
        ("ticket", 413, TooLarge),
        ("ticket", 400, Refused),
        ("put", 413, TooLarge),
    ],
)
async def test_a_clear_no_is_not_asked_again(picture, route, status, kind):
    """A wrong key and a file that is too large stay so."""
    with FaultServer(faults={route: Always(Reply(status))}) as server, pytest.raises(kind):
        await upload(server, picture)
    assert len(server.calls(route)) == 1


async def test_f17_slow_but_moving_is_not_aborted(tmp_path):
    """A body that is taken slowly may take far longer than the patience for silence."""
    large = tmp_path / "large.mp4"
    with large.open("wb") as handle:
        handle.truncate(40 * 2**20)
    with FaultServer(faults={"put": [Swallow(pause=0.002)]}) as server:
        start = time.monotonic()
        await upload(server, large, patience=QUICK)
    assert time.monotonic() - start > 2 * QUICK.silence
    assert routes(server) == ["ticket", "put"]


@pytest.mark.parametrize(
    "inner",
    [
        "http://93.184.216.34/put",
        "https://127.0.0.1/put",
        "http://127.0.0.1:1/put",
        "https://10.1.2.3/put",
        "https://[::1]/put",
        "https://[::ffff:10.0.0.1]/put",
        "https://169.254.169.254/put",
        "https://2130706433/put",
        "https://localhost/put",
        "file:///etc/passwd",
        "https://u:p@93.184.216.34/put",
        "/put",
        "nonsense",
    ],
)
async def test_f18_tickets_pointing_inwards_are_refused(picture, inner):
    """Only public https, or the API's own origin, gets people's pictures."""
    with FaultServer() as server:
        server.service.ticket_url = inner
        with pytest.raises(Refused):
            await upload(server, picture)
    assert routes(server) == ["ticket"]


async def test_f19_the_put_has_the_tickets_headers_and_no_other(picture):
    """Signed uploads break on a header too many, and the key is none of that host's business."""
    with FaultServer(key=KEY) as server:
        server.service.ticket_headers = {
            "Content-Type": "image/png",
            "X-Goog-Meta": "a b",
            "Authorization": "no",
        }
        await upload(server, picture)
    headers = dict(server.calls("put")[0].headers)
    assert headers.pop("host") in server.url
    assert headers == {"content-type": "image/png", "x-goog-meta": "a b", "content-length": str(len(PICTURE))}


async def test_f19_a_foreign_host_never_sees_the_key(picture):
    """The PUT to another host carries nothing of the account."""
    seen = []

    async def answer(request):
        seen.append(request)
        await request.aread()
        if request.method == "PUT":
            return httpx.Response(200)
        upload = {"method": "PUT", "url": "https://bucket.example.net/x?sig=1", "headers": {"X-A": "1"}}
        return httpx.Response(
            200, json={"code": 200, "data": {"download_url": "https://x.example/y", "upload": upload}}
        )

    async with Client(KEY, transport=httpx.MockTransport(answer)) as client:
        assert (
            await client.upload(picture, filename="a.png", content_type="image/png") == "https://x.example/y"
        )
    put = seen[1]
    assert put.url.host == "bucket.example.net"
    assert sorted(put.headers) == ["content-length", "host", "x-a"]
    assert put.content == PICTURE


@pytest.mark.parametrize(
    "data",
    [
        {"upload": None},
        {"upload": {"method": "POST", "url": "https://93.184.216.34/x"}},
        {"upload": {"method": "PUT", "url": 7}},
        {"upload": {"method": "PUT", "url": "https://93.184.216.34/x", "headers": ["a"]}},
        {"upload": {"method": "PUT", "url": "https://93.184.216.34/x", "headers": {"X-A": "1\r\nX-B: 2"}}},
        {"upload": {"method": "PUT", "url": "https://93.184.216.34/x", "headers": {"X A": "1"}}},
        {"upload": {"method": "PUT", "url": "https://93.184.216.34/x", "headers": {"X-A": 1}}},
        {"download_url": None},
        {"download_url": "javascript:alert(1)"},
        {"download_url": "https://x.example/a b"},
    ],
    ids=range(10),
)
async def test_a_ticket_that_makes_no_sense_is_not_used(picture, data):
    """Impossible headers, methods and addresses end the upload before any byte of the file leaves."""
    with FaultServer(faults={"ticket": Always(Altered(data=data))}) as server, pytest.raises(Unavailable):
        await upload(server, picture)
    assert routes(server) == ["ticket"] * 3


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_f11_a_put_is_not_redirected(picture, status):
    """The bytes go where the ticket says, or nowhere."""
    with FaultServer() as other, FaultServer() as server:
        server.set_faults("put", Always(redirect(other.url + "/put/u9", status)))
        with pytest.raises(Unavailable):
            await upload(server, picture)
    assert other.requests == []


@pytest.mark.parametrize("status", [404, 405])
async def test_services_without_tickets_get_the_older_form(picture, status):
    """The multipart form carries the same bytes under the given name."""
    with FaultServer(key=KEY, faults={"ticket": Always(Reply(status))}) as server:
        address = await upload(server, picture)
    assert stored(server, address) == PICTURE
    assert routes(server) == ["ticket", "legacy"]
    assert b'filename="image-1.png"' in server.requests[1].body
    assert b"aunt mary" not in server.requests[1].body


async def test_the_older_form_is_tried_again_after_an_outage(picture):
    """Uploads cost nothing, so repeating one is safe."""
    with FaultServer(tickets=False, faults={"legacy": [Reset(), Reply(502)]}) as server:
        address = await upload(server, picture)
    assert stored(server, address) == PICTURE


async def test_f36_a_large_file_is_streamed_from_disk(tmp_path):
    """Memory stays flat whatever the size."""
    large = tmp_path / "large.mp4"
    with large.open("wb") as handle:
        handle.truncate(60 * 2**20)
    with FaultServer(faults={"put": [Swallow()]}) as server:
        tracemalloc.start()
        await upload(server, large)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 5 * 2**20


async def test_a_missing_file_is_an_oserror(tmp_path):
    """What the disk says is passed on, and nothing is asked for."""
    with FaultServer() as server, pytest.raises(FileNotFoundError):
        await upload(server, tmp_path / "gone.png")
    assert server.requests == []
