"""The command line: generate, batch, price, check, jobs, show, resume, serve.

Exit codes: 0 done, 2 wrong input, 3 refused by the service, 4 failed there, 5 uncertain. With --json a
command prints exactly one JSON object on standard output and nothing else there.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from klingo1 import batching_command, errors, inquiry
from klingo1.job import Job, State
from klingo1.pricing import estimate_price
from klingo1.report import Report
from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    DRAFT_SIZES,
    DURATION_DEFAULT,
    Engine,
    VideoRequest,
)
from klingo1.terminal import (
    EXIT_INTERRUPTED,
    ask_to_pay,
    exit_code_of,
    explaining,
    read_settings,
    whole_seconds,
)
from klingo1.wishes import draft_options

if TYPE_CHECKING:
    from klingo1.studio import Studio

app = typer.Typer(
    name="klingo1",
    help="Pictures and a sentence in, a short video out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
inquiry.register(app)
batching_command.register(app)
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main() -> None:
    """The command `klingo1`. A polite stop is like Ctrl-C, which works even where a shell ignores it."""
    for polite in (signal.SIGINT, signal.SIGTERM):
        signal.signal(polite, signal.default_int_handler)
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
    role: Annotated[
        list[str] | None, typer.Option(help="2=prop: character, prop, scene, style or guess.")
    ] = None,
    view: Annotated[
        list[str] | None, typer.Option(help="1=back: front, side, back, left, right or guess.")
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option(help="1=mask.png: its white is kept; 1=guess forgets.")
    ] = None,
    same: Annotated[list[str] | None, typer.Option(help="1,3: these pictures show the same subject.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where the video goes.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Pay without asking.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a video from pictures and a sentence."""
    report = Report(json)
    with explaining(report):
        from klingo1.oneshot import as_reference  # noqa: PLC0415 - loads the ledger and the client

        request = VideoRequest(
            prompt=prompt,
            images=tuple(as_reference(item) for item in image),
            video=as_reference(video) if video else None,
            keep_original_sound=original_sound,
            aspect_ratio=aspect_ratio,
            duration=whole_seconds(duration),
            draft=draft_options(
                len(image), size=size, roles=role or (), views=view or (), masks=mask or (), same=same or ()
            ),
        )
        price = estimate_price(engine=engine, duration=request.duration, with_video=request.has_video)
        if price.micro and not yes:
            ask_to_pay(f"This run costs {price}. Go on?", json)
        with _studio() as studio:
            job = _follow(studio, studio.submit(request, engine=engine, expected=price), report)
    _finish(job, output, report)


@app.command()
def resume(
    identifier: Annotated[str, typer.Argument(help="A run's id, or a bare prediction id of WaveSpeed.")] = "",
    output: Annotated[Path | None, typer.Option(help="Where the video goes.")] = None,
    scan: Annotated[bool, typer.Option("--scan", help="List runs there that are not known here.")] = False,
    not_billed: Annotated[
        bool,
        typer.Option("--not-billed", help="You saw that this run is not on the bill: its hold is released."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Go on with a run, or fetch the result of any prediction. Nothing is paid twice."""
    report = Report(json)
    with explaining(report), _studio() as studio:
        if scan:
            report.lost(studio.find_lost())
            return
        if not identifier:
            raise errors.InvalidRequest(
                "identifier", "Nothing is named.", "Give an id, or --scan to look for runs."
            )
        if not_billed:
            report.released(studio.release(identifier))
            return
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

    with explaining(Report(False)):
        settings = read_settings()
        run(
            settings.home / "service",
            host=host,
            port=port,
            api_key=api_key,
            workers=settings.draft_workers,
            cluster=settings.draft_cluster,
            parts=settings.draft_parts,
            niceness=settings.draft_niceness,
            model=settings.cutout_model,
            announce=lambda url: print(url, flush=True),
        )


def _follow(studio: Studio, job: Job, report: Report) -> Job:
    from klingo1.oneshot import follow  # noqa: PLC0415 - loads the ledger and the client

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


def _studio() -> Studio:
    from klingo1.studio import Studio  # noqa: PLC0415 - loads the ledger and the client

    return Studio(read_settings())
