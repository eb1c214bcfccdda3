"""One to seven pictures: add, drop, paste, number, reorder, remove, name a role."""

from __future__ import annotations

from typing import Any

from gradio.data_classes import FileData, GradioModel, GradioRootModel

from klingo1.ui.components.element import Element


class Picture(GradioModel):  # type: ignore[misc]
    """One uploaded picture with what a person said of it: the role and the view ("" lets the engine guess),
    the mask of a corrected cut-out, and a number that pictures of the same subject share (0: a guess).
    """

    file: FileData
    role: str = ""
    view: str = ""
    mask: FileData | None = None
    group: int = 0


class Pictures(GradioRootModel):  # type: ignore[misc]
    """The gallery's value. As `FileData`, only files that this app received are accepted as paths."""

    root: list[Picture]


class ReferenceGallery(Element):
    """The gallery. Its value reaches handlers as a list of the pictures' paths, names and what was said."""

    part = "reference_gallery"
    data_model = Pictures

    def preprocess(self, payload: Any) -> list[dict[str, Any]]:
        """The pictures in their order."""
        pictures = payload.root if isinstance(payload, Pictures) else []
        return [
            {
                "path": p.file.path,
                "name": p.file.orig_name or "",
                "role": p.role,
                "view": p.view,
                "mask": p.mask.path if p.mask else "",
                "group": p.group,
            }
            for p in pictures
        ]

    def postprocess(self, value: Any) -> Pictures:
        """Python only ever empties the gallery; the script fills it."""
        return value if isinstance(value, Pictures) else Pictures(root=[])
