"""The command line: generate, price, check, jobs, show, resume, serve.

Exit codes: 0 done, 2 wrong input, 3 refused by the service, 4 failed there, 5 uncertain. With --json a
command prints exactly one JSON object on standard output and nothing else there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from klingo1 import errors
from klingo1.errors import InvalidRequest, KlingoError
from klingo1.job import Job, State
from klingo1.pricing import estimate_price
from klingo1.report import Report
from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    DRAFT_SIZES,
    DURATION_DEFAULT,
    DraftOptions,
    Engine,
    VideoRequest,
    check_duration,
)
from klingo1.settings import Settings
from klingo1.version import VERSION

if TYPE_CHECKING:
    from klingo1.ledger import Ledger
    from klingo1.studio import Studio

EXIT_INPUT, EXIT_REFUSED, EXIT_FAILED, EXIT_UNCERTAIN, EXIT_INTERRUPTED = 2, 3, 4, 5, 130

app = typer.Typer(
    name="klingo1",
    help="Pictures and a sentence in, a short video out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main() -> None:
    """The command `klingo1`."""
    app()


@app.command()
def generate(  # noqa: PLR0917 - typer makes options of them
    prompt: Annotated[str, typer.Option(help="What happens in the video.")],
    image: Annotated[list[str], typer.Option(help="A picture; up to seven. File or https address.")],
    video: Annotated[str, typer.Option(help="A reference video. File or https address.")] = "",
    duration: Annotated[str, typer.Option(help="Seconds, 3 to 10.")] = str(DURATION_DEFAULT),
    aspect_ratio: Annotated[str, typer.Option(help="16:9, 9:16 or 1:1.")] = ASPECT_RATIO_DEFAULT,
    original_sound: Annotated[bool, typer.Option(help="Keep the reference video's sound.")] = True,
    engine: Annotated[Engine, typer.Option(help="draft is free, kling is paid.")] = Engine.DRAFT,
    size: Annotated[str, typer.Option(help="Of a draft: 720p or 1080p.")] = DRAFT_SIZES[0],
    output: Annotated[Path | None, typer.Option(help="Where the video goes.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Pay without asking.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a video from pictures and a sentence."""
    report = Report(json)
    with _explaining(report):
        from klingo1.generate import as_reference  # noqa: PLC0415 - loads the ledger and the client

        request = VideoRequest(
            prompt=prompt,
            images=tuple(as_reference(item) for item in image),
            video=as_reference(video) if video else None,
            keep_original_sound=original_sound,
            aspect_ratio=aspect_ratio,
            duration=whole_seconds(duration),
            draft=DraftOptions(size=size),
        )
        price = estimate_price(engine=engine, duration=request.duration, with_video=request.has_video)
        if price.micro and not yes:
            _ask(f"This run costs {price}. Go on?", json)
        with _studio() as studio:
            job = _follow(studio, studio.submit(request, engine=engine, expected=price), report)
    _finish(job, output, report)


@app.command()
def price(
    duration: Annotated[str, typer.Option(help="Seconds, 3 to 10.")] = str(DURATION_DEFAULT),
    video: Annotated[bool, typer.Option("--video", help="With a reference video.")] = False,
    engine: Annotated[Engine, typer.Option()] = Engine.KLING,
    json: JsonOption = False,
) -> None:
    """Say what a run costs."""
    report = Report(json)
    with _explaining(report):
        seconds = whole_seconds(duration)
        cost = estimate_price(engine=engine, duration=seconds, with_video=video)
        report.result(
            {
                "engine": engine.value,
                "duration": seconds,
                "video": video,
                "micro_dollars": cost.micro,
                "price": str(cost),
            },
            str(cost),
        )


@app.command()
def check(
    images: Annotated[list[Path], typer.Argument(help="Pictures to look at.")],
    json: JsonOption = False,
) -> None:
    """Say what is good and bad about pictures before anything is spent."""
    from klingo1.references import check_picture  # noqa: PLC0415 - loads Pillow

    report = Report(json)
    verdicts = []
    for number, path in enumerate(images):
        verdict: dict[str, object] = {"image": str(path), "ok": True, "notes": []}
        try:
            picture = check_picture(path, field=f"images[{number}]")
            verdict |= {"width": picture.width, "height": picture.height, "format": picture.format}
            verdict["notes"] = [advice.text for advice in picture.advice]
        except InvalidRequest as error:
            verdict |= {"ok": False, "notes": [f"{error.reason} {error.remedy}"]}
        verdicts.append(verdict)
    report.verdicts(verdicts)
    if not all(verdict["ok"] for verdict in verdicts):
        raise typer.Exit(EXIT_INPUT)


@app.command()
def jobs(
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    spend: Annotated[bool, typer.Option("--spend", help="Day by day: held, spent, released.")] = False,
    json: JsonOption = False,
) -> None:
    """List the runs of this computer, newest first."""
    report = Report(json)
    with _explaining(report), _ledger() as ledger:
        if spend:
            report.spending(ledger.spending())
        else:
            report.jobs(ledger.jobs(owner=None, limit=limit))


@app.command()
def show(job_id: str, json: JsonOption = False) -> None:
    """Show one run with every detail."""
    report = Report(json)
    with _explaining(report), _ledger() as ledger:
        report.job(ledger.job(job_id))


@app.command()
def resume(
    identifier: Annotated[str, typer.Argument(help="A run's id, or a bare prediction id of WaveSpeed.")],
    output: Annotated[Path | None, typer.Option(help="Where the video goes.")] = None,
    json: JsonOption = False,
) -> None:
    """Go on with a run, or fetch the result of any prediction. Nothing is paid twice."""
    report = Report(json)
    with _explaining(report), _studio() as studio:
        try:
            job = studio.resume(identifier)
        except errors.JobNotFound:
            job = studio.adopt(identifier)
        job = _follow(studio, job, report)
    _finish(job, output, report)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="0 chooses a free one.")] = 8000,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    api_key: Annotated[str, typer.Option(help="Accept only this key instead of any.")] = "",
) -> None:
    """Serve the draft engine to any WaveSpeed client; its base URL is printed."""
    from klingo1.draft.serving import run  # noqa: PLC0415 - loads the service

    with _explaining(Report(False)):
        settings = _settings()
        run(
            settings.home / "service",
            host=host,
            port=port,
            api_key=api_key,
            workers=settings.draft_workers,
            announce=lambda url: print(url, flush=True),
        )


@app.command()
def version() -> None:
    """Say which version this is."""
    print(VERSION)


def whole_seconds(text: str) -> int:
    """A duration as typed. Raises InvalidRequest for 4.5, "five" and the like."""
    seconds: object = int(text) if text.strip().isdecimal() and len(text) < 6 else text
    check_duration(seconds)
    return int(text)


def _ask(question: str, json: bool) -> None:
    if json or not sys.stdin.isatty():
        raise InvalidRequest("yes", "This run costs money and nobody can be asked.", "Add --yes to pay.")
    if not typer.confirm(question):
        raise typer.Exit(EXIT_INPUT)


def _follow(studio: Studio, job: Job, report: Report) -> Job:
    from klingo1.generate import follow  # noqa: PLC0415 - loads the ledger and the client

    try:
        with report.progress(job) as update:
            return asyncio.run(follow(studio, job, update))
    except KeyboardInterrupt:
        report.interrupted(studio.job(job.id, owner=job.owner))
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _finish(job: Job, output: Path | None, report: Report) -> None:
    video = job.video
    if job.state is State.DONE and video and output:
        output.parent.mkdir(parents=True, exist_ok=True)
        video = Path(shutil.copyfile(video, output))
    report.ended(job, video)
    if job.state is not State.DONE:
        raise typer.Exit(exit_code_of(job))


def exit_code_of(job: Job) -> int:
    """What an ended or waiting job means to a script."""
    if job.state is State.DONE:
        return 0
    if job.state in {State.FAILED, State.STOPPED, State.EXPIRED}:
        return EXIT_FAILED
    if job.state in {State.REFUSED, State.NOT_CREATED, State.NEEDS_KEY}:
        return EXIT_INPUT if job.problem and job.problem.field else EXIT_REFUSED
    return EXIT_UNCERTAIN


def _settings() -> Settings:
    return Settings.read(os.environ, dotenv_file=Path(".env"))


def _studio() -> Studio:
    from klingo1.studio import Studio  # noqa: PLC0415 - loads the ledger and the client

    return Studio(_settings())


@contextmanager
def _ledger() -> Iterator[Ledger]:
    from klingo1.ledger import Ledger  # noqa: PLC0415 - loads sqlalchemy

    settings = _settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(settings.database_url or settings.home / "klingo1.sqlite3", home=settings.home)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def _explaining(report: Report) -> Iterator[None]:
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
