import numpy as np
import pytest

from klingo1.draft.anatomy import stance
from klingo1.draft.light import Light
from klingo1.draft.rig import PHASES, Puppet

LIGHT = Light()


def person(height=300):
    view = np.zeros((height, height // 2, 4), np.uint8)
    view[..., :3] = (80, 120, 200)
    middle = height // 4
    view[4 : height // 5, middle - 24 : middle + 24, 3] = 255
    view[height // 5 : int(0.6 * height), middle - 40 : middle + 40, 3] = 255
    view[int(0.6 * height) : height - 2, middle - 32 : middle - 8, 3] = 255
    view[int(0.6 * height) : height - 2, middle + 8 : middle + 32, 3] = 255
    return view


def solid(height, width):
    view = np.full((height, width, 4), 180, np.uint8)
    view[..., 3] = 255
    return view


def test_the_hip_is_found_between_two_legs():
    """The crotch of a figure with legs is where the gap ends; a block has none."""
    puppet = Puppet.of(person(), "side", LIGHT, 300)
    assert puppet.hip is not None
    assert (puppet.hip - (puppet.foot - puppet.height)) / puppet.height == pytest.approx(0.6, abs=0.03)
    assert Puppet.of(solid(200, 180), "front", LIGHT, 200).hip is None


@pytest.mark.parametrize("name", ["side", "front", "back"])
@pytest.mark.parametrize("action", ["walk", "run"])
def test_a_walk_moves_the_legs_and_not_the_head(name, action):
    """Over a cycle the lower part changes far more than the upper; no phase loses the figure."""
    puppet = Puppet.of(person(), name, LIGHT, 300)
    poses = [puppet.pose(action, k / PHASES).image.astype(int) for k in range(0, PHASES, 3)]
    cut = puppet.hip
    change = [np.abs(a - poses[0]) for a in poses[1:]]
    assert max(c[cut:].mean() for c in change) > 1.5 * max(c[:cut].mean() for c in change)
    area = [(p[..., 3] > 100).sum() for p in poses]
    assert min(area) > 0.75 * max(area)


@pytest.mark.parametrize("name", ["side", "front", "back"])
def test_sitting_lowers_the_head_and_stays_on_the_ground(name):
    """Seated, the head is clearly lower than standing, and the lowest part still touches the ground."""
    puppet = Puppet.of(person(), name, LIGHT, 300)
    rows = np.flatnonzero((puppet.pose("sit", 0.99).image[..., 3] > 120).any(axis=1))
    assert rows[0] > puppet.foot - 0.85 * puppet.height
    assert abs(int(rows[-1]) - puppet.foot) <= 0.06 * puppet.height
    standing = np.flatnonzero((puppet.pose("rest", 0.0).image[..., 3] > 120).any(axis=1))
    assert standing[0] < rows[0] - 0.1 * puppet.height


def test_from_the_side_legs_stretch_to_where_the_figure_looks():
    """Facing left, somebody seated has the feet at the left."""
    for facing in (1, -1):
        puppet = Puppet.of(person(), "side", LIGHT, 300, facing=facing)
        low = puppet.pose("sit", 0.99).image[puppet.foot - 20 :, :, 3] > 120
        columns = np.flatnonzero(low.any(axis=0)) - puppet.centre
        assert max(columns * facing) > max(-columns * facing) + 0.15 * puppet.height


def test_a_wave_moves_the_upper_body_and_one_side_more():
    """The feet stay, the upper half moves, and one side of it moves more than the other."""
    puppet = Puppet.of(person(), "front", LIGHT, 300)
    poses = [puppet.pose("wave", k / PHASES).image[..., 3].astype(int) for k in range(0, PHASES, 3)]
    change = np.max([np.abs(p - poses[0]) for p in poses], axis=0)
    assert change[: puppet.hip].mean() > 4 * change[puppet.foot - 30 :].mean()


def test_feet_reach_the_ground_in_every_phase():
    """In each phase of a walk some sole is within two per cent of the ground."""
    puppet = Puppet.of(person(), "side", LIGHT, 300)
    for k in range(PHASES):
        rows = np.flatnonzero((puppet.pose("walk", k / PHASES).image[..., 3] > 120).any(axis=1))
        assert abs(int(rows[-1]) - puppet.foot) <= 0.05 * puppet.height


def test_small_on_screen_means_a_smaller_picture():
    """A far figure is painted from a halved pose."""
    puppet = Puppet.of(person(), "side", LIGHT, 300)
    assert puppet.pose("walk", 0.2, 0.3).image.shape[0] < 0.6 * puppet.image.shape[0]


def test_a_tall_puppet_keeps_few_poses_and_shows_the_same(monkeypatch):
    """A pose beyond what is kept is made anew, pixel for pixel; those that are kept stay the same picture."""
    whole, spare = (Puppet.of(person(), "side", LIGHT, 300) for _ in range(2))
    monkeypatch.setattr("klingo1.draft.rig._KEPT", 5 * spare.image.nbytes)
    phases = [step / PHASES for step in range(PHASES)]
    first = [spare.pose("walk", phase) for phase in phases]
    again = [spare.pose("walk", phase) for phase in phases]
    assert [one is other for one, other in zip(first, again, strict=True)] == [True] * 5 + [False] * (
        PHASES - 5
    )
    monkeypatch.setattr("klingo1.draft.rig._KEPT", 10**9)
    for phase, one, other in zip(phases, first, again, strict=True):
        assert (one.image == other.image).all()
        assert (one.image == whole.pose("walk", phase).image).all()


@pytest.mark.parametrize(
    "view", [np.zeros((50, 40, 4), np.uint8), solid(3000, 8), solid(8, 3000), solid(1, 1)]
)
@pytest.mark.parametrize("action", ["walk", "dance", "still"])
def test_odd_cutouts_are_no_error(view, action):
    """Transparent, very tall, very wide and single-pixel views still make a puppet of a sensible size."""
    puppet = Puppet.of(view, "front", LIGHT, 500)
    picture = puppet.pose(action, 0.4).image
    assert max(picture.shape[:2]) <= 4000
    assert stance(view) in {"person", "bust", "figure"}
