"""The picture's shape: a native range input with three stops and a small frame that takes the shape."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class AspectSlider(Element):
    """The aspect ratio as a string such as "16:9"."""

    part = "aspect_slider"
