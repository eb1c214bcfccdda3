"""A request arriving: its references are checked, and copied into the job's own folder before any row.

Whatever a visitor uploaded lies in a folder that others may empty, so a job only ever uses its own copies.
File names are ours: bytes that somebody named never become a path.
"""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from klingo1.clips import check_clip_url
from klingo1.errors import InvalidRequest
from klingo1.intake_process import Here, Intake
from klingo1.mentions import orphans
from klingo1.pricing import Price
from klingo1.request import Engine, Reference, VideoRequest

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".mp4", ".mov", ".webm", ".m4v"})
REFERENCES = "references"
"""The sub-folder of a job's folder that holds its own copies: all there is before its row is written."""
_CHUNK = 2**20
_AT_ONCE = 2
"""Pictures that are checked together: a person waits for it at the click."""


def check_references(request: VideoRequest, engine: Engine, intake: Intake | None = None) -> None:
    """Really read every local reference, and look at the form of every address; nothing is fetched.

    Raises InvalidRequest naming picture, limit and remedy. A paid run must not mention what is not there.
    """
    intake = intake or Here()

    def check(number: int, image: Reference) -> None:
        if isinstance(image, Path):
            intake.check_picture(image, field=f"images[{number}]")
        else:
            _check_image_url(image, number, engine)

    if sum(isinstance(image, Path) for image in request.images) > 1:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(check, range(len(request.images)), request.images):
                pass  # what the first bad one raised is raised here
    else:
        for number, image in enumerate(request.images):
            check(number, image)
    for number, mask in enumerate(request.draft.masks):
        if isinstance(mask, Path):
            intake.check_mask(mask, field=f"masks[{number}]")
    if isinstance(request.video, Path):
        intake.check_clip(request.video, engine=engine)
    elif request.video is not None:
        check_clip_url(request.video, engine=engine)
    check_mentions(request, engine)


def check_mentions(request: VideoRequest, engine: Engine) -> None:
    """Raise InvalidRequest when a paid run would mention what is not among its references."""
    missing = orphans(request.prompt, len(request.images), request.has_video)
    if engine is Engine.KLING and missing:
        named = ", ".join("a reference" if number == 0 else f"@Image{number}" for number in missing)
        raise InvalidRequest(
            "prompt",
            f"It mentions {named}, which is not among the references.",
            "Add it, or take the mention out.",
        )


def _check_image_url(url: str, number: int, engine: Engine) -> None:
    try:
        check_clip_url(url, engine=engine)
    except InvalidRequest as error:
        remedy = "Give the https:// address of a JPEG or PNG, or add the file itself."
        raise InvalidRequest(f"images[{number}]", error.reason, remedy) from error


def copy_references(
    request: VideoRequest,
    folder: Path,
    *,
    linked: Path | None = None,
    copies: dict[Path, Path] | None = None,
) -> VideoRequest:
    """The same request over copies of its local references in `folder`/references.

    Files below `linked` are never written to again, and neither are our copies: with `copies`, what was
    copied once. Of those a link is enough, which also tells later which upload has become this run's.
    """
    references = folder / REFERENCES
    references.mkdir(parents=True, exist_ok=True)

    def copied(reference: Path, name: str) -> Path:
        suffix = reference.suffix.lower()
        to = references / f"{name}{suffix if suffix in _SUFFIXES else '.bin'}"
        first = None if copies is None else copies.get(reference)
        if first is None and linked is not None and reference.is_relative_to(linked):
            first = reference
        if first is None or not _linked(first, to):
            shutil.copyfile(reference, to)
            if copies is not None:
                copies[reference] = to
        return to

    images = [
        copied(image, str(number)) if isinstance(image, Path) else image
        for number, image in enumerate(request.images, 1)
    ]
    masks = [
        copied(mask, f"mask{number}") if isinstance(mask, Path) else mask
        for number, mask in enumerate(request.draft.masks, 1)
    ]
    video = request.video
    own = request.with_references(images, copied(video, "video") if isinstance(video, Path) else video)
    return replace(own, draft=request.draft.with_masks(masks))


def _linked(file: Path, to: Path) -> bool:
    """Whether `to` could be made another name of a file."""
    try:
        to.hardlink_to(file.resolve(strict=True))
    except (OSError, NotImplementedError):  # another disk, no links there, too many on this file
        return False
    return True


def digest_of(request: VideoRequest, engine: Engine, price: Price) -> str:
    """What a quote is bound to: every field, the references' bytes, the engine and the price."""
    digest = hashlib.blake2b(digest_size=20)
    fields = (
        request.prompt,
        request.keep_original_sound,
        request.aspect_ratio,
        request.duration,
        request.draft.with_masks(()).to_wire(),
        engine.value,
        price.micro,
    )
    digest.update(repr(fields).encode())
    for reference in (*request.images, request.video, *request.draft.masks):
        digest.update(b"\0")
        if isinstance(reference, Path):
            with reference.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        elif reference is not None:
            digest.update(reference.encode())
    return digest.hexdigest()
