from itertools import pairwise

import pytest

from klingo1.draft.acting import SPEED, YAW, act
from klingo1.draft.plan import ACTIONS


def poses(action, **facts):
    facts = {"legs": True, "solid": False, **facts}
    return [act(action, n / 24, seconds=4, **facts) for n in range(96)]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("solid", [False, True])
def test_every_action_moves_without_jumping(action, solid):
    """Each action changes over time, and no frame is far from the one before."""
    track = poses(action, legs=not solid, solid=solid)
    assert len(set(track)) > 8
    for a, b in pairwise(track):
        assert abs(a.lift - b.lift) < 0.12
        assert abs(a.turn - b.turn) < 0.16
        assert abs(a.wide - b.wide) < 0.12
    assert all(p.lift > -0.06 and 0.6 < p.tall < 1.3 for p in track)


@pytest.mark.parametrize("action", ["turn", "spin"])
def test_one_view_turns_no_farther_than_it_can_show(action):
    """A single view is foreshortened by at most 35 degrees and never mirrored."""
    import math

    assert min(p.wide for p in poses(action, legs=False, solid=True)) >= math.cos(YAW) - 1e-9


def test_three_views_turn_all_the_way_round():
    """With front, side and back there, a spin shows them in turn."""
    shown = [p.view for p in poses("spin", all_round=True)]
    assert set(shown) == {"front", "side", "back"}


def test_whoever_has_no_legs_does_not_stride():
    """A thing that walks hops; a person steps."""
    assert {p.cycle for p in poses("walk")} == {"walk"}
    assert "walk" not in {p.cycle for p in poses("walk", legs=False)}


def test_a_fall_ends_on_the_ground():
    """It begins in the air and comes to rest."""
    track = poses("fall")
    assert track[0].lift > 0.8
    assert track[-1].lift < 0.02


def test_only_actions_of_the_plan_have_speed():
    """No speed for a word that the director cannot say."""
    assert set(SPEED) <= set(ACTIONS)


def test_actions_differ_at_a_glance():
    """Seated, prone, leaping and waving figures take poses of their own."""
    assert {p.cycle for p in poses("sit")} == {"sit"}
    assert min(p.turn for p in poses("fly", prone=1)) > 0.9
    assert max(p.turn for p in poses("fly", prone=-1)) < -0.9
    assert max(p.lift for p in poses("jump")) > 0.3
    assert {p.cycle for p in poses("wave")} == {"wave"}
    assert poses("fall")[-1].cycle == "sit"


def test_a_print_is_never_folded_or_thrown_about():
    """What is a flat picture or a thing keeps its shape and moves gently."""
    for action in ACTIONS:
        for pose in poses(action, legs=False, solid=True, calm=True):
            assert pose.cycle in {"rest", "walk", "run", "sit", "wave", "dance"}
    assert max(abs(p.turn) for p in poses("dance", legs=False, solid=True, calm=True)) <= 0.05
