"""Pictures as the film sees them: cut out by what is known of each, in one look, and cast.

The film, the plan and the page's reading all look through here, so that they agree.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import cv2

from klingo1.draft.cast import cast_of
from klingo1.draft.corrections import corrections_of
from klingo1.draft.cutout import cut_out
from klingo1.draft.looks import in_one_look, seen_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from klingo1.draft.corrections import Correction
    from klingo1.draft.cutout import Cutout
    from klingo1.draft.means import Means
    from klingo1.draft.plan import CastMember
    from klingo1.request import DraftOptions

_AT_ONCE = 3
"""Pictures cut at the same time: one more than the cores that a film is made on, lest one of them idles."""
_PATIENCE = 0.1


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
    pictures done, before each one and while one takes long; what it raises ends the work. Raises
    InvalidRequest for a picture that cannot be read.
    """
    said = corrections_of(images, wishes, means.corrections, remember=remember)

    def cut(image: Path, known: Correction) -> Cutout:
        cv2.setRNGSeed(1)  # every thread draws from a generator of its own, which outlives a picture
        cutout = cut_out(image, role=known.role, mask=known.mask, cache=means.cache, model=means.model)
        return seen_as(cutout, known.view)

    cutouts = []
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cut")
    try:
        for number, made in enumerate([pool.submit(cut, *pair) for pair in zip(images, said, strict=True)]):
            before(number)
            while not wait([made], timeout=_PATIENCE).done:
                before(number)
            cutouts.append(made.result())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return in_one_look(cutouts), [known.role for known in said]


def cast_from(images: Sequence[Path], wishes: DraftOptions, means: Means) -> tuple[CastMember, ...]:
    """Who plays in a film of these pictures. Nothing is remembered."""
    cutouts, roles = look_at(images, wishes, means)
    return cast_of(cutouts, roles=roles, groups=wishes.groups)
