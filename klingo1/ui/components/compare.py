"""Two takes side by side: played as one, stepped by frames, with what differs between them."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class Compare(Element):
    """A dialog over the page; it knows the finished runs from the history and asks the server nothing."""

    part = "compare"
