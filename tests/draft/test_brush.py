"""A keep/remove brush over the automatic cut."""

import cv2
import numpy as np
import pytest
from drawings import figure, staged

from klingo1.cutting import KEEP, REMOVE
from klingo1.draft.brush import SHOWN_SIDE, brushed, matte_of, write_mask, write_tinted
from klingo1.draft.cutout import cut_out


def bgr_of(colour):
    return [int(colour[i : i + 2], 16) for i in (5, 3, 1)]


@pytest.fixture
def scene(tmp_path):
    pixels, truth = staged([figure(0.7)])
    path = tmp_path / "scene.png"
    cv2.imwrite(str(path), pixels)
    return path, truth


def test_the_matte_is_the_cut_in_the_pictures_size(scene, tmp_path):
    """It is the same from the cache, and everything where nothing is cut."""
    path, truth = scene
    cache = tmp_path / "cache"
    for _ in range(2):
        matte = matte_of(path, cache=cache)
        assert ((matte > 127) == (truth > 127)).mean() > 0.99
    noise = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)
    cv2.imwrite(str(path), noise)
    assert (matte_of(path) == 255).all()


def test_strokes_keep_and_remove(scene, tmp_path):
    """Green adds, red takes away, nothing else moves; the mask then is what a film cuts by."""
    path, truth = scene
    height, width = truth.shape
    layer = np.zeros((height // 2, width // 2, 4), np.uint8)
    layer[:10, :10] = [*bgr_of(KEEP), 255]
    layer[height // 4 :, :] = [*bgr_of(REMOVE), 200]
    strokes = tmp_path / "strokes.png"
    cv2.imwrite(str(strokes), layer)
    matte = matte_of(path)
    mask = brushed(matte, strokes)
    assert (mask[:16, :16] == 255).all()
    assert not mask[height // 2 + 3 :].any()
    between = slice(24, height // 2 - 3)
    assert np.array_equal(mask[between], matte[between])
    cutout = cut_out(path, mask=write_mask(mask, tmp_path / "mask.png"))
    assert (cutout.method, cutout.confidence) == ("sticker", 1.0)


def test_a_layer_that_is_full_of_strokes_is_one(scene, tmp_path):
    """Whoever paints over everything means everything."""
    path, truth = scene
    for colour, value in ((KEEP, 255), (REMOVE, 0)):
        strokes = tmp_path / "strokes.png"
        cv2.imwrite(str(strokes), np.full((*truth.shape, 4), [*bgr_of(colour), 255], np.uint8))
        assert (brushed(matte_of(path), strokes) == value).all()


def test_the_cut_is_shown_as_a_veil(scene, tmp_path):
    """What is kept looks as it is, what is left out loses its colour; a large picture is shown smaller."""
    path, truth = scene
    shown = cv2.imread(str(write_tinted(path, truth, tmp_path / "shown.jpg")))
    pixels = cv2.imread(str(path))
    far = cv2.erode((truth > 127).astype(np.uint8), np.ones((9, 9))) > 0
    assert np.abs(shown[far].astype(int) - pixels[far]).mean() < 6
    out = cv2.dilate((truth > 127).astype(np.uint8), np.ones((9, 9))) == 0
    assert (shown[out][:, 0].astype(int) - shown[out][:, 1] > 30).mean() > 0.98
    cv2.imwrite(str(path), cv2.resize(pixels, (2400, 1800)))
    large = write_tinted(path, np.full((1800, 2400), 255, np.uint8), tmp_path / "large.jpg")
    assert max(cv2.imread(str(large)).shape) == SHOWN_SIDE


def test_an_empty_layer_changes_nothing(scene, tmp_path):
    """A person who drew nothing keeps the automatic cut."""
    path, truth = scene
    strokes = tmp_path / "strokes.png"
    cv2.imwrite(str(strokes), np.zeros((*truth.shape, 4), np.uint8))
    matte = matte_of(path)
    assert np.array_equal(brushed(matte, strokes), matte)
