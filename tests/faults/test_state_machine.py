"""A thousand histories nobody would write down: clicks, faults, crashes, clocks and keys in any order."""

import shutil
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from conftest import draw_picture
from faults.clock import SwiftClock
from faults.invariants import CANARY, check_invariants, clicks_billed
from faults.server import Close, Cut, FaultServer, Hang, Reply, Reset
from faults.tables import say
from faults.victims import settle
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from klingo1 import engines
from klingo1.client import Client
from klingo1.errors import BudgetReached, KeyMissing, LedgerError, QuoteRefused
from klingo1.job import Money, State
from klingo1.money import REFUND_SECONDS
from klingo1.pricing import price_of
from klingo1.request import Engine, VideoRequest
from klingo1.retry import Patience
from klingo1.settings import Settings
from klingo1.studio import Studio

CAP = 3_000_000
CALM = Patience(connect=20.0, silence=30.0, answer=30.0, submit=30.0, polls_per_second=200.0)
"""Nothing hangs here; what is slow is the machine, and that must not change a history."""
DAY = 86400.0
COMPLETED = ["processing", "completed"]
FAILED = ["processing", {"status": "failed", "error": "moderation"}]
SUBMIT_FAULTS = st.sampled_from(
    [
        None,
        None,
        Reset(after="body"),
        Close(after="headers", billed=False),
        Hang(seconds=0.01),
        Reply(500, billed=True),
        Reply(502, "<html>"),
        Reply(429, headers={"Retry-After": "7"}),
        Reply(402, {"code": 402, "message": "no credit"}),
        Reply(200, "<html>", billed=True),
        Reply(200, {"code": 500, "message": "oops"}, billed=True),
        Reply(302, headers={"Location": "/elsewhere"}, billed=True),
    ]
)
READ_FAULTS = st.sampled_from(
    [
        Reset(),
        Close(),
        Cut(at=0.5),
        Reply(502, b"{}"),
        Reply(200, "<html>"),
        Reply(429, headers={"Retry-After": "30"}),
        Reply(401, {"code": 401, "message": "who are you"}),
    ]
)
CLICKS = st.lists(
    st.tuples(SUBMIT_FAULTS, st.integers(3, 10), st.booleans(), st.booleans()), min_size=1, max_size=3
)
TOTALS = Counter()


def crash(studio):
    """End a studio as SIGKILL would: nothing more is written, nothing is said to anybody."""

    @contextmanager
    def gone():
        raise LedgerError("the process is gone")
        yield

    studio._ledger._writing = gone
    studio._open = False

    async def die():
        await studio._background.cancel_all()
        for submit in list(studio._course._submission._underway):
            submit.cancel()
        await studio._course.settle(1.0)
        await studio._engines.close()

    studio._background.call(die()).result(10)
    studio._worker.end()
    studio._background.close()
    studio._ledger.close()


class Histories(RuleBasedStateMachine):
    picture: Path

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = SwiftClock()
        self.server = FaultServer(now=lambda: self.clock.time() - self.clock.step)
        self.server.__enter__()
        self.clicks = 0
        self.studio = None
        self.open()

    def open(self):
        given = {"home": self.folder / "home", "base_url": self.server.url, "budget_day": CAP}
        self.studio = Studio(Settings(**given), clock=self.clock)
        self.studio.start()
        self.studio.give_key("desk", CANARY)

    def some_job(self, number):
        jobs = self.studio.jobs(limit=100)
        return jobs[number % len(jobs)]

    def counted(self):
        """What counts against the cap, day by day."""
        return [
            amounts.get(Money.HELD, 0) + amounts.get(Money.SPENT, 0) for _, amounts in self.studio.spending()
        ]

    # -- people

    @initialize(clicks=CLICKS)
    def first_clicks(self, clicks):
        for click in clicks:
            self.click(*click)

    @rule(clicks=CLICKS)
    def more_clicks(self, clicks):
        for click in clicks:
            self.click(*click)

    def click(self, fault, seconds, local, twice):
        self.clicks += 1
        TOTALS["clicks"] += 1
        image = self.picture if local else "https://example.com/one.jpg"
        request = VideoRequest(prompt=f"click {self.clicks:03d}", images=(image,), duration=seconds)
        self.server.set_faults("submit", [fault])
        quote = self.studio.new_quote()
        price = price_of(request, Engine.KLING).micro
        has_key = self.studio.has_key()
        full = any(counted + price > CAP for counted in self.counted())
        seen, refused = [], []

        def once():
            try:
                seen.append(self.studio.submit(request, engine="kling", quote=quote).id)
            except (BudgetReached, KeyMissing) as error:
                refused.append(type(error))

        threads = [threading.Thread(target=once) for _ in range(2 if twice else 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(seen)) <= 1
        assert seen or refused
        # Nothing but a click takes money here; what is given back meanwhile may let the second one in.
        assert full or BudgetReached not in refused
        assert (KeyMissing in refused) == (not has_key)
        if seen:
            assert self.studio.submit(request, engine="kling", quote=quote).id == seen[0]
            other = VideoRequest(prompt="another thing", images=(image,))
            with pytest.raises(QuoteRefused):
                self.studio.submit(other, engine="kling", quote=quote)

    @rule(number=st.integers(0, 99))
    def stop(self, number):
        self.studio.stop(self.some_job(number).id)

    @rule(number=st.integers(0, 99), choice=st.integers(0, 3))
    def resume(self, number, choice):
        job = self.some_job(number)
        candidates = job.problem.prediction_ids if job.problem else ()
        chosen = next((c for c in candidates if self.is_of(c, job)), "") if choice else ""
        try:
            self.studio.resume(job.id, prediction_id=chosen)
        except (BudgetReached, KeyMissing):
            pass

    def is_of(self, prediction_id, job):
        """A person who chooses knows their own run."""
        return self.server.service.tasks[prediction_id].body["prompt"] == job.request.prompt

    @rule(number=st.integers(0, 99))
    def release(self, number):
        """A person releases only what is truly not on the bill."""
        job = self.some_job(number)
        if job.state is State.FAILED or not clicks_billed(self.server)[job.request.prompt]:
            self.studio.release(job.id)

    @rule()
    def lose_the_key(self):
        self.studio.forget_key()

    @rule()
    def give_the_key(self):
        self.server.set_faults("balance", [])
        self.studio.give_key("desk", CANARY)

    # -- the world

    @rule(route=st.sampled_from(["ticket", "put", "result", "list", "download"]), fault=READ_FAULTS)
    def read_fault(self, route, fault):
        self.server.set_faults(route, [fault])

    @rule(lag=st.integers(1, 2))
    def list_lag(self, lag):
        """At most two of a look-up's three lists come too early: later than that nobody could know."""
        self.server.service.lateness = lag

    @rule(echo=st.sampled_from(["input", "inputs", ""]))
    def what_the_list_repeats(self, echo):
        """Where it repeats nothing, only words, times and people tell lost runs apart."""
        self.server.service.echo = echo

    @rule(script=st.sampled_from([COMPLETED, COMPLETED, FAILED, ["processing"] * 30 + ["completed"]]))
    def fate(self, script):
        self.server.service.script = script

    def let_submits_arrive(self):
        """A request is under way for moments, not for the hours that a rule lets pass; none is begun then."""
        until = time.monotonic() + 10
        while self.on_their_way() and time.monotonic() < until:
            time.sleep(0.002)

    def on_their_way(self):
        before = {State.QUEUED, State.PREPARING, State.UPLOADING, State.SUBMITTING}
        return any(job.state in before and not job.problem for job in self.studio.jobs(limit=100))

    @rule()
    def refund(self):
        self.let_submits_arrive()
        self.clock.skip(REFUND_SECONDS + 1)

    @rule(days=st.sampled_from([-1, 0, 1]))
    def step_the_clock(self, days):
        self.let_submits_arrive()
        self.clock.step = days * DAY

    @rule()
    def tick(self):
        settle(self.studio)

    @rule()
    def crash(self):
        TOTALS["crashes"] += 1
        crash(self.studio)
        self.server.await_quiet()  # what was sent arrives before ten minutes of the swift clock are over
        self.open()

    @rule()
    def restart(self):
        self.studio.close()
        self.open()

    # -- what must hold at any moment

    @invariant()
    def billed_once_and_within_the_cap(self):
        bills = clicks_billed(self.server)
        assert max(bills.values(), default=0) <= 1, bills
        assert max(self.counted(), default=0) <= CAP

    def teardown(self):
        try:
            self.end()
        finally:
            self.studio.close()
            self.server.__exit__()
            shutil.rmtree(self.folder, ignore_errors=True)

    def end(self):
        """All faults end, the key is there, a person chooses: then everything billed is in hand."""
        self.clock.step = 0.0
        for route in ("submit", "ticket", "put", "result", "list", "download"):
            self.server.set_faults(route, [])
        self.server.service.lateness = 0
        for task in self.server.service.tasks.values():
            task.unlisted = 0
        self.give_the_key()
        settle(self.studio)
        for job in self.studio.jobs(limit=1000):
            if job.state is State.UNKNOWN:
                self.resume_with_choice(job)
            elif job.state in {State.EXPIRED, State.NEEDS_KEY}:
                self.studio.resume(job.id)
        settle(self.studio)
        assert self.studio.find_lost() == []
        bills = clicks_billed(self.server)
        jobs = check_invariants(self.server, self.studio)
        for job in jobs:
            billed = bills[job.request.prompt]
            if job.state is State.DONE:
                assert billed == 1
            elif job.state in {State.REFUSED, State.NOT_CREATED}:
                assert (billed, job.money) == (0, Money.RELEASED)
            else:
                assert job.state in {State.FAILED, State.STOPPED}, (job.state, job.problem)
        TOTALS["histories"] += 1
        TOTALS["billed"] += sum(bills.values())
        TOTALS["done"] += sum(job.state is State.DONE for job in jobs)
        if TOTALS["histories"] % 50 == 0:
            say(f"so far {dict(TOTALS)}")

    def resume_with_choice(self, job):
        candidates = job.problem.prediction_ids if job.problem else ()
        chosen = next((c for c in candidates if self.is_of(c, job)), "")
        if chosen or not candidates:
            self.studio.resume(job.id, prediction_id=chosen)
        elif not clicks_billed(self.server)[job.request.prompt]:
            self.studio.release(job.id)


def run(tmp_path, monkeypatch, **profile):
    monkeypatch.setattr(engines, "Client", partial(Client, patience=CALM))
    Histories.picture = draw_picture(tmp_path / "p.jpg", size=(320, 300))
    TOTALS.clear()
    run_state_machine_as_test(
        Histories,
        settings=settings(
            deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True, **profile
        ),
    )
    say(f"{dict(TOTALS)}, 0 lost, 0 billed twice, never over the cap")


def test_any_history_short(tmp_path, monkeypatch):
    """Twenty histories of up to fifteen events keep every promise."""
    run(tmp_path, monkeypatch, max_examples=20, stateful_step_count=15, derandomize=True)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_any_history_long(tmp_path, monkeypatch):
    """A thousand histories of up to fifty events keep every promise."""
    run(tmp_path, monkeypatch, max_examples=1000, stateful_step_count=50)
