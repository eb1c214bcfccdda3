"""Pictures as the film sees them: cut out by what is known of each, in one look, and cast.

The film, the plan and the page's reading all look through here, so that they agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from klingo1.draft.cast import cast_of
from klingo1.draft.corrections import corrections_of
from klingo1.draft.cutout import cut_out
from klingo1.draft.looks import in_one_look, seen_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from klingo1.draft.cutout import Cutout
    from klingo1.draft.means import Means
    from klingo1.draft.plan import CastMember
    from klingo1.request import DraftOptions


def look_at(
    images: Sequence[Path],
    wishes: DraftOptions,
    means: Means,
    *,
    remember: bool = False,
    before: Callable[[int], None] = lambda _: None,
) -> tuple[list[Cutout], list[str]]:
    """The cut-outs in one look, and the roles that a person chose ("" for none).

    What `wishes` say is kept for the next time with `remember`. `before` is called with the number of
    pictures done, before each one. Raises InvalidRequest for a picture that cannot be read.
    """
    said = corrections_of(images, wishes, means.corrections, remember=remember)
    cutouts = []
    for number, (image, known) in enumerate(zip(images, said, strict=True)):
        before(number)
        cutout = cut_out(image, role=known.role, mask=known.mask, cache=means.cache, model=means.model)
        cutouts.append(seen_as(cutout, known.view))
    return in_one_look(cutouts), [known.role for known in said]


def cast_from(images: Sequence[Path], wishes: DraftOptions, means: Means) -> tuple[CastMember, ...]:
    """Who plays in a film of these pictures. Nothing is remembered."""
    cutouts, roles = look_at(images, wishes, means)
    return cast_of(cutouts, roles=roles, groups=wishes.groups)
