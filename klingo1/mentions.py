"""@Image1 in a prompt, the picture it means, and the form in which a model reads it.

Which form WaveSpeed's model wants is not published: Kling's own text writes `<<<image_1>>>`, another
host `@Image1`. So the form is a setting and is put in at one place, here. A prompt without mentions stays as
it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from klingo1.errors import InvalidRequest
from klingo1.request import PROMPT_MAX

_WIRE = {"kling": "<<<{kind}_{number}>>>", "at": "@{name}{number}", "plain": "{kind} {number}"}
FORMS = tuple(_WIRE)
GONE = "?"
"""Stands where a removed picture's number was: @Image?"""

# Before the @: no letter of a Latin alphabet, digit or sign of a mail address. Chinese and Japanese, written
# without spaces, may stand on both sides, and so may another mention.
_MENTION = re.compile(
    r"(?:(?<![A-Za-z0-9_%+\-À-ɏ@＠])|(?<=@image[0-9])|(?<=@image\s[0-9])|(?<=@video[0-9]))"
    r"[@＠](?P<kind>image|video)[ \u00a0]?(?P<number>[1-9][0-9]{0,2}|\?)(?![A-Za-z0-9_])",
    re.IGNORECASE | re.ASCII,
)
_KLING = re.compile(r"<<<(image|video)_([1-9][0-9]{0,2})>>>")


@dataclass(frozen=True, slots=True)
class Mention:
    """Reference `number` (from 1) is meant by prompt[start:end]; `kind` is image or video."""

    number: int
    start: int
    end: int
    kind: str = "image"


def find(prompt: str, kind: str = "image") -> list[Mention]:
    """Every mention of a picture, or with kind="video" of a reference video, in the order of the text.

    `@image 2` and `@IMAGE2` count as `@Image2`; `@Image12` is picture 12; a mail address is no mention.
    """
    return [
        Mention(int(match["number"]), *match.span(), kind)
        for match in _MENTION.finditer(prompt)
        if match["kind"].lower() == kind and match["number"] != GONE
    ]


def to_wire(prompt: str, form: str) -> str:
    """The prompt as the model is to read it. Without mentions it is returned as it is, byte for byte.

    Forms: "kling" `<<<image_1>>>`, "at" `@Image1`, "plain" `image 1`. Raises ValueError for any other.
    """
    if form not in _WIRE:
        raise ValueError(f"unknown form of mentions: {form!r}; there are {', '.join(FORMS)}")

    def spell(match: re.Match[str]) -> str:
        kind, number = match["kind"].lower(), match["number"]
        if number == GONE:
            return match[0]
        return _WIRE[form].format(kind=kind, name=kind.capitalize(), number=number)

    return _MENTION.sub(spell, prompt)


def from_wire(prompt: str) -> str:
    """Kling's form turned back into @Image1; for a service that receives prompts and for echoed ones."""
    return _KLING.sub(lambda match: f"@{match[1].capitalize()}{match[2]}", prompt)


def renumber(prompt: str, mapping: Mapping[int, int | None]) -> str:
    """The prompt after pictures were moved or removed: old number → new number, or None when it is gone.

    Only digits change, so a person's spelling stays; a removed one becomes `@Image?`. Numbers that are not in
    `mapping` stay.
    """

    def move(match: re.Match[str]) -> str:
        if match["kind"].lower() != "image" or match["number"] == GONE:
            return match[0]
        old = int(match["number"])
        new = mapping.get(old, old)
        start = match.start("number") - match.start()
        return match[0][:start] + (GONE if new is None else str(new))

    return _MENTION.sub(move, prompt)


def orphans(prompt: str, count: int, with_video: bool) -> list[int]:
    """Numbers that are mentioned but mean nothing among `count` pictures; sorted, each once.

    0 stands for a mention whose picture was removed (`@Image?`) and for a video that is not there.
    """
    lost = {mention.number for mention in find(prompt) if mention.number > count}
    for match in _MENTION.finditer(prompt):
        video = match["kind"].lower() == "video"
        if match["number"] == GONE or (video and not (with_video and match["number"] == "1")):
            lost.add(0)
    return sorted(lost)


def check_wire_length(prompt: str, form: str) -> None:
    """The limit of 2,500 characters holds for what is sent. Raises InvalidRequest."""
    length = len(to_wire(prompt, form))
    if length > PROMPT_MAX:
        raise InvalidRequest(
            "prompt",
            f"With its mentions spelled out it has {length:,} characters; the limit is {PROMPT_MAX:,}.",
            f"Shorten it by {length - PROMPT_MAX:,}.",
        )
