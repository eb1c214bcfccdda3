"""The use case: a request comes in, a video comes out, and nothing in between is ever lost or paid twice.

A studio owns one background event loop in one thread; jobs belong to it, never to a browser tab, an event
handler or a command's terminal. Its methods are synchronous, thread-safe and quick: they read and write the
ledger and wake the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Self

from klingo1 import disk
from klingo1.admission import Admission
from klingo1.arrivals import check_references, copy_references, digest_of
from klingo1.background import Background, Worker
from klingo1.course import Course
from klingo1.cutting import Cutting
from klingo1.decisions import Decisions
from klingo1.engines import Engines
from klingo1.entries import Entries
from klingo1.errors import KlingoError, LedgerError, QuoteRefused
from klingo1.files import Files
from klingo1.housekeeping import caps_of
from klingo1.intake_process import Apart, Here, Intake
from klingo1.job import Job, Money, State
from klingo1.leases import LEASE_SECONDS, Leases
from klingo1.ledger import Ledger
from klingo1.mentions import check_wire_length
from klingo1.moments import Moment, reached
from klingo1.money import NewJob
from klingo1.prediction import Prediction
from klingo1.pricing import Price, price_of
from klingo1.request import Engine, VideoRequest
from klingo1.retry import Clock, SystemClock
from klingo1.server_clock import ServerClock
from klingo1.settings import Settings
from klingo1.uploads import job_folder
from klingo1.visitors import DESK, SignIn

if TYPE_CHECKING:
    from klingo1.draft.service import DraftService

log = logging.getLogger(__name__)

CLOSE_SECONDS = 4.0
WATCH_SECONDS = 0.25


class Studio(Admission):
    """Everything the page, the command line and scripts do. Use it in a `with` block.

    Raises LedgerError on entering when the home folder's ledger cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        draft: Callable[[], DraftService] | None = None,
    ) -> None:
        self.settings = settings
        self._clock = clock or SystemClock()
        self._make_draft = draft
        self._open = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Open the ledger and go on with every unfinished job."""
        home = self.settings.home
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(
                f"{home} cannot be made: {error.strerror}. Set KLINGO1_HOME.", path=home
            ) from error
        self._files = Files.of(self.settings)
        self._ledger = Ledger(self.settings.database_url or home / "klingo1.sqlite3", home=home)
        if self._ledger.on_server:
            self._clock = ServerClock(self._clock)
            self._clock.follow(self._ledger.server_time)
        self._worker = Worker()
        self._caps = caps_of(self.settings)
        self._sign_in = SignIn(home)
        self._engines = Engines(
            self.settings, self._clock, draft=self._make_draft, is_signed_in=self._sign_in.is_signed_in
        )
        self._entries = Entries(self._ledger, clock=self._clock, worker=self._worker.name)
        self.intake: Intake = Apart() if self.settings.hosted else Here()
        self.cutting = Cutting(self.settings, self.intake)
        self._course = Course(
            entries=self._entries,
            engines=self._engines,
            files=self._files,
            settings=self.settings,
            clock=self._clock,
            intake=self.intake,
        )
        self._background = Background()
        self._leases = Leases(
            self._ledger, self._background, self._clock, worker=self._worker, run=self._course.run
        )
        self._decisions = Decisions(
            ledger=self._ledger,
            engines=self._engines,
            background=self._background,
            drive=self._leases.drive,
            caps=self._caps,
            clock=self._clock,
        )
        self._open = True
        self._leases.claim()
        self._decisions.wake()
        self._background.start("heartbeat", self._leases.keep)
        self._keep_house()

    def close(self) -> None:
        """Stop between two steps within a few seconds; unfinished jobs go on at the next start."""
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(TimeoutError):
            self._background.call(self._wind_down()).result(timeout=CLOSE_SECONDS * 2)
        self._leases.let_go()
        self.intake.close()
        self._background.close()
        self._entries.close()
        self._ledger.close()

    async def _wind_down(self) -> None:
        await self._background.cancel_all()
        await self._course.settle(CLOSE_SECONDS)
        await self._engines.close()

    # -- runs

    def submit(
        self,
        request: VideoRequest,
        *,
        engine: Engine | str = Engine.DRAFT,
        owner: str = DESK,
        quote: str = "",
        expected: Price | None = None,
    ) -> Job:
        """Check a request, hold its price, and set it going; returns at once.

        With a `quote` used before for the same request, returns the job it made then. `expected` is the price
        that the person saw. Raises InvalidRequest, KeyMissing, BudgetReached, QuoteRefused, LedgerError.
        """
        engine = Engine(engine)
        price = price_of(request, engine)
        if expected is not None and expected != price:
            raise QuoteRefused(f"The price is now {price}, not {expected}. Click again to accept it.")
        self._check(request, engine, owner)
        digest = digest_of(request, engine, price)
        quote = quote or self.new_quote(owner)
        job_id = uuid.uuid4().hex
        folder = job_folder(self.settings.home, job_id)
        try:
            own = copy_references(request, folder, linked=self.settings.upload_folder)
            self._files.keep(disk.files_in(folder))
            new = NewJob(job_id, owner, engine, own, price, digest, quote, self._worker.name, LEASE_SECONDS)
            with self._crowd.place(counts=engine is Engine.DRAFT) as place:
                job, _ = self._at_last(
                    lambda: self._ledger.admit(new, caps=self._caps, now=self._clock.time())
                )
                place.extend([owner, job_id] if job.id == job_id else [])
        except OSError as error:
            self._drop(folder)
            raise LedgerError(f"The references cannot be copied: {error.strerror}.", path=folder) from error
        except KlingoError as error:
            if not self._may_stand(error, job_id):
                self._drop(folder)
            raise
        reached(Moment.ROW_COMMITTED)
        if job.id == job_id:
            self._leases.start(job.id)
        else:
            self._drop(folder)
        return job

    def _check(self, request: VideoRequest, engine: Engine, owner: str) -> None:
        self._ledger.check_work(owner=owner, engine=engine, caps=self._caps)
        self._retention.check_room()
        check_references(request, engine, self.intake)
        if engine is Engine.KLING:
            check_wire_length(request.prompt, self.settings.mention_form)
            self._engines.check_paid(owner)

    def job(self, job_id: str, *, owner: str = DESK) -> Job:
        """One run of this owner, its files in the home folder. Raises JobNotFound."""
        return self.bring(self._ledger.job(job_id, owner=owner))

    def jobs(self, *, owner: str = DESK, limit: int = 20, before: float | None = None) -> list[Job]:
        """The owner's runs, newest first, from before the time `before`."""
        return self._ledger.jobs(owner=owner, limit=limit, before=before)

    def spending(self) -> list[tuple[str, dict[Money, int]]]:
        """Day by day, newest first: micro-dollars held, spent and released."""
        return self._ledger.spending()

    async def watch(self, job_id: str, *, owner: str = DESK) -> AsyncIterator[Job]:
        """The job now and after each change, until it has ended or waits for a person."""
        seen: tuple[float, State] | None = None
        while True:
            job = await asyncio.to_thread(self.job, job_id, owner=owner)
            if seen != (job.updated_at, job.state):
                seen = (job.updated_at, job.state)
                yield job
            if not job.state.active or (job.state is State.UNKNOWN and job.problem):
                return
            await asyncio.sleep(WATCH_SECONDS)

    # -- a person decides

    def stop(self, job_id: str, *, owner: str = DESK) -> Job:
        """Stop a draft's rendering, or stop waiting for a paid run, which goes on there and is billed."""
        return self._decisions.stop(self.job(job_id, owner=owner))

    def resume(self, job_id: str, *, owner: str = DESK, prediction_id: str = "") -> Job:
        """Wake a job that waits for a person, the safe way; `prediction_id` chooses among several.

        Raises JobNotFound, KeyMissing, and BudgetReached when its price would have to be held anew.
        """
        return self._decisions.resume(self.job(job_id, owner=owner), prediction_id=prediction_id)

    def adopt(self, prediction_id: str, *, owner: str = DESK) -> Job:
        """Fetch the result of any prediction of this key. Raises ApiError, KeyMissing, InvalidRequest."""
        return self._decisions.adopt(prediction_id, owner=owner)

    def find_lost(self, owner: str = DESK) -> list[Prediction]:
        """Runs of this key in the service's last 7 days that no job here has, newest first.

        `adopt` takes one over. Nothing is sent but reads. Raises ApiError, KeyMissing.
        """
        return self._decisions.find_lost(owner)

    def release(self, job_id: str, *, owner: str = DESK) -> Job:
        """Give back what a failed or unknown run holds: a person has seen that it is not on the bill.

        A run in any other state is returned as it is. Raises JobNotFound.
        """
        return self._decisions.release(self.job(job_id, owner=owner))

    # -- keys

    def has_key(self, owner: str = DESK) -> bool:
        """Whether a paid run of this owner has a key to run with."""
        return bool(self._engines.key_of(owner))

    def give_key(self, owner: str, key: str) -> int:
        """Check a key, keep it in memory, wake what waits for it; returns the balance in micro-dollars.

        Raises KeyMissing and InvalidRequest for what cannot be a key, KeyRejected and other ApiErrors.
        """
        balance = self._background.call(self._engines.balance_of(key)).result()
        self._engines.give_key(owner, key)
        self._decisions.wake(owner)
        return balance

    def forget_key(self, owner: str = DESK) -> None:
        """Forget the key that this owner entered."""
        self._engines.forget_key(owner)
