"""The guarded door: which addresses count as public, and what a fetch may and may not do."""

from __future__ import annotations

import asyncio
import socket

import httpcore
import pytest

from klingo1.web.door import Door, DoorClosed, is_public, resolve

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Network(httpcore.AsyncMockBackend):
    """Answers each connection with the next script, and notes where connections went."""

    def __init__(self, *scripts: list[bytes]) -> None:
        super().__init__([])
        self.scripts = list(scripts)
        self.went: list[str] = []

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):  # noqa: ASYNC109 - httpcore's signature
        self.went.append(f"{host}:{port}")
        return httpcore.AsyncMockStream(list(self.scripts.pop(0)))


def names(**hosts):
    """A resolver over given names; a list of lists answers differently each time."""

    async def look(host, port):
        found = hosts[host.replace(".", "_").replace("-", "_")]
        return found.pop(0) if found and isinstance(found[0], list) else found

    return look


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001:0:1::1", "no address", "",
        "0.1.2.3", "127.255.255.254", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.31.196.1", "192.52.193.1",
        "192.175.48.1", "168.63.129.16", "100.100.100.200", "203.0.113.9", "239.255.255.250", "248.1.1.1",
        "::ffff:0.0.0.0", "::ffff:0:127.0.0.1", "0:0:0:0:0:ffff:a9fe:a9fe", "::1.2.3.4", "::ffff:8.8.8.8:1",
        "64:ff9b::6464:1", "64:ff9b::c0a8:1", "64:ff9b:1:fffe::808:808", "100::1", "2001:2::1", "2001:10::1",
        "2001:20::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "3fff::1", "5f00::1", "2620:4f:8000::1", "1::1",
        "fd00:ec2::254", "febf::1", "feff::1", "ff0e::1", "ff3e::1", "4000::1", "e000::1",
        "fe80::5efe:7f00:1",
        "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:a9fe:a9fe", "8.8.8.8.", " 8.8.8.8", "8.8.8.8\n",
        "010.8.8.8", "2130706433", "0x8.8.8.8", "８.8.8.8",
    ],
)  # fmt: skip
async def test_private_addresses_are_seen_through_every_disguise(address):
    """Nothing that leads to this machine or its network counts as public."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.216.34",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2a00::1",
        "100.63.255.255",
        "172.32.0.1",
        "2001:200::1",
        "2001:4860:4860::8888",
    ],
)
async def test_public_addresses_are_public(address):
    """Ordinary addresses pass, also behind a NAT64 prefix."""
    assert is_public(address)


async def test_a_file_is_fetched_from_the_address_that_was_looked_at(tmp_path):
    """The connection goes to the checked address itself, without a second look-up of the name."""
    network = Network([OK])
    door = Door(resolve=names(pics_example=["93.184.216.34"]), network=network)
    await door.fetch("https://pics.example/a.png?x=1", tmp_path / "a", limit=100)
    assert (tmp_path / "a").read_bytes() == b"hello"
    assert network.went == ["93.184.216.34:443"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    "url",
    [
        "http://pics.example/a", "file:///etc/passwd", "ftp://pics.example/a", "data:image/png;base64,AA",
        "//pics.example/a", "a.png", "", "https://", "https://user:secret@pics.example/a", "https://[::1",
        "https://pics.example:99999/", "gopher://x", "https://\x00/", "https:///pics.example/a",
        "https:a.png",
        "https:/pics.example/a", "https://pics.example:0/", "https://pics.example:443:80/",
        "wss://pics.example/",
        "https://pics.example:-1/", "https://pics.example@127.0.0.1/", "https://127.0.0.1\\@pics.example/",
        "https://pics.example\\@127.0.0.1/", "https://:@pics.example/", "jar:https://x",
        "https://a%40b@pics.example/", "https://pics.example\r\nHost: x/", "https://[::1]x/",
        "https://①②⑦.⓪.⓪.①/", "https://１２７.0.0.1/", "https://ⓛocalhost/", "https://" + "a" * 70_000,
    ],
)  # fmt: skip
async def test_only_plain_https_addresses_are_tried(tmp_path, url):
    """Other schemes, passwords and broken addresses are refused before any connection."""
    network = Network([OK])
    door = Door(resolve=names(pics_example=["93.184.216.34"]), network=network)
    with pytest.raises(DoorClosed):
        await door.fetch(url, tmp_path / "a", limit=100)
    assert network.went == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:10.0.0.1"], []])
async def test_one_private_address_closes_the_door(tmp_path, found):
    """A name is trusted only when every one of its addresses is public."""
    network = Network([OK])
    door = Door(resolve=names(pics_example=found), network=network)
    with pytest.raises(DoorClosed, match="public internet"):
        await door.fetch("https://pics.example/a", tmp_path / "a", limit=100)
    assert network.went == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]",
             "localhost", "0", "127.0.1", "0x7f.1", "0x7f.0x0.0x0.0x1", "017700000001", "0X7F000001",
             "127.0.0.1.",
             "127。0。0。1", "127．0．0．1", "LOCALHOST", "localhost.", "ip6-localhost", "[::]", "0.0.0.0",
             "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]",
             "[::1%25lo]", "[2002:7f00:1::]", "%31%32%37.0.0.1", "loc%61lhost",
             "127.0.0.1%00.pics.example", "4294967296",
             "127.0.0.1%2epics.example", "256.0.0.1"]
)  # fmt: skip
async def test_no_spelling_of_this_machine_is_connected_to(tmp_path, host):
    """With the system's own resolver, a listening socket here is never reached."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        port = listening.getsockname()[1]
        with pytest.raises(DoorClosed):
            await Door(seconds=5).fetch(f"https://{host}:{port}/a", tmp_path / "a", limit=100)
        with pytest.raises(BlockingIOError):
            listening.accept()


async def test_the_system_resolver_gives_plain_addresses():
    """Decimal spellings come out as the address that they are."""
    assert await resolve("2130706433", 443) == ["127.0.0.1"]


async def test_each_redirect_passes_the_same_door(tmp_path):
    """A redirect to a public host is followed; one to a private host, or to http, is not."""
    hosts = names(pics_example=["93.184.216.34"], cdn_example=["8.8.8.8"], trap_example=["169.254.169.254"])

    def to(where):
        return [f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()]

    network = Network(to("https://cdn.example/b"), to("/c"), [OK])
    await Door(resolve=hosts, network=network).fetch("https://pics.example/a", tmp_path / "a", limit=100)
    assert network.went == ["93.184.216.34:443", "8.8.8.8:443", "8.8.8.8:443"]
    for where in ("https://trap.example/x", "http://cdn.example/b", "file:///etc/passwd"):
        network = Network(to(where), [OK])
        with pytest.raises(DoorClosed):
            await Door(resolve=hosts, network=network).fetch(
                "https://pics.example/a", tmp_path / "b", limit=9
            )
        assert network.went == ["93.184.216.34:443"]
    network = Network(*[to("https://cdn.example/b")] * 9)
    with pytest.raises(DoorClosed, match="from one address to the next"):
        await Door(resolve=hosts, network=network).fetch("https://cdn.example/b", tmp_path / "b", limit=9)
    assert len(network.went) == 4


@pytest.mark.parametrize(
    "where",
    [
        "//127.0.0.1/b", "https:\\\\127.0.0.1\\b", "\\\\127.0.0.1\\b", "/\\127.0.0.1/b",
        "https://[::ffff:a9fe:a9fe]/", "https://0251.0376.0251.0376/latest", "https://2852039166/",
        "https://pics.example@10.0.0.1/",
        "HTTP://cdn.example/b", "http://pics.example/a", "ftp://cdn.example/b", "data:image/png;base64,AA",
        "gopher://127.0.0.1:6379/_FLUSHALL", "https://cdn.example:0/b", "https://[::1",
        "https://user:secret@cdn.example/b", "javascript:alert(1)", "https://",
    ],
)  # fmt: skip
async def test_no_redirect_leads_inside(tmp_path, where):
    """Relative, backslashed, spelled-out, renamed: at most the public host that sent it is asked again."""

    async def look(host, port):
        known = {"pics.example": ["93.184.216.34"], "cdn.example": ["8.8.8.8"]}
        return known.get(host) or await resolve(host, port)

    hop = [f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()]
    network = Network(hop, [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
    with pytest.raises(DoorClosed):
        await Door(resolve=look, network=network).fetch("https://pics.example/a", tmp_path / "a", limit=9)
    assert set(network.went) == {"93.184.216.34:443"}
    assert list(tmp_path.iterdir()) == []


async def test_a_name_is_looked_up_once_for_each_connection(tmp_path):
    """The answer that was judged is the one that is used; another, which could differ, is not asked for."""
    answers = [["93.184.216.34", "2606:4700::1111"], ["127.0.0.1"]]

    async def look(host, port):
        return answers.pop(0)

    network = Network([OK])
    await Door(resolve=look, network=network).fetch("https://flip.example/a", tmp_path / "a", limit=9)
    assert network.went == ["93.184.216.34:443"]
    assert answers == [["127.0.0.1"]]


async def test_of_several_addresses_the_next_one_is_tried_and_no_other(tmp_path):
    """An address that does not answer gives way to those that were looked at with it."""

    class Deaf(Network):
        async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):  # noqa: ASYNC109
            stream = await super().connect_tcp(host, port)
            if host != "2606:4700::1111":
                raise httpcore.ConnectError
            return stream

    network = Deaf([OK], [OK])
    found = ["93.184.216.34", "93.184.216.34", "2606:4700::1111"]
    await Door(resolve=names(pics_example=found), network=network).fetch(
        "https://pics.example/a", tmp_path / "a", limit=9
    )
    assert network.went == ["93.184.216.34:443", "2606:4700::1111:443"]


@pytest.mark.parametrize(
    "found",
    [
        ["93.184.216.34", "::1"], ["2606:4700::1111", "127.0.0.1"], ["::ffff:169.254.169.254", "8.8.8.8"],
        ["93.184.216.34", "fe80::1%eth0"], ["2606:4700::1111", "fd00::1"], ["93.184.216.34", "0.0.0.0"],
        ["a name"],
    ],
)  # fmt: skip
async def test_mixed_answers_of_both_families_are_refused_whole(tmp_path, found):
    """One inner address among public ones, in either family and at any place, and nothing is connected to."""
    for order in (found, found[::-1]):
        network = Network([OK])
        door = Door(resolve=names(pics_example=order), network=network)
        with pytest.raises(DoorClosed, match="public internet"):
            await door.fetch("https://pics.example/a", tmp_path / "a", limit=100)
        assert network.went == []


async def test_a_name_that_changes_its_mind_gains_nothing(tmp_path):
    """A name that is public at one look and private at the next is refused at the next."""
    hosts = names(flip_example=[["93.184.216.34"], ["127.0.0.1"]])
    again = [b"HTTP/1.1 302 Found\r\nLocation: https://flip.example/b\r\nContent-Length: 0\r\n\r\n"]
    network = Network(again, [OK])
    with pytest.raises(DoorClosed, match="public internet"):
        await Door(resolve=hosts, network=network).fetch("https://flip.example/a", tmp_path / "a", limit=9)
    assert network.went == ["93.184.216.34:443"]


@pytest.mark.parametrize(
    "script",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 60, b"x" * 60],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n", b"x" * 50],
        [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nhello"],
        [b"SSH-2.0-OpenSSH\r\n"],
        [b""],
    ],
)
async def test_wrong_answers_leave_no_file(tmp_path, script):
    """Too large, cut, refused or garbled answers are failures without a trace on disk."""
    door = Door(resolve=names(pics_example=["93.184.216.34"]), network=Network(script))
    with pytest.raises(DoorClosed):
        await door.fetch("https://pics.example/a", tmp_path / "a", limit=100)
    assert list(tmp_path.iterdir()) == []


async def test_compressed_answers_are_not_expanded(tmp_path):
    """A body that calls itself gzip is stored as it came, so it cannot swell past the cap."""
    body = b"\x1f\x8b bomb"
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    door = Door(resolve=names(pics_example=["93.184.216.34"]), network=Network([head + body]))
    await door.fetch("https://pics.example/a", tmp_path / "a", limit=100)
    assert (tmp_path / "a").read_bytes() == body


async def test_a_fetch_without_an_end_is_given_up(tmp_path):
    """The total time is capped, whatever the other side does."""

    async def never(host, port):
        await asyncio.Event().wait()

    with pytest.raises(DoorClosed, match="too long"):
        await Door(seconds=0.05, resolve=never).fetch("https://pics.example/a", tmp_path / "a", limit=9)
    assert list(tmp_path.iterdir()) == []
