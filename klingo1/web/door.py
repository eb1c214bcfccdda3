"""The one door through which this machine fetches a picture or video that a stranger named by its address.

Only https, and only hosts all of whose addresses are public. The addresses are looked at when the connection
is made and the connection goes to one of those very addresses, so a name that resolves differently a moment
later (DNS rebinding) gains nothing. Each redirect passes the same door. Size and total time are capped, no
proxy, cookie, key or compression is used, and only the kind of failure is ever told.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING

import httpcore
import httpx

from klingo1.errors import KlingoError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from pathlib import Path

SECONDS = 60.0
"""For one fetch, redirects included."""
PAUSE = 10.0
"""The longest silence of a connection, seconds."""
HOPS = 3
"""Redirects that are followed."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that has been given out for the open internet (IANA, IPv6 address space)."""
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""Third quarter of an IPv6 address whose last one is the IPv4 address it leads to (RFC 5214)."""
_CLOSED = tuple(
    ipaddress.ip_network(net)
    for net in (
        "2001::/23",  # protocols' own: Teredo, benchmarks, ORCHID
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # the sink of reverse look-ups
        "3fff::/20",  # documentation, which older Pythons do not know
        "168.63.129.16/32",  # Azure's hosts answer their guests there, secrets included
        "192.0.0.0/24",  # protocols' own
        "192.31.196.0/24",  # the sink of reverse look-ups
        "192.52.193.0/24",  # multicast relays
        "192.88.99.0/24",  # 6to4 relays
        "192.175.48.0/24",  # the sink of reverse look-ups
    )
)


class DoorClosed(KlingoError):
    """The address is not let in, or did not answer as it should; the message is one plain clause."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, looking through the forms that embed IPv4."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _UNICAST or int(ip) >> 32 & 0xFFFFFFFF in _ISATAP:
            return False
    if any(ip.version == net.version and ip in net for net in _CLOSED):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


async def resolve(host: str, port: int) -> list[str]:
    """Every address the system knows for `host`; decimal and other odd spellings of addresses included."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Door:
    """Fetches files for strangers. `resolve` and `network` are seams for tests."""

    def __init__(
        self,
        *,
        seconds: float = SECONDS,
        resolve: Callable[[str, int], Awaitable[list[str]]] = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._seconds = seconds
        self._network = _PublicNetwork(resolve, network or httpcore.AnyIOBackend())
        self._tls: ssl.SSLContext | None = None

    async def fetch(self, url: str, target: Path, *, limit: int) -> None:
        """Store what is at `url` as `target`, at most `limit` bytes. Raises DoorClosed, leaving no file."""
        part = target.with_name(target.name + ".part")
        try:
            async with asyncio.timeout(self._seconds):
                await self._fetch(url, part, limit)
            part.replace(target)
        except TimeoutError:
            raise DoorClosed("it took too long") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.UnsupportedProtocol, OSError, ValueError):
            raise DoorClosed("it could not be fetched") from None
        finally:
            part.unlink(missing_ok=True)

    async def _fetch(self, url: str, part: Path, limit: int) -> None:
        if self._tls is None:  # reading the certificates takes 80 ms: once, and outside the event loop
            self._tls = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        transport = _PublicTransport(self._network, self._tls)
        timeout = httpx.Timeout(PAUSE)
        async with httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as client:
            for _ in range(HOPS + 1):
                address = _checked(url)
                headers = {"Accept": "image/*, video/*", "Accept-Encoding": "identity"}
                async with client.stream("GET", address, headers=headers) as answer:
                    if answer.has_redirect_location:
                        url = str(address.join(answer.headers["location"]))
                        continue
                    if answer.status_code != 200:
                        raise DoorClosed(f"its host answered {answer.status_code}")
                    await _store(answer, part, limit)
                    return
        raise DoorClosed("it leads from one address to the next")


def _checked(url: str) -> httpx.URL:
    address = httpx.URL(url)
    if address.scheme != "https" or not address.host:
        raise DoorClosed("only https addresses are fetched")
    if address.userinfo:
        raise DoorClosed("an address with a password is not fetched")
    if address.port is not None and not 0 < address.port < 65536:
        raise DoorClosed("its port does not exist")
    return address


async def _store(answer: httpx.Response, part: Path, limit: int) -> None:
    too_large = f"it is larger than {limit / 1_000_000:.0f} MB"
    length = answer.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise DoorClosed(too_large)
    taken = 0
    with part.open("wb") as file:
        async for chunk in answer.aiter_raw(65536):
            taken += len(chunk)
            if taken > limit:
                raise DoorClosed(too_large)
            file.write(chunk)
    if length.isdecimal() and int(length) and taken != int(length):
        raise DoorClosed("it broke off")


class _PublicNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only, and to the very ones it looked at."""

    def __init__(
        self, resolve: Callable[[str, int], Awaitable[list[str]]], inner: httpcore.AsyncNetworkBackend
    ) -> None:
        self._resolve = resolve
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        if not addresses or not all(is_public(address) for address in addresses):
            raise DoorClosed("it is not on the public internet")
        failure: Exception | None = None
        for address in dict.fromkeys(addresses):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002 - httpcore's signature
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - as above
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.AsyncNetworkStream:
        raise DoorClosed("it is not on the public internet")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _PublicTransport(httpx.AsyncBaseTransport):
    """httpx over the public network alone: httpx's own transport takes no network backend."""

    def __init__(self, network: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, network_backend=network, max_keepalive_connections=0
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        core = httpcore.Request(
            request.method, url, headers=request.headers.raw, extensions=request.extensions
        )
        try:
            answer = await self._pool.handle_async_request(core)
        except _CORE_ERRORS as error:
            raise httpx.TransportError(type(error).__name__) from error
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


_CORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.aiter_stream():
                yield chunk
        except _CORE_ERRORS as error:
            raise httpx.TransportError(type(error).__name__) from error

    async def aclose(self) -> None:
        await self._answer.aclose()
