"""The recipe inside a video: what was asked, as JSON in the container's comment. A file explains itself.

Drafts carry theirs from the encoder; a paid result gets one when it is handed out, without being encoded
again. A recipe names no path, no address and no key. One that is read may come from anybody: it is bounded,
every field is judged alone, and what is unusable is left at its default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from klingo1.decoding import moving, opened
from klingo1.errors import InvalidRequest
from klingo1.job import Job
from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    ASPECT_RATIOS,
    DURATION_DEFAULT,
    DURATION_MAX,
    DURATION_MIN,
    IMAGES_MAX,
    PROMPT_MAX,
    Engine,
)
from klingo1.version import VERSION
from klingo1.whole import whole

COMMENT_MAX = 200_000
"""Characters: 2,500 of the longest escapes and a draft's plan have a fifth of that."""
TITLE_MAX = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a video was made from. `images` and `with_video` tell how many references took part.

    `prompt` has 1 to 2,500 characters; `created` is an ISO time or empty.
    """

    prompt: str
    aspect_ratio: str = ASPECT_RATIO_DEFAULT
    duration: int = DURATION_DEFAULT
    keep_original_sound: bool = True
    engine: Engine = Engine.KLING
    version: str = ""
    created: str = ""
    images: int = 0
    with_video: bool = False

    def as_json(self) -> dict[str, Any]:
        """The recipe as it is written into a file."""
        return {
            "draft": self.engine is Engine.DRAFT,
            "engine": self.engine.value,
            "version": self.version,
            "created": self.created,
            "prompt": self.prompt,
            "aspect_ratio": self.aspect_ratio,
            "duration": self.duration,
            "keep_original_sound": self.keep_original_sound,
            "images": self.images,
            "video": self.with_video,
        }


def recipe_of(job: Job) -> Recipe:
    """The recipe of a job of this studio."""
    request = job.request
    return Recipe(
        prompt=request.prompt,
        aspect_ratio=request.aspect_ratio,
        duration=request.duration,
        keep_original_sound=request.keep_original_sound,
        engine=job.engine,
        version=VERSION,
        created=datetime.fromtimestamp(job.created_at, UTC).isoformat(timespec="seconds"),
        images=len(request.images),
        with_video=request.has_video,
    )


def metadata_of(job: Job) -> dict[str, str]:
    """Title and comment for a container; the comment is the recipe as JSON, ASCII whatever the prompt."""
    recipe = recipe_of(job)
    title = _CONTROL.sub(" ", recipe.prompt).strip()[:TITLE_MAX]
    if job.engine is Engine.DRAFT:
        title = f"DRAFT: {title}"
    return {"title": title, "comment": json.dumps(recipe.as_json())}


def stamp(video: Path, to: Path, job: Job) -> Path:
    """Write a copy of a job's video that carries its recipe; pictures and sound stay bit for bit.

    Returns `to`, an MP4. Raises InvalidRequest when the video cannot be read, OSError when `to` cannot be
    written.
    """
    rewrap(video, to, metadata_of(job))
    return to


def rewrap(video: Path, to: Path, metadata: Mapping[str, str]) -> None:
    """The same packets in a fresh MP4 with this metadata and no other. Raises as `stamp`."""
    import av  # noqa: PLC0415 - `import klingo1` leaves the decoders unloaded

    options = {"movflags": "+faststart"}
    with (
        opened(video) as source,
        whole(to) as part,
        av.open(str(part), "w", format="mp4", container_options=options) as target,
    ):
        target.metadata.update(metadata)
        pairs = {}
        for stream in [moving(source), *source.streams.audio[:1]]:
            pairs[stream.index] = target.add_stream_from_template(stream, opaque=True)
        for packet in source.demux([source.streams[index] for index in pairs]):
            if packet.dts is not None and packet.size:
                packet.stream = pairs[packet.stream.index]
                target.mux(packet)


def read_recipe(path: Path) -> Recipe | None:
    """The recipe inside an MP4 (or WebM), or None when there is none that can be used. Raises nothing."""
    try:
        with opened(path) as container:
            metadata = {name.lower(): text for name, text in container.metadata.items()}
    except (InvalidRequest, OSError):
        return None
    return parse_recipe(metadata.get("comment", ""))


def parse_recipe(text: str) -> Recipe | None:
    """A recipe from a comment's text; None when it is none. Never raises: the text may be anybody's."""
    if len(text) > COMMENT_MAX or not text.lstrip().startswith("{"):
        return None
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, Mapping):
        return None
    prompt = _text(raw.get("prompt"), PROMPT_MAX)
    if not prompt.strip():
        return None
    ratio, duration = raw.get("aspect_ratio"), _integer(raw.get("duration"))
    sound, engine = raw.get("keep_original_sound"), _text(raw.get("engine"), 80)
    draft = raw.get("draft") is True or "draft" in engine.lower()
    return Recipe(
        prompt=prompt,
        aspect_ratio=ratio if isinstance(ratio, str) and ratio in ASPECT_RATIOS else ASPECT_RATIO_DEFAULT,
        duration=duration if DURATION_MIN <= duration <= DURATION_MAX else DURATION_DEFAULT,
        keep_original_sound=sound if isinstance(sound, bool) else True,
        engine=Engine.DRAFT if draft else Engine.KLING,
        version=_text(raw.get("version"), 40),
        created=_text(raw.get("created"), 40),
        images=min(max(0, _integer(raw.get("images"))), IMAGES_MAX),
        with_video=raw.get("video") is True,
    )


def _text(value: object, longest: int) -> str:
    """A string that can be sent as UTF-8, at most `longest` characters; "" for everything else."""
    return value[:longest].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _integer(value: object) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1000:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
