"""An optional reference video: a file, or an address for the paid engine; with or without its sound."""

from __future__ import annotations

from typing import Any

from gradio.data_classes import FileData, GradioModel

from klingo1.ui.components.element import Element


class Clip(GradioModel):  # type: ignore[misc]
    """The element's value: at most one of `file` and `url`."""

    file: FileData | None = None
    url: str = ""
    keep_sound: bool = True


class ReferenceVideo(Element):
    """The video slot. Its value reaches handlers as {"path", "url", "keep_sound"}."""

    part = "reference_video"
    data_model = Clip

    def preprocess(self, payload: Any) -> dict[str, Any]:
        """The clip as plain values."""
        clip = payload if isinstance(payload, Clip) else Clip()
        return {
            "path": clip.file.path if clip.file else "",
            "url": clip.url,
            "keep_sound": clip.keep_sound,
        }

    def postprocess(self, value: Any) -> Clip:
        """Python only ever empties the slot; the script fills it."""
        return value if isinstance(value, Clip) else Clip()
