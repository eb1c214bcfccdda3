"""Commands that look at what there is, or write it elsewhere; none starts a run and none costs anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from klingo1.errors import InvalidRequest
from klingo1.files import Files
from klingo1.pricing import estimate_price
from klingo1.report import Report
from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    DRAFT_SIZES,
    DURATION_DEFAULT,
    DraftOptions,
    Engine,
    check_aspect_ratio,
    check_prompt,
)
from klingo1.terminal import EXIT_INPUT, explaining, open_ledger, read_settings, whole_seconds
from klingo1.transcode import Size
from klingo1.version import VERSION

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (price, check, jobs, show, plan, sheet, gallery, export, version):
        app.command()(command)


def price(
    duration: Annotated[str, typer.Option(help="Seconds, 3 to 10.")] = str(DURATION_DEFAULT),
    video: Annotated[bool, typer.Option("--video", help="With a reference video.")] = False,
    engine: Annotated[Engine, typer.Option()] = Engine.KLING,
    json: JsonOption = False,
) -> None:
    """Say what a run costs."""
    report = Report(json)
    with explaining(report):
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


def check(
    images: Annotated[list[Path], typer.Argument(help="Pictures to look at.")],
    json: JsonOption = False,
) -> None:
    """Say what is good and bad about pictures before anything is spent."""
    from klingo1.references import Picture, advise_on_set, check_picture  # noqa: PLC0415 - loads Pillow

    report = Report(json)
    verdicts: list[dict[str, Any]] = []
    found: list[Picture | None] = []
    for number, path in enumerate(images):
        verdict: dict[str, Any] = {"image": str(path), "ok": True, "notes": []}
        try:
            picture = check_picture(path, field=f"images[{number}]")
            verdict |= {"width": picture.width, "height": picture.height, "format": picture.format}
            verdict["notes"] = [advice.text for advice in picture.advice]
            found.append(picture)
        except InvalidRequest as error:
            verdict |= {"ok": False, "notes": [f"{error.reason} {error.remedy}"]}
            found.append(None)
        verdicts.append(verdict)
    for index, advice in advise_on_set(found):
        verdicts[index]["notes"].append(advice.text)
    report.verdicts(verdicts)
    if not all(verdict["ok"] for verdict in verdicts):
        raise typer.Exit(EXIT_INPUT)


def jobs(
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    spend: Annotated[bool, typer.Option("--spend", help="Day by day: held, spent, released.")] = False,
    json: JsonOption = False,
) -> None:
    """List the runs of this computer, newest first."""
    report = Report(json)
    with explaining(report), open_ledger() as ledger:
        if spend:
            report.spending(ledger.spending())
        else:
            report.jobs(ledger.jobs(owner=None, limit=limit))


def show(job_id: str, json: JsonOption = False) -> None:
    """Show one run with every detail."""
    report = Report(json)
    with explaining(report), open_ledger() as ledger:
        report.job(ledger.job(job_id))


def version() -> None:
    """Say which version this is."""
    print(VERSION)


def plan(
    prompt: Annotated[str, typer.Option(help="What happens in the video.")],
    image: Annotated[list[Path] | None, typer.Option(help="A picture; up to seven.")] = None,
    duration: Annotated[str, typer.Option(help="Seconds, 3 to 10.")] = str(DURATION_DEFAULT),
    aspect_ratio: Annotated[str, typer.Option(help="16:9, 9:16 or 1:1.")] = ASPECT_RATIO_DEFAULT,
    json: JsonOption = False,
) -> None:
    """Print what the draft engine would film, without filming it."""
    report = Report(json)
    with explaining(report):
        check_prompt(prompt)
        check_aspect_ratio(aspect_ratio)
        seconds = whole_seconds(duration)
        from klingo1.cutting import Cutting  # noqa: PLC0415 - loads the decoders
        from klingo1.draft.preview import preview  # noqa: PLC0415 - loads the draft engine
        from klingo1.intake_process import Here  # noqa: PLC0415 - loads the decoders

        cast = Cutting(read_settings(), Here()).cast(image, DraftOptions()) if image else ()
        planned = preview(prompt, duration=seconds, aspect_ratio=aspect_ratio, cast=cast)
        report.plan(planned.as_json())


def sheet(
    video: Annotated[Path, typer.Argument(help="A video.")],
    output: Annotated[Path, typer.Option(help="The picture to write.")] = Path("sheet.png"),
    frames: Annotated[int, typer.Option(min=1, max=60, help="How many frames.")] = 9,
    columns: Annotated[int, typer.Option(min=1, max=10)] = 3,
    json: JsonOption = False,
) -> None:
    """Write a contact sheet: frames of a video, evenly spaced."""
    from klingo1.export import write_sheet  # noqa: PLC0415 - loads the decoders

    report = Report(json)
    with explaining(report):
        write_sheet(video, output, frames=frames, columns=columns)
        report.result({"sheet": str(output)}, str(output))


def export(  # noqa: PLR0917 - typer makes options of them
    job_id: Annotated[str, typer.Argument(help="A finished run's id.")],
    to: Annotated[Path, typer.Option(help="clip.mp4, clip.webm, clip.gif, page.html or sheet.png.")],
    size: Annotated[
        Size, typer.Option(help="Short side of a video; it is never made larger.")
    ] = Size.ORIGINAL,
    at: Annotated[float | None, typer.Option(min=0, help="With .png: one frame, at this second.")] = None,
    cost: Annotated[bool, typer.Option("--cost", help="With .html: say what it cost.")] = False,
    json: JsonOption = False,
) -> None:
    """Hand a video over: in another form or size, as a page that plays offline, as a sheet or a frame."""
    from klingo1.deliver import kind_of, write, write_still  # noqa: PLC0415 - loads the decoders

    report = Report(json)
    with explaining(report), open_ledger() as ledger:
        job = Files.of(read_settings()).bring(ledger.job(job_id))
        if at is None:
            write(job, kind_of(to), to, size=size, with_cost=cost)
        else:
            write_still(job, at, to)
        report.result({"export": str(to), "bytes": to.stat().st_size}, str(to))


def gallery(  # noqa: PLR0917 - typer makes options of them
    out: Annotated[Path, typer.Option(help="The folder to fill.")],
    image: Annotated[list[Path], typer.Option(help="A picture of the subject; several views are better.")],
    duration: Annotated[str, typer.Option(help="Seconds of each clip, 3 to 10.")] = "3",
    aspect_ratio: Annotated[str, typer.Option(help="16:9, 9:16 or 1:1.")] = ASPECT_RATIO_DEFAULT,
    size: Annotated[str, typer.Option(help="720p or 1080p.")] = DRAFT_SIZES[0],
    json: JsonOption = False,
) -> None:
    """Film one clip a place and an action, with a contact sheet each."""
    report = Report(json)
    with explaining(report):
        check_aspect_ratio(aspect_ratio)
        seconds = whole_seconds(duration)
        from klingo1.draft.gallery import clips  # noqa: PLC0415 - loads the draft engine
        from klingo1.export import write_sheet  # noqa: PLC0415 - loads the decoders

        names = []
        for clip in clips(out, image, seconds=seconds, aspect_ratio=aspect_ratio, size=size):
            write_sheet(clip.video, clip.video.with_suffix(".png"), frames=6, columns=6)
            names.append(clip.name)
        report.result({"folder": str(out), "clips": names}, f"{len(names)} clips in {out}")
