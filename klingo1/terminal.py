"""What every command shares: the settings, the ledger, exit codes, and errors turned into words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from klingo1 import errors
from klingo1.errors import InvalidRequest, KlingoError
from klingo1.job import Job, State
from klingo1.report import Report
from klingo1.request import check_duration
from klingo1.settings import Settings

if TYPE_CHECKING:
    from klingo1.ledger import Ledger

EXIT_INPUT, EXIT_REFUSED, EXIT_FAILED, EXIT_UNCERTAIN, EXIT_INTERRUPTED = 2, 3, 4, 5, 130


def read_settings() -> Settings:
    """From the environment and a `.env` in the working folder."""
    return Settings.read(os.environ, dotenv_file=Path(".env"))


@contextmanager
def open_ledger() -> Iterator[Ledger]:
    """The ledger, for commands that only look."""
    from klingo1.ledger import Ledger  # noqa: PLC0415 - loads sqlalchemy

    settings = read_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(settings.database_url or settings.home / "klingo1.sqlite3", home=settings.home)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def explaining(report: Report) -> Iterator[None]:
    """Turn an error into its words and its exit code."""
    try:
        yield
    except KlingoError as error:
        report.error(error)
        raise typer.Exit(_exit_code_of_error(error)) from error
    except OSError as error:
        report.error(KlingoError(f"{error.strerror or error}: {error.filename or ''}"))
        raise typer.Exit(EXIT_INPUT) from error


def _exit_code_of_error(error: KlingoError) -> int:
    if isinstance(error, errors.SubmitUncertain):
        return EXIT_UNCERTAIN
    if isinstance(error, errors.GenerationFailed | errors.DownloadFailed):
        return EXIT_FAILED
    if isinstance(error, errors.ApiError | errors.BudgetReached | errors.KeyMissing):
        return EXIT_REFUSED
    return EXIT_INPUT


def exit_code_of(job: Job) -> int:
    """What an ended or waiting job means to a script."""
    if job.state is State.DONE:
        return 0
    if job.state in {State.FAILED, State.STOPPED, State.EXPIRED}:
        return EXIT_FAILED
    if job.state in {State.REFUSED, State.NOT_CREATED, State.NEEDS_KEY}:
        return EXIT_INPUT if job.problem and job.problem.field else EXIT_REFUSED
    return EXIT_UNCERTAIN


def ask_to_pay(question: str, json: bool) -> None:
    """Let a person agree to a price. Raises InvalidRequest where nobody can be asked."""
    if json or not sys.stdin.isatty():
        raise InvalidRequest("yes", "This costs money and nobody can be asked.", "Add --yes to pay.")
    if not typer.confirm(question):
        raise typer.Exit(EXIT_INPUT)


def whole_seconds(text: str) -> int:
    """A duration as typed. Raises InvalidRequest for 4.5, "five" and the like."""
    seconds: object = int(text) if text.strip().isdecimal() and len(text) < 6 else text
    check_duration(seconds)
    return int(text)
