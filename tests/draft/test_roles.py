"""Guessing who acts and what is a thing, by outline."""

import numpy as np
import pytest
from drawings import figure

from klingo1.draft.roles import role_of_cut, role_of_print


def plain(height, width):
    return np.full((height, width, 3), 120, np.uint8)


def test_somebody_on_two_legs_is_a_character():
    """A figure from head to foot is a character though no face is found."""
    bgr, mask = figure(0.8)
    assert role_of_cut(np.dstack([bgr, mask]), bgr) == "character"


@pytest.mark.parametrize(("height", "width"), [(300, 90), (200, 200), (90, 300)])
def test_an_even_block_is_a_thing(height, width):
    """Towers, boxes and cars without a face are props."""
    view = np.dstack([plain(height, width), np.full((height, width), 255, np.uint8)])
    assert role_of_cut(np.pad(view, ((2, 2), (2, 2), (0, 0))), plain(400, 400)) == "prop"


def test_wide_prints_are_things():
    """A wide photograph that cannot be cut is a prop, an upright one somebody's portrait."""
    assert role_of_print(plain(300, 500)) == "prop"
    assert role_of_print(plain(500, 300)) == "character"
