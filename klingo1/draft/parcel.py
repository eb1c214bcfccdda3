"""A film's order with all that it needs in it, for a machine that shares no disk with this one.

References, masks and what people said about the pictures travel to the worker, the film and its poster come
back. The worker tells its progress, and is told to stop, through two functions that the cluster's side gives.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from klingo1.draft.worker import Order, RenderFailed
from klingo1.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK = 0.25
"""Seconds between two looks at a film's progress."""
POSTER = "poster.jpg"
Work = Callable[[Callable[[Order], dict[str, Any]], Order], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Made:
    """What a worker sends back: the report, and files by name."""

    report: dict[str, Any]
    files: Mapping[str, bytes]


def pack(order: Order) -> bytes:
    """The order with its files as bytes; reads every reference. Raises OSError.

    What was said about the pictures is settled and remembered here, so that every worker is told the same.
    """
    settled = _settled(order)
    files: dict[str, bytes] = {}

    def packed(reference: Any, name: str) -> Any:
        if not isinstance(reference, Path):
            return reference
        files[name] = reference.read_bytes()
        return Path(name + reference.suffix)

    request = settled.request
    images = [packed(image, f"image{n}") for n, image in enumerate(request.images)]
    masks = [packed(mask, f"mask{n}") for n, mask in enumerate(request.draft.masks)]
    video = packed(request.video, "video")
    bare = replace(request.with_references(images, video), draft=request.draft.with_masks(masks))
    return pickle.dumps((replace(settled, request=bare), files))


def _settled(order: Order) -> Order:
    if order.corrections is None:
        return order
    from klingo1.draft.corrections import corrections_of  # noqa: PLC0415 - loads OpenCV

    request = order.request
    images = [image for image in request.images if isinstance(image, Path)]
    said = corrections_of(images, request.draft, order.corrections)
    draft = replace(
        request.draft,
        roles=tuple(one.role for one in said),
        views=tuple(one.view for one in said),
        masks=tuple(one.mask for one in said),
    )
    return replace(order, request=replace(request, draft=draft), corrections=None)


def make(
    version: str,
    parcel: bytes,
    work: Work,
    render: Callable[[Order], dict[str, Any]],
    *,
    tell: Callable[[str], None] | None = None,
    is_unwanted: Callable[[], bool] | None = None,
) -> Made:
    """On the worker: lay the files down, make the film in a folder of its own, and bring it back.

    Raises what `work` raises. `tell` gets the text of the progress file whenever it has changed.
    """
    if version != VERSION:  # before anything is unpacked: another version's classes may not be read
        raise RenderFailed(f"The render cluster runs klingo1 {VERSION}, this page {version}.")
    with TemporaryDirectory(prefix="klingo1-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        order = _unpacked(parcel, folder)
        if order.model is not None and not order.model.is_file():
            raise RenderFailed("The file of KLINGO1_CUTOUT_MODEL is not on the render cluster's worker.")
        with _reporting(order, tell, is_unwanted):
            report = work(render, order)
        kept = (order.output, order.output.with_name(POSTER))
        return Made(report, {file.name: file.read_bytes() for file in kept if file.is_file()})


def _unpacked(parcel: bytes, folder: Path) -> Order:
    bare, files = pickle.loads(parcel)  # noqa: S301 - from the page that owns this cluster

    def laid(reference: Any) -> Any:
        if not isinstance(reference, Path):
            return reference
        file = folder / reference.name
        file.write_bytes(files[reference.stem])
        return file

    request = bare.request
    own = request.with_references([laid(image) for image in request.images], laid(request.video))
    own = replace(own, draft=own.draft.with_masks([laid(mask) for mask in own.draft.masks]))
    order: Order = bare
    return replace(
        order,
        request=own,
        output=folder / bare.output.name,
        progress=folder / "progress",
        stop=folder / "stop",
        cache=None,
    )


@contextmanager
def _reporting(
    order: Order, tell: Callable[[str], None] | None, is_unwanted: Callable[[], bool] | None
) -> Iterator[None]:
    done = threading.Event()

    def report() -> None:
        told = ""
        while not done.wait(LOOK):
            if is_unwanted is not None and is_unwanted():
                order.ask_to_stop()
            try:
                now = order.progress.read_text(encoding="utf-8") if order.progress is not None else ""
            except OSError:
                continue
            if tell is not None and now and now != told:
                told = now
                tell(now)

    thread = threading.Thread(target=report, name="klingo1-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def lay_down(made: Made, order: Order) -> dict[str, Any]:
    """Back home: write the film where it was ordered, whole or not at all; returns the report."""
    for name, content in sorted(made.files.items()):
        to = order.output.with_name(POSTER) if name == POSTER else order.output
        part = to.with_name(f"{to.name}.part")
        part.write_bytes(content)
        part.replace(to)
    return made.report


def note_progress(order: Order, text: str) -> None:
    """Write what a worker told of its progress; a film that is over has no folder for it any more."""
    if order.progress is None:
        return
    part = order.progress.with_name(f"{order.progress.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(order.progress)
    except OSError:
        pass
