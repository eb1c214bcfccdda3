"""Hosts that the service names (upload addresses, outputs): asked without the key, and only when they are
public.

The address rules are those of klingo1.web.door. A name is looked up once and the connection goes to one of
the very addresses that were checked, so that a second look-up cannot lead elsewhere (DNS rebinding). Where
the environment names a proxy, the proxy does the connecting: then names go to it, and what resolves here is
checked.
"""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from klingo1.web.door import is_public

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → IP addresses; raises OSError for a name that does not exist."""


class AddressRefused(ValueError):
    """The service named an address that must not be asked: not https, or not a public host."""


class Outside:
    """Asks other people's hosts. `resolve` None means that `client` has no network behind it: names are not
    looked up, only spelled-out addresses are checked. `own` tells the API's own addresses, to which no rule
    applies.
    """

    def __init__(
        self, client: httpx.AsyncClient, *, own: Callable[[str], bool], resolve: Resolve | None
    ) -> None:
        self._client = client
        self._own = own
        self._resolve = resolve

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: Callable[[], AsyncIterator[bytes]] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """The answer with its body unread. Exactly these headers are sent; redirects are not followed.
        `content` makes the body anew for each address of the host that is tried.

        Raises AddressRefused, and httpx's errors.
        """
        response = await self._send(method, url, headers, content)
        try:
            yield response
        finally:
            await response.aclose()

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: Callable[[], AsyncIterator[bytes]] | None,
    ) -> httpx.Response:
        extensions: dict[str, Any] = {"timeout": self._client.timeout.as_dict()}
        failure: httpx.HTTPError = httpx.ConnectError("the host has no address")
        for target, host in await self._targets(url):
            named = dict(headers)
            if host:
                named["Host"] = host
                extensions["sni_hostname"] = httpx.URL(url).raw_host.decode()
            body = content() if content is not None else None
            request = httpx.Request(method, target, headers=named, content=body, extensions=extensions)
            try:
                return await self._client.send(request, stream=True, auth=None, follow_redirects=False)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent: the next address
                failure = error
            except httpx.InvalidURL as error:
                # httpx reads the Location of a redirect even when it follows none.
                raise AddressRefused("a redirect to nowhere") from error
        raise failure

    async def _targets(self, url: str) -> list[tuple[httpx.URL, str]]:
        """Where to connect: (address, Host header if an IP address stands in place of the name)."""
        own = self._own(url)
        target = _checked(url, own=own)
        if own:
            return [(target, "")]
        if (literal := _literal(target.host)) is not None:
            found = [literal]
        elif self._resolve is None:
            return [(target, "")]
        else:
            found = await self._look_up(target)
        if not all(is_public(address) for address in found):
            raise AddressRefused("not a public host")
        if literal is not None or not found:
            return [(target, "")]
        return [(target.copy_with(host=address), target.netloc.decode()) for address in dict.fromkeys(found)]

    async def _look_up(self, target: httpx.URL) -> list[str]:
        assert self._resolve is not None
        proxied = _proxied(target.host)
        try:
            found = await self._resolve(target.raw_host.decode(), target.port or 443)
        except (OSError, UnicodeError) as error:
            if proxied:
                return []
            raise httpx.ConnectError("the host has no address") from error
        if not found or any(not is_public(address) for address in found):
            raise AddressRefused("not a public host")
        return [] if proxied else found


def _checked(url: str, *, own: bool) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise AddressRefused("not an address") from error
    if not own and (target.scheme != "https" or not target.host or target.userinfo):
        raise AddressRefused("not https")
    return target


def _literal(host: str) -> str | None:
    """The IP address that `host` spells out, in any form that connecting would understand (2130706433,
    0x7f.1).
    """
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host.removesuffix(".")))
    except (OSError, UnicodeError):
        return None


def _proxied(host: str) -> bool:
    proxies = urllib.request.getproxies()
    return bool(proxies.get("https") or proxies.get("all")) and not urllib.request.proxy_bypass(host)
