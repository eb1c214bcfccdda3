"""What would be filmed, without filming it: for the command line, and for the page while somebody types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from klingo1.draft.director import direct
from klingo1.draft.plan import CastMember, Plan

SOMEBODY = (CastMember(role="character", images=(1,)),)
"""The cast while there are no pictures yet."""


def preview(
    prompt: str,
    images: Sequence[Path],
    *,
    duration: int,
    aspect_ratio: str,
    roles: Sequence[str] = (),
    cache: Path | None = None,
    model: Path | None = None,
) -> Plan:
    """The plan for `prompt`; pictures, if any, are cut out as for a film.

    Raises InvalidRequest for a picture that cannot be read.
    """
    cast: Sequence[CastMember] = SOMEBODY
    if images:
        from klingo1.draft.cast import cast_of  # noqa: PLC0415 - reading pixels is left out where there are none
        from klingo1.draft.cutout import cut_out  # noqa: PLC0415 - as above

        given = [*roles, *[""] * len(images)]
        cutouts = [
            cut_out(image, role=role, cache=cache, model=model)
            for image, role in zip(images, given, strict=False)
        ]
        cast = cast_of(cutouts, roles=roles)
    return direct(prompt, cast, duration=duration, aspect_ratio=aspect_ratio)
