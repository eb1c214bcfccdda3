"""Asks for the server's notes on the pictures and hands them to the gallery; shows nothing itself."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class Coach(Element):
    """Its server function answers with notes by the picture's path: [{"kind", "text"}]."""

    part = "coach"
