"""Keying plain and gradient backdrops, measured against drawings whose true mask is known."""

import cv2
import numpy as np
import pytest
from drawings import figure, staged

from klingo1.draft import backdrop
from klingo1.draft.cutout import cut_out

BACKDROPS = [
    (235, 235, 240),
    (255, 255, 255),
    (200, 160, 90),
    (128, 128, 128),
    (60, 60, 60),
    (0, 200, 0),
    (20, 10, 10),
]
STAGES = {"plain": (0, 0, 0), "gradient": (40, 0, 0), "shadow": (30, 2, 0.35), "noise": (0, 4, 0.5)}


def overlap(matte, truth):
    one, two = matte > 127, truth > 127
    return (one & two).sum() / (one | two).sum()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("colour", BACKDROPS, ids=str)
def test_a_drawn_figure_is_keyed_tightly(colour, stage):
    """On any studio colour, with a gradient, noise and a drop shadow, the matte is the figure."""
    slope, noise, shadow = STAGES[stage]
    picture, truth = staged([figure(0.9, coat=(40, 140, 240))], colour, slope, noise, shadow)
    keyed = backdrop.key(picture)
    assert keyed is not None
    assert overlap(keyed.matte, truth) >= (0.97 if not shadow else 0.965)
    assert keyed.confidence > 0.7


@pytest.mark.parametrize("noise", [0, 2, 4])
@pytest.mark.parametrize("colour", [(235, 235, 240), (255, 255, 255)], ids=str)
def test_clothes_of_the_backdrops_colour_are_not_lost(colour, noise):
    """A white coat on a white backdrop is either kept or the keying declines: nobody loses a body."""
    picture, truth = staged([figure(0.9, coat=(250, 250, 250))], colour, 0, noise, 0)
    keyed = backdrop.key(picture)
    assert keyed is None or (keyed.matte[truth > 127] > 127).mean() > 0.93


def test_a_subject_cut_off_by_the_lower_edge_is_kept():
    """A bust that touches the border does not spoil the backdrop's model."""
    picture, truth = staged([figure(0.9)], (210, 180, 170), 30, 1)
    half = slice(0, round(picture.shape[0] * 0.6))
    keyed = backdrop.key(np.ascontiguousarray(picture[half]))
    assert keyed is not None
    assert overlap(keyed.matte, truth[half]) >= 0.97


def test_edges_are_soft_and_the_inside_is_solid():
    """The matte has soft pixels along the outline only."""
    picture, truth = staged([figure(0.9)], (60, 120, 200))
    matte = backdrop.key(picture).matte
    soft = (matte > 20) & (matte < 235)
    assert 0.05 * (truth > 127).sum() > soft.sum() > 200
    core = (truth > 250) & (np.abs(truth.astype(int) - 255) < 1)
    assert np.median(matte[core]) == 255


@pytest.mark.parametrize("kind", ["noise", "speckled", "tiny", "flat"])
def test_what_is_no_studio_picture_is_declined(kind):
    """Noise, a speckled ground, a stamp and an empty backdrop are not keyed."""
    rng = np.random.default_rng(4)
    flat = np.full((200, 300, 3), 128, np.uint8)
    pictures = {
        "noise": rng.integers(0, 256, (200, 300, 3), np.uint8),
        "speckled": np.where(rng.random((200, 300, 1)) > 0.85, 255 - flat // 2, flat).astype(np.uint8),
        "tiny": flat[:10, :10],
        "flat": flat,
    }
    assert backdrop.key(pictures[kind]) is None


def test_a_picture_between_bars_is_told_from_a_subject():
    """A rectangle from edge to edge is a panel; a figure is not."""
    bars = np.zeros((100, 160), np.uint8)
    bars[20:80] = 255
    assert backdrop.panel(bars) == (slice(20, 80), slice(0, 160))
    figure_ = np.zeros((100, 160), np.uint8)
    figure_[20:80, 60:90] = 255
    assert backdrop.panel(figure_) is None
    assert backdrop.panel(np.zeros((10, 10), np.uint8)) is None


@pytest.mark.parametrize("share", [0.35, 0.6, 0.8])
def test_a_hard_shadow_apart_from_the_subject_goes(share):
    """A dark patch of the backdrop below the figure is no part of it; a coloured one of the same size is."""
    scene, truth = staged([figure(0.8)], (214, 226, 232))
    height, width = truth.shape
    scene = cv2.copyMakeBorder(scene, 0, 60, 0, 0, cv2.BORDER_REPLICATE)
    # Under the figure's feet, a gap of backdrop between.
    spot = np.zeros(scene.shape[:2], np.uint8)
    cv2.ellipse(spot, (width // 2, height + 6), (width // 5, 9), 0, 0, 360, 255, -1)
    shaded, toy = scene.copy(), scene.copy()
    shaded[spot > 0] = (scene[spot > 0] * share).astype(np.uint8)
    toy[spot > 0] = (40, 40, 220)
    assert not (backdrop.key(shaded).matte[spot > 0] > 60).any()
    kept = backdrop.key(toy)
    assert kept is None or (kept.matte[spot > 0] > 200).mean() > 0.9


def snowman(line, *, gap=0, buttons=False):
    """White balls on white, outlined `line` wide (BGR grey `line` times 10), and the true mask."""
    picture, truth = np.full((800, 600, 3), 255, np.uint8), np.zeros((800, 600), np.uint8)
    for row, radius in ((560, 180), (330, 120), (170, 80)):
        cv2.circle(picture, (300, row), radius, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(picture, (300, row), radius, (60, 60, 60), line, cv2.LINE_AA)
        cv2.circle(truth, (300, row), radius, 255, -1)
    if gap:
        picture[740 - 10 : 740 + 10, 300 : 300 + gap] = 255
    if buttons:
        cv2.circle(picture, (300, 340), 12, (30, 30, 30), -1, cv2.LINE_AA)
        cv2.circle(picture, (280, 160), 10, (30, 30, 30), -1, cv2.LINE_AA)
    return picture, truth


@pytest.mark.parametrize(("line", "gap", "buttons"), [(2, 0, False), (6, 0, True), (3, 5, True)])
def test_white_parts_within_an_outline_are_kept(line, gap, buttons):
    """A snowman on white keeps head and belly, and a small gap in its outline does not empty it."""
    picture, truth = snowman(line, gap=gap, buttons=buttons)
    keyed = backdrop.key(picture)
    assert keyed is not None
    assert (keyed.matte[truth > 127] > 127).mean() > 0.98
    assert overlap(keyed.matte, truth) > 0.96


def test_a_fading_light_on_a_ball_is_no_hole():
    """The brightest spot of a shaded ball has the backdrop's white, and stays."""
    rows, columns = np.mgrid[0:500, 0:500].astype(np.float32)
    ball = (np.hypot(rows - 250, columns - 250) < 180).astype(np.uint8)
    light = np.clip(265 - 0.6 * np.hypot(rows - 200, columns - 210), 120, 255)
    picture = np.where(ball > 0, light, 255).astype(np.uint8)
    keyed = backdrop.key(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    assert keyed is not None
    assert (keyed.matte[ball > 0] > 127).mean() > 0.99


def test_a_figure_without_its_white_middle_is_not_cut(tmp_path):
    """Head here and robe there, one wider than the other: a white beard without an outline is not cut out,
    nor are the eyes of a pale ghost; the picture is framed whole.
    """
    wizard = np.full((600, 480, 3), 255, np.uint8)
    cv2.fillPoly(wizard, [np.array([(150, 200), (330, 200), (240, 30)])], (140, 50, 60))
    cv2.fillPoly(wizard, [np.array([(120, 570), (360, 570), (330, 330), (150, 330)])], (150, 60, 70))
    cv2.rectangle(wizard, (350, 230), (362, 570), (40, 80, 120), -1)
    cv2.line(wizard, (330, 400), (356, 400), (150, 60, 70), 30)
    ghost = np.full((600, 480, 3), 255, np.uint8)
    cv2.ellipse(ghost, (240, 320), (150, 240), 0, 0, 360, (250, 246, 244), -1)
    for column in (190, 290):
        cv2.ellipse(ghost, (column, 250), (22, 34), 0, 0, 360, (30, 30, 30), -1)
    for name, picture in (("wizard", wizard), ("ghost", ghost)):
        assert backdrop.key(picture) is None
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), picture)
        assert cut_out(path).method in {"print", "place"}
