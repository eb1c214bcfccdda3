"""Asks who plays in a film of the gallery, for the reading under the prompt; shows nothing itself."""

from __future__ import annotations

from klingo1.ui.components.element import Element


class Casting(Element):
    """Its server function answers `{"paths", "cast"}`: who plays (see Cutting.cast) in the film of which."""

    part = "casting"
