"""Runs that were billed and are not here, and runs of which nobody knows: found, fetched, chosen, released.

Nothing here sends anything that costs money. Every question names its owner, and the service answers with
that owner's own key only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from klingo1.errors import InvalidRequest, KlingoError
from klingo1.job import Job, State
from klingo1.prediction import Prediction
from klingo1.pricing import price_of
from klingo1.problems import money_known
from klingo1.request import PROMPT_MAX, Engine, VideoRequest
from klingo1.ui import lost_words as words
from klingo1.ui.library import Library

SHOWN_MAX = 100
"""Lost runs that are listed at once."""


class LostRuns(Library):
    """What a page may ask about runs that only the service knows."""

    def find_lost(self, asked: object) -> dict[str, Any]:
        """The service's last 7 days beside the ledger: what is missing, and what waits for a choice."""
        owner, _ = self._asked(asked)
        waiting = self._studio.undecided(owner) if owner else []
        try:
            listed = self._studio.find_lost(owner)
        except KlingoError as error:
            choices = [_choice_view(job, None) for job in waiting]
            return words.lost_problem(error).as_json() | {"runs": [], "choices": choices, "more": ""}
        there = {one.id: one for one in listed}
        claimed = {one for job in waiting if job.problem for one in job.problem.prediction_ids}
        missing = [one for one in listed if one.id not in claimed and not _failed(one)]
        failed = any(_failed(one) for one in listed)
        return words.lost_words(len(missing), len(waiting)).as_json() | {
            "runs": [_found_view(one) for one in missing[:SHOWN_MAX]],
            "choices": [_choice_view(job, there) for job in waiting],
            "more": words.FAILED_LEFT_OUT if failed else "",
        }

    def adopt(self, asked: object) -> dict[str, Any]:
        """Take a run over; its video is fetched, and what it cost counts on the day it was made."""
        owner, values = self._asked(asked)
        return self._decided(lambda: self._studio.adopt(str(values.get("prediction") or ""), owner=owner))

    def choose(self, asked: object) -> dict[str, Any]:
        """Of several runs that a lost one could be, this is it."""
        owner, values = self._asked(asked)
        chosen = str(values.get("prediction") or "")

        def resume() -> Job:
            job = self._studio.job(str(values.get("job") or ""), owner=owner)
            if job.state is not State.UNKNOWN or not job.problem or chosen not in job.problem.prediction_ids:
                raise InvalidRequest("prediction_id", "This is settled already.", "Look once more.")
            return self._studio.resume(job.id, owner=owner, prediction_id=chosen)

        return self._decided(resume)

    def release(self, asked: object) -> dict[str, Any]:
        """A lost run is not on the bill: its hold is given back."""
        owner, values = self._asked(asked)
        return self._decided(lambda: self._studio.release(str(values.get("job") or ""), owner=owner))

    def _decided(self, decide: Callable[[], Job]) -> dict[str, Any]:
        try:
            job = decide()
        except KlingoError as error:
            return {"ok": False} | words.lost_problem(error).as_json()
        return {"ok": True, "job": job.id, "text": money_known(job)}


def _failed(one: Prediction) -> bool:
    return one.status.ended and not one.status.succeeded


def _found_view(one: Prediction) -> dict[str, Any]:
    """A run at the service as far as it is known: what it repeats of the request, and what that costs."""
    prompt, asked = one.inputs.get("prompt"), _request_of(one.inputs)
    status, money = words.found_words(one, price_of(asked, Engine.KLING) if asked else None)
    return {
        "id": one.id,
        "prompt": prompt.strip()[:PROMPT_MAX] if isinstance(prompt, str) else "",
        "created": one.created_at,
        "duration": asked.duration if asked else None,
        "aspect": asked.aspect_ratio if asked else "",
        "status": status,
        "money": money,
    }


def _choice_view(job: Job, there: Mapping[str, Prediction] | None) -> dict[str, Any]:
    """A lost run with all that could be it; `there` is what no other run has, None when nobody could look."""
    ids: Sequence[str] = job.problem.prediction_ids if job.problem else ()
    could = [Prediction(one) for one in ids] if there is None else [there[one] for one in ids if one in there]
    release = words.release_words(job, bool(could))
    return {
        "job": job.id,
        "prompt": job.request.prompt,
        "created": job.created_at,
        "problem": job.problem.text if job.problem else "",
        "money": money_known(job),
        "runs": [_found_view(one) for one in could],
        "release": release.text,
        "meaning": release.remedy,
    }


def _request_of(inputs: Mapping[str, Any]) -> VideoRequest | None:
    try:
        return VideoRequest.from_wire(inputs)
    except InvalidRequest:
        return None
