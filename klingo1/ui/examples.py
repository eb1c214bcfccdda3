"""Complete example inputs, read from `assets/examples.toml`; a missing or odd file means no examples."""

from __future__ import annotations

import base64
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    ASPECT_RATIOS,
    DURATION_DEFAULT,
    DURATION_MAX,
    DURATION_MIN,
    IMAGES_MAX,
    ROLES,
)

_THUMBNAIL = (240, 240)
"""Pixels; a card shows up to three of them side by side."""


@dataclass(frozen=True, slots=True)
class Example:
    """One recipe: pictures on disk and the rest of the form."""

    title: str
    prompt: str
    pictures: tuple[Path, ...]
    roles: tuple[str, ...]
    duration: int
    aspect: str
    film: Path | None = None
    """What came out of it, with its poster, where both are there."""
    poster: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What the browser must be able to read."""
        return (*self.pictures, *(file for file in (self.film, self.poster) if file is not None))

    def as_json(self) -> dict[str, Any]:
        """The form's values, as a restored job gives them."""
        return {
            "title": self.title,
            "prompt": self.prompt,
            "duration": self.duration,
            "aspect": self.aspect,
            "film": str(self.film or ""),
            "poster": str(self.poster or ""),
            "pictures": [
                {"path": str(path), "name": path.name, "role": role, "thumbnail": _thumbnail(path)}
                for path, role in zip(self.pictures, self.roles, strict=True)
            ],
        }


def read_examples(assets: Path) -> list[Example]:
    """All usable examples of the folder, in the file's order."""
    try:
        document = tomllib.loads((assets / "examples.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return []
    found = document.get("example", document.get("examples", []))
    entries = found.values() if isinstance(found, Mapping) else found
    return [example for entry in entries if (example := _read(entry, assets))]


def _read(entry: object, assets: Path) -> Example | None:
    if not isinstance(entry, Mapping):
        return None
    named = entry.get("images", entry.get("pictures", []))
    roles = entry.get("roles", [])
    pictures: list[Path] = []
    parts: list[str] = []
    for index, item in enumerate(named if isinstance(named, list) else []):
        name = item.get("file", item.get("path")) if isinstance(item, Mapping) else item
        role = item.get("role", "") if isinstance(item, Mapping) else ""
        role = role or (roles[index] if isinstance(roles, list) and index < len(roles) else "")
        if path := _file(name, assets):
            pictures.append(path)
            parts.append(role if role in ROLES else "")
    prompt = entry.get("prompt", "")
    if not pictures or len(pictures) > IMAGES_MAX or not isinstance(prompt, str) or not prompt:
        return None
    film, poster = _file(entry.get("film"), assets), _file(entry.get("poster"), assets)
    duration, aspect = entry.get("duration"), entry.get("aspect_ratio", entry.get("aspect"))
    return Example(
        title=str(entry.get("title", entry.get("name", prompt[:40]))),
        prompt=prompt,
        pictures=tuple(pictures),
        roles=tuple(parts),
        duration=duration
        if isinstance(duration, int) and DURATION_MIN <= duration <= DURATION_MAX
        else DURATION_DEFAULT,
        aspect=str(aspect) if aspect in ASPECT_RATIOS else ASPECT_RATIO_DEFAULT,
        film=film if poster else None,
        poster=poster if film else None,
    )


@cache
def _thumbnail(path: Path) -> str:
    """The picture in small as a data address, for the pictures themselves are loaded with the inputs only;
    empty for what is no picture.
    """
    small = io.BytesIO()
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", _THUMBNAIL)
            picture.thumbnail(_THUMBNAIL)
            picture.save(small, "WEBP", quality=80)
    except OSError:
        return ""
    return f"data:image/webp;base64,{base64.b64encode(small.getvalue()).decode()}"


def _file(name: object, assets: Path) -> Path | None:
    """A file of the folder; None for everything else."""
    path = (assets / str(name)).resolve() if name else assets
    return path if path.is_file() and path.is_relative_to(assets.resolve()) else None
