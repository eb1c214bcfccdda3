"""Light on the cast and on the finished picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a place. Colours are red-green-blue factors, about 0-1.

    `ambient` multiplies the cast's colours (1 leaves them); `rim_left` and `rim_right` are the colours that
    catch the edges; `side` (-1-1) brightens the right (or left) half; `foot` darkens towards the ground
    (1: not at all); `shadow` (0-1) is how dark the contact shadow is.
    """

    ambient: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rim_left: tuple[float, float, float] = (0.5, 0.5, 0.5)
    rim_right: tuple[float, float, float] = (0.5, 0.5, 0.5)
    side: float = 0.12
    foot: float = 0.8
    shadow: float = 0.5
