"""What the draft engine makes of a prompt, as short lists that the page can show; pure and quick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from klingo1.draft.plan import VIEWS as SHOWN
from klingo1.draft.plan import CastMember
from klingo1.draft.preview import preview
from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    ASPECT_RATIOS,
    DURATION_DEFAULT,
    DURATION_MAX,
    DURATION_MIN,
    IMAGES_MAX,
    PROMPT_MAX,
    ROLES,
)
from klingo1.ui.words import READING_NAMES

IGNORED_SHOWN = 8
_VIEWS_MAX = 24
_KINDS = ("place", "time", "weather", "looks", "actions", "camera")


def read_prompt(asked: object) -> dict[str, Any]:
    """The reading of what somebody types. `asked` comes from the browser: anything unusable is a default.

    `cast` is who plays, as `Cutting.cast` told the page. No picture is opened; nothing is written or spent.
    """
    values = asked if isinstance(asked, Mapping) else {}
    prompt, duration, aspect = (values.get(name) for name in ("prompt", "duration", "aspect"))
    if not isinstance(prompt, str) or not prompt.strip():
        return {}
    plan = preview(
        prompt[:PROMPT_MAX],
        cast=_cast(values.get("cast")),
        duration=duration if _is_length(duration) else DURATION_DEFAULT,
        aspect_ratio=str(aspect) if aspect in ASPECT_RATIOS else ASPECT_RATIO_DEFAULT,
    )
    return reading_of(plan.as_json())


def reading_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a plan or of a finished draft: `{"facts": [[kind, words]], "shots": n, "ignored": […]}`.

    Empty when the report tells nothing, as for the paid model. What the report names may come out of a
    prompt; it stays text.
    """
    facts = []
    for kind in _KINDS:
        words = _texts(report.get(kind))
        if kind in {"place", "camera"}:
            words = [READING_NAMES.get(word, word) for word in words]
        if words:
            facts.append([kind, ", ".join(words)])
    shots, ignored = report.get("shots"), _texts(report.get("ignored"))
    if not facts and not ignored and not isinstance(shots, list):
        return {}
    return {
        "facts": facts,
        "shots": len(shots) if isinstance(shots, list) else 0,
        "ignored": ignored[:IGNORED_SHOWN],
        "more": max(0, len(ignored) - IGNORED_SHOWN),
    }


def _cast(value: object) -> tuple[CastMember, ...]:
    """Who plays; nobody (so somebody unknown) when the list is not what this server gave."""
    members = []
    for one in value[:IMAGES_MAX] if isinstance(value, list) else ():
        values = one if isinstance(one, Mapping) else {}
        images, views = values.get("images"), values.get("views")
        images = images if isinstance(images, list) else []
        views = views if isinstance(views, list) else []
        numbers = tuple(n for n in images if type(n) is int and 1 <= n <= IMAGES_MAX)
        names = tuple(name for name in views[:_VIEWS_MAX] if name in SHOWN)
        if not numbers or values.get("role") not in ROLES:
            return ()
        members.append(CastMember(values["role"], numbers, names, cut=values.get("cut") is not False))
    return tuple(members)


def _is_length(value: object) -> TypeGuard[int]:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and DURATION_MIN <= int(str(value)) <= DURATION_MAX


def _texts(value: object) -> Sequence[str]:
    items = value if isinstance(value, list) else [value]
    return [item[:40] for item in items if isinstance(item, str) and item]
