"""How large a draft is made. The paid model has no such choice, so the element is there for drafts only."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class DraftSize(Element):
    """The size as a string: one of request.DRAFT_SIZES."""

    part = "draft_size"
