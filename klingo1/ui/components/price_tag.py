"""The Generate button that carries the price, and the list of what is still missing."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class PriceTag(Element):
    """The click: {"quote": one-use token, "expected": micro-dollars shown on the button}."""

    part = "price_tag"
