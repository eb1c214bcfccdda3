"""Fetching results: whole or not at all, resumed where that is safe, capped, and never with the key."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import tracemalloc

import httpx
import pytest
from faults.clip import clip
from faults.clock import FakeClock
from faults.server import Altered, Always, Cut, FaultServer, Hang, Reply, Reset, endless, redirect

from klingo1.client import Client
from klingo1.download import is_whole_mp4
from klingo1.errors import DownloadFailed, Unavailable
from klingo1.retry import Patience

pytestmark = pytest.mark.anyio
KEY = "canary-key-0123456789abcdef"
FILM = clip(size=40_000)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "video.mp4"


def film_server(*faults, film=FILM):
    """A server whose downloads misbehave so, one after the other."""
    server = FaultServer(faults={"download": list(faults)}, film=film)
    server.output = server.url + "/output/task1.mp4?sig=1"
    return server


async def fetch(server, target, *, url="", clock=None, silence=20.0, **options):
    """The path that the download returns."""
    patience = Patience(silence=silence)
    async with Client(KEY, base_url=server.url, clock=clock or FakeClock(), patience=patience) as client:
        return await client.download(url or server.output, target, **options)


def ranges(server):
    """The Range header of each download request, "" for none."""
    return [seen.headers.get("range", "") for seen in server.calls("download")]


def leftovers(target):
    """What else lies in the target's folder."""
    return sorted(path.name for path in target.parent.iterdir() if path != target)


async def test_a_whole_result_appears_under_its_name_and_nothing_else_stays(target):
    """The ordinary case, with progress told on the way."""
    told = []
    with film_server() as server:
        path = await fetch(server, target, on_progress=lambda done, total: told.append((done, total)))
    assert path == target
    assert target.read_bytes() == FILM
    assert leftovers(target) == []
    assert told[-1] == (len(FILM), len(FILM))


async def test_f33_a_cut_download_goes_on_where_it_was(target):
    """Range and If-Range ask for the rest only."""
    with film_server(Cut(at=0.6)) as server:
        await fetch(server, target)
    assert target.read_bytes() == FILM
    assert ranges(server) == ["", "bytes=24000-"]
    assert server.calls("download")[1].headers["if-range"] == server.service.etag


async def test_f33_progress_renews_the_patience(target):
    """A line that breaks again and again is fine as long as each attempt brings something."""
    clock = FakeClock()
    with film_server(*[Cut(at=3000)] * 13) as server:
        await fetch(server, target, clock=clock)
    assert target.read_bytes() == FILM
    assert max(clock.slept) <= 1


async def test_f33_a_later_call_goes_on_with_what_an_earlier_one_left(target):
    """The part and its ETag survive the client, so a restart does not begin again."""
    with film_server(Cut(at=0.5), *[Reply(503)] * 5) as server:
        with pytest.raises(DownloadFailed) as caught:
            await fetch(server, target)
        assert leftovers(target) == ["video.mp4.part", "video.mp4.part.json"]
        await fetch(server, target)
    assert not caught.value.expired
    assert target.read_bytes() == FILM
    assert ranges(server)[-1] == "bytes=20000-"
    assert leftovers(target) == []


async def test_f33_a_part_that_is_already_whole_is_not_fetched_again(target):
    """Stopped between the last byte and the rename: the next call only checks and renames."""
    target.with_name("video.mp4.part").write_bytes(FILM)
    note = {"etag": '"film-1"', "total": len(FILM)}
    target.with_name("video.mp4.part.json").write_text(json.dumps(note))
    with film_server() as server:
        await fetch(server, target)
    assert server.requests == []
    assert target.read_bytes() == FILM


@pytest.mark.parametrize(
    "second",
    [
        Altered(headers={"Content-Range": "bytes 23999-39999/40000"}),
        Altered(headers={"Content-Range": "bytes 24001-39999/40000"}),
        Altered(headers={"Content-Range": "bytes 24000-39998/40000"}),
        Altered(headers={"Content-Range": "bytes 24000-39999/50000"}),
        Altered(headers={"Content-Range": "bytes 24000-39999/*"}),
        Altered(headers={"Content-Range": None}),
        Altered(headers={"Content-Range": "rubbish"}),
        Altered(headers={"ETag": '"film-2"'}),
        Altered(status=200, headers={"Content-Range": None}, body=FILM),
        Reply(416, headers={"Content-Range": "bytes */40000"}),
    ],
    ids=range(10),
)
async def test_f33_a_rest_that_does_not_fit_means_from_zero(target, second):
    """Another start, end, length or version, or the whole file instead: nothing is glued together."""
    with film_server(Cut(at=0.6), second) as server:
        await fetch(server, target)
    assert target.read_bytes() == FILM
    assert len(server.requests) <= 3


class Portions:
    """An honest server that never sends more than so many bytes of what a Range asks for."""

    def __init__(self, size):
        self.size = size

    def play(self, line, act):
        reply = act()
        if reply.status == 206:
            start, whole = map(int, re.findall(r"bytes (\d+)-\d+/(\d+)", reply.headers["Content-Range"])[0])
            body = reply.content()[: self.size]
            rest = {"Content-Range": f"bytes {start}-{start + len(body) - 1}/{whole}"}
            reply = Reply(206, body, {**reply.headers, **rest})
        line.send(reply)


async def test_f33_a_rest_that_comes_in_portions_is_put_together(target):
    """A host may answer a Range with less than was asked for: the next one asks for what is left."""
    with film_server(Cut(at=0.6), *[Portions(3000)] * 10) as server:
        await fetch(server, target)
    assert target.read_bytes() == FILM
    assert ranges(server) == ["", *(f"bytes={at}-" for at in range(24_000, 40_000, 3000))]


async def test_f33_a_changed_file_is_fetched_anew(target):
    """If-Range with the old ETag makes an honest server send the new file whole."""
    with film_server(Cut(at=0.6)) as server:
        with pytest.raises(RuntimeError):
            await fetch(server, target, on_progress=_stop)
        server.service.etag, server.service.film = '"film-2"', clip(frames=12)
        await fetch(server, target)
    assert target.read_bytes() == clip(frames=12)


def _stop(_done, _total):
    raise RuntimeError("stopped")


async def test_f33_without_a_strong_etag_nothing_is_resumed(target):
    """A weak ETag cannot vouch for bytes."""
    weak = {"ETag": 'W/"film-1"'}
    with film_server(Altered(headers=weak), film=FILM) as server:
        server.set_faults("download", [Cut(at=0.6), None])
        server.service.etag = 'W/"film-1"'
        await fetch(server, target)
    assert ranges(server) == ["", ""]
    assert target.read_bytes() == FILM


@pytest.mark.parametrize("at", [0, 3, 100, 0.3, 0.6, 0.999, 39_999])
async def test_f34_a_cut_without_a_length_is_noticed(target, at):
    """Nothing announces the length, so the boxes of the MP4 tell that it is not whole."""
    with film_server(Cut(at=at, with_length=False)) as server:
        await fetch(server, target)
    assert target.read_bytes() == FILM
    assert len(server.requests) == 2


def test_f34_every_true_prefix_of_an_mp4_is_recognised_as_cut(tmp_path):
    """The walk over the boxes accepts the whole file and no shorter one."""
    film = clip()
    path = tmp_path / "film.mp4"
    path.write_bytes(film)
    assert is_whole_mp4(path)
    for length in reversed(range(len(film))):
        os.truncate(path, length)
        assert not is_whole_mp4(path), length


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 64,
        b"\x00\x00\x00\x08ftyp",
        b"\x00\x00\x00\x08ftyp\x00\x00\x00\x08moov",
        b"\x00\x00\x00\x08moov\x00\x00\x00\x08ftyp\x00\x00\x00\x08mdat",
        b"\x00\x00\x00\x08ftyp\x00\x00\x00\x08moov\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x03",
        b"\x00\x00\x00\x08ftyp\x00\x00\x00\x08moov\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x00\x00\x00\x08ftyp\x00\x00\x00\x08moov\x00\x00\x00\x08mdat\x00",
    ],
    ids=range(8),
)
def test_f34_what_is_no_mp4_is_not_taken_for_one(tmp_path, data):
    """Missing, empty, misordered or overlong boxes are refused, without looping."""
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    assert not is_whole_mp4(path)


def test_f34_a_64_bit_box_is_understood(tmp_path):
    """Large films announce the size of their data in eight bytes."""
    path = tmp_path / "film.mp4"
    big = b"\x00\x00\x00\x01mdat" + (20).to_bytes(8, "big") + b"1234"
    path.write_bytes(b"\x00\x00\x00\x08ftyp\x00\x00\x00\x08moov" + big)
    assert is_whole_mp4(path)


STALE = [
    Reply(403, "<Error/>"),
    Reply(404),
    Reply(410),
    Reply(200, "<html>expired</html>", {"Content-Type": "text/html; charset=utf-8"}),
    Reply(200, "  <!doctype html>expired", {"Content-Type": "video/mp4"}),
    Reply(200, {"error": "expired"}, {"Content-Type": "application/json"}),
]


@pytest.mark.parametrize("fault", STALE, ids=range(6))
async def test_f35_an_expired_address_is_replaced_by_a_fresh_one(target, fault):
    """403, 404, 410 and pages under 200 mean: ask the result for its address again."""
    asked = []
    with film_server(fault) as server:

        async def refresh():
            asked.append(1)
            return server.output + "&fresh=1"

        await fetch(server, target, refresh=refresh)
    assert asked == [1]
    assert server.calls("download")[1].path.endswith("fresh=1")
    assert target.read_bytes() == FILM


@pytest.mark.parametrize("fault", STALE, ids=range(6))
async def test_f35_after_three_fresh_addresses_the_result_is_expired(target, fault):
    """There is an end to asking, and it is told as "expired"."""
    asked = []
    with film_server(*[fault] * 9) as server:

        async def refresh():
            asked.append(1)
            return server.output

        with pytest.raises(DownloadFailed) as caught:
            await fetch(server, target, refresh=refresh)
    assert caught.value.expired
    assert len(asked) == 3
    assert len(server.requests) == 4
    assert not target.exists()


async def test_f35_expiry_in_the_middle_goes_on_with_the_fresh_address(target):
    """What is on disk stays good when only the address changes."""
    with film_server(Cut(at=0.5)) as server:

        async def refresh():
            return server.url + "/output/task1.mp4?sig=999"

        def expire(done, _total):
            if done >= 20_000:
                server.service.downloads_from = 500

        await fetch(server, target, refresh=refresh, on_progress=expire)
    assert ranges(server) == ["", "bytes=20000-", "bytes=20000-"]
    assert target.read_bytes() == FILM


async def test_f35_what_refresh_raises_is_passed_on(target):
    """An outage while asking for a fresh address is an outage, not an expiry."""

    async def refresh():
        raise Unavailable("down")

    with film_server(Reply(403)) as server, pytest.raises(Unavailable):
        await fetch(server, target, refresh=refresh)


@pytest.mark.parametrize("fault", [Reply(500), Reply(429), Reset(), Hang(2.0), Reply(200, b"x" * 500)])
async def test_outages_are_waited_out_a_few_times(target, fault):
    """One bad attempt is followed by another; a server that stays bad is given up on for now."""
    with film_server(fault) as server:
        await fetch(server, target, silence=0.4 if isinstance(fault, Hang) else 20.0)
    assert target.read_bytes() == FILM


async def test_a_server_that_stays_bad_is_given_up_on_for_now(target):
    """Five attempts without a byte end the call; it is no expiry."""
    with film_server() as server:
        server.set_faults("download", Always(Reply(502)))
        with pytest.raises(DownloadFailed) as caught:
            await fetch(server, target)
    assert not caught.value.expired
    assert len(server.requests) == 5


async def test_f36_an_endless_result_is_capped_and_memory_stays_flat(target):
    """Bytes go to disk as they come, and the limit ends it; nothing of it stays."""
    with film_server(Reply(200, endless(), {"Content-Type": "video/mp4"})) as server:
        tracemalloc.start()
        with pytest.raises(DownloadFailed):
            await fetch(server, target, limit=30 * 2**20)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 5 * 2**20
    assert leftovers(target) == []
    assert len(server.requests) == 1


async def test_f36_an_announced_length_over_the_limit_is_refused_at_once(target):
    """Five gigabytes are not begun."""
    huge = Reply(200, b"", {"Content-Length": str(5 * 2**30), "Content-Type": "video/mp4"})
    with film_server(huge) as server, pytest.raises(DownloadFailed):
        await fetch(server, target)
    assert leftovers(target) == []


async def test_f36_a_packed_answer_is_not_unpacked(target):
    """Identity is asked for; a gzip bomb is neither unpacked nor kept."""
    bomb = Reply(
        200, gzip.compress(bytes(20_000_000)), {"Content-Encoding": "gzip", "Content-Type": "video/mp4"}
    )
    with film_server(bomb) as server:
        await fetch(server, target)
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert target.read_bytes() == FILM


async def test_f36_a_full_disk_keeps_the_part(target):
    """The error of the disk is passed on, and when there is room again the download goes on."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with film_server(film=clip(size=400_000)) as server:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, before[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                await fetch(server, target)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        kept = target.with_name("video.mp4.part").stat().st_size
        await fetch(server, target)
    assert kept > 0
    assert ranges(server) == ["", f"bytes={kept}-"]
    assert target.read_bytes() == clip(size=400_000)


INNER = [
    "http://127.0.0.1/x",
    "https://127.0.0.1/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[::ffff:10.0.0.1]/x",
    "https://100.64.0.1/x",
    "https://[64:ff9b::7f00:1]/x",
    "https://[2002:7f00:1::]/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "https://localhost/x",
    "https://[fe80::1%25eth0]/x",
    "https://[::1]/x",
    "https://user:pw@93.184.216.34/x",
    "http://93.184.216.34/x",
    "file:///etc/passwd",
    "ftp://93.184.216.34/x",
    "javascript:alert(1)",
    "//127.0.0.1/x",
    "https://",
]


@pytest.mark.parametrize("inner", INNER)
async def test_f37_redirects_inwards_are_refused(target, inner):
    """A redirect leads to public https only; there is no second try and nothing is written."""
    with film_server(redirect(inner)) as server, pytest.raises(DownloadFailed) as caught:
        await fetch(server, target)
    assert not caught.value.expired
    assert len(server.requests) == 1
    assert leftovers(target) == []


@pytest.mark.parametrize("inner", [*INNER, "", "relative.mp4", "http://[broken", "https://a b/"])
async def test_f37_outputs_inside_are_refused(target, inner):
    """An output address of the service itself passes the same rules."""
    with film_server() as server, pytest.raises(DownloadFailed):
        async with Client(KEY, base_url=server.url, clock=FakeClock()) as client:
            await client.download(inner, target)
    assert server.requests == []


async def test_f37_redirects_on_the_own_origin_are_followed_and_counted(target):
    """A chain of redirects has an end."""
    with film_server(redirect("/output/other.mp4", 307)) as server:
        await fetch(server, target)
        assert server.requests[1].path == "/output/other.mp4"
        server.set_faults("download", Always(redirect("/output/other.mp4")))
        with pytest.raises(DownloadFailed):
            await fetch(server, target.with_name("second.mp4"))
    assert target.read_bytes() == FILM


async def test_f38_the_key_goes_to_no_output_host(target):
    """Neither to a foreign host nor to the API's own when it serves files."""
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(200, content=FILM, headers={"ETag": '"x"'})

    async with Client(KEY, transport=httpx.MockTransport(answer)) as client:
        await client.download("https://output.example.net/v.mp4?Signature=s", target)
        await client.download("https://api.wavespeed.ai/v.mp4", target)
    assert len(seen) == 2
    for request in seen:
        assert "authorization" not in request.headers
        assert KEY not in str(request.headers.raw)
        assert sorted(request.headers) == ["accept-encoding", "host"]
