import numpy as np
import pytest

from klingo1.draft.light import Finish, picture_of
from klingo1.draft.plan import WEATHERS
from klingo1.draft.weather import Weather

EXTRA = ("drizzle", "rays", "bubbles")


def weather(name):
    return Weather([name], 320, 180, (200, 210, 220), np.random.default_rng(3))


def seen(name, t, grey, *, behind=True, before=True):
    """A grey frame in that weather as a viewer sees it, or what hangs behind or before the cast alone."""
    frame = np.full((180, 320, 4), grey, np.uint8)
    sky = weather(name)
    if behind:
        sky.draw_behind(frame, t)
    if before:
        sky.draw(frame, t)
    finish = Finish(320, 180, bloom=0.0, bloom_from=255)
    wash = sky.wash(t) if before else None
    planes = finish.planes(frame, 0, wash, (lambda luma: sky.draw_rain(luma, t)) if before else None)
    return picture_of(planes).astype(int)


@pytest.mark.parametrize("name", WEATHERS + EXTRA)
def test_every_weather_shows_and_moves(name):
    """Each changes a grey frame, differently two seconds later, and the same way when asked again."""
    frames = [seen(name, t, 90) for t in (1.0, 2.9, 1.0)]
    assert np.abs(frames[0] - seen("plague", 1.0, 90)).max() > 8
    assert np.abs(frames[0] - frames[1]).max() > 3
    assert (frames[0] == frames[2]).all()


def test_unknown_weather_is_fine_weather():
    """A word without a picture leaves the frame as it is."""
    frame = np.full((180, 320, 4), 90, np.uint8)
    weather("plague").draw(frame, 1.0)
    assert (frame == 90).all()


def test_fog_hangs_behind_the_cast():
    """Over faces lies a thin veil alone; most of the fog is painted before the cast is."""
    still = seen("plague", 1.0, 40)
    behind, before = (
        np.abs(seen("fog", 1.0, 40, behind=side, before=not side) - still).mean() for side in (True, False)
    )
    assert behind > 3 * before > 0
