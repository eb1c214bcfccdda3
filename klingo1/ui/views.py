"""A job as the JSON that the page's scripts show. Text stays text: the scripts never read it as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from klingo1.deliver import shown
from klingo1.job import Job, Money, State
from klingo1.pricing import price_of
from klingo1.request import Engine
from klingo1.ui import lost_words, words
from klingo1.ui.reading import reading_of

DRAFT_FIELD_MAX = 400
Publish = Callable[[Path], str]
"""Makes a file readable by the browser and returns the path to ask for."""


def job_view(job: Job, *, now: float, publish: Publish, ahead: int = 0) -> dict[str, Any]:
    """Everything the status card shows. `now` is the server's clock, so the browser's may be wrong; `ahead`
    counts the drafts that are made before this one.
    """
    phase = words.phase_of(job, ahead=ahead)
    problem = words.problem_words(job)
    stop_label, stop_note = words.stop_words(job)
    return summary_view(job, publish=publish) | {
        "title": phase.title,
        "note": phase.note,
        "now": now,
        "money": words.money_words(job),
        "progress": job.progress if job.state is State.RUNNING else None,
        "problem": problem.as_json() | {"kind": job.problem.kind} if problem and job.problem else None,
        "stop": {"label": stop_label, "note": stop_note} if job.goes_on else None,
        "settle": lost_words.settle_label(job),
        "promote": _promotion(job),
        "phases": [[state.value, at] for state, at in job.phases],
        "details": _details(job),
        "understood": understood(job.report),
        "reading": reading_of(job.report),
    }


def summary_view(job: Job, *, publish: Publish, find: Callable[[Job], Path | None] = shown) -> dict[str, Any]:
    """The part that the history shows too; `find` chooses the file of its video."""
    return {
        "id": job.id,
        "engine": job.engine.value,
        "engine_name": words.ENGINE_NAMES[job.engine],
        "state": job.state.value,
        "title": words.phase_of(job).title,
        "active": job.goes_on,
        "ended": job.state.ended,
        "resume": _resume_label(job),
        "delete_note": lost_words.delete_note(job),
        "created": job.created_at,
        "finished": job.finished_at,
        "price": job.price.micro,
        "released": job.money is Money.RELEASED,
        "prompt": job.request.prompt,
        "duration": job.request.duration,
        "aspect": job.request.aspect_ratio,
        "pictures": len(job.request.images),
        "with_video": job.request.has_video,
        "video": _published(find(job), publish),
        "poster": _published(job.poster, publish),
    }


def inputs_view(job: Job, *, publish: Publish) -> dict[str, Any]:
    """A job's request as the form takes it, so that one click restores it."""
    request = job.request
    said = request.draft
    pictures = [
        {
            "path": path,
            "name": f"picture {index + 1}",
            "role": _at(said.roles, index, ""),
            "view": _at(said.views, index, ""),
            "mask": _published_mask(_at(said.masks, index, None), publish),
            "group": _at(said.groups, index, 0),
        }
        for index, image in enumerate(request.images)
        if isinstance(image, Path) and (path := _published(image, publish))
    ]
    return {
        "prompt": request.prompt,
        "duration": request.duration,
        "aspect": request.aspect_ratio,
        "engine": job.engine.value,
        "size": said.size,
        "pictures": pictures,
        "video": {
            "path": _published(request.video, publish) if isinstance(request.video, Path) else "",
            "url": request.video if isinstance(request.video, str) else "",
            "keep_sound": request.keep_original_sound,
        },
    }


def _at(wishes: Sequence[Any], index: int, default: Any) -> Any:
    """What a request says of one picture; it may say nothing of the last ones."""
    return wishes[index] if index < len(wishes) else default


def state_view(job: Job) -> dict[str, Any]:
    """What the public interface streams."""
    problem = words.problem_words(job)
    return {
        "id": job.id,
        "state": job.state.value,
        "engine": job.engine.value,
        "phase": words.phase_of(job).title,
        "progress": job.progress,
        "price_usd": job.price.dollars,
        "prediction_id": job.prediction_id,
        "problem": problem.as_json() if problem else None,
        "response": dict(job.details),
    }


def _published(file: Path | None, publish: Publish) -> str:
    return publish(file) if file is not None and file.is_file() else ""


def _published_mask(mask: Any, publish: Publish) -> str:
    return _published(mask, publish) if isinstance(mask, Path) else ""


def _resume_label(job: Job) -> str:
    return {
        State.NOT_CREATED: "Send again",
        State.EXPIRED: "Try the download again",
        State.NEEDS_KEY: "Go on",
        State.UNKNOWN: "Look it up again",
    }.get(job.state, "")


def _promotion(job: Job) -> int | None:
    """The price of making a finished draft with the paid engine, in micro-dollars."""
    if job.engine is not Engine.DRAFT or job.state is not State.DONE:
        return None
    return price_of(job.request, Engine.KLING).micro


def understood(report: Mapping[str, Any]) -> str:
    """What the draft engine took from the prompt, as one quiet line; "" when it tells nothing."""
    words = [_words(report.get(key)) for key in ("place", "time", "weather", "looks", "actions", "camera")]
    line = ", ".join(dict.fromkeys(word for word in words if word))
    shots, ignored = report.get("shots"), _words(report.get("ignored"))
    if line and isinstance(shots, list) and shots:
        line += f" · {len(shots)} shot{'' if len(shots) == 1 else 's'}"
    if line and ignored:
        line += f" · passed over: {ignored}"
    return line[:300]


def _words(value: object) -> str:
    items = value if isinstance(value, list) else [value]
    return ", ".join(item for item in items if isinstance(item, str) and item)


def _details(job: Job) -> dict[str, Any]:
    """The reply with every field; of the draft's own addition, only what a person can read."""
    details = dict(job.details)
    if job.prediction_id and not details:
        details = {"data": {"id": job.prediction_id}}
    data = details.get("data")
    if isinstance(data, Mapping) and isinstance(data.get("draft"), Mapping):
        draft = {k: v for k, v in data["draft"].items() if len(repr(v)) <= DRAFT_FIELD_MAX}
        details["data"] = {**data, "draft": draft}
    return details
