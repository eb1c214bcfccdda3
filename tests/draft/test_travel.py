import pytest

from klingo1.draft.blocking import Body
from klingo1.draft.plan import Part
from klingo1.draft.travel import travel

PERSON = Body(0.4, "person")


def way(*actions, views=(), lateral=False, held_back=False):
    parts = [Part(i, action, views[i] if views else "front") for i, action in enumerate(actions)]
    bodies = [PERSON] * len(parts)
    right = [True] * len(parts)
    return travel(parts, bodies, right, 4.0, 5.0, 6.0, lateral=lateral, held_back=held_back, slow=1.0)


def test_a_group_that_walks_together_is_followed():
    """Everybody and the camera have the same way behind them at any time."""
    together = way("walk", "walk", "run")
    assert together.lead(2.0)[1] < 0  # seen from the front: towards us
    assert {together.player(index, 2.0) for index in range(3)} == {together.camera(2.0)}


@pytest.mark.parametrize("actions", [("walk", "sit"), ("sit", "walk"), ("dance", "sit", "fly")])
def test_who_sits_stays_where_it_is_while_another_goes(actions):
    """Whoever is at rest has the same place throughout, whoever goes has not, and stays in sight."""
    mixed = way(*actions)
    for index, action in enumerate(actions):
        start, stop = mixed.player(index, 0.0), mixed.player(index, 4.0)
        assert (start == stop) == (action in ("sit", "dance"))
        assert abs(stop[1] - start[1]) < 5.0 / 4


def test_somebody_before_a_photograph_crosses_its_middle():
    """The camera goes a part of the way; halfway through the shot both are at the mark."""
    crossing = way("walk", views=("side",), lateral=True, held_back=True)
    assert crossing.lead(2.0) == crossing.camera(2.0) == (0.0, 0.0)
    assert 0 < crossing.camera(4.0)[0] < crossing.lead(4.0)[0]
