"""The runs of one owner: found, shown, deleted, taken back. Without widgets, as `handlers`.

A browser names its owner with each question, so every run is looked up together with that owner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from klingo1.decoding import frame_rate
from klingo1.deliver import at_hand
from klingo1.errors import InvalidRequest, JobNotFound, KlingoError
from klingo1.job import Job, State
from klingo1.ui.handout import Handout
from klingo1.ui.lost_words import all_deleted_words, deleted_words
from klingo1.ui.views import Publish, inputs_view, summary_view
from klingo1.visitors import new_token

if TYPE_CHECKING:
    from klingo1.studio import Studio

DESK_OWNER = "desk"
HISTORY_PAGE = 24
SEARCH_MAX = 200
"""Characters of a search that are looked for."""
UPLOADS_MAX = 40
"""Uploads of a form that are removed along with an owner's runs."""
_SCANNED = 100
_SCANS = 20
"""A search looks through at most so many times so many runs at once; "Show older" goes on from there."""
Test = Callable[[Job], bool]


class Library:
    """What a page may ask about runs. `publish` makes a file readable by the browser."""

    def __init__(self, studio: Studio, *, hosted: bool, publish: Publish) -> None:
        self._studio = studio
        self._hosted = hosted
        self._publish = publish
        self._clock = studio.now
        self._handout = Handout(publish)

    def owner_of(self, browser: object) -> str:
        """The owner whom a browser's token stands for; "" when it has none. On a desk there is one owner."""
        if not self._hosted:
            return DESK_OWNER
        return self._studio.owner_of(browser.get("owner")) if isinstance(browser, Mapping) else ""

    def token_of(self, browser: object) -> str:
        """The token by which a browser is known from now on: its own, or a new one where that is none."""
        owner = self.owner_of(browser)
        return (
            str(browser["owner"])
            if self._hosted and owner and isinstance(browser, Mapping)
            else (owner or new_token())
        )

    def history(self, asked: object) -> dict[str, Any]:
        """A page of runs, newest first, and where the next one begins.

        `search` holds words that all stand in the prompt, `engine` and `state` narrow it further.
        """
        owner, values = self._asked(asked)
        before = values.get("before")
        before = float(before) if isinstance(before, int | float) and not isinstance(before, bool) else None
        jobs, following = self._page(owner, before, _tests(values)) if owner else ([], None)
        return {
            "jobs": [
                summary_view(self._studio.bring(job), publish=self._publish, find=at_hand) for job in jobs
            ],
            "next": following,
        }

    def inputs(self, asked: object) -> dict[str, Any] | None:
        """A run's inputs for the form."""
        owner, values = self._asked(asked)
        job = self._find(values.get("job"), owner)
        return inputs_view(job, publish=self._publish) if job else None

    def delete(self, asked: object) -> dict[str, Any]:
        """Hide a run; for half a minute it can be taken back, then its files are removed."""
        owner, values = self._asked(asked)
        job = self._find(values.get("job"), owner)
        if job is None:
            return {"ok": False}
        try:
            left = self._studio.delete(job.id, owner=owner)
        except KlingoError:
            return {"ok": False}
        return {"ok": True, "text": deleted_words(job, left)}

    def restore(self, asked: object) -> dict[str, Any]:
        """Take a deletion back."""
        owner, values = self._asked(asked)
        job_id = values.get("job")
        if not owner or not isinstance(job_id, str) or len(job_id) > 64:
            return {"ok": False}
        try:
            self._studio.restore(job_id, owner=owner)
        except KlingoError:
            return {"ok": False}
        return {"ok": True}

    def delete_all(self, asked: object) -> dict[str, Any]:
        """Remove everything of this owner for good, now, and what their form holds in the upload folder."""
        owner, values = self._asked(asked)
        if not owner:
            return {"ok": False}
        offered = values.get("files")
        files = [one for one in offered if isinstance(one, str)] if isinstance(offered, list) else []
        try:
            waiting = self._studio.delete_all(owner, uploads=files[:UPLOADS_MAX])
        except (KlingoError, TimeoutError):
            return {"ok": False}
        return {"ok": True, "has_key": self._studio.has_key(owner)} | all_deleted_words(waiting).as_json()

    def hand_out(self, asked: object) -> dict[str, Any]:
        """A finished run as `kind` in `size`: begins to make it, or tells how that stands (`Handout.ask`)."""
        owner, values = self._asked(asked)
        return self._handout.ask(self._find(values.get("job"), owner), values)

    def rate(self, asked: object) -> float | None:
        """Frames a second of a run's video, so that two takes can be stepped picture by picture."""
        owner, values = self._asked(asked)
        job = self._find(values.get("job"), owner)
        try:
            return frame_rate(job.video) if job is not None and job.video is not None else None
        except (InvalidRequest, OSError):
            return None

    # -- parts

    def _page(self, owner: str, before: float | None, tests: list[Test]) -> tuple[list[Job], float | None]:
        found: list[Job] = []
        step = _SCANNED if tests else HISTORY_PAGE
        for _ in range(_SCANS):
            jobs = self._studio.jobs(owner=owner, limit=step, before=before)
            for job in jobs:
                before = job.created_at
                if all(test(job) for test in tests):
                    found.append(job)
                    if len(found) == HISTORY_PAGE:
                        return found, before
            if len(jobs) < step:
                return found, None
        return found, before

    def _asked(self, asked: object) -> tuple[str, Mapping[str, Any]]:
        values = asked if isinstance(asked, Mapping) else {}
        return self.owner_of(values), values

    def _find(self, job_id: object, owner: str) -> Job | None:
        if not isinstance(job_id, str) or not 0 < len(job_id) <= 64 or not owner:
            return None
        try:
            return self._studio.job(job_id, owner=owner)
        except JobNotFound:
            return None


def _tests(values: Mapping[str, Any]) -> list[Test]:
    """What a run must meet to be listed; unknown filters are none."""
    tests: list[Test] = []
    search, engine, state = (str(values.get(name) or "") for name in ("search", "engine", "state"))
    if words := search[:SEARCH_MAX].casefold().split():
        tests.append(lambda job: _holds(job, words))
    if engine in {"draft", "kling"}:
        tests.append(lambda job: job.engine.value == engine)
    if state in _GROUPS:
        tests.append(_GROUPS[state])
    return tests


def _holds(job: Job, words: list[str]) -> bool:
    text = job.request.prompt.casefold()
    return all(word in text for word in words)


_GROUPS: Mapping[str, Test] = {
    "done": lambda job: job.state is State.DONE,
    "going": lambda job: job.goes_on,
    "waiting": lambda job: job.waits,
    "ended": lambda job: job.state.ended and job.state is not State.DONE,
}
