"""Connections that several keys share: used again, and without anything of one key for another."""

import asyncio

from faults.server import FaultServer, Reply

from klingo1.client import Client
from klingo1.lines import Lines


def test_keys_share_a_connection_and_no_cookie():
    """Two accounts ask over one connection, each with its key; what is set for one is not sent again."""
    marked = Reply(200, {"code": 200, "data": {"balance": 1}}, {"Set-Cookie": "session=first; Path=/"})
    keys = ["wsk_first", "wsk_second", "wsk_first"]

    async def ask(server):
        lines = Lines()
        for key in keys:
            async with Client(key, base_url=server.url, lines=lines) as client:
                await client.balance()
        opened = server.open_connections
        await lines.aclose()
        return opened

    with FaultServer(faults={"balance": [marked]}) as server:
        assert asyncio.run(ask(server)) == 1
        asked = [seen.headers for seen in server.requests]
    assert [headers["authorization"] for headers in asked] == [f"Bearer {key}" for key in keys]
    assert not any("cookie" in headers for headers in asked)
