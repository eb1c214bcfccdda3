"""How a page is reached: by which names, behind how many proxies, by whom."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from klingo1.settings import Settings


@dataclass(frozen=True, slots=True)
class Policy:
    """How the page is reached. `hosts` None lets every host name in, as behind a proxy; a desk has names."""

    hosts: tuple[str, ...] | None = None
    proxies: int = 0
    limited: bool = False
    """Whether the rates of rates.py hold."""
    on_space: bool = False
    mcp: bool = False
    """Whether programs reach Gradio's MCP server."""

    @classmethod
    def of(cls, settings: Settings, *, mcp: bool = False) -> Policy:
        """A hosted page stands under whatever name its proxy gives it, but has many visitors.

        A desk's page is asked for by address, as localhost, or by this machine's name and those of the
        settings. Any other name that leads here is an attack (DNS rebinding), by which a foreign web page
        would speak to this one as if it were its own.
        """
        if settings.hosted:
            return cls(proxies=settings.proxies, limited=True, on_space=settings.on_space, mcp=mcp)
        name = socket.gethostname().lower()
        hosts = ("localhost", name, f"{name}.local", *settings.hosts)
        return cls(hosts=hosts, proxies=settings.proxies, mcp=mcp)
