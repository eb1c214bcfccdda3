"""Who plays: which pictures show the same subject, and the cast that the director casts from.

Pictures are put together only when they are very much alike in colour, height by height, and alike in shape;
two pictures of one character left apart cost little, two characters made one spoil the film.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.plan import CastMember
from klingo1.draft.strangers import strangers
from klingo1.draft.views import renamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from klingo1.draft.cutout import Cutout
    from klingo1.draft.views import View

_ALIKE = 0.6
"""Likeness that puts two pictures together: views of one character reach 0.65 and more, strangers 0.3."""
_KIN = 0.45
"""Mean likeness that a group must keep: a front and a back share clothes, not a face."""
_BANDS = 4
"""Head, chest, hips and legs are compared on their own."""


def group(
    cutouts: Sequence[Cutout], *, roles: Sequence[str] = (), groups: Sequence[int] = ()
) -> list[tuple[int, ...]]:
    """Indices (from 0) of pictures that show the same subject, in order of their first picture.

    `roles` are the roles that a person chose, "" for none, by picture; different chosen roles are never put
    together. `groups` is what a person said of who is the same (see DraftOptions), 0 for nothing. Places,
    prints and style pictures stay alone.
    """
    said = [
        0 if cutout.method in {"print", "place"} or index >= len(groups) else groups[index]
        for index, cutout in enumerate(cutouts)
    ]
    alike = {
        (a, b): 0.0 if said[a] and said[b] else _alike(cutouts, roles, a, b)
        for a, b in itertools.combinations(range(len(cutouts)), 2)
    }
    found: list[tuple[int, ...]] = [(index,) for index, number in enumerate(said) if not number]
    found += [tuple(i for i, n in enumerate(said) if n == number) for number in {*said} - {0}]
    return _merged(found, alike)


def _merged(groups: list[tuple[int, ...]], alike: dict[tuple[int, int], float]) -> list[tuple[int, ...]]:
    while True:
        # The likest pair first: a side view joins a front and a back that have little in common.
        pairs = []
        for one, two in itertools.combinations(groups, 2):
            links = [alike[min(a, b), max(a, b)] for a in one for b in two]
            if max(links) >= _ALIKE and sum(links) / len(links) >= _KIN and min(links) > 0:
                pairs.append((max(links), one, two))
        if not pairs:
            return sorted(groups)
        _, one, two = max(pairs, key=lambda pair: pair[0])
        groups = [g for g in groups if g not in (one, two)] + [tuple(sorted(one + two))]


def cast_of(
    cutouts: Sequence[Cutout], *, roles: Sequence[str] = (), groups: Sequence[int] = ()
) -> tuple[CastMember, ...]:
    """One member for each group; `images` count from 1. A member's views are those of its pictures in order
    (see `views_of`), named among themselves: three pictures become a front, a side and a back.
    """
    members = []
    for indices in group(cutouts, roles=roles, groups=groups):
        views = _views(cutouts, indices)
        chosen = [roles[i] for i in indices if i < len(roles) and roles[i]]
        guesses = chosen or [cutouts[i].role for i in indices]
        members.append(
            CastMember(
                role="character" if "character" in guesses else guesses[0],
                images=tuple(i + 1 for i in indices),
                views=tuple(view.name for view in views),
                cut=cutouts[indices[0]].method not in {"print", "place"},
            )
        )
    return tuple(members)


def views_of(member: CastMember, cutouts: Sequence[Cutout]) -> tuple[View, ...]:
    """The views of a cast member, in the order of `member.views` and named like them; none for a place."""
    return _views(cutouts, [number - 1 for number in member.images])


def _views(cutouts: Sequence[Cutout], indices: Sequence[int]) -> tuple[View, ...]:
    views = [view for i in indices for view in cutouts[i].views]
    return renamed(views) if len(indices) > 1 else tuple(views)


def _alike(cutouts: Sequence[Cutout], roles: Sequence[str], one: int, two: int) -> float:
    """The likeness of two pictures' likest views; 0 for pictures that must stay apart."""
    chosen = {roles[i] for i in (one, two) if i < len(roles) and roles[i]}
    first, second = cutouts[one], cutouts[two]
    if len(chosen) > 1 or chosen & {"scene", "style"}:
        return 0.0
    if any(c.method in {"print", "place"} or not c.views for c in (first, second)):
        return 0.0
    pairs = list(itertools.product(first.views, second.views))
    return 0.0 if any(strangers(a, b) for a, b in pairs) else max(likeness(a, b) for a, b in pairs)


def likeness(one: View, two: View) -> float:
    """0..1: how alike two cut-outs are in colour, band by band from head to foot, and in proportion."""
    shares = [_palettes(view) for view in (one, two)]
    bands = [float(np.minimum(a, b).sum()) for a, b in zip(*shares, strict=True)]
    slim = [view.pixels.shape[0] / view.pixels.shape[1] for view in (one, two)]
    # A side view is narrower than a front view, but hardly to less than half.
    shape = min(1.0, 1.9 * min(slim) / max(slim))
    # Mean and worst band: a friend in the same raincoat has another head or other legs.
    return float(shape) * (0.6 * float(np.mean(bands)) + 0.4 * min(bands))


def _palettes(view: View) -> list[NDArray[np.float64]]:
    """For each band the share of each coarse Lab colour, smoothed so that shading does not change cells."""
    height, width = view.pixels.shape[:2]
    size = (max(2, round(width * 96 / height)), 96)
    small = cv2.resize(view.pixels, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(np.ascontiguousarray(small[..., :3]), cv2.COLOR_BGR2Lab)
    solid = small[..., 3] > 200
    palettes = []
    for band in range(_BANDS):
        rows = slice(96 * band // _BANDS, 96 * (band + 1) // _BANDS)
        colours = lab[rows][solid[rows]].astype(np.float64)
        cells, _ = np.histogramdd(colours, bins=(8, 16, 16), range=((0, 256), (0, 256), (0, 256)))
        blurred = np.stack([cv2.GaussianBlur(layer, (0, 0), 0.7) for layer in cells])
        blurred[1:-1] = 0.25 * blurred[:-2] + 0.5 * blurred[1:-1] + 0.25 * blurred[2:]
        palettes.append(blurred / max(float(blurred.sum()), 1e-9))
    return palettes
