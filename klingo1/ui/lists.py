"""What the page does with a list of requests: read and price it, admit it, show its rows. Without widgets.

A list and the pictures that it names are added together; a name in the list finds an added file of that name
and nothing else, so no list reads a file of this machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from klingo1.batch_file import Line, RequestFile, WrongLine, read_requests
from klingo1.errors import Busy, InvalidRequest, KlingoError
from klingo1.job import Job, Money, State
from klingo1.pricing import Price, price_of
from klingo1.request import Engine, Reference
from klingo1.ui.views import Publish
from klingo1.ui.words import ENGINE_NAMES, Notice, money_words, notice_of, phase_of, problem_words

if TYPE_CHECKING:
    from klingo1.batches import BatchStudio
    from klingo1.groups import Standing

LISTS = frozenset({".jsonl", ".ndjson", ".csv"})
FILES_MAX = 400
WRONG_SHOWN = 30
PROMPT_SHOWN = 160


class Lists:
    """The lists of one page. Answers are plain JSON values."""

    def __init__(self, studio: BatchStudio, *, publish: Publish) -> None:
        self._studio = studio
        self._publish = publish

    # -- reached through events, because they read files or may spend

    def price(
        self, files: Sequence[Mapping[str, str]], wish: Mapping[str, Any], owner: str
    ) -> dict[str, Any]:
        """What the list costs with every line checked, and a ticket for it; or what is wrong, by line."""
        try:
            engine = _engine(wish)
            file = self._read(files)
            self._studio.check_count(len(file.lines) + len(file.wrong), owner)
            wrong = [*file.wrong, *self._studio.check_lines(file.lines, engine=engine, owner=owner)]
        except (KlingoError, OSError) as error:
            return {"problem": list_notice(error).as_json()}
        if wrong:
            told = sorted(wrong, key=lambda one: one.number)[:WRONG_SHOWN]
            return {"wrong": [_wrong(one) for one in told], "count": len(wrong)}
        prices = [price_of(line.request, engine) for line in file.lines]
        return {
            "ticket": self._studio.new_ticket(),
            "engine": engine.value,
            "price": sum(price.micro for price in prices),
            "lines": [_line(line, price) for line, price in zip(file.lines, prices, strict=True)],
        }

    def admit(
        self, files: Sequence[Mapping[str, str]], click: Mapping[str, Any], owner: str
    ) -> dict[str, Any]:
        """Hold the price of the whole list and let it be made; the same ticket again is the same list."""
        try:
            engine, expected = _engine(click), click.get("expected")
            file = self._read(files)
            if file.wrong or (wrong := self._studio.check_lines(file.lines, engine=engine, owner=owner)):
                told = file.wrong or wrong
                return {"wrong": [_wrong(one) for one in told[:WRONG_SHOWN]], "count": len(told)}
            group = self._studio.admit_batch(
                file.lines, engine=engine, tier=str(click.get("tier") or "bronze"), owner=owner,
                ticket=str(click.get("ticket") or ""),
                expected=Price(expected if isinstance(expected, int) else -1),
            )  # fmt: skip
        except (KlingoError, OSError) as error:
            return {"problem": list_notice(error).as_json()}
        return {"admitted": group}

    def carry_on(self, group: str, owner: str) -> dict[str, Any]:
        """What halted a list has been mended."""
        try:
            self._studio.carry_on(group, owner=owner)
        except KlingoError as error:
            return {"problem": list_notice(error).as_json()}
        return {"admitted": group}

    # -- reads and safe changes

    def standing(self, group: str, owner: str) -> dict[str, Any]:
        """Where a list stands: sums, and every row; the newest list of this owner when none is named."""
        group = group or next(iter(self._studio.batches(owner, limit=1)), "")
        rows = self._studio.batch_jobs(group, owner=owner) if group else []
        if not rows:
            return {"list": "", "rows": []}
        jobs = [job for _, job in rows]
        sums = {kind: sum(job.price.micro for job in jobs if job.money is kind) for kind in Money}
        states = Counter(_group(one, job) for one, job in rows)
        return {
            "list": group,
            "engine": ENGINE_NAMES[jobs[0].engine],
            "count": len(rows),
            "states": dict(states),
            "price": sum(job.price.micro for job in jobs),
            "spent": sums[Money.SPENT],
            "held": sums[Money.HELD],
            "over": all(one.settled for one, _ in rows),
            "halted": self._studio.is_halted(group),
            "rows": [_row(one, job) for one, job in rows],
        }

    def withdraw(self, group: str, owner: str) -> dict[str, Any]:
        """Give up what has not been begun."""
        return {"withdrawn": self._studio.withdraw_batch(group, owner=owner)}

    def results(self, group: str, owner: str) -> list[dict[str, Any]]:
        """One row for each run, for a program to read; `video` is a path that the page serves."""
        return [self._result(one, job) for one, job in self._studio.batch_jobs(group, owner=owner)]

    # -- parts

    def _read(self, files: Sequence[Mapping[str, str]]) -> RequestFile:
        lists = [file for file in files if PurePosixPath(file["name"]).suffix.lower() in LISTS]
        if len(lists) != 1 or len(files) > FILES_MAX:
            raise InvalidRequest(
                "requests",
                "Exactly one file must be the list, with at most 399 pictures and clips beside it.",
                "Add one .csv or .jsonl file.",
            )
        added = {file["name"].casefold(): Path(file["path"]) for file in files}

        def find(name: str, field: str) -> Reference:
            bare = name.replace("\\", "/").rpartition("/")[2].casefold()
            if bare not in added or bare == lists[0]["name"].casefold():
                raise InvalidRequest(
                    field, f"{name[:80]} is not among the added files.", "Add it to the list."
                )
            return added[bare]

        return read_requests(Path(lists[0]["path"]), find=find)

    def _result(self, one: Standing, job: Job) -> dict[str, Any]:
        problem = problem_words(job)
        return {
            "line": one.number,
            "job": job.id,
            "engine": job.engine.value,
            "state": job.state.value,
            "price_usd": job.price.dollars,
            "money": job.money.value,
            "prediction_id": job.prediction_id,
            "seconds": None if job.elapsed is None else round(job.elapsed, 3),
            "prompt": job.request.prompt,
            "video": self._publish(job.video) if job.video and job.video.is_file() else "",
            "problem": f"{problem.text} {problem.remedy}".strip() if problem else "",
        }


def list_notice(error: Exception) -> Notice:
    """An error about a list in words."""
    if isinstance(error, Busy) and error.what == "list":
        return Notice(f"{error.limit} runs of your lists may wait at a time.", "Let some be made first.")
    return notice_of(error)


def _engine(wish: Mapping[str, Any]) -> Engine:
    try:
        return Engine(str(wish.get("engine")))
    except ValueError as error:
        raise InvalidRequest("engine", "There is no such engine.", "Choose draft or kling.") from error


def _line(line: Line, price: Price) -> dict[str, Any]:
    request = line.request
    return {
        "line": line.number,
        "name": line.name,
        "prompt": request.prompt[:PROMPT_SHOWN],
        "duration": request.duration,
        "aspect": request.aspect_ratio,
        "pictures": len(request.images),
        "price": price.micro,
    }


def _wrong(one: WrongLine) -> dict[str, Any]:
    error = one.error
    return {"line": one.number, "field": error.field, "text": error.reason, "remedy": error.remedy}


def _group(one: Standing, job: Job) -> str:
    """Under which word of the sum a run is counted."""
    if not one.begun:
        return "waiting"
    if not one.settled:
        return "going"
    return "done" if job.state is State.DONE else "asking" if job.waits else "ended"


def _row(one: Standing, job: Job) -> dict[str, Any]:
    problem = problem_words(job)
    return {
        "line": one.number,
        "job": job.id,
        "kind": _group(one, job),
        "title": phase_of(job).title if one.begun else "Waits for its turn",
        "progress": job.progress if job.state is State.RUNNING else None,
        "prompt": job.request.prompt[:PROMPT_SHOWN],
        "duration": job.request.duration,
        "money": money_words(job),
        "problem": problem.text if problem else "",
    }
