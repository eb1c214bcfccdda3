"""The brush over a picture's automatic cut: keep here, remove there, look, save.

Two parts side by side: the panel with its words and buttons, and Gradio's image editor, which takes the
strokes. The editor's own bars are hidden; the panel's buttons drive it. It is loaded when somebody opens it.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components.image_editor import EditorData
from gradio.data_classes import FileData, GradioModel

from klingo1.ui.components.element import Element, ElementMeta


class Cut(GradioModel):  # type: ignore[misc]
    """Which picture is open, counted from 0, the mask drawn so far, and the number of the question."""

    index: int = -1
    mask: FileData | None = None
    asked: int = 0


class CutoutBrush(Element):
    """The panel. Its value reaches handlers as {"index", "mask", "asked"}; they tell how things stand."""

    part = "cutout_brush"
    data_model = Cut

    def preprocess(self, payload: Any) -> dict[str, Any]:
        """The open picture and its mask so far, as plain values."""
        cut = payload if isinstance(payload, Cut) else Cut()
        return {"index": cut.index, "mask": cut.mask.path if cut.mask else "", "asked": cut.asked}


class BrushCanvas(gr.ImageEditor, metaclass=ElementMeta):  # type: ignore[misc]
    """The picture to draw on. Takes a path; gives the path of the strokes, which nobody has opened yet."""

    is_template = True  # Gradio's own script draws it

    def preprocess(self, payload: EditorData | None) -> str | None:
        """The first layer. It is a visitor's file: only the intake may open it."""
        layers = payload.layers if payload else None
        return str(layers[0].path) if layers else None

    def postprocess(self, value: str | None) -> EditorData | None:
        """A new picture under an empty layer."""
        return EditorData(background=FileData(path=value), layers=[], composite=None) if value else None

    def accept_blobs(self, data: Any) -> None:
        """Not reachable: strokes come as uploads, with an upload's limits, never into memory."""
        raise NotImplementedError
