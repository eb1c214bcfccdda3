"""Connections to a service and to the hosts that it names.

Proxies named in the environment are honoured, as people behind corporate ones need them. Nothing else there
adds credentials: httpx 0.28 reads a netrc only when told to.
"""

from __future__ import annotations

import functools
import math
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

KEPT_SECONDS = 40.0
"""An idle connection is used again for so long; balancers close them after 60."""


class Lines:
    """What the clients of one event loop may share: no key and no cookie stays in it.

    `transport` replaces the network. `connect` and `silence` (without a single byte, in either direction) are
    seconds.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        connect: float = 10.0,
        silence: float = 60.0,
    ) -> None:
        self.is_network = transport is None
        self._calls, self._empty_from = 0, -math.inf
        timeout = httpx.Timeout(silence, connect=connect)
        if transport is not None:
            self.kept = self._fresh = self.strangers = httpx.AsyncClient(
                transport=transport, timeout=timeout, cookies=_no_cookies()
            )
            return

        def opened(limits: httpx.Limits) -> httpx.AsyncClient:
            # A proxy cannot reach this machine; the draft service on a port must stay within reach.
            direct = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
            return httpx.AsyncClient(
                verify=_trust(), timeout=timeout, mounts=direct, limits=limits, cookies=_no_cookies()
            )

        single = httpx.Limits(max_keepalive_connections=0)
        self.kept = opened(httpx.Limits(keepalive_expiry=KEPT_SECONDS))
        # A submit never meets a connection that the service has just closed: the error would be that of a
        # lost answer, and a person would have to wait for the look-up (F15).
        self._fresh = opened(single)
        # Hosts that share an IP address must not share a connection.
        self.strangers = opened(single)

    @contextmanager
    def line(self, *, once: bool) -> Iterator[httpx.AsyncClient]:
        """The connections for a call. What is sent once gets a fresh one: where none is kept any more, the
        one that the polls of its task will use.
        """
        if once and (self._calls or time.monotonic() < self._empty_from):
            yield self._fresh
            return
        self._calls += 1
        try:
            yield self.kept
        finally:
            self._calls -= 1
            self._empty_from = time.monotonic() + KEPT_SECONDS + 1.0

    async def aclose(self) -> None:
        """Close every connection."""
        for client in {self.kept, self._fresh, self.strangers}:
            await client.aclose()


def _no_cookies() -> CookieJar:
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@functools.cache
def _trust() -> ssl.SSLContext:
    """The certificates that are believed; reading them takes tens of milliseconds, so it is done once."""
    return httpx.create_ssl_context()
