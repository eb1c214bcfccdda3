from dataclasses import replace

import numpy as np

from klingo1.draft.cards import Card
from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.scenery import Scenery, Standing, scenery_size
from klingo1.draft.sets import Set
from klingo1.draft.sprites import paint_sprite, shade_ground
from klingo1.draft.stage import Camera
from klingo1.draft.tiles import plain

W, H = 320, 180
INNER = scenery_size(W, H, "720p")
CAMERA = Camera.default(W, H)


def place(**changes):
    sky = np.full((140, 360, 4), 255, np.uint8)
    sky[..., :3] = (220, 160, 90)
    facts = {"mist": 0.9, "haze": (230, 230, 230), **changes}
    return Set(sky, 120.0, [Ground(plain((60, 70, 40)), 6)], Light(), width=INNER[0], **facts)


def painted(set_, camera=CAMERA, cast=(), t=0.0):
    return Scenery(set_, W, H, INNER).paint(camera, t, cast).copy()


def test_no_hard_line_at_the_horizon():
    """Haze melts sky and ground together: no two rows differ much there, without it they do."""
    for mist, soft in ((0.9, True), (0.0, False)):
        column = painted(place(mist=mist))[:, 160, :3].astype(int)
        jump = np.abs(np.diff(column[70:110], axis=0)).max()
        assert (jump < 25) == soft


def test_every_pixel_is_painted_wherever_the_camera_looks():
    """Panned, tilted, raised and zoomed to the limits there is no black edge."""
    for change in (
        {"centre": -40.0},
        {"centre": 360.0},
        {"horizon": 20.0},
        {"horizon": 150.0},
        {"y": 3.1},
        {"x": 3.0},
    ):
        frame = painted(place(), replace(CAMERA, **change))
        assert frame[..., :3].max(axis=2).min() > 20
    frame = painted(place(), replace(CAMERA, focal=CAMERA.focal * 0.75))
    assert frame[..., :3].max(axis=2).min() > 20


def test_near_things_hide_far_things_but_not_the_lead():
    """A card behind is covered, one in front is painted over the rest, and faded where it would hide the
    lead.
    """

    def stand(frame):
        frame[60:150, 140:180] = (0, 0, 255, 255)

    lead = Standing(4.0, stand, (140, 60, 180, 150))
    green = np.zeros((80, 40, 4), np.uint8)
    green[:] = (0, 255, 0, 255)
    behind = painted(place(mist=0.0, cards=[Card(green, 40, 0, 0, 7)]), cast=[lead])
    assert behind[100, 160].tolist()[:3] == [0, 0, 255]
    before = painted(place(mist=0.0, cards=[Card(green, 40, 0, 0, 2.5)]), cast=[lead])
    assert before[100, 160][2] > 180
    aside = painted(place(mist=0.0, cards=[Card(green, 40, 1.1, 0, 2.5)]), cast=[lead])
    assert (aside[..., 1] > 240).any()


def test_wet_ground_mirrors_what_stands_above():
    """A bright card is seen again below the horizon when the ground is wet, and only then."""
    white = np.full((90, 60, 4), 255, np.uint8)
    for wet in (0.0, 1.0):
        here = place(mist=0.0, wetness=wet, cards=[Card(white, 30, 0, 0, 6)])
        here.grounds = [Ground(plain((10, 10, 10), mirror=0.9), 6)]
        here.sky[..., :3] = 5
        frame = painted(here)
        below = frame[int(CAMERA.project(0, 0, 6)[1]) + 8 : 150, 150:170, :3].mean()
        assert (below > 60) == (wet > 0)


def test_a_contact_shadow_darkens_its_spot_alone():
    """Soft, centred, and harmless at the frame's edge."""
    frame = np.full((100, 100, 4), 200, np.uint8)
    shade_ground(frame, (50, 50), (20, 8), 0.6)
    shade_ground(frame, (0, 99), (30, 30), 0.6)
    assert frame[50, 50, 0] < 110
    assert frame[50, 80, 0] == 200
    shade_ground(frame, (50, 20), (0.5, 0.5), 0.6)


def test_a_sprite_turns_about_its_feet():
    """Turned by a quarter, what stood now lies beside its anchor."""
    sprite = np.full((60, 10, 4), 255, np.uint8)
    frame = np.zeros((H, W, 4), np.uint8)
    paint_sprite(frame, CAMERA, sprite, ppm=30, anchor=(5, 60), at=(0, 0.5, 4), turn=np.pi / 2)
    rows, columns = np.where(frame[..., 0] > 128)
    assert np.ptp(columns) > 3 * np.ptp(rows)
    paint_sprite(frame, CAMERA, sprite, ppm=30, anchor=(5, 60), at=(0, 0.5, -4))
