import numpy as np
import pytest

from klingo1.draft.plan import WEATHERS
from klingo1.draft.weather import Weather

EXTRA = ("drizzle", "rays", "bubbles")


def weather(name):
    return Weather([name], 320, 180, (200, 210, 220), np.random.default_rng(3))


@pytest.mark.parametrize("name", WEATHERS + EXTRA)
def test_every_weather_shows_and_moves(name):
    """Each changes a grey frame, differently two seconds later, and the same way when asked again."""
    frames = []
    for t in (1.0, 2.9, 1.0):
        frame = np.full((180, 320, 4), 90, np.uint8)
        weather(name).draw_behind(frame, t)
        weather(name).draw(frame, t)
        frames.append(frame.astype(int))
    assert np.abs(frames[0][..., :3] - 90).max() > 8
    assert np.abs(frames[0] - frames[1]).max() > 3
    assert (frames[0] == frames[2]).all()


def test_unknown_weather_is_fine_weather():
    """A word without a picture leaves the frame as it is."""
    frame = np.full((180, 320, 4), 90, np.uint8)
    weather("plague").draw(frame, 1.0)
    assert (frame == 90).all()


def test_fog_hangs_behind_the_cast():
    """Over faces lies a thin veil alone; most of the fog is painted before the cast is."""
    change = []
    for draw in (weather("fog").draw_behind, weather("fog").draw):
        frame = np.full((180, 320, 4), 40, np.uint8)
        draw(frame, 1.0)
        change.append(np.abs(frame[..., :3].astype(int) - 40).mean())
    assert change[0] > 3 * change[1] > 0
