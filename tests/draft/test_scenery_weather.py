"""What weather does to a place: clouds, lying snow, and what stays outside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from klingo1.draft.plan import Plan, Shot
from klingo1.draft.scenery_weather import capped, cloudiness
from klingo1.draft.sets import SetSpec, build
from klingo1.draft.shoot import Studio

SPEC = SetSpec(320, 180, place="meadow", time="day")


def saturation(picture):
    pixels = picture[..., :3].astype(float)
    return float((pixels.max(axis=-1) - pixels.min(axis=-1)).mean())


def test_rain_hides_the_sun_and_greys_the_sky():
    """Nobody films a downpour under a blue sky."""
    clear, wet = build(SPEC), build(replace(SPEC, weather=("rain",)))
    above = slice(0, round(0.7 * clear.horizon))
    assert saturation(wet.sky[above]) < 0.55 * saturation(clear.sky[above])
    assert cloudiness(("confetti", "dust")) == 0.0


@pytest.mark.parametrize("place", ["meadow", "city", "mountains"])
def test_falling_snow_lies(place):
    """The ground turns white and keeps its metres."""
    bare, white = (build(replace(SPEC, place=place, weather=w)) for w in ((), ("snow",)))
    assert white.grounds[0].tile[..., :3].mean() > bare.grounds[0].tile[..., :3].mean() + 30
    assert white.grounds[0].metres == bare.grounds[0].metres


def test_snow_caps_the_top_of_a_thing_and_leaves_it_premultiplied():
    """What is under a roof of its own stays bare; no colour exceeds its alpha."""
    image = np.zeros((100, 60, 4), np.uint8)
    image[20:90, 10:50] = (20, 60, 30, 255)
    capped_ = capped(image, (226.0, 232.0, 244.0), 50.0)
    assert capped_[23:26, 20:40, :3].mean() > 120
    assert (capped_[60:85, 20:40] == image[60:85, 20:40]).all()
    assert (capped_[..., :3] <= capped_[..., 3:]).all()


def test_nothing_falls_under_a_roof():
    """Rain in a room is seen through the window; confetti may fall inside."""
    plan = Plan("room", "day", (), (Shot(0, 24, "room", "wide"),), weather=("rain", "leaves"))
    rooms = [build(replace(SPEC, place="room", weather=weather)) for weather in ((), plan.weather)]
    frame = np.full((90, 160, 4), 100, np.uint8)
    Studio(160, 90, (160, 90), plan, {}).weather(rooms[1], 1).draw(frame, 0.5)
    assert (frame == 100).all()
    Studio(160, 90, (160, 90), replace(plan, weather=("confetti",)), {}).weather(rooms[0], 1).draw(frame, 0.5)
    assert (frame != 100).any()
