"""The brush on the page: a picture with its automatic cut, painted on, looked at, kept. Without widgets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from klingo1.cutting import Cutting, Publish, Subject
from klingo1.errors import InvalidRequest, KlingoError
from klingo1.request import GUESS, IMAGES_MAX, ROLES
from klingo1.ui.handlers import Form
from klingo1.ui.handout import asked_pictures, received_file
from klingo1.ui.words import notice_of

Answer = tuple[dict[str, Any], str]
"""What the brush's element is told, and the picture to draw on ("" leaves the present one)."""
Pictures = Sequence[Mapping[str, Any]]
Wish = Mapping[str, Any]
"""`{"index", "mask", "asked"}`: which picture of the gallery, its mask so far ("" is what was said before),
and the number of the question, which the answer has as its `turn`."""
_log = logging.getLogger(__name__)


class Cutouts:
    """What the brush may ask. `publish` makes a file readable by the browser."""

    def __init__(self, cutting: Cutting, publish: Publish) -> None:
        self._cutting = cutting
        self._publish = publish

    def show(self, pictures: Pictures, wish: Wish) -> Answer:
        """The picture with what the present cut leaves out under a veil."""
        return self._told(wish, lambda: self._shown(_subject(pictures, wish), _mask(wish)))

    def preview(self, pictures: Pictures, wish: Wish, strokes: str | None) -> Answer:
        """The same after these strokes; nothing is kept yet."""

        def made() -> Answer:
            subject, mask = self._brushed(_subject(pictures, wish), strokes)
            return self._shown(subject, mask)

        return self._told(wish, made)

    def save(self, pictures: Pictures, wish: Wish, strokes: str | None) -> Answer:
        """The mask after these strokes, for the films to come; a desk remembers it with the picture."""

        def made() -> Answer:
            subject, mask = self._brushed(_subject(pictures, wish), strokes)
            self._cutting.remember(subject)
            return {"state": "saved", "mask": mask}, ""

        return self._told(wish, made)

    def reset(self, pictures: Pictures, wish: Wish) -> Answer:
        """The automatic cut again; what was said about the picture's outline before is forgotten."""

        def made() -> Answer:
            subject = _subject(pictures, {**wish, "mask": ""}, mask=GUESS)
            self._cutting.remember(subject)
            told, shown = self._shown(subject, "")
            return told | {"state": "reset"}, shown

        return self._told(wish, made)

    def cast(self, pictures: Pictures) -> dict[str, Any]:
        """Who plays in a film of the gallery, with what was said of its pictures now and before.

        Nobody where that cannot be told now: a picture that is none, too much to do. Nothing is remembered.
        """
        played = pictures[:IMAGES_MAX]
        paths = [picture["path"] for picture in played]
        try:
            found = self._cutting.cast([Path(path) for path in paths], Form(played).read_wishes())
        except KlingoError:
            found = ()
        cast = [{"role": m.role, "images": m.images, "views": m.views, "cut": m.cut} for m in found]
        return {"paths": paths, "cast": cast}

    def cast_of_received(self, asked: object, *, received: Path) -> dict[str, Any]:
        """As `cast`, for `{"pictures": [{path, role, view, mask, group}]}` as a browser sends it: only files
        that lie in the folder `received` are opened, and where one does not, nobody plays.
        """
        pictures = []
        for one in asked_pictures(asked, IMAGES_MAX):
            told = {name: str(one.get(name) or "") for name in ("path", "role", "view", "mask")}
            named = (told["path"], told["mask"] or told["path"])
            if not all(received_file(path, received) for path in named):
                return {"paths": [], "cast": []}
            group = one.get("group")
            pictures.append(told | {"group": group if type(group) is int else 0})
        return self.cast(pictures)

    # -- parts

    def _shown(self, subject: Subject, mask: str) -> Answer:
        shown, cut = self._cutting.show(subject, self._publish)
        return {"state": "shown", "mask": mask, "cut": cut, "shown": shown}, shown

    def _brushed(self, subject: Subject, strokes: str | None) -> tuple[Subject, str]:
        if strokes is None:  # nothing was painted since the last look
            return subject, str(subject.mask or "")
        mask = self._cutting.brush(subject, Path(strokes), self._publish)
        return Subject(subject.picture, subject.role, Path(mask)), mask

    def _told(self, wish: Wish, make: Callable[[], Answer]) -> Answer:
        try:
            told, shown = make()
        except KlingoError as error:
            told, shown = {"state": "refused"} | notice_of(error).as_json(), ""
        except Exception as error:
            # The type alone: messages may hold a visitor's words.
            _log.error("a cut-out could not be shown: %s", type(error).__name__)
            told, shown = {"state": "refused"} | notice_of(error).as_json(), ""
        return told | {"turn": wish.get("asked", 0)}, shown


def _subject(pictures: Pictures, wish: Wish, *, mask: str | None = None) -> Subject:
    """The picture that is meant. Raises InvalidRequest when the gallery has none such."""
    index = wish.get("index")
    if type(index) is not int or not 0 <= index < len(pictures):
        raise InvalidRequest("images", "This picture is no longer there.", "Add it again.")
    picture = pictures[index]
    role = picture.get("role", "")
    drawn = _mask(wish)
    return Subject(
        Path(picture["path"]), role if role in ROLES else "", mask or (Path(drawn) if drawn else None)
    )


def _mask(wish: Wish) -> str:
    return str(wish.get("mask") or "")
