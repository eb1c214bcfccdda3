"""What a page asks about pictures before any film: how they are cut, and who plays. JSON in, JSON out.

Each question opens people's files, so it can be put to a process of its own (see intake_process.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from klingo1.draft.brush import brushed, matte_of, write_mask, write_tinted
from klingo1.draft.corrections import corrections_of
from klingo1.draft.looking import cast_from, look_at
from klingo1.draft.means import Means
from klingo1.errors import InvalidRequest
from klingo1.request import GUESS, DraftOptions

Asked = Mapping[str, Any]


def answer(question: str, asked: Asked) -> dict[str, Any]:
    """The answer to one of QUESTIONS. Raises InvalidRequest for what is no picture."""
    return QUESTIONS[question](asked)


def _show(asked: Asked) -> dict[str, Any]:
    """Write the picture at `to`, what the cut leaves out tinted. Tells whether anything is left out."""
    matte = _matte(asked)
    write_tinted(_images(asked)[0], matte, Path(asked["to"]))
    return {"cut": bool((matte < 128).any())}


def _brush(asked: Asked) -> dict[str, Any]:
    """Write at `to` the mask that the strokes make of the present cut."""
    mask = brushed(_matte(asked), Path(asked["strokes"]))
    if not (mask > 127).any():
        raise InvalidRequest("masks", "Nothing of the picture is left.", "Keep the part that the film needs.")
    write_mask(mask, Path(asked["to"]))
    return {}


def _remember(asked: Asked) -> dict[str, Any]:
    """Keep what is said of the pictures for the next time they come."""
    corrections_of(_images(asked), _wishes(asked), _means(asked).corrections, remember=True)
    return {}


def _cut(asked: Asked) -> dict[str, Any]:
    """Look at the pictures, so that a film of them begins sooner; the cut-outs are kept."""
    look_at(_images(asked), _wishes(asked), _means(asked))
    return {}


def _cast(asked: Asked) -> dict[str, Any]:
    """Who plays in a film of the pictures."""
    cast = cast_from(_images(asked), _wishes(asked), _means(asked))
    return {
        "cast": [{"role": one.role, "images": one.images, "views": one.views, "cut": one.cut} for one in cast]
    }


QUESTIONS: Mapping[str, Callable[[Asked], dict[str, Any]]] = {
    "show": _show,
    "brush": _brush,
    "remember": _remember,
    "cut": _cut,
    "cast": _cast,
}


def _matte(asked: Asked) -> Any:
    (picture,), means = _images(asked), _means(asked)
    (known,) = corrections_of([picture], _wishes(asked), means.corrections, remember=False)
    return matte_of(picture, role=known.role, mask=known.mask, cache=means.cache, model=means.model)


def _images(asked: Asked) -> list[Path]:
    return [Path(image) for image in asked["images"]]


def _wishes(asked: Asked) -> DraftOptions:
    masks: Sequence[str] = asked.get("masks", ())
    return DraftOptions.from_wire(asked).with_masks(
        [GUESS if mask == GUESS else Path(mask) if mask else None for mask in masks]
    )


def _means(asked: Asked) -> Means:
    folders = (asked["means"].get(name) for name in ("cache", "corrections", "model"))
    return Means(*(Path(folder) if folder else None for folder in folders))
