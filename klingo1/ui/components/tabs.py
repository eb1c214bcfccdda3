"""One video, or a list of them: which of the two the page shows."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class Tabs(Element):
    """Shows one of two parts of the page; the history stays below both."""

    part = "tabs"
