from functools import cache

import numpy as np
import pytest

from klingo1.draft import sets
from klingo1.draft.rocks import rock
from klingo1.draft.scenery import Scenery, scenery_size
from klingo1.draft.scenery_planting import grounded
from klingo1.draft.scenery_shore import Shore
from klingo1.draft.sets import HEADINGS, SetSpec
from klingo1.draft.stage import Camera
from klingo1.draft.tiles import water

PLACES = (
    "forest", "beach", "meadow", "mountains", "snow", "desert",
    "space", "lake", "underwater", "room", "market", "sky",
)  # fmt: skip
SHAPES = ((640, 360), (360, 640), (480, 480))
TIMES = ("day", "dawn", "dusk", "night")


@cache
def scenery_of(place, shape=SHAPES[0], *, time="day", heading="forward", **more):
    inner = scenery_size(*shape, "720p")
    spec = SetSpec(*inner, place=place, time=time, heading=heading, seed=5, **more)
    return Scenery(sets.build(spec), *shape, inner)


def frame_of(scenery, shape=SHAPES[0], *, x=0.0, z=0.0, t=0.5):
    wide = Camera.default(*shape)
    camera = Camera(
        wide.width,
        wide.height,
        x,
        wide.y,
        z,
        wide.focal,
        (0.46 if shape[0] < shape[1] else 0.4) * shape[1],
        wide.centre,
    )
    return scenery.paint(camera, t, ())[..., :3].copy()


def luma(frame):
    return frame.astype(np.float32) @ np.array([0.114, 0.587, 0.299], np.float32)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_hour_is_bright_enough_and_not_flat(place, shape):
    """In each shape and by day and night a frame has a mean luma of 30 or more, a deviation of 20 or more."""
    for time, heading in zip(("dawn", "night"), HEADINGS[:: 1 if shape[0] > shape[1] else -1], strict=True):
        seen = luma(frame_of(scenery_of(place, shape, time=time, heading=heading), shape))
        assert seen.mean() >= 30
        assert seen.std() >= 20


@pytest.mark.parametrize("place", PLACES)
def test_the_same_spec_gives_the_same_frame(place):
    """A set draws no random number of its own."""
    one = frame_of(scenery_of(place, time="dusk"))
    again = scenery_of.__wrapped__(place, time="dusk")
    assert (one == frame_of(again)).all()


@pytest.mark.parametrize("place", PLACES)
def test_moving_the_camera_moves_the_picture(place):
    """A step along the way shows in the frame, for ever: thirty metres on there is still scenery."""
    ahead = scenery_of(place)
    assert np.abs(frame_of(ahead).astype(int) - frame_of(ahead, z=0.5)).mean() > 1.0
    aside = scenery_of(place, heading="lateral")
    assert np.abs(frame_of(aside).astype(int) - frame_of(aside, x=0.5)).mean() > 1.0
    if place != "room":
        assert luma(frame_of(ahead, z=30.0)).std() >= 20
        assert luma(frame_of(aside, x=30.0)).std() >= 20


@pytest.mark.parametrize("place", PLACES)
def test_the_hours_differ(place):
    """Day, dawn, dusk and night are four pictures, none flat, and night is the darkest."""
    frames = {time: frame_of(scenery_of(place, time=time)).astype(int) for time in TIMES}
    for frame in frames.values():
        assert luma(frame).mean() >= 30
        assert luma(frame).std() >= 20
    for a in TIMES:
        for b in TIMES:
            assert a == b or np.abs(frames[a] - frames[b]).mean() > 4
    assert luma(frames["night"]).mean() == min(luma(f).mean() for f in frames.values())


@pytest.mark.parametrize("place", PLACES)
def test_the_way_is_clear(place):
    """No card stands in the middle of a forward way, and none high and close before a lateral camera."""
    for card in scenery_of(place).set.cards:
        if not card.glow and card.y < 2.0:
            assert abs(card.x) >= 0.9
    for card in scenery_of(place, heading="lateral").set.cards:
        assert card.z >= 6.5 or card.image.shape[0] / card.ppm <= 1.3


@pytest.mark.parametrize("look", ["golden", "misty", "neon", "moody", "cold"])
def test_looks_change_the_light_of_a_landscape(look):
    """A look of the prompt shows in the picture."""
    plain, graded = frame_of(scenery_of("meadow")), frame_of(scenery_of("meadow", looks=(look,)))
    assert np.abs(plain.astype(int) - graded).mean() > 3


def test_seasons_change_the_forest():
    """Snowfall makes the forest floor white, falling leaves turn it warm."""
    green = frame_of(scenery_of("forest"))[220:].reshape(-1, 3).mean(axis=0)
    white = frame_of(scenery_of("forest", weather=("snow",)))[220:].reshape(-1, 3).mean(axis=0)
    brown = frame_of(scenery_of("forest", weather=("leaves",)))[220:].reshape(-1, 3).mean(axis=0)
    assert white.mean() > green.mean() + 40
    assert brown[2] - brown[1] > green[2] - green[1] + 5


def test_water_lies_on_its_side_of_the_shore_and_moves():
    """A shore to the right covers the right of the ground, mirrors there, and its waves run."""
    shore = Shore(water(np.random.default_rng(1), (20, 60, 200)), 6.0, along="z", edge=2.0)
    camera = Camera.default(480, 270)
    frame = np.zeros((270, 480, 4), np.uint8)
    shore.draw(frame, camera, 0.0)
    land, sea = frame[200:, :60], frame[200:, -60:]
    assert land[..., 0].max() == 0
    assert sea[..., 0].mean() > 100
    assert sea[..., 3].mean() > 80
    later = np.zeros_like(frame)
    shore.draw(later, camera, 1.5)
    assert np.abs(later.astype(int) - frame).max() > 20


def test_a_grounded_thing_keeps_its_foot_and_darkens_what_is_under_it():
    """The shadow lies below the foot and is no colour."""
    stone = rock(np.random.default_rng(2), 60, 0.5, (200, 180, 160))
    thing = grounded(stone, 60, 0.5)
    card = thing.card(0, 0, 5)
    assert card.anchor[1] == stone.shape[0]
    under = thing.image[stone.shape[0] + 1 :]
    assert under[..., 3].max() > 40
    assert under[..., :3].max() == 0
