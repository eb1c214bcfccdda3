"""References as local files: found among the service's own, or fetched through the guarded door."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from klingo1.draft.media import PICTURE_BYTES, VIDEO_BYTES, MediaUnreadable, type_of
from klingo1.request import GUESS, Reference
from klingo1.web.door import DoorClosed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from klingo1.draft.store import DraftStore

_OURS = re.compile(r"(?:https?://[^/]+)?(?:/[^?#]*)?/(media|outputs)/([0-9a-f]{32})(?:\.[a-z0-9]{1,5})?")


class Fetcher(Protocol):
    """What brings a file from the open internet: klingo1.web.door.Door."""

    async def fetch(self, url: str, target: Path, *, limit: int) -> None:
        """Store the file or raise DoorClosed."""


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Where a reference that is not ours comes from and goes to."""

    door: Fetcher
    target: Path


async def collect(
    fields: Mapping[str, Any], store: DraftStore, door: Fetcher, room: Path
) -> tuple[tuple[Path, ...], Path | None]:
    """Every reference of a request as a local file: pictures in order, and the video or None.

    What is fetched goes into `room`. Raises MediaUnreadable for the first that cannot be used.
    """
    pictures = [
        await _local(url, f"Picture {number}", "image/", store, _Fetch(door, room / f"picture{number}"))
        for number, url in enumerate(fields["images"], start=1)
    ]
    video = fields.get("video")
    if not video:
        return tuple(pictures), None
    return tuple(pictures), await _local(
        video, "The video", "video/", store, _Fetch(door, room / "reference")
    )


async def collect_masks(
    masks: Sequence[object], store: DraftStore, door: Fetcher, room: Path
) -> tuple[Reference | None, ...]:
    """The masks of a request as local files; None where there is none, and GUESS stays. Raises
    MediaUnreadable.
    """
    found: list[Reference | None] = []
    for number, mask in enumerate(masks, start=1):
        if isinstance(mask, str) and mask != GUESS:
            fetch = _Fetch(door, room / f"mask{number}")
            found.append(await _local(mask, f"Mask {number}", "image/", store, fetch))
        else:
            found.append(GUESS if mask == GUESS else None)
    return tuple(found)


async def _local(url: str, name: str, kind: str, store: DraftStore, fetch: _Fetch) -> Path:
    limit = PICTURE_BYTES if kind == "image/" else VIDEO_BYTES
    path = _own(url, store)
    if path is None:
        try:
            await fetch.door.fetch(url, fetch.target, limit=limit)
        except DoorClosed as why:
            raise MediaUnreadable(f"{name} could not be read: {why}.") from None
        path = fetch.target
    if path.stat().st_size > limit:
        raise MediaUnreadable(f"{name} is larger than {limit / 1_000_000:.0f} MB.")
    if not type_of(path).startswith(kind):
        wanted = "a JPEG, PNG, WebP or GIF picture" if kind == "image/" else "an MP4, MOV or WebM video"
        raise MediaUnreadable(f"{name} is not {wanted}.")
    return path


def _own(url: str, store: DraftStore) -> Path | None:
    """The file behind one of our own addresses. Its id is 128 random bits, so the host need not match."""
    found = _OURS.fullmatch(url)
    if found is None:
        return None
    if found[1] == "media":
        return store.uploads.path(found[2]) if store.uploads.kept(found[2]) else None
    record = store.prediction(found[2])
    return store.video(found[2]) if record and record.status.succeeded else None
