"""The right side: the stage, the video, and where the job stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from klingo1.ui.components.stage import Stage
from klingo1.ui.components.status_card import StatusCard
from klingo1.ui.handlers import Handlers
from klingo1.ui.languages import spoken


@dataclass(frozen=True, slots=True)
class ResultPanel:
    """The elements that show a job."""

    stage: Stage
    video: gr.Video
    card: StatusCard


def build(handlers: Handlers, examples: Sequence[dict[str, Any]]) -> ResultPanel:
    """Lay out the result inside the current Blocks."""

    def status(asked: dict[str, str]) -> dict[str, Any] | None:
        return handlers.status(asked)

    def stop(asked: dict[str, str]) -> dict[str, Any] | None:
        return handlers.stop(asked)

    def hand_out(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.hand_out(asked)

    stage = Stage({}, elem_id="k-stage", examples=list(examples))
    video = gr.Video(
        visible=False,  # it comes when the page stands: half of the script is the player's
        label=spoken("Result"),
        show_label=False,
        interactive=False,
        autoplay=True,
        loop=True,
        buttons=[],
        elem_id="k-video",
    )
    card = StatusCard({}, elem_id="k-card", server_functions=[status, stop, hand_out])
    return ResultPanel(stage, video, card)
