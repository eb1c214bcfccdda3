"""One clip of every place and every action: to see at a glance what drafts look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from klingo1.draft.film import RenderTask, render
from klingo1.draft.plan import ACTIONS, PLACES
from klingo1.request import DRAFT_SIZES, DraftOptions, VideoRequest

_PLACE_PROMPTS = {
    "city": "walking through a futuristic city at night, neon lights reflecting on wet streets",
    "market": "walking through a street market in the evening, lanterns glowing",
    "forest": "walking through a forest at dawn, mist between the trees",
    "beach": "walking along a beach at sunset",
    "desert": "walking through a desert at dusk, dust in the air",
    "snow": "walking through falling snow",
    "mountains": "walking in the mountains, clear morning",
    "meadow": "walking across a meadow on a sunny day",
    "lake": "walking by a lake at dawn, golden light",
    "underwater": "floating underwater among corals",
    "space": "floating in space above a planet",
    "sky": "flying through the sky above the clouds at sunset",
    "room": "standing in a cosy room in the evening",
    "studio": "standing in a photo studio, slow push in",
}
_ACTION_PROMPTS = {action: f"{action}ing across a meadow" for action in ACTIONS} | {
    "run": "running across a meadow",
    "dance": "dancing in a meadow",
    "wave": "waving in a meadow",
    "spin": "spinning in a meadow",
    "turn": "turning around in a meadow",
    "drive": "driving across a meadow",
    "ride": "riding across a meadow",
    "sit": "sitting in a meadow",
    "still": "standing still in a meadow",
}


@dataclass(frozen=True, slots=True)
class Clip:
    """One finished clip of the gallery."""

    name: str
    video: Path


def prompts() -> dict[str, str]:
    """The prompt of each clip, by its name: `place-city`, `action-jump`."""
    named = {f"place-{place}": _PLACE_PROMPTS.get(place, f"walking in the {place}") for place in PLACES}
    named |= {f"action-{action}": _ACTION_PROMPTS[action] for action in ACTIONS}
    return named | {"place-neutral": "walking, seen from the side"}


def clips(
    folder: Path,
    images: Sequence[Path],
    *,
    seconds: int = 3,
    aspect_ratio: str = "16:9",
    size: str = DRAFT_SIZES[0],
) -> Iterator[Clip]:
    """Render place-*.mp4 and action-*.mp4 into `folder`, one after the other, from the same pictures.

    Raises InvalidRequest when a picture is unreadable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, prompt in prompts().items():
        request = VideoRequest(
            prompt=prompt,
            images=tuple(images),
            duration=seconds,
            aspect_ratio=aspect_ratio,
            draft=DraftOptions(size),
        )
        output = folder / f"{name}.mp4"
        render(RenderTask(request=request, output=output, cache=folder / "cache"))
        output.with_name("poster.jpg").unlink(missing_ok=True)
        yield Clip(name, output)
