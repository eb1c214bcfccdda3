"""One to seven pictures: add, drop, paste, number, reorder, remove, name a role."""

from __future__ import annotations

from typing import Any

from gradio.data_classes import FileData, GradioModel, GradioRootModel

from klingo1.ui.components.element import Element


class Picture(GradioModel):  # type: ignore[misc]
    """One uploaded picture with the role and the view a person gave it ("" lets the engine guess)."""

    file: FileData
    role: str = ""
    view: str = ""


class Pictures(GradioRootModel):  # type: ignore[misc]
    """The gallery's value. As `FileData`, only files that this app received are accepted as paths."""

    root: list[Picture]


class ReferenceGallery(Element):
    """The gallery. Its value reaches handlers as a list of {"path", "name", "role", "view"}."""

    part = "reference_gallery"
    data_model = Pictures

    def preprocess(self, payload: Any) -> list[dict[str, str]]:
        """The pictures in their order."""
        pictures = payload.root if isinstance(payload, Pictures) else []
        return [
            {"path": p.file.path, "name": p.file.orig_name or "", "role": p.role, "view": p.view}
            for p in pictures
        ]

    def postprocess(self, value: Any) -> Pictures:
        """Python only ever empties the gallery; the script fills it."""
        return value if isinstance(value, Pictures) else Pictures(root=[])
