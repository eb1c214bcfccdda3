"""Processes that are killed: each runs a studio over a home folder until it is done, or shot at a moment.

    with Victims() as victims:
        victims.start(home=home, url=server.url, clicks=["a walk"], moment="before POST")
        assert victims.wait() == -signal.SIGKILL

One process imports everything once and forks a fresh one for each order, so that a kill costs milliseconds.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, Self

if __name__ == "__main__":  # the mother process: the places that pytest gives to tests
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from faults.clock import SwiftClock
from faults.invariants import CANARY

from klingo1 import engines, moments
from klingo1.client import Client
from klingo1.job import State
from klingo1.request import VideoRequest
from klingo1.retry import Patience
from klingo1.settings import Settings
from klingo1.studio import Studio

HASTY = Patience(connect=5.0, silence=1.0, answer=5.0, submit=1.5, polls_per_second=200.0)
"""For faults that hang; a healthy answer on a busy machine still comes in time."""


class Victims:
    """The mother of the processes; one lives at a time."""

    def __enter__(self) -> Self:
        self._mother = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._mother.stdin.close()
        self._mother.stdout.close()
        self._mother.wait(10)

    def start(self, *, home: Path, url: str, clicks: list[str], picture: Path, **order: Any) -> int:
        """A process over `home` that makes those of `clicks` the ledger does not know; returns its id.

        Further: `moment` at which it is shot, `term` to end in an orderly way at SIGTERM.
        """
        order |= {"home": str(home), "url": url, "clicks": clicks, "picture": str(picture)}
        self._mother.stdin.write(json.dumps(order) + "\n")
        self._mother.stdin.flush()
        return int(self._mother.stdout.readline())

    def wait(self) -> int:
        """How it ended: 0, or minus the signal."""
        return int(self._mother.stdout.readline())


def open_hasty(home: Path, url: str, **settings: Any) -> Studio:
    """A started studio whose waits pass at once and whose patience with sockets is short."""
    engines.Client = partial(Client, patience=HASTY)
    given = {"home": home, "api_key": CANARY, "base_url": url, "budget_day": 10**10} | settings
    studio = Studio(Settings(**given), clock=SwiftClock())
    studio.start()
    return studio


def settle(studio: Studio, *, seconds: float = 120.0) -> None:
    """Wait until no job goes on without a person; a download that waits for better times does."""
    until = time.monotonic() + seconds
    while any(
        job.state.active and (not job.problem or job.state is State.DOWNLOADING)
        for job in studio.jobs(limit=1000)
    ):
        assert time.monotonic() < until, [(j.state, j.problem) for j in studio.jobs(limit=1000)]
        time.sleep(0.02)


def _live(order: dict[str, Any]) -> None:
    if wanted := order.get("moment"):
        moments.on_reached = lambda moment: moment == wanted and os.kill(os.getpid(), signal.SIGKILL)
    if order.get("term"):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    studio = open_hasty(Path(order["home"]), order["url"])
    try:
        made = {job.request.prompt for job in studio.jobs(limit=1000)}
        for click in order["clicks"]:
            if click not in made:
                request = VideoRequest(prompt=click, images=(Path(order["picture"]),), duration=3)
                studio.submit(request, engine="kling")
        settle(studio)
    finally:
        studio.close()


def _mother() -> None:
    logging.getLogger("klingo1").addHandler(logging.NullHandler())
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                _live(json.loads(line))
                status = 0
            except SystemExit as ended:
                status = int(ended.code or 0)
            finally:
                os._exit(status)
        _answer(child)
        _answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _mother()
