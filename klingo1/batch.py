"""A batch: the runs of one file, admitted together and fed to an engine as fast as its service allows.

What is admitted stands in the ledger, so a batch survives its process: the same file with the same engine is
the same batch, and running it again goes on where it was. No line is ever sent twice.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klingo1.batch_file import Line, RequestFile, WrongLine, group_of
from klingo1.bulk import BulkStudio
from klingo1.groups import NO_USE, Standing, Traffic
from klingo1.job import Job, State
from klingo1.pricing import Price, price_of
from klingo1.request import Engine

TICK_SECONDS = 0.5
WRITE_SECONDS = 5.0
"""How often the results are written while a batch runs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast a service takes runs: submits a minute (None: any number), and runs at once."""

    per_minute: int | None
    at_once: int


TIERS: Mapping[str, Limits] = {
    "bronze": Limits(2, 2),
    "silver": Limits(500, 300),
    "gold": Limits(3_000, 3_000),
    "ultra": Limits(5_000, 10_000),
}
"""Videos per minute and at once of WaveSpeed's account levels (documentation of the service)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a batch stands: how many rows in each state, and the money."""

    total: int
    waiting: int
    settled: int
    states: Mapping[State, int]
    price: Price
    underway: Sequence[Standing]


class Batch:
    """The runs of one file with one engine."""

    def __init__(self, studio: BulkStudio, file: RequestFile, engine: Engine, limits: Limits) -> None:
        self._studio = studio
        self._lines = {line.number: line for line in file.lines}
        self._engine = engine
        self._limits = limits
        self._ended: dict[str, Job] = {}
        self.group = group_of(file, engine)
        self.halted = False
        """Whether it stopped early because every further submit would have been refused."""

    @property
    def price(self) -> Price:
        """What all lines cost together."""
        return Price(sum(price_of(line.request, self._engine).micro for line in self._lines.values()))

    @property
    def stands(self) -> bool:
        """Whether it was admitted before."""
        return bool(self._studio.standing(self.group))

    def check(self) -> list[WrongLine]:
        """The lines that cannot be made."""
        return self._studio.check_lines(list(self._lines.values()), engine=self._engine)

    def admit(self) -> None:
        """Hold the price of every line, or of none. Raises BudgetReached, LedgerError."""
        self._studio.admit_lines(self.group, list(self._lines.values()), engine=self._engine)

    async def run(self, on_tick: Callable[[Progress], None], *, again: bool = False) -> None:
        """Feed the engine until every row has settled, or until going on makes no sense.

        Rows that an earlier run left waiting for a key or a download are woken. With `again`, rows that were
        refused or never created are sent once more too; such a row was not billed.
        """
        standing = self._studio.standing(self.group)
        self._note_ended(standing)
        self.halted = False  # what ended an earlier run may have been mended since
        wakes = {State.NEEDS_KEY, State.EXPIRED} | ({State.REFUSED, State.NOT_CREATED} if again else set())
        retry = [one.job_id for one in standing if one.state in wakes]
        while True:
            # The traffic first: what ends in between is noted before its place is given away.
            traffic = self._studio.traffic(self._engine)
            standing = self._studio.standing(self.group)
            self._note_ended(standing)
            begun = self._feed(standing, retry, traffic)
            on_tick(self._progress(standing))
            quiet = not begun and all(one.settled or not one.begun for one in standing)
            waiting = bool(retry) or any(not one.begun for one in standing)
            if quiet and (self.halted or not waiting):
                return
            await self._studio.pause(TICK_SECONDS)

    def _feed(self, standing: Sequence[Standing], retry: list[str], traffic: Traffic) -> int:
        """Begin as many rows as the limits leave room for; returns how many."""
        if self.halted:
            return 0
        room = self._limits.at_once - traffic.underway
        if self._limits.per_minute is not None:
            room = min(room, self._limits.per_minute - traffic.counted)
        waiting = (one.job_id for one in standing if not one.begun)
        begun = 0
        while begun < room:
            if retry:
                begun += self._studio.try_again(retry.pop(0))
            elif (job_id := next(waiting, None)) is not None:
                begun += self._studio.begin(self.group, job_id)
            else:
                break
        return begun

    def _note_ended(self, standing: Sequence[Standing]) -> None:
        for one in standing:
            known = self._ended.get(one.job_id)
            if not one.settled:
                self._ended.pop(one.job_id, None)
            elif known is None or known.state is not one.state:
                job = self._ended[one.job_id] = self._studio.job(one.job_id)
                self.halted |= bool(job.problem and job.problem.kind in NO_USE)

    def _progress(self, standing: Sequence[Standing]) -> Progress:
        return Progress(
            total=len(standing),
            waiting=sum(not one.begun for one in standing),
            settled=sum(one.settled for one in standing),
            states=Counter(one.state for one in standing if one.begun),
            price=Price(sum(one.price.micro for one in standing)),
            underway=[one for one in standing if one.begun and not one.settled],
        )

    def withdraw(self) -> int:
        """Give up the rows that still wait; what is on its way goes on. Returns how many."""
        return self._studio.withdraw(self.group)

    def ended(self) -> list[tuple[Line, Job]]:
        """The lines whose runs have settled, as far as the last tick saw."""
        numbers = {one.job_id: one.number for one in self._studio.standing(self.group)}
        return [(self._lines[numbers[job_id]], job) for job_id, job in self._ended.items()]

    def deleted(self) -> list[int]:
        """Numbers of lines whose runs were admitted and deleted since; they are not made anew."""
        return sorted(set(self._lines) - {one.number for one in self._studio.standing(self.group)})

    def jobs(self) -> list[tuple[Line, Job]]:
        """Every line with its run as it stands now."""
        pairs = []
        for one in self._studio.standing(self.group):
            job = self._ended.get(one.job_id) or self._studio.job(one.job_id)
            pairs.append((self._lines[one.number], job))
        return pairs


def result_row(line: Line, job: Job) -> dict[str, Any]:
    """What is written about one run: who it is, how it ended, what it cost, where the film lies."""
    problem = job.problem
    return {
        "line": line.number,
        "name": line.name,
        "job": job.id,
        "engine": job.engine.value,
        "state": job.state.value,
        "price": job.price.micro,
        "money": job.money.value,
        "prediction_id": job.prediction_id,
        "video": str(job.video) if job.video else None,
        "seconds": None if job.elapsed is None else round(job.elapsed, 3),
        "problem": None if problem is None else problem.as_json(),
    }


def refused_row(wrong: WrongLine) -> dict[str, Any]:
    """What is written about a line that cannot be made."""
    error = wrong.error
    facts = {"kind": "InvalidRequest", "field": error.field, "text": error.reason, "remedy": error.remedy}
    return {"line": wrong.number, "state": "invalid", "problem": facts}


def write_results(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One JSON object a line, in the order of the lines; the file is replaced as a whole."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        for row in sorted(rows, key=lambda row: int(row["line"])):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
