"""The life of a draft: its references are brought, it waits for a place, is rendered, its end is recorded."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from klingo1.draft.media import MediaUnreadable
from klingo1.draft.renderer import RenderQueue, RenderTimedOut
from klingo1.draft.supply import Fetcher, collect, collect_masks
from klingo1.draft.worker import BareRequest, Order, RenderFailed, RenderStopped
from klingo1.prediction import Status
from klingo1.request import DraftOptions, VideoRequest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from klingo1.draft.store import DraftStore, Record

STARTS_MAX = 3
"""A film during which the whole program died so often is not begun again."""
AHEAD_MAX = 4
"""So many drafts bring their references before their turn; it bounds the disk that fetched files take."""
CLOSING_SECONDS = 4.0
UNREADABLE, FAILED, TIMED_OUT = 1402, 1403, 5004
"""Task codes of WaveSpeed's documentation."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Extras:
    """What every film of a service gets: whether what people say about pictures is remembered (not where
    strangers share it), and an ONNX network that cuts photographs.
    """

    remember: bool = True
    model: Path | None = None


class DraftJobs:
    """One asyncio task for each unfinished prediction of this process."""

    def __init__(
        self, store: DraftStore, queue: RenderQueue, door: Fetcher, extras: Extras | None = None
    ) -> None:
        self._store = store
        self._extras = extras or Extras()
        self._queue = queue
        self._door = door
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ahead = asyncio.Semaphore(AHEAD_MAX)
        self._closing = False

    def begin(self, record: Record) -> None:
        """Start making a prediction that this process owns."""
        if self._closing or record.id in self._tasks:
            return
        task = asyncio.create_task(self._live(record), name=f"draft {record.id}")
        self._tasks[record.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(record.id, None))

    def warm(self) -> None:
        """A draft is likely to be asked for soon."""
        if not self._closing:
            self._queue.warm()

    async def attend(self, record: Record) -> None:
        """Take a prediction over when the process that was making it is gone."""
        if record.id not in self._tasks and await run_in_threadpool(self._store.adopt, record):
            self.begin(record)

    async def finished(self, prediction_id: str, seconds: float) -> bool:
        """Wait for the end of a prediction, so long at most; says whether it came."""
        task = self._tasks.get(prediction_id)
        if task is None:
            return True
        done, _ = await asyncio.wait({task}, timeout=seconds)
        return bool(done)

    async def delete(self, ids: Iterable[str]) -> int:
        """Forget predictions, stop those in work and remove their files. Says how many there were."""
        records = [await run_in_threadpool(self._store.prediction, one) for one in dict.fromkeys(ids)]
        found = {record.id: record for record in records if record is not None}
        gone = await run_in_threadpool(self._store.forget, found)
        for one in gone:
            self._ask_to_stop(one)
            # Who makes it removes the files when it has let go of them; that may be another process.
            if one not in self._tasks and not found[one].running:
                await run_in_threadpool(self._store.clear, one)
        return len(gone)

    def news(self, record: Record) -> dict[str, Any]:
        """What is known of a prediction in work: `progress` (0 to 1) and perhaps `phase`, a word."""
        if not record.running:
            return {"progress": 1.0 if record.status.succeeded else 0.0}
        try:
            fraction, *words = (self._store.room(record.id) / "progress").read_text(encoding="utf-8").split()
            told = {"phase": words[0]} if words else {}
            return {"progress": min(1.0, max(0.0, float(fraction)))} | told
        except (OSError, ValueError):
            return {"progress": 0.0}

    async def close(self) -> None:
        """Stop everything in work; it stays unfinished in the store."""
        self._closing = True
        tasks = set(self._tasks.values())
        for one in self._tasks:
            self._ask_to_stop(one)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._queue.close()

    def _ask_to_stop(self, prediction_id: str) -> None:
        with suppress(FileNotFoundError):  # it has just ended, and its room is cleared away
            (self._store.room(prediction_id) / "stop").touch()

    async def _live(self, record: Record) -> None:
        began = time.monotonic()
        try:
            await self._make(record)
        except RenderStopped:
            if not self._closing:
                await self._end(record, Status.CANCELLED, "The draft was stopped.", 0, began)
        except MediaUnreadable as error:
            await self._end(record, Status.FAILED, str(error), UNREADABLE, began)
        except RenderTimedOut:
            await self._end(record, Status.FAILED, "The draft took too long.", TIMED_OUT, began)
        except RenderFailed as error:
            await self._end(record, Status.FAILED, str(error), FAILED, began)
        except Exception as error:
            kind = type(error).__name__
            await self._end(record, Status.FAILED, f"The draft could not be made ({kind}).", FAILED, began)
        finally:
            if not self._closing:
                await run_in_threadpool(self._tidy, record)

    async def _make(self, record: Record) -> None:
        if record.starts >= STARTS_MAX:
            raise RenderFailed("The draft could not be made (the program ended each time it was begun).")
        room = self._store.room(record.id)
        began = 0.0
        async with AsyncExitStack() as ahead:
            await ahead.enter_async_context(self._ahead)
            if self._closing:
                raise RenderStopped
            room.mkdir(exist_ok=True)
            (room / "stop").unlink(missing_ok=True)
            order = Order(
                request=await self._request(record, room),
                output=self._store.video(record.id),
                progress=room / "progress",
                stop=room / "stop",
                cache=self._store.cache,
                corrections=self._store.corrections if self._extras.remember else None,
                model=self._extras.model,
            )

            async def begun() -> None:
                nonlocal began
                began = time.monotonic()
                await ahead.aclose()
                if not await run_in_threadpool(self._store.start, record):
                    raise RenderStopped

            report = await self._queue.make(order, begun=begun)
        took = round((time.monotonic() - began) * 1000)
        await run_in_threadpool(self._store.complete, record.id, inference_ms=took, report=report)

    async def _request(self, record: Record, room: Path) -> VideoRequest:
        """The stored fields over local files."""
        images, video = await collect(record.input, self._store, self._door, room)
        wishes = DraftOptions.from_wire(record.options)
        masks = await collect_masks(wishes.masks[: len(images)], self._store, self._door, room)
        kind = VideoRequest if images else BareRequest
        return kind(
            prompt=record.input["prompt"],
            images=images,
            video=video,
            keep_original_sound=record.input["keep_original_sound"],
            aspect_ratio=record.input["aspect_ratio"],
            duration=record.input["duration"],
            draft=wishes.with_masks(masks),
        )

    async def _end(self, record: Record, status: Status, error: str, code: int, began: float) -> None:
        took = round((time.monotonic() - began) * 1000)
        ended = await run_in_threadpool(
            self._store.end, record.id, status=status, error=error, code=code, inference_ms=took
        )
        if ended:
            _log.info("draft %s: %s, code %d", record.id, status.value, code)

    def _tidy(self, record: Record) -> None:
        """Remove what only the making needed; everything, when there is no film or nobody wants it."""
        now = self._store.prediction(record.id)
        self._store.clear(record.id, keep_video=now is not None and now.status.succeeded)
