"""References as a program names them: an https address, a data: address, or a file of the one lent folder.

A program that speaks to the page over MCP may be told what to do by a text that it has read somewhere, so no
name that it gives may reach a file outside the folder that the host has named for this.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

from klingo1.errors import InvalidRequest
from klingo1.request import Reference

FILE_MAX = 210_000_000
"""Bytes of a file that is taken from the folder: a clip of 200 MB and a little."""
_DATA = re.compile(r"data:(image|video)/([a-z0-9.+-]{1,20});base64,", re.IGNORECASE)
_SUFFIXES = {
    "jpeg": ".jpg", "png": ".png", "webp": ".webp", "gif": ".gif", "avif": ".avif",
    "mp4": ".mp4", "quicktime": ".mov", "webm": ".webm",
}  # fmt: skip
_REMEDY = "Give an https:// address or a data: address."


def reference_from(text: str, *, field: str, folder: Path | None, to: Path) -> Reference:
    """An address as it is; a file or data: address as a copy at `to` plus its suffix.

    `folder` None means that no file is lent. Raises InvalidRequest naming `field`.
    """
    if text.lower().startswith(("https://", "http://")):
        return text
    if text[:5].lower() == "data:":
        return _from_data(text, field=field, to=to)
    if folder is None:
        raise InvalidRequest(field, "Files of this machine are not lent to programs.", _REMEDY)
    return _from_folder(text, field=field, folder=folder, to=to)


def _from_data(text: str, *, field: str, to: Path) -> Path:
    head = _DATA.match(text)
    suffix = _SUFFIXES.get(head[2].lower()) if head else None
    if head is None or suffix is None:
        raise InvalidRequest(
            field, "This data: address holds no picture or clip.", "Begin it with data:image/jpeg;base64, ."
        )
    try:
        content = base64.b64decode(text[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest(field, "Its base64 cannot be read.", "Encode the file's bytes again.") from None
    file = to.with_suffix(suffix)
    file.write_bytes(content)
    return file


def _from_folder(text: str, *, field: str, folder: Path, to: Path) -> Path:
    """A copy of a regular file that really lies in the folder, wherever links lead."""
    outside = InvalidRequest(
        field, "It is no file of the lent folder.", "Name a file in it, such as hero.jpg or set/hero.jpg."
    )
    parts = PurePosixPath(text).parts
    foreign = PureWindowsPath(text)
    if not text or "\0" in text or ".." in parts or PurePosixPath(text).is_absolute():
        raise outside
    if foreign.drive or foreign.root or ".." in foreign.parts:
        raise outside
    try:
        root = folder.resolve(strict=True)
        file = root.joinpath(*parts).resolve(strict=True)
        if not file.is_relative_to(root) or file == root:
            raise outside
        return _copied(file, to.with_suffix(file.suffix.lower()), outside)
    except (OSError, ValueError, RuntimeError):  # not there, a loop of links, a name no system takes
        raise outside from None


def _copied(file: Path, to: Path, refusal: InvalidRequest) -> Path:
    # Once resolved, a name that has become a link since is not followed; a pipe is not waited for.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(file, flags | getattr(os, "O_BINARY", 0)), "rb") as source:  # noqa: PTH123 - by descriptor
        facts = os.fstat(source.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise refusal
        if facts.st_size > FILE_MAX:
            raise InvalidRequest(refusal.field, "It is larger than 200 MB.", "Name a smaller file.")
        with to.open("wb") as target:
            shutil.copyfileobj(source, target)
    return to
