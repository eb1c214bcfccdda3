"""The course of one job through its states: prepare → upload → submit → poll → download → done.

Each step leaves one state by name and commits before it does anything that cannot be undone. The order is
what keeps the promises: the row before the network, `submitting` before the one POST, the id before all else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from klingo1 import errors, mentions
from klingo1.client import Client
from klingo1.engines import Engines
from klingo1.entries import RETRY_SECONDS, Entries
from klingo1.errors import ApiError, KlingoError, LedgerError
from klingo1.files import Files, files_of
from klingo1.gate import Gate
from klingo1.intake_process import Intake
from klingo1.job import Job, Money, Problem, State
from klingo1.lookup import Lost
from klingo1.moments import Moment, reached
from klingo1.prediction import Prediction, Status
from klingo1.preparation import AT_ONCE, prepare
from klingo1.problems import problem_of, released
from klingo1.request import Engine, VideoRequest
from klingo1.results import Results
from klingo1.retry import Clock
from klingo1.settings import Settings
from klingo1.submission import TRIES, Submission
from klingo1.uploads import Uploads, job_folder, sent_references

log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0
"""How long a prediction may be done without naming a video before a person is told."""
SENDING = 4
"""Jobs that prepare and upload at once; a new click does not wait for all the others."""
_THERE = frozenset({State.RUNNING, State.DOWNLOADING})


class Course:
    """Drives jobs on the studio's loop. One task per job calls `run`."""

    def __init__(
        self,
        *,
        entries: Entries,
        engines: Engines,
        files: Files,
        settings: Settings,
        clock: Clock,
        intake: Intake,
    ) -> None:
        self._entries = entries
        self._files = files
        self._results = Results(entries, files, clock)
        self._intake = intake
        self._engines = engines
        self._settings = settings
        self._clock = clock
        self._submission = Submission(entries, clock)
        self._preparing = asyncio.Semaphore(AT_ONCE)
        self._sending = Gate(SENDING)
        self._notes: set[asyncio.Task[None]] = set()
        self._steps: dict[State, Callable[[Job], Awaitable[None]]] = {
            State.QUEUED: self._send,
            State.PREPARING: self._send,
            State.UPLOADING: self._send,
            State.SUBMITTING: self._interrupted_submit,
            State.UNKNOWN: self._look_up,
            State.RUNNING: self._poll,
            State.DOWNLOADING: self._download,
        }

    async def settle(self, seconds: float) -> None:
        """Let submits that are on their way, and the last notes, come to an end, at most `seconds`."""
        await self._submission.settle(seconds)
        if self._notes:
            await asyncio.wait(self._notes, timeout=1.0)

    async def run(self, job_id: str) -> None:
        """Take the job as far as it goes without a person."""
        while True:
            try:
                job = await self._entries.mine(job_id)
                if job is None or not job.state.active or (job.problem and job.state is State.UNKNOWN):
                    return
                await self._step(job)
            except LedgerError as error:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    return  # it hid that this task is to end
                log.error("job %s waits, the ledger cannot be written: %s", job_id, error)
                await self._clock.sleep(RETRY_SECONDS)

    async def _step(self, job: Job) -> None:
        try:
            await self._steps[job.state](job)
        except LedgerError:
            raise
        except (errors.KeyMissing, errors.KeyRejected) as error:
            if job.state is State.UNKNOWN:  # it stays so: what may have been sent is never sent again
                await self._entries.note(job, problem=problem_of(error), during=job.state)
            else:
                await self._entries.advance(job, State.NEEDS_KEY, problem=problem_of(error))
        except KlingoError as error:
            if not (isinstance(error, errors.NotFound) and await self._make_anew(job)):
                await self._give_up(job, error)
        except Exception as error:
            log.exception("job %s: an unforeseen error while %s", job.id, job.state.value)
            await self._give_up(job, ApiError(f"This computer could not go on ({type(error).__name__})."))

    async def _give_up(self, job: Job, error: KlingoError) -> None:
        """An unhandled error ends the job where its money is certain, and waits for a person elsewhere."""
        problem = problem_of(error)
        if job.state in {State.QUEUED, State.PREPARING, State.UPLOADING}:
            await self._entries.advance(job, State.REFUSED, problem=problem, money=released(job))
        elif job.state in _THERE:
            await self._entries.advance(job, State.EXPIRED, problem=problem)
        else:
            await self._entries.note(job, problem=problem, during=job.state)

    # -- steps

    async def _send(self, job: Job) -> None:
        """From the queue to the submit, a few jobs at a time: a thousand found at start are no stampede."""
        if job.state is State.QUEUED:
            async with self._sending.passing(job.created_at):
                await self._entries.advance(job, State.PREPARING)
        elif job.state is State.PREPARING:
            async with self._sending.passing(job.created_at):
                await self._prepare(job)
        else:
            await self._upload_and_submit(job)

    async def _prepare(self, job: Job) -> None:
        await self._make_copies(job)
        await self._entries.advance(job, State.UPLOADING)

    async def _make_copies(self, job: Job) -> None:
        """What is sent: the references, from wherever the job began, without what they tell of a person."""
        await asyncio.to_thread(self._files.fetch, files_of(job))
        await prepare(job.request, self._folder(job), self._intake, places=self._preparing)

    async def _upload_and_submit(self, job: Job) -> None:
        client = await self._client(job)
        if job.was_lost and await self._submission.was_created(job, client, await self._lost(job)):
            return  # the list shows by now what three looks did not
        async with self._sending.passing(job.created_at):
            await self._make_copies(job)
            request = await self._references(job, client)
        reached(Moment.UPLOADED)
        body = request.to_wire(prompt=self._wire_prompt(job))
        if job.engine is Engine.DRAFT:
            body["klingo1"] = request.draft.to_wire()
        account = self._engines.account_of(job.engine, job.owner)
        await self._submission.send(job, client, body, account=account)

    async def _references(self, job: Job, client: Client) -> VideoRequest:
        """The request over addresses; what stands already is not sent again, what came is kept."""
        record = await self._entries.record(job)
        uploads = Uploads.read(record.uploads, now=self._clock.time())
        if job.engine is Engine.DRAFT and self._files.shared:
            uploads = Uploads({})  # they may stand at another replica's service
        before = uploads.rows()
        try:
            return await uploads.complete(job, client, folder=self._folder(job), clock=self._clock)
        finally:
            if uploads.rows() != before:
                await self._entries.note(job, uploads=uploads.rows())

    async def _interrupted_submit(self, job: Job) -> None:
        """Found in `submitting` when nobody is submitting it: the process ended in between."""
        await self._entries.advance(job, State.UNKNOWN)

    async def _look_up(self, job: Job) -> None:
        client = await self._client(job)
        record = await self._entries.record(job)
        same = record.account in {"", self._engines.account_of(job.engine, job.owner)}
        await self._submission.look_up(job, client, await self._lost(job), same_account=same)

    async def _lost(self, job: Job) -> Lost:
        record = await self._entries.record(job)
        return Lost(
            at=record.submitted_at or job.created_at,
            references=sent_references(job, record.uploads),
            prompts={self._wire_prompt(job), job.request.prompt},
            duration=job.request.duration,
            lasted=max(0.0, job.details.get("lasted", 0.0)),
            ahead={record.ahead},
        )

    def _wire_prompt(self, job: Job) -> str:
        form = self._settings.mention_form if job.engine is Engine.KLING else "at"
        return mentions.to_wire(job.request.prompt, form)

    async def _poll(self, job: Job) -> None:
        client = await self._client(job)
        kind = (job.request.duration, job.request.has_video)
        before: Prediction | None = None

        def seen(prediction: Prediction) -> None:
            nonlocal before
            self._seen(job, prediction, before)
            before = prediction

        missing_since: float | None = None
        while True:
            try:
                prediction = await client.wait(job.prediction_id, kind=kind, on_update=seen)
            except errors.NotFound:
                if job.money is Money.FREE:
                    raise
                problem = Problem("NotFound", "The service no longer knows this run.")
            else:
                if prediction.status is not Status.COMPLETED:
                    await self._failed(job, prediction)
                    return
                if prediction.outputs:
                    details = prediction.as_details()
                    await self._entries.advance(job, State.DOWNLOADING, details=details)
                    return
                problem = Problem("DownloadFailed", "The service says done, but names no video.")
            now = self._clock.monotonic()
            missing_since = now if missing_since is None else missing_since
            if now - missing_since > GRACE_SECONDS:
                await self._entries.advance(job, State.EXPIRED, problem=problem)
                return
            await self._clock.sleep(10.0)

    async def _failed(self, job: Job, prediction: Prediction) -> None:
        """A failed task is refunded within hours, so its hold stays until then (money.release_refunded)."""
        text = prediction.error or f"The service ended it: {prediction.status_word}."
        facts: dict[str, Any] = {"details": prediction.as_details()}
        if job.money is Money.SPENT:  # adopted, or no longer waited for: the refund comes all the same
            facts["money"] = Money.HELD
        await self._entries.advance(job, State.FAILED, problem=Problem("GenerationFailed", text), **facts)

    async def _download(self, job: Job) -> None:
        video, poster = await self._results.bring(job, await self._client(job), self._folder(job))
        facts: dict[str, Any] = {"video": self._stored(video), "progress": 1.0}
        if poster is not None:
            facts["poster"] = self._stored(poster)
        if job.money is not Money.FREE:
            facts["money"] = Money.SPENT
        done = await self._entries.advance(job, State.DONE, **facts)
        if done and job.engine is Engine.DRAFT and self._files.shared:
            # Its film is kept; who deletes it later may be another replica, which cannot delete it here.
            with contextlib.suppress(ApiError):
                await (await self._client(job)).delete([job.prediction_id])

    async def _make_anew(self, job: Job) -> bool:
        """A draft that its service does not know, for it was another replica's, is made here; it is free."""
        attempts = (await self._entries.record(job)).attempts + 1
        if job.money is not Money.FREE or job.state not in _THERE or attempts >= TRIES:
            return False
        return await self._entries.advance(
            job, State.PREPARING, prediction_id="", uploads=[], progress=None, attempts=attempts
        )

    # -- small things

    async def _client(self, job: Job) -> Client:
        return await self._engines.client(job.engine, job.owner)

    def _seen(self, job: Job, prediction: Prediction, before: Prediction | None) -> None:
        """Keep the latest reply when it says anything new; a poll does not wait for the disk."""
        reached(Moment.POLLED)
        if prediction.raw == (before.raw if before else job.details.get("data")):
            return
        early = prediction.raw.get("poster") if job.engine is Engine.DRAFT else None
        if early and not (self._files.shared or (before and before.raw.get("poster"))):
            self._soon(self._preview(job, early))
        self._soon(
            self._entries.note(
                job, during=State.RUNNING, progress=prediction.progress, details=prediction.as_details()
            )
        )

    async def _preview(self, job: Job, url: str) -> None:
        """Show an early frame until the film is there."""
        if early := await self._results.preview(job, await self._client(job), url, self._folder(job)):
            await self._entries.note(job, during=State.RUNNING, poster=self._stored(early))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _folder(self, job: Job) -> Path:
        return job_folder(self._settings.home, job.id)

    def _stored(self, path: Path) -> str:
        return path.relative_to(self._settings.home).as_posix()
