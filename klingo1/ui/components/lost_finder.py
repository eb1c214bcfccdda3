"""Finds runs that the service has and this page has not, and asks about those of which nobody knows."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class LostFinder(Element):
    """A quiet button below the history; what it finds can be fetched with one click."""

    part = "lost_finder"
