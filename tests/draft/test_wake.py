import numpy as np
import pytest

from klingo1.draft.stage import Camera
from klingo1.draft.wake import Wake

CAMERA = Camera.default(320, 180)
HAZE = (200.0, 180.0, 160.0)


def painted(wake, t, at=(0.0, 5.0)):
    frame = np.zeros((180, 320, 4), np.uint8)
    standing = wake.standing(CAMERA, at, t)
    if standing is not None:
        standing.paint(frame)
    return frame[..., :3].astype(int)


@pytest.mark.parametrize("speed", [1.8, -1.8])
def test_dust_and_streaks_trail_behind_the_mover(speed):
    """Sideways there is far more to see behind than ahead, and it changes from frame to frame."""
    wake = Wake.of("drive", haze=HAZE, speed=speed, lateral=True, height=1.2, half=1.0)
    picture = painted(wake, 1.0)
    left, right = picture[:, :160].sum(), picture[:, 160:].sum()
    assert (left > 3 * right) if speed > 0 else (right > 3 * left)
    assert np.abs(picture - painted(wake, 1.1)).max() > 5
    assert (picture == painted(wake, 1.0)).all()


def test_runners_raise_dust_but_no_streaks():
    """Dust stays near the ground."""
    run = painted(Wake.of("run", haze=HAZE, speed=1.6, lateral=True, height=1.7, half=0.4), 1.0)
    drive = painted(Wake.of("drive", haze=HAZE, speed=1.6, lateral=True, height=1.7, half=0.4), 1.0)
    assert 0 < run.sum() < drive.sum()


def test_nobody_who_stands_leaves_a_wake():
    """Without speed, or right before the lens, nothing is painted."""
    still = Wake.of("drive", haze=HAZE, speed=0.0, lateral=False, height=1.0, half=1.0)
    assert still.standing(CAMERA, (0, 5), 1.0) is None
    near = Wake.of("drive", haze=HAZE, speed=1.0, lateral=False, height=1.0, half=1.0)
    assert near.standing(CAMERA, (0, 0.3), 1.0) is None
