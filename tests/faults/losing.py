"""Runs whose answers were lost together, so that only a person can tell them apart."""

from __future__ import annotations

import threading

from conftest import wait_for
from faults.server import Always, FaultServer, Meanwhile, Reset
from faults.victims import settle

from klingo1.job import Job, State
from klingo1.request import VideoRequest
from klingo1.studio import Studio

URL = "https://example.com/one.jpg"


def lose(server: FaultServer, studio: Studio, *prompts: str, faults: list | None = None) -> list[Job]:
    """Submits that are all lost (by `faults`, else all billed) before any is looked for; then they have
    waited through their look-ups. Use it with a server that repeats no inputs (`echo=""`).
    """
    all_lost = threading.Event()
    server.set_faults("submit", faults or [Reset()] * len(prompts))
    server.set_faults("list", Always(Meanwhile(lambda: all_lost.wait(10))))
    requests = [VideoRequest(prompt=prompt, images=(URL,), duration=3) for prompt in prompts]
    ids = [studio.submit(request, engine="kling").id for request in requests]
    for one in ids:
        wait_for(studio, one, State.UNKNOWN)
    all_lost.set()
    settle(studio)
    server.set_faults("list", [])
    return [studio.job(one) for one in ids]
