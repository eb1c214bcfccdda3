import numpy as np

from klingo1.draft.stage import Camera, over, paste, premultiply


def test_a_point_at_eye_height_lies_on_the_horizon():
    """Whatever its distance, what is as high as the camera is seen on the horizon's row."""
    camera = Camera.default(640, 360)
    assert camera.project(2.0, camera.y, 7.0)[1] == camera.horizon
    assert camera.project(0.0, 0.0, 5.0)[1] > camera.horizon


def test_a_scaled_camera_sees_the_same_thing_smaller():
    """The same point falls on the same share of a picture of another size."""
    camera = Camera.default(1280, 720)
    x, y = camera.project(0.7, 0.4, 3.0)
    small_x, small_y = camera.scaled(640, 360).project(0.7, 0.4, 3.0)
    assert np.allclose((small_x * 2, small_y * 2), (x, y))


def test_over_covers_by_alpha():
    """Opaque covers, clear leaves, half mixes."""
    below = np.full((1, 3, 4), 100, np.uint8)
    above = np.array([[[200, 200, 200, 255], [0, 0, 0, 0], [200, 200, 200, 128]]], np.uint8)
    over(below, premultiply(above))
    assert below[0, 0, 0] == 200
    assert below[0, 1, 0] == 100
    assert 148 <= below[0, 2, 0] <= 152


def test_paste_cuts_off_what_hangs_over():
    """A picture partly or wholly outside the frame is no error."""
    frame = np.zeros((10, 10, 4), np.uint8)
    patch = np.full((6, 6, 4), 255, np.uint8)
    paste(frame, patch, -3, 7)
    paste(frame, patch, 40, 40)
    assert frame[9, 0, 0] == 255
    assert frame[:7].max() == 0
