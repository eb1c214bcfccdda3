"""The head of the page: name, what it is, light or dark."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class Masthead(Element):
    """Holds no value."""

    part = "masthead"
