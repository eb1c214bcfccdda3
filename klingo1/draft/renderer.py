"""The queue of renders: so many at a time, each outside the event loop's process, and a dead worker replaced.

Each place in the queue has a process pool of one, so that a worker's death concerns exactly one film. Any
other concurrent.futures.Executor (threads in a test, a Dask cluster's) can stand in; it stays its owner's.
"""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import BrokenExecutor, Executor
from typing import TYPE_CHECKING, Any

from klingo1.draft.parts import make_in_parts
from klingo1.draft.processes import new_pool
from klingo1.draft.worker import Order, RenderFailed, RenderStopped, load_film, render_film, settle, work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SECONDS = 900.0
"""A film that takes longer is given up."""
IDLE = 300.0
"""Seconds after the last film in which a rendering process is kept."""
PATIENCE = 3.0
"""Seconds that a stopped render gets to come back before it is no longer waited for."""


class RenderTimedOut(Exception):
    """The film took too long and was stopped."""


class RenderQueue:
    """Makes at most `workers` films at a time, in the order in which they came.

    `executor` None means processes of our own, spawned when first needed. `render` must be picklable for
    those. With `parts`, another executor makes each film in so many parts side by side. Belongs to one event
    loop.
    """

    def __init__(
        self,
        *,
        executor: Executor | None = None,
        workers: int = 1,
        render: Callable[[Order], dict[str, Any]] = render_film,
        seconds: float = SECONDS,
        idle: float = IDLE,
        parts: int = 1,
        niceness: int = 0,
    ) -> None:
        self._given = executor
        self._parts = parts if executor is not None else 1
        self._render = render
        self._seconds = seconds
        self._free = asyncio.Semaphore(workers)
        self._pools: list[Executor | None] = [executor] * workers
        self._idle = idle
        self._settle = functools.partial(settle, niceness)
        self._rest: asyncio.TimerHandle | None = None

    def warm(self) -> None:
        """Start a process and load the engine into it, when nothing is in work and none is there."""
        if self._given is None and self._render is render_film and not any(self._pools) and self._pools:
            pool = self._pools[-1] = self._new_pool()
            pool.submit(load_film)
            self._rest_later()

    async def make(
        self, order: Order, *, begun: Callable[[], Awaitable[None]] | None = None
    ) -> dict[str, Any]:
        """Wait for a place, call `begun`, render, and return the report.

        Raises MediaUnreadable, RenderStopped, RenderFailed or RenderTimedOut. A worker that dies is replaced
        and the film begun once more; the second death is a failure.
        """
        async with self._free:
            pool = self._pools.pop()
            try:
                if order.stopped:
                    raise RenderStopped
                if begun is not None:
                    await begun()
                why = "the rendering process ended twice"
                for _ in range(2):
                    pool = pool or self._new_pool()
                    try:
                        return await self._once(pool, order)
                    except (BrokenExecutor, RenderTimedOut) as end:
                        if pool is not self._given:
                            pool.shutdown(wait=False)
                            pool = None
                        elif str(end):
                            why = str(end)
                        if isinstance(end, RenderTimedOut):
                            raise
                        if order.stopped:
                            raise RenderStopped from None
                raise RenderFailed(f"The draft could not be made ({why}).")
            finally:
                self._pools.append(pool)
                self._rest_later()

    async def close(self) -> None:
        """End the processes. Orders still in work must have been stopped before."""
        if self._rest is not None:
            self._rest.cancel()
        pools = [pool for pool in self._pools if pool is not None and pool is not self._given]
        self._pools = [self._given] * len(self._pools)
        await asyncio.gather(*(asyncio.to_thread(pool.shutdown, wait=True) for pool in pools))

    async def _once(self, pool: Executor, order: Order) -> dict[str, Any]:
        made: asyncio.Future[dict[str, Any]]
        if self._parts > 1:
            made = asyncio.ensure_future(make_in_parts(pool, self._render, order, self._parts))
        else:
            made = asyncio.wrap_future(pool.submit(work, self._render, order))
        made.add_done_callback(_seen)
        try:
            done, _ = await asyncio.wait({made}, timeout=self._seconds)
            if done:
                return made.result()
            order.ask_to_stop()
            await asyncio.wait({made}, timeout=PATIENCE)
            raise RenderTimedOut
        finally:
            if not made.done():  # given up or cancelled: nobody waits for it any longer
                order.ask_to_stop()

    def _rest_later(self) -> None:
        """Let idle processes go after a while: each keeps some 400 MB."""
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(self._idle, self._let_go)

    def _let_go(self) -> None:
        for number, pool in enumerate(self._pools):
            if pool is not None and pool is not self._given:
                pool.shutdown(wait=False)
                self._pools[number] = None

    def _new_pool(self) -> Executor:
        return new_pool(self._settle)


def _seen(made: asyncio.Future[dict[str, Any]]) -> None:
    """Take notice of a late error, so that asyncio does not report it as never retrieved."""
    if not made.cancelled():
        made.exception()
