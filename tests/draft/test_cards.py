from dataclasses import replace

import numpy as np
import pytest

from klingo1.draft.cards import Card, Wall, place
from klingo1.draft.stage import Camera

CAMERA = Camera.default(320, 180)


def white(height=100, width=50):
    return np.full((height, width, 4), 255, np.uint8)


def seen(frame):
    rows, columns = np.where(frame[..., 0] > 128)
    return columns.min(), columns.max(), rows.min(), rows.max()


def test_a_card_stands_where_the_camera_projects_its_anchor():
    """Its lower edge is on the projected ground point and its height follows from distance."""
    frame = np.zeros((180, 320, 4), np.uint8)
    Card(white(), 100, 0.5, 0, 6).draw(frame, CAMERA)
    column, row = CAMERA.project(0.5, 0, 6)
    left, right, top, bottom = seen(frame)
    assert (left + right) / 2 == pytest.approx(column, abs=1.5)
    assert bottom == pytest.approx(row, abs=1.5)
    assert bottom - top == pytest.approx(CAMERA.focal / 6, abs=2.5)


def test_a_repeating_card_is_never_lost_while_walking():
    """With a period in depth there is always one ahead, however far the camera went."""
    card = Card(white(), 100, 0, 0, 3, wrap_z=20)
    for z in np.linspace(0, 200, 57):
        depth = card.depth(replace(CAMERA, z=float(z)))
        assert 0 < depth <= 20.3


def test_a_card_that_repeats_sideways_fills_the_picture():
    """Enough copies are placed to reach both edges."""
    card = Card(white(), 50, 0, 0, 8, wrap_x=2.0)
    xs = card.places(CAMERA, 8)
    assert min(xs) < -5
    assert max(xs) > 5
    assert len(card.places(replace(CAMERA, x=500.0), 8)) == pytest.approx(len(xs), abs=1)


def test_presence_fades_in_far_away_and_out_before_the_lens():
    """Nothing pops up or vanishes at once."""
    card = Card(white(), 100, 0, 0, 3, wrap_z=20)
    assert card.presence(20.0) == 0
    assert card.presence(10.0) == 1
    assert card.presence(0.7) == 0


def test_glow_adds_light_instead_of_covering():
    """A glowing card brightens what is behind it."""
    frame = np.full((180, 320, 4), 60, np.uint8)
    Card(white() // 4, 100, 0, 0.5, 4, glow=True).draw(frame, CAMERA)
    assert frame.max() > 110


def test_place_ignores_what_cannot_be_placed():
    """A map with infinities or far outside the frame paints nothing and raises nothing."""
    frame = np.zeros((20, 20, 4), np.uint8)
    place(frame, white(), np.array([[np.inf, 0, 0], [0, 1, 0]]))
    place(frame, white(), np.array([[1.0, 0, 500], [0, 1, 500]]))
    assert frame.max() == 0


@pytest.mark.parametrize("x", [-4.0, 4.0])
@pytest.mark.parametrize("z", [0.0, 37.5])
def test_a_wall_covers_its_side_from_the_edge_inwards(x, z):
    """No gap at the picture's edge on its side of the street, wherever one walks."""
    frame = np.zeros((180, 320, 4), np.uint8)
    Wall(white(200, 480), 20, x).draw(frame, replace(CAMERA, z=z))
    row = int(CAMERA.horizon) - 3
    side = frame[row, :100] if x < 0 else frame[row, -100:]
    assert (side[:, 0] > 128).all()
    assert frame[row, 160, 0] < 128
