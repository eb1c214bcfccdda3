from itertools import pairwise

import pytest

from klingo1.draft.camera import MOVES, ease, move
from klingo1.draft.plan import CAMERAS


def test_every_move_of_the_plan_exists():
    """The director can name no move that the camera does not know."""
    assert set(MOVES) == set(CAMERAS)


def test_ease_starts_and_ends_at_rest():
    """It runs from 0 to 1, is flat at both ends, and is clamped outside."""
    assert (ease(-1), ease(0), ease(0.5), ease(1), ease(2)) == (0, 0, 0.5, 1, 1)
    assert ease(0.01) < 0.001


@pytest.mark.parametrize("name", CAMERAS)
def test_moves_are_smooth_and_bounded(name):
    """No move jumps between two frames of a short shot, and none leaves the picture's reach."""
    steps = [move([name], n / 48, n / 24) for n in range(49)]
    for a, b in pairwise(steps):
        assert abs(b.pan - a.pan) < 0.025
        assert abs(b.tilt - a.tilt) < 0.02
        assert abs(b.forward - a.forward) < 0.02
    assert all(abs(s.side) <= 0.5 and abs(s.pan) <= 0.3 and s.rise >= 0 for s in steps)


def test_push_comes_nearer_and_pull_goes_away():
    """The names mean what a camera operator means by them."""
    assert move(["push"], 1, 2).forward > move(["push"], 0, 0).forward
    assert move(["pull"], 1, 2).forward < move(["pull"], 0, 0).forward


def test_without_a_move_the_camera_breathes_and_static_does_not():
    """An unnamed camera drifts a little; a static one stands still."""
    assert move([], 0.7, 1.0) != move([], 0.2, 0.3)
    assert move(["static"], 0.7, 1.0) == move(["static"], 0.2, 0.3)


def test_moves_add_up_and_unknown_ones_do_nothing():
    """Two moves at once are the sum of both."""
    both = move(["push", "pan", "teleport"], 0.8, 1.0)
    assert both.forward == move(["push"], 0.8, 1.0).forward
    assert both.pan == move(["pan"], 0.8, 1.0).pan
