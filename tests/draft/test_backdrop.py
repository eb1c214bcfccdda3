"""Keying plain and gradient backdrops, measured against drawings whose true mask is known."""

import cv2
import numpy as np
import pytest
from drawings import figure, staged

from klingo1.draft import backdrop

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
