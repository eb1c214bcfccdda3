"""The command `batch`: a file of requests, one price, one table, one row of results for each."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from klingo1.errors import InvalidRequest
from klingo1.job import Job, Money, State
from klingo1.pricing import Price
from klingo1.report import Report, plain
from klingo1.request import Engine
from klingo1.terminal import (
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    ask_to_pay,
    exit_code_of,
    explaining,
    read_settings,
)

if TYPE_CHECKING:
    from klingo1.batch import Batch, Limits, Progress
    from klingo1.batch_file import Line, RequestFile, WrongLine

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_SHOWN = 12
"""Rows of the table for runs on their way, and wrong lines that are spelt out."""
_QUIET_SECONDS = 10.0
"""Between two lines of progress where there is no terminal."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(batch)


def batch(  # noqa: PLR0917 - typer makes options of them
    requests: Annotated[Path, typer.Argument(help="A .jsonl or .csv file, one request a line.")],
    engine: Annotated[Engine, typer.Option(help="draft is free, kling is paid.")] = Engine.DRAFT,
    tier: Annotated[str, typer.Option(help="Your account: bronze, silver, gold or ultra.")] = "bronze",
    per_minute: Annotated[
        int | None, typer.Option(min=1, help="Submits a minute, if not the tier's.")
    ] = None,
    at_once: Annotated[int | None, typer.Option(min=1, help="Runs at once, if not the tier's.")] = None,
    results: Annotated[Path | None, typer.Option(help="Default: beside the file, .results.jsonl.")] = None,
    output: Annotated[Path | None, typer.Option(help="A folder for the videos, named by line.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Send what was refused once more.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Give up what has not been begun.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Pay without asking.")] = False,
    json: JsonOption = False,
) -> None:
    """Make every video of a list. The same file goes on where it was; no line is sent twice."""
    report = Report(json)
    with explaining(report):
        from klingo1.batch import Batch, write_results  # noqa: PLC0415 - loads the ledger and the client
        from klingo1.batch_file import read_requests  # noqa: PLC0415 - as above
        from klingo1.bulk import BulkStudio  # noqa: PLC0415 - as above

        file = read_requests(requests)
        to = results or requests.with_name(f"{requests.stem}.results.jsonl")
        settings = read_settings()
        limits = _limits(engine, tier, per_minute, at_once, workers=settings.draft_workers)
        interrupted = False
        with BulkStudio(settings) as studio:
            work = Batch(studio, file, engine, limits)
            if withdraw:
                count = work.withdraw()
                report.result({"withdrawn": count}, f"{count} runs were given up; they cost nothing.")
                return
            if not work.stands:
                _admit(work, file, to, yes=yes, json=json)
            try:
                with _display(json) as show:
                    asyncio.run(work.run(_writing_as_it_goes(work, to, show), again=again))
            except KeyboardInterrupt:
                interrupted = True
            jobs = work.jobs()
            rows = [_row(line, job, output) for line, job in jobs]
            rows += [{"line": number, "state": "deleted"} for number in work.deleted()]
            write_results(to, rows)
    _tell(report, [job for _, job in jobs], to, halted=work.halted, interrupted=interrupted)


def _limits(
    engine: Engine, tier: str, per_minute: int | None, at_once: int | None, *, workers: int
) -> Limits:
    """The tier's limits for the paid model; drafts have this machine's, one more than it renders at once."""
    from klingo1.batch import TIERS, Limits  # noqa: PLC0415 - loads the ledger and the client

    known = TIERS.get(tier.lower())
    if known is None:
        raise InvalidRequest("tier", "There is no such tier.", f"Choose {', '.join(TIERS)}.")
    if engine is Engine.DRAFT:
        known = Limits(None, workers + 1)
    return Limits(per_minute or known.per_minute, at_once or known.at_once)


def _admit(work: Batch, file: RequestFile, to: Path, *, yes: bool, json: bool) -> None:
    """Check every line, say the price, and take the whole list or nothing."""
    from klingo1.batch import refused_row, write_results  # noqa: PLC0415 - as above

    wrong = sorted((*file.wrong, *work.check()), key=lambda one: one.number)
    if wrong:
        write_results(to, [refused_row(one) for one in wrong])
        raise _wrong_lines(wrong, len(file.lines) + len(file.wrong), to)
    if work.price.micro and not yes:
        ask_to_pay(f"These {len(file.lines):,} runs cost {work.price}. Go on?", json)
    work.admit()


def _wrong_lines(wrong: Sequence[WrongLine], total: int, to: Path) -> InvalidRequest:
    told = [f"line {one.number}, {one.error.field}: {one.error.reason}" for one in wrong[:_SHOWN]]
    more = [] if len(wrong) <= _SHOWN else [f"and {len(wrong) - _SHOWN} more in {to.name}."]
    reason = f"{len(wrong)} of {total} cannot be made. {' '.join([*told, *more])}"
    return InvalidRequest("requests", reason, "Mend them; nothing was started.")


def _writing_as_it_goes(work: Batch, to: Path, show: Any) -> Any:
    """Shows each tick, and writes what has settled every few seconds: a killed batch leaves its results."""
    from klingo1.batch import WRITE_SECONDS, result_row, write_results  # noqa: PLC0415 - as above

    written = time.monotonic()

    def tick(progress: Progress) -> None:
        nonlocal written
        show(progress)
        if time.monotonic() - written > WRITE_SECONDS:
            write_results(to, [result_row(line, job) for line, job in work.ended()])
            written = time.monotonic()

    return tick


def _row(line: Line, job: Job, output: Path | None) -> dict[str, Any]:
    from klingo1.batch import result_row  # noqa: PLC0415 - as above

    row = result_row(line, job)
    if output is not None and job.state is State.DONE and job.video:
        output.mkdir(parents=True, exist_ok=True)
        to = output / f"{line.number:05d}.mp4"
        part = to.with_suffix(".part")
        shutil.copyfile(job.video, part)
        row["video"] = str(part.replace(to))
    return row


@contextmanager
def _display(as_json: bool) -> Iterator[Any]:
    """A live table on a terminal, a line now and then elsewhere, nothing for scripts."""
    console = Console(stderr=True, highlight=False, markup=False)
    if as_json:
        yield lambda _: None
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda progress: live.update(_table(progress), refresh=True)
    else:
        told = -_QUIET_SECONDS

        def line(progress: Progress) -> None:
            nonlocal told
            if time.monotonic() - told >= _QUIET_SECONDS:
                told = time.monotonic()
                console.print(Text(_sentence(progress)))

        yield line


def _sentence(progress: Progress) -> str:
    states = ", ".join(f"{count} {state.value}" for state, count in sorted(progress.states.items()))
    return f"{progress.settled} of {progress.total} settled ({states or 'none begun'})"


def _table(progress: Progress) -> Table:
    table = Table("line", "run", "state", "progress", title=_sentence(progress), caption=str(progress.price))
    for one in progress.underway[:_SHOWN]:
        share = "" if one.progress is None else f"{one.progress:4.0%}"
        table.add_row(str(one.number), one.job_id[:8], one.state.value, share)
    if len(progress.underway) > _SHOWN:
        table.add_row("…", "", f"{len(progress.underway) - _SHOWN} more", "")
    if progress.waiting:
        table.add_row("…", "", f"{progress.waiting} wait", "")
    return table


def _tell(report: Report, jobs: Sequence[Job], to: Path, *, halted: bool, interrupted: bool) -> None:
    """The sum, where the results are, and the worst outcome as the exit code."""
    counts = {state.value: n for state in State if (n := sum(job.state is state for job in jobs))}
    amounts = {kind.value: sum(j.price.micro for j in jobs if j.money is kind) for kind in Money}
    facts = {
        "requests": len(jobs),
        "states": counts,
        "spent": amounts["spent"],
        "held": amounts["held"],
        "results": str(to),
        "complete": not any(job.state.active for job in jobs),
    }
    words = [
        f"{', '.join(f'{count} {state}' for state, count in counts.items())}.",
        f"Spent ${Price(amounts['spent']).dollars}, held ${Price(amounts['held']).dollars}. Results: {to}",
    ]
    if interrupted or halted:
        words.append("Run the same command again to go on; nothing is sent or paid twice.")
    report.result(facts, plain(" ".join(words)))
    if interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    worst = max((exit_code_of(job) for job in jobs if not (halted and job.state is State.QUEUED)), default=0)
    if halted:
        worst = max(worst, EXIT_REFUSED)
    if worst:
        raise typer.Exit(worst)
