"""Decoding: upright, eight bits, small enough, with the alpha that means something."""

import time

import numpy as np
import pytest
from PIL import Image

from klingo1.draft.picture import load, load_mask
from klingo1.draft.prints import framed


def two_colours(width=400, height=200):
    """Left half red, right half blue."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2, 0] = picture[:, width // 2 :, 2] = 255
    return Image.fromarray(picture)


def test_orientation_is_applied(tmp_path):
    """A picture that EXIF says lies on its side is stood up."""
    exif = Image.Exif()
    exif[0x0112] = 6
    two_colours().save(tmp_path / "turned.jpg", exif=exif, quality=95)
    picture = load(tmp_path / "turned.jpg")
    assert picture.bgr.shape == (400, 200, 3)
    assert picture.bgr[20, 100, 2] > 200
    assert picture.bgr[380, 100, 0] > 200


def test_large_photographs_are_reduced_quickly(tmp_path):
    """Twelve megapixels come out at most 1600 pixels long, in well under a second of work."""
    two_colours(4000, 3000).save(tmp_path / "large.jpg", quality=90)
    start = time.process_time()
    picture = load(tmp_path / "large.jpg")
    assert time.process_time() - start < 1
    assert picture.bgr.shape == (1200, 1600, 3)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK"])
def test_modes_look_alike(mode, tmp_path):
    """Grey, palette and CMYK pictures come out as ordinary colours, without alpha."""
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    two_colours().convert(mode).save(path)
    picture = load(path)
    assert picture.alpha is None
    assert picture.bgr.shape == (200, 400, 3)
    if mode != "L":
        assert picture.bgr[100, 50].tolist()[2] > 200 > picture.bgr[100, 50].tolist()[0]


def test_sixteen_bits_keep_their_tones(tmp_path):
    """A 16-bit ramp stays a ramp and is not clipped to white."""
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (20, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    row = load(tmp_path / "ramp.png").bgr[10, :, 1].astype(int)
    assert np.abs(row - np.arange(256)).max() <= 2


def test_alpha_that_says_nothing_is_dropped(tmp_path):
    """An opaque alpha channel and an even veil are no cut-outs; half a clear picture is."""
    full = np.full((50, 50, 4), 255, np.uint8)
    for alpha, kept in ((255, False), (120, False)):
        full[..., 3] = alpha
        Image.fromarray(full).save(tmp_path / "a.png")
        assert (load(tmp_path / "a.png").alpha is not None) == kept
    full[:25, :, 3] = 0
    Image.fromarray(full).save(tmp_path / "a.png")
    assert load(tmp_path / "a.png").alpha is not None
    assert load(tmp_path / "a.png").plate.shape == (50, 50, 3)


def test_masks_may_be_white_or_see_through(tmp_path):
    """White on black, and strokes on a clear layer of any colour, both mean: keep this."""
    white = np.zeros((40, 40), np.uint8)
    white[10:30, 10:30] = 255
    layer = np.zeros((40, 40, 4), np.uint8)
    layer[10:30, 10:30, 3] = 255
    Image.fromarray(white).save(tmp_path / "white.png")
    Image.fromarray(layer).save(tmp_path / "layer.png")
    for name in ("white.png", "layer.png"):
        mask = load_mask(tmp_path / name, (80, 80))
        assert mask.shape == (80, 80)
        assert mask[40, 40] > 200
        assert mask[5, 5] < 50


@pytest.mark.parametrize("shape", [(3000, 8), (8, 3000), (1, 1), (1600, 1600), (300, 200)])
def test_a_print_has_a_border_and_a_sensible_shape(shape):
    """A print is opaque paper round the picture, neither a thread nor larger than a view may be."""
    print_ = framed(np.full((*shape, 3), 40, np.uint8))
    height, width = print_.shape[:2]
    assert 100 < max(height, width) <= 1400
    assert max(height, width) / min(height, width) < 4.5
    assert (print_[4, 4] > 200).all()
    assert (print_[height // 2, width // 2, :3] < 60).all()
    assert not print_[:2].any()
