"""The left side: what a video is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from klingo1.request import ASPECT_RATIO_DEFAULT, DRAFT_SIZES, DURATION_DEFAULT, Engine
from klingo1.ui.components.aspect_slider import AspectSlider
from klingo1.ui.components.casting import Casting
from klingo1.ui.components.coach import Coach
from klingo1.ui.components.draft_size import DraftSize
from klingo1.ui.components.duration_slider import DurationSlider
from klingo1.ui.components.engine_switch import EngineSwitch
from klingo1.ui.components.price_tag import PriceTag
from klingo1.ui.components.prompt_box import PromptBox
from klingo1.ui.components.reference_gallery import ReferenceGallery
from klingo1.ui.components.reference_video import ReferenceVideo
from klingo1.ui.cutouts import Cutouts
from klingo1.ui.handlers import Handlers
from klingo1.ui.handout import recipe_view
from klingo1.ui.reading import read_prompt


@dataclass(frozen=True, slots=True)
class ComposePanel:
    """The form's elements, in the order of the form."""

    pictures: ReferenceGallery
    clip: ReferenceVideo
    prompt: PromptBox
    duration: DurationSlider
    aspect: AspectSlider
    engine: EngineSwitch
    size: DraftSize
    price: PriceTag
    coach: Coach
    casting: Casting

    @property
    def form(self) -> list[gr.HTML]:
        """The inputs of a run, in the order of `handlers.Form`."""
        return [self.pictures, self.clip, self.prompt, self.duration, self.aspect, self.engine, self.size]


def build(handlers: Handlers, cutouts: Cutouts) -> ComposePanel:
    """Lay out the form inside the current Blocks."""

    def give_key(asked: dict[str, str]) -> dict[str, object]:
        return handlers.give_key(asked)

    def forget_key(asked: dict[str, str]) -> dict[str, object]:
        return handlers.forget_key(asked)

    def recipe(asked: object) -> dict[str, object] | None:
        path = asked.get("path") if isinstance(asked, dict) else None
        return recipe_view(path, received=Path(get_upload_folder()))

    def understand(asked: dict[str, object]) -> dict[str, object]:
        return read_prompt(asked)

    def cast(asked: object) -> dict[str, object]:
        return cutouts.cast_of_received(asked, received=Path(get_upload_folder()))

    def judge(asked: object) -> dict[str, object]:
        return handlers.judge_received(asked, received=Path(get_upload_folder()))

    pictures = ReferenceGallery(elem_id="k-pictures")
    clip = ReferenceVideo(elem_id="k-clip", server_functions=[recipe])
    prompt = PromptBox("", elem_id="k-prompt", server_functions=[understand])
    with gr.Row(elem_id="k-sliders"):
        duration = DurationSlider(DURATION_DEFAULT, elem_id="k-duration")
        aspect = AspectSlider(ASPECT_RATIO_DEFAULT, elem_id="k-aspect")
    engine = EngineSwitch(Engine.DRAFT.value, elem_id="k-engine", server_functions=[give_key, forget_key])
    size = DraftSize(DRAFT_SIZES[0], elem_id="k-size")
    price = PriceTag({}, elem_id="k-generate")
    coach = Coach({}, elem_id="k-coach", server_functions=[judge])
    casting = Casting({}, elem_id="k-casting", server_functions=[cast])
    return ComposePanel(pictures, clip, prompt, duration, aspect, engine, size, price, coach, casting)
