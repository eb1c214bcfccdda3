"""How often one address may ask: token buckets in memory, bounded in number.

An address is the connection's own. Behind reverse proxies it is the X-Forwarded-For entry that the outermost
of the proxies we know has written; what stands before it came from the visitor and is not believed.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ADDRESSES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a second in the long run."""

    burst: float
    per_second: float


RATES: Mapping[str, Rate] = {
    "read": Rate(600, 40),
    "call": Rate(240, 12),  # a page asks for its status once a second, and a home has several pages
    "click": Rate(60, 1),  # also each look at the pictures that were added
    "key": Rate(6, 1 / 30),  # each one asks the paid service whether the key is good
    "upload": Rate(60, 0.5),
    "upload_bytes": Rate(600e6, 1e6),
}
AT_ONCE: Mapping[str, int] = {"stream": 40, "call": 24, "click": 8, "upload": 16}
"""Requests of a kind that one address may have under way: each holds a stream, or one of Gradio's threads."""


class Rates:
    """Belongs to one event loop."""

    def __init__(
        self,
        rates: Mapping[str, Rate] = RATES,
        *,
        at_once: Mapping[str, int] = AT_ONCE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates = rates
        self._at_once = at_once
        self._now = now
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._under_way: dict[tuple[str, str], int] = {}

    def wait_for(self, client: str, kind: str, cost: float = 1.0) -> float:
        """Take `cost` from the address's bucket; 0, or the seconds after which it would be enough."""
        rate, now, key = self._rates[kind], self._now(), (client, kind)
        level, at = self._buckets.get(key, (rate.burst, now))
        level = min(rate.burst, level + (now - at) * rate.per_second)
        wait = 0.0 if level >= cost else (cost - level) / rate.per_second
        self._buckets[key] = (level if wait else level - cost, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > ADDRESSES_MAX * len(self._rates):
            self._buckets.popitem(last=False)
        return wait

    def begin(self, client: str, kind: str) -> bool:
        """Count a request that is about to be served; False when the address has too many under way."""
        count = self._under_way.get((client, kind), 0)
        if count >= self._at_once[kind]:
            return False
        self._under_way[client, kind] = count + 1
        return True

    def end(self, client: str, kind: str) -> None:
        """It has ended."""
        left = self._under_way.get((client, kind), 0) - 1
        if left > 0:
            self._under_way[client, kind] = left
        else:
            self._under_way.pop((client, kind), None)


def address_of(peer: str, forwarded: str, *, proxies: int) -> str:
    """Whom a request counts for: IPv4 whole, IPv6 by its /64, which is what one home gets."""
    chain = [part.strip() for part in forwarded.split(",") if part.strip()]
    named = chain[max(0, len(chain) - proxies)] if proxies and chain else peer
    try:
        ip = ipaddress.ip_address(_bare(named))
    except ValueError:
        return peer
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False).network_address)
    return str(ip)


def _bare(named: str) -> str:
    """An address without the port, brackets and zone that some proxies write along with it."""
    if named.startswith("["):
        named = named[1:].partition("]")[0]
    elif named.count(":") == 1:
        named = named.partition(":")[0]
    return named.partition("%")[0]
