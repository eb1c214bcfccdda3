"""Earlier and running jobs, newest first."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class HistoryStrip(Element):
    """Reads the ledger through a server function; a click shows a job or takes its inputs again."""

    part = "history_strip"
