"""Foreign hosts: public https only, connected to by the very address that was checked."""

from __future__ import annotations

import httpx
import pytest

from klingo1.outside import AddressRefused, Outside

pytestmark = pytest.mark.anyio
PUBLIC, SECOND, PRIVATE = "93.184.216.34", "2606:2800:220:1::1", "10.0.0.1"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


class Network:
    """Names with their addresses, and a record of what was asked where."""

    def __init__(self, *addresses: str, dead: tuple[str, ...] = ()) -> None:
        self.addresses = list(addresses)
        self.dead = dead
        self.looked_up: list[tuple[str, int]] = []
        self.requests: list[httpx.Request] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.looked_up.append((host, port))
        if not self.addresses:
            raise OSError("no such name")
        return self.addresses

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host in self.dead:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, content=await request.aread())

    async def ask(self, url: str, *, content=None) -> bytes:
        headers = {"X-A": "1"} if content is None else {"X-A": "1", "Content-Length": "6"}
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) as client:
            outside = Outside(client, own=lambda _url: False, resolve=self.resolve)
            async with outside.ask("PUT", url, headers=headers, content=content) as response:
                return await response.aread()


async def test_the_connection_goes_to_the_address_that_was_checked():
    """One look-up; the address stands in the URL, the name in Host and in the TLS handshake."""
    network = Network(PUBLIC)
    await network.ask("https://output.example.net:8443/v.mp4?sig=1")
    (request,) = network.requests
    assert network.looked_up == [("output.example.net", 8443)]
    assert str(request.url) == f"https://{PUBLIC}:8443/v.mp4?sig=1"
    assert request.headers["host"] == "output.example.net:8443"
    assert request.extensions["sni_hostname"] == "output.example.net"
    assert sorted(request.headers) == ["content-length", "host", "x-a"]


async def test_a_name_in_another_script_is_asked_in_its_wire_form():
    """Host, look-up and handshake agree on the ASCII form."""
    network = Network(PUBLIC)
    await network.ask("https://bücher.example/x")
    assert network.looked_up[0][0] == network.requests[0].headers["host"] == "xn--bcher-kva.example"
    assert network.requests[0].extensions["sni_hostname"] == "xn--bcher-kva.example"


async def test_f37_one_private_address_among_public_ones_is_enough_to_refuse():
    """A name that also leads inwards is not asked at all."""
    for addresses in ((PRIVATE,), (PUBLIC, PRIVATE), (PUBLIC, "::1"), ("fe80::1%eth0",)):
        network = Network(*addresses)
        with pytest.raises(AddressRefused):
            await network.ask("https://rebind.example/x")
        assert network.requests == []


async def test_the_next_address_is_tried_when_one_does_not_answer():
    """The body is still whole for the address that does."""
    network = Network(SECOND, PUBLIC, dead=(SECOND,))

    async def body():
        yield b"abc"
        yield b"def"

    assert await network.ask("https://output.example.net/x", content=body) == b"abcdef"
    assert [request.url.host for request in network.requests] == [SECOND, PUBLIC]


async def test_a_name_without_an_address_is_a_connection_error():
    """It may have one later, so it is no refusal."""
    with pytest.raises(httpx.ConnectError):
        await Network().ask("https://gone.example/x")


async def test_behind_a_proxy_names_go_to_the_proxy(monkeypatch):
    """The proxy looks names up; what is known here to lead inwards is refused all the same."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp.example:3128")
    unknown = Network()
    await unknown.ask("https://output.example.net/x")
    assert str(unknown.requests[0].url) == "https://output.example.net/x"
    known = Network(PUBLIC)
    await known.ask("https://output.example.net/x")
    assert known.requests[0].url.host == "output.example.net"
    with pytest.raises(AddressRefused):
        await Network(PRIVATE).ask("https://inside.example/x")
    with pytest.raises(AddressRefused):
        await Network(PUBLIC).ask("https://127.0.0.1/x")
    with pytest.raises(AddressRefused):  # with the root's dot it is no name that a proxy should look up
        await Network(PUBLIC).ask("https://127.0.0.1./x")
