"""How long the video is, in whole seconds."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class DurationSlider(Element):
    """The duration as an integer."""

    part = "duration_slider"
