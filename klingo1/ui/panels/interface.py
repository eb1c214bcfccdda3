"""Invisible components that give the public endpoint its names, types and file checks."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from klingo1.request import ASPECT_RATIO_DEFAULT, DURATION_DEFAULT, EXAMPLE_PROMPT, Engine


@dataclass(frozen=True, slots=True)
class InterfacePanel:
    """Inputs and outputs of `/generate`."""

    inputs: list[gr.components.Component]
    outputs: list[gr.components.Component]


def build() -> InterfacePanel:
    """Lay out the interface's components, none of which the page shows."""
    with gr.Row(visible=False):
        inputs = [
            gr.File(label="images: one to seven pictures", file_count="multiple"),
            gr.Textbox(label="prompt", placeholder=EXAMPLE_PROMPT),
            gr.File(label="video: an optional reference video"),
            gr.Checkbox(label="keep_original_sound", value=True),
            gr.Textbox(label="aspect_ratio: 16:9, 9:16 or 1:1", value=ASPECT_RATIO_DEFAULT),
            gr.Number(label="duration: whole seconds, 3 to 10", value=DURATION_DEFAULT),
            gr.Textbox(label="engine: draft or kling", value=Engine.DRAFT.value),
        ]
        outputs = [gr.JSON(label="state"), gr.File(label="video")]
    return InterfacePanel(inputs, outputs)
