import numpy as np

from klingo1.draft.light import Finish, Light, Wash, glow_of, picture_of, relight


def disc(colour=(120, 140, 160)):
    y, x = np.mgrid[0:120, 0:80]
    view = np.zeros((120, 80, 4), np.uint8)
    view[..., :3] = colour
    view[..., 3] = np.where(((x - 40) / 30) ** 2 + ((y - 60) / 50) ** 2 < 1, 255, 0)
    return view


def test_night_tints_and_day_leaves_colours():
    """Ambient light multiplies; what is clear stays clear."""
    still = Light((1, 1, 1), (0, 0, 0), (0, 0, 0), 0.0, 1.0)
    blue = Light((0.5, 0.6, 1.0), (0, 0, 0), (0, 0, 0), 0.0, 1.0)
    assert np.abs(relight(disc(), still)[60, 40, :3].astype(int) - (120, 140, 160)).max() <= 6
    night = relight(disc(), blue)[60, 40]
    assert night[2] < 120
    assert night[0] > 100
    assert relight(disc(), blue)[0, 0].tolist() == [0, 0, 0, 0]


def test_rims_catch_their_own_side():
    """A red light from the left reddens the left edge only."""
    lit = relight(disc((60, 60, 60)), Light((1, 1, 1), (1, 0, 0), (0, 0, 0), 0.0, 1.0)).astype(int)
    row = lit[60]
    solid = np.flatnonzero(row[:, 3] > 250)
    left, right = row[solid[1]], row[solid[-2]]
    assert left[2] - left[0] > 25
    assert right[2] - right[0] < 8


def test_only_lamps_glow():
    """A bright saturated flame shines; skin, grey and nothing at all do not."""
    assert glow_of(disc((40, 180, 255))) is not None
    assert glow_of(disc((150, 170, 220))) is None
    assert glow_of(np.zeros((20, 20, 4), np.uint8)) is None


def test_planes_are_encoder_ready():
    """The finished frame is I420 of the right size, never darker than video black, darker in the corners."""
    finish = Finish(64, 48, bloom=0.4, bloom_from=100)
    planes = finish.planes(np.full((48, 64, 4), 200, np.uint8), 0)
    assert planes.shape == (72, 64)
    assert planes[0, 0] < planes[24, 32]
    assert finish.planes(np.zeros((48, 64, 4), np.uint8), 0)[:48].min() == 16


def lantern(colour):
    """A small lamp in the dark, as a viewer sees it without and with bloom."""
    frame = np.full((240, 320, 4), 20, np.uint8)
    frame[100:140, 140:180, :3] = colour
    return [
        picture_of(Finish(320, 240, bloom=bloom, bloom_from=100).planes(frame, 0)).astype(int)
        for bloom in (0.0, 0.4)
    ]


def test_a_lamp_lights_its_surroundings_in_its_own_colour():
    """Round a red lamp the dark turns red, far from it nothing changes, and white stays white."""
    without, with_ = lantern((30, 30, 250))
    near = (with_ - without)[120, 184:192].mean(axis=0)
    assert near[2] > 10 > 3 * abs(near[0])
    assert np.abs(with_ - without)[:, :60].max() <= 3
    assert lantern((255, 255, 255))[1][110:130, 150:170].min() > 240


def test_what_is_soft_before_the_lens_covers_and_lights():
    """A wash shows as much of the picture as it keeps and adds its own light, to within rounding."""
    frame = np.zeros((240, 320, 4), np.uint8)
    frame[..., :3] = (40, 120, 200)
    wash = Wash(np.full((6, 8), 153, np.uint8), np.full((6, 8, 3), (30, 60, 10), np.uint8))
    finish = Finish(320, 240, bloom=0.0, bloom_from=255)
    plain, veiled = (picture_of(finish.planes(frame, 0, w))[120, 160].astype(int) for w in (None, wash))
    assert np.abs(veiled - (plain * 0.6 + (30, 60, 10))).max() <= 5
