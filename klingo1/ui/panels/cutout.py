"""Over the page when it is asked for: the brush on one picture's cut-out."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from klingo1.cutting import KEEP, REMOVE
from klingo1.ui.components.cutout_brush import BrushCanvas, CutoutBrush

SIZE_DEFAULT = 40
"""Of the brush, in pixels of the picture as it is shown."""


@dataclass(frozen=True, slots=True)
class CutoutPanel:
    """The words and buttons, and the picture to paint on."""

    brush: CutoutBrush
    canvas: BrushCanvas


def build() -> CutoutPanel:
    """Lay out the brush inside the current Blocks."""
    with gr.Column(elem_id="k-brush", min_width=0):
        brush = CutoutBrush(
            elem_id="k-brush-panel", colours={"keep": KEEP, "remove": REMOVE}, size=SIZE_DEFAULT
        )
        canvas = BrushCanvas(
            visible=False,
            interactive=True,
            show_label=False,
            container=False,
            sources=(),
            transforms=(),
            layers=False,
            buttons=[],
            format="png",
            height="var(--k-canvas)",
            brush=gr.Brush(
                colors=[KEEP, REMOVE], default_color=KEEP, default_size=SIZE_DEFAULT, color_mode="fixed"
            ),
            elem_id="k-canvas",
        )
    return CutoutPanel(brush, canvas)
