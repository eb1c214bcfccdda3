"""What is asked for: the six fields of the contract, their limits and their wire form.

Limits are the mission's own (duration, aspect ratios, seven pictures) and Kling's published ones (2,500
characters, four pictures beside a video). The service drops unknown keys in silence and bills the run with
defaults, so everything is checked here, before it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from klingo1.errors import InvalidRequest

MODEL = "kwaivgi/kling-video-o1/reference-to-video"
PROMPT_MAX = 2500
IMAGES_MAX = 7
IMAGES_MAX_WITH_VIDEO = 4
DURATION_MIN, DURATION_MAX, DURATION_DEFAULT = 3, 10, 5
ASPECT_RATIOS = ("9:16", "1:1", "16:9")
ASPECT_RATIO_DEFAULT = "16:9"
DRAFT_SIZES = ("720p", "1080p")
ROLES = ("character", "prop", "scene", "style")
VIEWS = ("front", "side", "back", "left", "right")
"""What a picture shows of its subject; "left" and "right" are side views that look that way."""
GUESS = "guess"
UNKNOWN_REFERENCE = "unknown:"
"""Stands for references that a service did not repeat."""
EXAMPLE_PROMPT = (
    "The character walking through a futuristic city at night, neon lights reflecting on wet streets"
)

Reference = Path | str
"""A local file (Path) or something the service can fetch itself (str, an https URL)."""


class Engine(StrEnum):
    """Who makes the video: this machine for nothing, or the paid model."""

    DRAFT = "draft"
    KLING = "kling"


@dataclass(frozen=True, slots=True)
class DraftOptions:
    """Wishes that only the draft engine understands; they are never sent to the paid model.

    All but `size` have at most one entry per picture. `roles` holds names from ROLES and `views` names from
    VIEWS, which a person knows better than the engine. They are remembered for that picture: "" is what was
    said before, or else a guess; GUESS forgets what was said. `masks` are pictures whose white shows what to
    keep, None for no wish; GUESS or an all-black one forgets. `groups`: pictures with the same number above 0
    show one subject, with different ones different subjects.
    """

    size: str = "720p"
    roles: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    masks: tuple[Reference | None, ...] = ()
    groups: tuple[int, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """The extension object of a draft submit. Raises ValueError when a mask is still a local file."""
        if any(isinstance(mask, Path) for mask in self.masks):
            raise ValueError("masks must be uploaded before a request is sent")
        wire: dict[str, Any] = {"size": self.size, "roles": list(self.roles)}
        for name, values in (("views", self.views), ("masks", self.masks), ("groups", self.groups)):
            if any(values):
                wire[name] = list(values)
        return wire

    @classmethod
    def from_wire(cls, raw: object) -> DraftOptions:
        """Read the extension leniently: what is unknown is left at its default."""
        if not isinstance(raw, Mapping):
            return cls()
        size = raw.get("size")
        views = tuple(v if v in (*VIEWS, GUESS) else "" for v in _listed(raw.get("views")))
        masks = tuple(m if isinstance(m, str) and m else None for m in _listed(raw.get("masks")))
        groups = tuple(g if type(g) is int and 0 < g < 100 else 0 for g in _listed(raw.get("groups")))
        return cls(
            size=size if size in DRAFT_SIZES else "720p",
            roles=tuple(r if r in (*ROLES, GUESS) else "" for r in _listed(raw.get("roles"))),
            views=views if any(views) else (),
            masks=masks if any(masks) else (),
            groups=groups if any(groups) else (),
        )

    def with_masks(self, masks: Sequence[Reference | None]) -> DraftOptions:
        """The same wishes over other mask files or addresses."""
        return replace(self, masks=tuple(masks))


def _listed(value: object) -> list[Any]:
    return value[:IMAGES_MAX] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """One run. Construction checks every field and raises InvalidRequest naming field, limit and remedy.

    `prompt` is what the person typed, mentions and all; `images` are one to seven references; `video` is an
    optional reference video; `duration` is in whole seconds.
    """

    prompt: str
    images: tuple[Reference, ...] = ()
    video: Reference | None = None
    keep_original_sound: bool = True
    aspect_ratio: str = ASPECT_RATIO_DEFAULT
    duration: int = DURATION_DEFAULT
    draft: DraftOptions = field(default_factory=DraftOptions)

    def __post_init__(self) -> None:
        check_prompt(self.prompt)
        check_image_count(len(self.images), with_video=self.video is not None)
        check_duration(self.duration)
        check_aspect_ratio(self.aspect_ratio)
        if not isinstance(self.keep_original_sound, bool):
            raise InvalidRequest("keep_original_sound", "It must be true or false.", "Send a JSON boolean.")
        if self.draft.size not in DRAFT_SIZES:
            raise InvalidRequest(
                "size", f"A draft is made in {' or '.join(DRAFT_SIZES)}.", "Choose one of these."
            )

    @property
    def has_video(self) -> bool:
        """Whether a reference video takes part; it changes the price."""
        return self.video is not None

    def with_references(self, images: Sequence[Reference], video: Reference | None) -> VideoRequest:
        """The same request over other reference files or addresses."""
        return replace(self, images=tuple(images), video=video)

    @classmethod
    def from_wire(cls, raw: Mapping[str, Any]) -> VideoRequest:
        """The request as a service repeats it; in place of references that it does not repeat stands one that
        names nothing. Raises InvalidRequest.
        """
        images, video = raw.get("images"), raw.get("video")
        named = tuple(i for i in images if isinstance(i, str)) if isinstance(images, list) else ()
        return cls(
            prompt=raw.get("prompt", ""),
            images=named or (UNKNOWN_REFERENCE,),
            video=video if isinstance(video, str) and video else None,
            keep_original_sound=raw.get("keep_original_sound", True),
            aspect_ratio=raw.get("aspect_ratio", ASPECT_RATIO_DEFAULT),
            duration=raw.get("duration", DURATION_DEFAULT),
        )

    def to_wire(self, *, prompt: str | None = None) -> dict[str, Any]:
        """The body of a submit. Every reference must be an address by now; `prompt` replaces the typed one.

        Raises ValueError when a reference is still a local file.
        """
        if any(isinstance(reference, Path) for reference in (*self.images, self.video)):
            raise ValueError("references must be uploaded before a request is sent")
        body: dict[str, Any] = {
            "prompt": self.prompt if prompt is None else prompt,
            "images": list(self.images),
            "keep_original_sound": self.keep_original_sound,
            "aspect_ratio": self.aspect_ratio,
            "duration": self.duration,
        }
        if self.video is not None:
            body["video"] = self.video
        return body


def check_prompt(prompt: object) -> None:
    """A sentence of 1 to 2,500 characters that can be sent as UTF-8."""
    if not isinstance(prompt, str) or not prompt.strip():
        raise InvalidRequest("prompt", "It is empty.", "Describe the video in a sentence.")
    if len(prompt) > PROMPT_MAX:
        raise InvalidRequest(
            "prompt",
            f"It has {len(prompt):,} characters; the limit is {PROMPT_MAX:,}.",
            f"Shorten it by {len(prompt) - PROMPT_MAX:,}.",
        )
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            "prompt", "It holds half of a character that cannot be sent.", "Type the last words again."
        ) from error


def check_image_count(count: int, *, with_video: bool) -> None:
    """One to seven pictures, at most four beside a reference video."""
    if count < 1:
        raise InvalidRequest("images", "There is no picture.", f"Add one to {IMAGES_MAX} pictures.")
    if count > IMAGES_MAX:
        raise InvalidRequest(
            "images",
            f"There are {count} pictures; the limit is {IMAGES_MAX}.",
            f"Remove {count - IMAGES_MAX}.",
        )
    if with_video and count > IMAGES_MAX_WITH_VIDEO:
        raise InvalidRequest(
            "images",
            f"There are {count} pictures; beside a reference video the limit is {IMAGES_MAX_WITH_VIDEO}.",
            f"Remove {count - IMAGES_MAX_WITH_VIDEO} or the video.",
        )


def check_duration(duration: object) -> None:
    """A whole number of seconds, 3 to 10; a bool, a float or a string is none."""
    whole = isinstance(duration, int) and not isinstance(duration, bool)
    if not whole or not DURATION_MIN <= int(str(duration)) <= DURATION_MAX:
        raise InvalidRequest(
            "duration",
            f"{duration!r} is not a whole number from {DURATION_MIN} to {DURATION_MAX} (seconds)."[:120],
            f"Choose {DURATION_MIN} to {DURATION_MAX} seconds.",
        )


def check_aspect_ratio(aspect_ratio: object) -> None:
    """One of the three shapes that the model makes."""
    if aspect_ratio not in ASPECT_RATIOS:
        raise InvalidRequest(
            "aspect_ratio",
            f"{str(aspect_ratio)[:20]!r} is not a shape that the model makes.",
            f"Choose {', '.join(ASPECT_RATIOS[:-1])} or {ASPECT_RATIOS[-1]}.",
        )
