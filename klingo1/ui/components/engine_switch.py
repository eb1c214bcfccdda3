"""Draft or Kling O1, and the box that takes a key for the latter.

The key goes from the password field straight to a server function; it is never a component's value, so it
reaches no browser storage, no shared link and no log.
"""

from __future__ import annotations

from klingo1.ui.components.element import Element


class EngineSwitch(Element):
    """The engine as a string: "draft" or "kling"."""

    part = "engine_switch"
