"""Cut-outs before any film: shown, corrected with a brush, and cast, as the draft engine will have them.

The files are people's, so every one is judged and opened where the intake opens pictures. What is made lies
in a folder of its own for a moment, under a name that nobody can guess, until `publish` has taken it.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klingo1.draft.means import Means
from klingo1.draft.plan import CastMember
from klingo1.errors import Busy, InvalidRequest
from klingo1.request import DraftOptions, Reference

if TYPE_CHECKING:
    from klingo1.intake_process import Intake
    from klingo1.settings import Settings

KEEP, REMOVE = "#2fbf4f", "#e0402f"
"""Colours for the two brushes; draft/brush.py tells strokes of them apart."""
AT_ONCE = 8
"""Questions that are worked on or wait for the intake; one more is sent away, as each holds a thread."""
Publish = Callable[[Path], str]
"""Makes a file readable by the browser and returns the path to ask for."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A picture with what its person says of it: a role, and a mask (a file, GUESS, or None)."""

    picture: Path
    role: str = ""
    mask: Reference | None = None


class Cutting:
    """Asks the draft engine, through an intake, with what this installation knows. Thread-safe.

    Every picture is looked at as it is sent: what people said is remembered by the bytes that a film gets.
    Everything raises Busy when AT_ONCE others ask.
    """

    def __init__(self, settings: Settings, intake: Intake) -> None:
        self._home = settings.home
        self._means = {k: str(v) if v else "" for k, v in asdict(Means.of(settings)).items()}
        self._intake = intake
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def show(self, subject: Subject, publish: Publish) -> tuple[str, bool]:
        """The picture with what the cut leaves out tinted, and whether anything is. Raises InvalidRequest."""
        with self._room() as room:
            to = room / f"picture-{secrets.token_hex(16)}.jpg"
            told = self._intake.look("show", self._of(subject, room) | {"to": str(to)})
            return publish(to), bool(told["cut"])

    def brush(self, subject: Subject, strokes: Path | None, publish: Publish) -> str:
        """The mask that a layer of strokes makes of the present cut. Raises InvalidRequest."""
        if strokes is None:
            raise InvalidRequest("masks", "The strokes did not arrive.", "Click once more.")
        with self._room() as room:
            layer = self._intake.normalise_mask(strokes, room / "strokes.png", field="masks")
            to = room / f"mask-{secrets.token_hex(16)}.png"
            asked = self._of(subject, room) | {"strokes": str(layer), "to": str(to)}
            self._intake.look("brush", asked)
            return publish(to)

    def remember(self, subject: Subject) -> None:
        """Keep what is said of a picture for the next time it comes, as a film of it would. GUESS forgets.

        Where nothing is remembered (a host's visitors), nothing happens. Raises InvalidRequest.
        """
        with self._room() as room:
            self._intake.look("remember", self._of(subject, room))

    def cast(self, images: Sequence[Path], wishes: DraftOptions) -> tuple[CastMember, ...]:
        """Who plays in a film of these pictures; the cut-outs are kept for it. Raises InvalidRequest."""
        with self._room() as room:
            asked = self._asked(images, wishes, room)
            for number in range(len(images)):  # one at a time: each has the intake's time for one file
                self._intake.look("cut", asked | {name: asked[name][number : number + 1] for name in _EACH})
            told = self._intake.look("cast", asked)
        return tuple(
            CastMember(one["role"], tuple(one["images"]), tuple(one["views"]), one["cut"])
            for one in told["cast"]
        )

    def _of(self, subject: Subject, room: Path) -> dict[str, Any]:
        wishes = DraftOptions(roles=(subject.role,), masks=(subject.mask,))
        return self._asked([subject.picture], wishes, room)

    def _asked(self, images: Sequence[Path], wishes: DraftOptions, room: Path) -> dict[str, Any]:
        """Pictures and wishes as JSON, over the copies that would be sent."""
        pictures = [
            self._intake.normalise_picture(image, room / f"{number}.jpg", field=f"images[{number}]")
            for number, image in enumerate(images)
        ]
        masks = [
            self._intake.normalise_mask(mask, room / f"mask{number}.png", field=f"masks[{number}]")
            if isinstance(mask, Path)
            else mask
            for number, mask in enumerate(wishes.masks)
        ]
        return {
            "means": self._means,
            "images": [str(picture) for picture in pictures],
            "roles": list(wishes.roles),
            "views": list(wishes.views),
            "groups": list(wishes.groups),
            "masks": [str(mask) if mask else "" for mask in masks],
        }

    @contextmanager
    def _room(self) -> Iterator[Path]:
        """A folder that is gone afterwards, and a place among those who ask."""
        if not self._places.acquire(blocking=False):
            raise Busy("Too many files are being looked at.", what="files", limit=AT_ONCE)
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(
                dir=self._home, prefix="cutting-", ignore_cleanup_errors=True
            ) as folder:
                yield Path(folder)
        finally:
            self._places.release()


_EACH = ("images", "roles", "views", "masks")
