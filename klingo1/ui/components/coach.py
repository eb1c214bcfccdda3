"""Carries the server's notes on the pictures to the gallery; shows nothing itself."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class Coach(Element):
    """Notes by the picture's path: [{"kind", "text"}]."""

    part = "coach"
