"""One HTML file to send to somebody: video, references, prompt and settings; it plays offline, no account.

It holds no script at all. Its own policy lets it load nothing but what is written in it, so whatever a prompt
says, the file asks nobody for anything. Every word that came from a person is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from klingo1.decoding import moving, opened, picture_at, unreadable
from klingo1.handover_style import STYLE
from klingo1.job import Job
from klingo1.keepsakes import Keepsake, keepsakes
from klingo1.request import Engine
from klingo1.whole import whole

if TYPE_CHECKING:
    from PIL import Image

POSTER_AT = 0.35
REFERENCE_SIDE = 480
_POSTER_SIDE = 1280
_LONG_PROMPT = 240
_BLOCK = 3 * 256 * 1024
"""Bytes read at a time: a multiple of three, so that Base64 needs no padding in between."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_DRAFT_NOTE = (
    "This is a draft, to judge framing, pace and camera. It was made on one computer by klingo1’s own draft "
    "engine; no AI model was used. The final video will look different."
)


def write_page(job: Job, to: Path, *, video: Path | None = None, with_cost: bool = False) -> Path:
    """Write the hand-over file of a finished job; returns `to`.

    `video` is what it plays, an MP4 (the job's own when it is None); `with_cost` adds what the run cost.
    Raises InvalidRequest when there is no video or it cannot be read, OSError when `to` cannot be written.
    """
    film = video or job.video
    if film is None:
        raise unreadable("This run has no video yet.")
    with opened(film) as container:
        context = moving(container).codec_context
        size, sound = (context.width, context.height), bool(container.streams.audio)
    poster = picture_at(film, POSTER_AT)
    poster.thumbnail((_POSTER_SIDE, _POSTER_SIDE))
    with whole(to) as part, part.open("wb") as file, film.open("rb") as played:
        file.write(_head(job).encode())
        attributes = f'width="{size[0]}" height="{size[1]}" poster="{_data_uri(poster)}"'
        file.write(
            f'<figure class="stage"><video controls loop playsinline preload="auto" {attributes} '
            'aria-label="The video" src="data:video/mp4;base64,'.encode()
        )
        _write_base64(played, file)
        file.write(b'"></video></figure>\n')
        for words in _rest(job, size, sound=sound, with_cost=with_cost):
            file.write(words.encode())
    return to


def _head(job: Job) -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; media-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    draft = job.engine is Engine.DRAFT
    chip = '<span class="chip">DRAFT</span>' if draft else ""
    title = _shown(" ".join(job.request.prompt.split())[:80])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{"DRAFT: " if draft else ""}{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header>{chip}<h1>{"Video draft" if draft else "Video"}</h1>
<span>{_made_by(job)} · {_day(job)}</span></header>
"""


def _rest(job: Job, size: tuple[int, int], *, sound: bool, with_cost: bool) -> Iterator[str]:
    if job.engine is Engine.DRAFT:
        yield f'<p class="note">{_DRAFT_NOTE}</p>\n'
    long = " long" if len(job.request.prompt) > _LONG_PROMPT else ""
    yield (
        '<div class="more">\n<div>\n<section aria-labelledby="p"><h2 id="p">Prompt</h2>\n'
        f'<p class="prompt{long}" dir="auto">{_shown(job.request.prompt)}</p></section>\n'
    )
    yield '<section aria-labelledby="r"><h2 id="r">References</h2>\n<ul class="references">\n'
    for keepsake in keepsakes(job, longest=REFERENCE_SIDE):
        yield _reference(keepsake)
    yield '</ul></section>\n</div>\n<section aria-labelledby="s"><h2 id="s">Settings</h2>\n<dl>'
    for name, value in _settings(job, size, sound=sound, with_cost=with_cost):
        yield f"<dt>{name}</dt><dd>{_shown(value)}</dd>\n"
    yield (
        "</dl></section>\n</div>\n<footer>Everything is inside this one file: it plays offline and asks "
        "nothing from the network.</footer>\n</main>\n</body>\n</html>\n"
    )


def _reference(keepsake: Keepsake) -> str:
    name = _shown(keepsake.name)
    if keepsake.picture is None:
        shown = f'<div class="missing">{_shown(keepsake.missing)}</div>'
    else:
        shown = f'<img src="{_data_uri(keepsake.picture)}" alt="Reference {name}">'
    role = f" {_shown(keepsake.role)}" if keepsake.role else ""
    return f"<li><figure>{shown}<figcaption><b>{name}</b>{role}</figcaption></figure></li>\n"


def _settings(job: Job, size: tuple[int, int], *, sound: bool, with_cost: bool) -> Sequence[tuple[str, str]]:
    request = job.request
    rows = [
        ("Engine", _made_by(job)),
        ("Length", f"{request.duration} s"),
        ("Shape", request.aspect_ratio),
        ("Size", f"{size[0]} × {size[1]} px"),
        ("Sound", "yes" if sound else "none"),
    ]
    if request.has_video:
        rows.append(("Reference’s own sound", "kept" if request.keep_original_sound else "left out"))
    rows.append(("Made on", _day(job)))
    if with_cost:
        rows.append(("Cost", str(job.price)))
    return rows


def _made_by(job: Job) -> str:
    return "klingo1 draft engine" if job.engine is Engine.DRAFT else "Kling Video O1"


def _day(job: Job) -> str:
    made = datetime.fromtimestamp(job.created_at).astimezone()
    return f"{made.day} {made:%B %Y}"


def _shown(text: str) -> str:
    """Literally what a person wrote, as HTML: no markup, nothing that turns the direction of what follows."""
    return escape(_CONTROL.sub("", text).encode("utf-8", "replace").decode())


def _data_uri(picture: Image.Image) -> str:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=82, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _write_base64(source: BinaryIO, target: BinaryIO) -> None:
    while block := source.read(_BLOCK):
        target.write(base64.b64encode(block))
