"""The frame on the right: examples at first, then the references, the work going on, and the video."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class Stage(Element):
    """Shows what the other elements know; `examples` are complete inputs a click loads."""

    part = "stage"
