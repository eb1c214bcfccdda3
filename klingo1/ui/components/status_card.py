"""Where a job stands: its phase, its clock, its progress, what can be done, every field of the reply.

The card asks a server function, with growing pauses when nothing answers; it never holds a stream open, so a
cut network or a restarted server costs nothing but the pause.
"""

from __future__ import annotations

from klingo1.ui.components.element import Element


class StatusCard(Element):
    """The session as JSON: owner, shown job, quote, whether a key is known, problems of the last click."""

    part = "status_card"
