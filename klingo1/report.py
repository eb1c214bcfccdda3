"""What the command line prints: for a person with rich, or one JSON object for a script.

Words that people or the service wrote are printed literally: no markup, no control characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from klingo1.errors import InvalidRequest, KeyMissing, KlingoError
from klingo1.job import Job, Money, State
from klingo1.prediction import Prediction
from klingo1.pricing import Price
from klingo1.problems import money_known

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PHASES = {
    State.QUEUED: "In line",
    State.PREPARING: "Preparing the pictures",
    State.UPLOADING: "Uploading",
    State.SUBMITTING: "Submitting",
    State.RUNNING: "Making the video",
    State.DOWNLOADING: "Fetching the video",
    State.UNKNOWN: "The answer was lost; looking the run up, this takes up to ten minutes",
}


class Report:
    """Prints results to standard output, and progress and errors for people to standard error."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._out = Console(highlight=False, markup=False)
        self._err = Console(stderr=True, highlight=False, markup=False)

    def result(self, data: Mapping[str, Any], words: str) -> None:
        """One answer."""
        if self._json:
            print(json.dumps(data))  # noqa: T201 - exactly one object on standard output
        else:
            self._out.print(Text(plain(words)))

    def error(self, error: KlingoError) -> None:
        """What went wrong: for people the sentence, for scripts the facts."""
        facts = {"type": type(error).__name__, "message": plain(str(error))}
        if isinstance(error, InvalidRequest):
            facts |= {"field": error.field, "reason": error.reason, "remedy": error.remedy}
        if self._json:
            print(json.dumps({"error": facts}))  # noqa: T201 - as above
        else:
            self._say(facts["message"], style="red")
            if isinstance(error, KeyMissing):
                self._say("Set WAVESPEED_API_KEY, in the environment or in a file .env here.")

    def _say(self, words: str, style: str = "") -> None:
        # Not folded: a command in it is to be copied.
        self._err.print(Text(words, style=style), soft_wrap=True)

    @contextmanager
    def progress(self, job: Job) -> Iterator[Callable[[Job], None]]:
        """A live bar on a terminal, a line a phase elsewhere, nothing for scripts."""
        if self._json:
            yield lambda _: None
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._err, transient=True) as bar:
            task = bar.add_task(_PHASES.get(job.state, job.state.value), total=None)
            seen: set[State] = set()

            def update(now: Job) -> None:
                words = _PHASES.get(now.state, now.state.value)
                total, done = (None, 0.0) if now.progress is None else (1.0, now.progress)
                bar.update(task, description=words, total=total, completed=done)
                if not self._err.is_terminal and now.state not in seen and now.goes_on:
                    seen.add(now.state)
                    self._err.print(Text(words))

            yield update

    def interrupted(self, job: Job) -> None:
        """Ctrl-C: what goes on, and how to come back."""
        if job.prediction_id and job.money is not Money.FREE:
            words = "The run goes on at the service and is billed."
        else:
            words = "The run is kept."
        self._say(f"{words} Fetch it with: python -m klingo1 resume {job.id}")

    def ended(self, job: Job, video: Path | None) -> None:
        """How a run ended."""
        if self._json:
            print(json.dumps(job_as_json(job) | {"video": str(video) if video else None}))  # noqa: T201 - as above
        elif job.state is State.DONE:
            made = "Draft" if job.money is Money.FREE else f"Kling O1 ({job.price})"
            self._out.print(Text(f"{made}: {video}"), soft_wrap=True)
        else:
            problem = job.problem
            words = f"{problem.text} {problem.remedy}" if problem else f"It ended as {job.state.value}."
            self._say(plain(words).strip(), style="red")
            if job.money is not Money.FREE:
                self._say(money_known(job))
            for line in _ways_on(job):
                self._say(line)

    def released(self, job: Job) -> None:
        """What became of a hold that a person gave back."""
        if self._json:
            print(json.dumps(job_as_json(job)))  # noqa: T201 - as above
        else:
            self._say(money_known(job))

    def lost(self, lost: Sequence[Prediction]) -> None:
        """Runs that the service knows and this computer does not."""
        found = [
            {
                "id": one.id,
                "status": one.status.value,
                "created_at": one.created_at,
                "prompt": str(one.inputs.get("prompt", "")),
            }
            for one in lost
        ]
        if self._json:
            print(json.dumps({"lost": found}))  # noqa: T201 - as above
            return
        if not found:
            self._out.print(Text("Nothing is missing: every run of the service's last 7 days is here."))
            return
        self._out.print(Text(f"Of the service's last 7 days, this computer does not have {len(found)}:"))
        for prediction, one in zip(lost, found, strict=True):
            there = "in work"
            if prediction.status.ended:
                there = "ready" if prediction.status.succeeded else "failed, refunded"
            line = f"{one['id']}  {there}  {one['created_at'][:16]}  {one['prompt'][:60]}"
            self._out.print(Text(plain(line)), soft_wrap=True)
        self._out.print(
            Text(
                "Fetch one with: python -m klingo1 resume ID   (it is billed already; fetching costs nothing)"
            ),
            soft_wrap=True,
        )

    def job(self, job: Job) -> None:
        """One run, whole."""
        data = job_as_json(job)
        if self._json:
            print(json.dumps(data))  # noqa: T201 - as above
        else:
            self._out.print(Text(plain(json.dumps(data, indent=2, ensure_ascii=False))), soft_wrap=True)

    def jobs(self, jobs: Sequence[Job]) -> None:
        """A table of runs."""
        if self._json:
            print(json.dumps({"jobs": [job_as_json(job) for job in jobs]}))  # noqa: T201 - as above
            return
        if not jobs:
            self._out.print(Text("There is no run here yet."))
            return
        # An id is to be copied, so it is never shortened.
        table = Table(Column("id", no_wrap=True, min_width=32), "made", "engine", "state", "price", "prompt")
        for job in jobs:
            cells = (
                job.id,
                _moment(job.created_at),
                job.engine.value,
                job.state.value,
                str(job.price),
                plain(job.request.prompt)[:48],
            )
            table.add_row(*(Text(cell) for cell in cells))
        self._out.print(table)

    def spending(self, days: Sequence[tuple[str, Mapping[Money, int]]]) -> None:
        """Day by day: held, spent, released."""
        kinds = (Money.HELD, Money.SPENT, Money.RELEASED)
        if self._json:
            rows = [{"day": day} | {k.value: amounts.get(k, 0) for k in kinds} for day, amounts in days]
            print(json.dumps({"days": rows, "unit": "micro-dollars"}))  # noqa: T201 - as above
            return
        if not days:
            self._out.print(Text("Nothing was paid for here yet; drafts are free."))
            return
        table = Table("day (UTC)", *(kind.value for kind in kinds))
        for day, amounts in days:
            table.add_row(day, *(f"${Price(amounts.get(kind, 0)).dollars}" for kind in kinds))
        self._out.print(table)
        self._out.print(
            Text("Held and spent count against the limits: held is not settled yet. Released was not billed.")
        )

    def plan(self, plan: Mapping[str, Any]) -> None:
        """What would be filmed."""
        if self._json:
            print(json.dumps(plan))  # noqa: T201 - as above
            return
        place = plan["place"] or "a neutral set"
        around = ", ".join([plan["time"], *plan["weather"], *plan["looks"]])
        self._out.print(Text(plain(f"{place}: {around}")))
        for shot in plan["shots"]:
            camera = " + ".join(shot["camera"]) or "still camera"
            references = " ".join(f"@Image{number}" for number in shot["references"])
            words = (
                f"{shot['seconds']:5.2f} s  {shot['framing']:7} {shot['action']:6} {camera:16} {references}"
            )
            self._out.print(Text(words))
        if plan["ignored"]:
            self._out.print(Text(plain(f"had no effect: {', '.join(plan['ignored'])}")))

    def verdicts(self, verdicts: Sequence[Mapping[str, Any]]) -> None:
        """What was found about pictures."""
        if self._json:
            print(json.dumps({"images": list(verdicts)}))  # noqa: T201 - as above
            return
        for verdict in verdicts:
            mark, style = ("good", "green") if verdict["ok"] else ("no", "red")
            size = f" {verdict['width']} × {verdict['height']}" if "width" in verdict else ""
            self._out.print(Text(f"{mark:5}", style=style), Text(f"{plain(str(verdict['image']))}{size}"))
            for note in verdict["notes"]:
                self._out.print(Text(f"      {plain(note)}"))


def _ways_on(job: Job) -> list[str]:
    """What a person can do about a run that has not gone well."""
    resume = "python -m klingo1 resume"
    if job.state in {State.FAILED, State.REFUSED}:
        return []
    lines = [f"Go on with: {resume} {job.id}"]
    if job.state is State.UNKNOWN:
        lines = [f"Look for it again: {resume} {job.id}"]
        candidates = job.problem.prediction_ids if job.problem else ()
        lines += [f"It is this one:    {resume} {candidate}" for candidate in candidates]
        lines += [f"Not on your bill:  {resume} {job.id} --not-billed"]
    return lines


def job_as_json(job: Job) -> dict[str, Any]:
    """A run as scripts see it: every fact, money in micro-dollars, times in seconds since 1970."""
    request = job.request
    return {
        "id": job.id,
        "state": job.state.value,
        "engine": job.engine.value,
        "prompt": request.prompt,
        "images": [str(image) for image in request.images],
        "reference_video": None if request.video is None else str(request.video),
        "keep_original_sound": request.keep_original_sound,
        "aspect_ratio": request.aspect_ratio,
        "duration": request.duration,
        "price": job.price.micro,
        "money": job.money.value,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "prediction_id": job.prediction_id,
        "problem": None
        if job.problem is None
        else {
            "kind": job.problem.kind,
            "text": job.problem.text,
            "field": job.problem.field,
            "remedy": job.problem.remedy,
        },
        "video": str(job.video) if job.video else None,
        "phases": [[state.value, at] for state, at in job.phases],
        "details": dict(job.details),
    }


def plain(text: str) -> str:
    """Text without control characters, so that nothing a stranger wrote moves the cursor."""
    return _CONTROL.sub("", text)


def _moment(seconds: float) -> str:
    from datetime import datetime  # noqa: PLC0415 - one use

    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
