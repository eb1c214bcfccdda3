"""What a person says about pictures on the command line: 2=prop, 1=back, 1=mask.png, 1,3."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from klingo1.errors import InvalidRequest
from klingo1.request import GUESS, ROLES, VIEWS, DraftOptions


def draft_options(
    pictures: int,
    *,
    size: str,
    roles: Sequence[str] = (),
    views: Sequence[str] = (),
    masks: Sequence[str] = (),
    same: Sequence[str] = (),
) -> DraftOptions:
    """The options of a draft over so many pictures.

    `roles`, `views` and `masks` are texts of the form NUMBER=VALUE, `same` lists of numbers with commas; the
    numbers count pictures from 1. Raises InvalidRequest naming the option and what it takes.
    """
    files = _numbered("mask", masks, pictures)
    for number, file in files.items():
        if file != GUESS and not Path(file).is_file():
            raise InvalidRequest(f"masks[{number - 1}]", "The mask is not there.", "Check the path.")
    return DraftOptions(
        size=size,
        roles=_listed(_named("role", roles, (*ROLES, GUESS), pictures)),
        views=_listed(_named("view", views, (*VIEWS, GUESS), pictures)),
        masks=tuple(_mask(files.get(number)) for number in range(1, max(files, default=0) + 1)),
        groups=_grouped(same, pictures),
    )


def _mask(text: str | None) -> Path | str | None:
    return Path(text) if text and text != GUESS else text


def _named(option: str, texts: Sequence[str], names: Sequence[str], pictures: int) -> dict[int, str]:
    found = _numbered(option, texts, pictures)
    if not set(found.values()) <= set(names):
        raise InvalidRequest(option, "It is none that is known.", f"Choose one of {', '.join(names)}.")
    return found


def _numbered(option: str, texts: Sequence[str], pictures: int) -> dict[int, str]:
    found: dict[int, str] = {}
    for text in texts:
        number, equals, value = text.partition("=")
        if not equals or not value:
            raise InvalidRequest(option, "It has no value.", f"Write it as --{option} 1=VALUE.")
        found[_picture(option, number, pictures)] = value
    return found


def _picture(option: str, text: str, pictures: int) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:4]) <= pictures:
        raise InvalidRequest(
            option, "It names a picture that is not there.", f"Count the pictures from 1 to {pictures}."
        )
    return int(text)


def _listed(values: dict[int, str]) -> tuple[str, ...]:
    return tuple(values.get(number, "") for number in range(1, max(values, default=0) + 1))


def _grouped(same: Sequence[str], pictures: int) -> tuple[int, ...]:
    groups = [0] * pictures
    for group, text in enumerate(same, 1):
        for number in text.split(","):
            at = _picture("same", number, pictures) - 1
            if groups[at]:
                raise InvalidRequest("same", "It names a picture twice.", "Name each picture once.")
            groups[at] = group
    return tuple(groups) if same else ()
