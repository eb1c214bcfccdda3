from dataclasses import replace

import numpy as np

from klingo1.draft.ground import Ground
from klingo1.draft.stage import Camera
from klingo1.draft.tiles import grass, plain

CAMERA = Camera.default(160, 90)


def test_the_ground_fills_every_row_below_the_horizon():
    """Nothing above is touched and nothing below is left out."""
    frame = np.zeros((90, 160, 4), np.uint8)
    top = Ground(plain((200, 200, 200)), 4).draw(frame, CAMERA)
    assert top == int(CAMERA.horizon) + 1
    assert frame[:top].max() == 0
    assert frame[top:, :, 0].min() == 200


def test_walking_one_tile_changes_nothing():
    """The texture repeats after its own length: the world has no end and no seam."""
    ground = Ground(grass(np.random.default_rng(1)), 6.0)
    first, second = np.zeros((90, 160, 4), np.uint8), np.zeros((90, 160, 4), np.uint8)
    ground.draw(first, CAMERA)
    ground.draw(second, replace(CAMERA, z=6.0, x=-12.0))
    assert np.abs(first.astype(int) - second).max() <= 3
    ground.draw(second, replace(CAMERA, z=2.7))
    assert np.abs(first.astype(int) - second).mean() > 1


def test_a_strip_begins_at_its_distance_with_a_soft_edge():
    """Water beyond a shore leaves the near ground alone and blends at its edge."""
    frame = np.zeros((90, 160, 4), np.uint8)
    Ground(plain((50, 50, 50)), 4).draw(frame, CAMERA)
    Ground(plain((250, 250, 250)), 4, near=6.0, feather=1.5).draw(frame, CAMERA)
    rows = frame[int(CAMERA.horizon) + 1 :, 80, 0]
    assert rows[0] == 250
    assert rows[-1] == 50
    assert ((rows > 60) & (rows < 240)).any()


def test_a_horizon_below_the_picture_is_no_error():
    """A camera that looks at nothing but sky paints no ground."""
    frame = np.zeros((90, 160, 4), np.uint8)
    Ground(plain((50, 50, 50)), 4).draw(frame, replace(CAMERA, horizon=200.0))
    assert frame.max() == 0
