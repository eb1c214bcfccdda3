"""The prompt: text, counter, mentions of the pictures, phrases that come and go with one click."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class PromptBox(Element):
    """The prompt as a string."""

    part = "prompt_box"
