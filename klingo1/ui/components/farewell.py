"""Everything of mine is to go: asked once more, then done at once."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class Farewell(Element):
    """Holds no value."""

    part = "farewell"
