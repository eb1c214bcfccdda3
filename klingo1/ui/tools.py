"""What a program may do here over MCP: price, generate, status, history. Without widgets, as `handlers`.

A program repeats a call whose answer was lost. So a paid run needs the quote of `price`, which is good for
one run of exactly those inputs: called again with it, `generate` gives the run that it has made already.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from klingo1.errors import InvalidRequest
from klingo1.job import Job, State
from klingo1.request import Engine, Reference, VideoRequest, check_image_count
from klingo1.ui import words
from klingo1.ui.lent import reference_from
from klingo1.ui.views import Publish, state_view, summary_view
from klingo1.visitors import DESK, is_token

if TYPE_CHECKING:
    from klingo1.studio import Studio

WAIT_MAX = 50
"""Seconds that one call may wait; connections are often cut after a minute."""
LISTED_MAX = 50
OWNER_HEADER = "x-klingo1-owner"


@dataclass(frozen=True, slots=True)
class Inputs:
    """A request as a program gives it: references by address, or by name in the lent folder."""

    prompt: str
    images: Sequence[str]
    video: str
    keep_original_sound: bool
    aspect_ratio: str
    duration: int
    engine: str


class Tools:
    """The tools over one studio; all answers are plain JSON values. They raise KlingoError."""

    def __init__(self, studio: Studio, *, hosted: bool, publish: Publish) -> None:
        self._studio = studio
        self._hosted = hosted
        self._publish = publish

    def owner_by(self, headers: Mapping[str, str]) -> str:
        """Whose runs a call is about: the desk's, or those of the token that a hosted page's caller sends."""
        if not self._hosted:
            return DESK
        owner = headers.get(OWNER_HEADER, "")
        if not is_token(owner):
            raise InvalidRequest(
                OWNER_HEADER,
                "This page has many visitors, and the call does not say whose it is.",
                "Send this header with a random word of 20 to 64 letters and digits; keep it to yourself.",
            )
        return owner

    def price(self, asked: Inputs, owner: str) -> dict[str, Any]:
        """What a run costs, and a quote for it."""
        with self._request(asked) as (request, engine):
            price, quote = self._studio.offer(request, engine=engine, owner=owner)
        return {
            "engine": engine.value,
            "price_usd": price.dollars,
            "quote": quote,
            "meaning": f"A run with these inputs is {price}. Nothing has been started.",
            "has_key": engine is Engine.DRAFT or self._studio.has_key(owner),
        }

    def generate(self, asked: Inputs, quote: str, owner: str) -> dict[str, Any]:
        """Start a run, or tell of the one that this quote has started."""
        with self._request(asked) as (request, engine):
            if engine is Engine.KLING and not quote:
                raise InvalidRequest(
                    "quote",
                    "A paid run needs one.",
                    "Call price with the same inputs, and pass on its quote.",
                )
            job = self._studio.submit(request, engine=engine, owner=owner, quote=quote)
        return self._told(job)

    async def status(self, job_id: str, wait: int, owner: str) -> dict[str, Any]:
        """Where a run stands; with `wait`, when it has ended, or after so many seconds."""
        job = self._studio.job(job_id, owner=owner)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, min(wait, WAIT_MAX))):
                async for change in self._studio.watch(job.id, owner=owner):
                    job = change
        return self._told(job)

    def history(self, limit: int, before: float | None, owner: str) -> dict[str, Any]:
        """Runs, newest first."""
        jobs = self._studio.jobs(owner=owner, limit=max(1, min(limit, LISTED_MAX)), before=before)
        listed = [
            {"created": job.created_at, "duration": job.request.duration, "prompt": job.request.prompt}
            | self._told(job)
            for job in jobs
        ]
        return {"runs": listed, "before": jobs[-1].created_at if len(jobs) >= limit else None}

    @contextlib.contextmanager
    def _request(self, asked: Inputs) -> Iterator[tuple[VideoRequest, Engine]]:
        """The request over copies of its references that last as long as the block."""
        try:
            engine = Engine(asked.engine)
        except ValueError:
            raise InvalidRequest("engine", "There is no such engine.", "Choose draft or kling.") from None
        check_image_count(len(asked.images), with_video=bool(asked.video))
        lent = self._studio.settings.mcp_folder
        with TemporaryDirectory(prefix="klingo1-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            pictures = [
                reference_from(image, field=f"images[{n}]", folder=lent, to=folder / f"{n}")
                for n, image in enumerate(asked.images)
            ]
            clip: Reference | None = None
            if asked.video:
                clip = reference_from(asked.video, field="video", folder=lent, to=folder / "video")
            yield (
                VideoRequest(
                    prompt=asked.prompt,
                    images=tuple(pictures),
                    video=clip,
                    keep_original_sound=asked.keep_original_sound,
                    aspect_ratio=asked.aspect_ratio,
                    duration=asked.duration,
                ),
                engine,
            )

    def _told(self, job: Job) -> dict[str, Any]:
        seen = summary_view(job, publish=self._publish)
        state = state_view(job)
        kept = ("id", "engine", "state", "progress", "price_usd", "prediction_id", "problem")
        return {name: state[name] for name in kept} | {
            "phase": state["phase"],
            "note": words.phase_of(job).note,
            "money": words.money_words(job),
            "ended": job.state.ended,
            "waits_for_a_person": job.waits,
            "video": seen["video"] if job.state is State.DONE else "",
            "poster": seen["poster"],
        }
