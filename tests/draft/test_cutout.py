"""The cut-out as a whole: every kind of picture in, a decent cut-out, print or place out."""

import cv2
import numpy as np
import pytest
from drawings import figure, staged
from photographs import photograph
from PIL import Image

from klingo1.draft.cutout import METHODS, cut_out
from klingo1.draft.views import VIEW_SIDE
from klingo1.errors import InvalidRequest


def save(tmp_path, array, name="picture.png"):
    path = tmp_path / name
    cv2.imwrite(str(path), array)
    return path


def test_alpha_is_used_as_it_is(tmp_path):
    """A sprite's own transparency is the cut, tight, with two empty pixels around it."""
    bgr, mask = figure(0.5)
    canvas = np.zeros((700, 500, 4), np.uint8)
    canvas[40 : 40 + mask.shape[0], 60 : 60 + mask.shape[1]] = np.dstack([bgr, mask])
    cutout = cut_out(save(tmp_path, canvas))
    assert (cutout.method, cutout.confidence, cutout.role) == ("alpha", 1.0, "character")
    alpha = cutout.views[0].pixels[..., 3]
    assert (alpha > 127).sum() == (mask > 127).sum()
    assert not alpha[:2].any()
    assert not alpha[:, -2:].any()
    assert alpha[2].any()
    assert alpha[:, -3].any()


def test_a_sheet_gives_its_views(tmp_path):
    """A turnaround sheet on a plain backdrop gives a front, a side and a back, from left to right."""
    sheet, _ = staged([figure(0.8), figure(0.8, side=True), figure(0.8, back=True)], (236, 238, 240))
    cutout = cut_out(save(tmp_path, sheet))
    assert [view.name for view in cutout.views] == ["front", "side", "back"]
    assert cutout.views[1].faces_right
    assert cutout.role == "character"


def test_a_mirrored_side_view_faces_left(tmp_path):
    """Facing follows the picture, not the order."""
    bgr, mask = figure(0.8, side=True)
    scene, _ = staged([(bgr[:, ::-1].copy(), mask[:, ::-1].copy())], (236, 238, 240))
    view = cut_out(save(tmp_path, scene)).views[0]
    assert not view.faces_right


def test_a_mask_always_wins(tmp_path):
    """A person's mask decides what is kept, even against the picture's own backdrop and the role."""
    picture, _ = staged([figure(0.8)], (236, 238, 240))
    mask = np.zeros(picture.shape[:2], np.uint8)
    mask[20:120, 30:130] = 255
    path, drawn = save(tmp_path, picture), save(tmp_path, mask, "mask.png")
    cutout = cut_out(path, mask=drawn)
    assert (cutout.method, cutout.confidence) == ("sticker", 1.0)
    assert abs(cutout.views[0].pixels.shape[0] - 108) < 12
    drawn_small = save(tmp_path, cv2.resize(mask, None, fx=0.5, fy=0.5), "small.png")
    assert abs(cut_out(path, mask=drawn_small).views[0].pixels.shape[0] - 108) < 14


def test_an_empty_mask_is_no_mask(tmp_path):
    """A black mask says nothing: the picture is cut as without it."""
    path = save(tmp_path, staged([figure(0.6)])[0])
    empty = save(tmp_path, np.zeros((50, 50), np.uint8), "mask.png")
    assert cut_out(path, mask=empty).method == "backdrop"


@pytest.mark.parametrize("role", ["scene", "style"])
def test_a_place_is_never_cut(role, tmp_path):
    """What a person calls a scene or a style stays one whole picture."""
    path = save(tmp_path, staged([figure(0.6)])[0])
    cutout = cut_out(path, role=role)
    assert (cutout.role, cutout.method, cutout.views) == (role, "place", ())


def test_a_layered_view_is_a_place(tmp_path):
    """Sky over hills over grass, with nothing before them, is a place without being told."""
    rng = np.random.default_rng(5)
    rows = np.linspace(0, 1, 500)[:, None, None]
    sky, grass = np.array([235, 190, 120.0]), np.array([60, 140, 90.0])
    view = np.where(rows < 0.55, sky * (1 - 0.3 * rows), grass * (0.6 + 0.5 * rows)) * np.ones((1, 900, 1))
    hills = np.arange(900)[None, :]
    view[(np.arange(500)[:, None] > 230 + 25 * np.sin(hills / 70)) & (rows[..., 0] < 0.55)] = (110, 120, 70)
    view += cv2.GaussianBlur(rng.normal(0, 40, (500, 900)), (0, 0), 3)[..., None] * (rows > 0.5)
    cutout = cut_out(save(tmp_path, view.clip(0, 255).astype(np.uint8)))
    assert (cutout.role, cutout.method) == ("scene", "place")


def hostile():
    """Pictures that are no pictures, by name."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (300, 400, 3), np.uint8)
    grey = rng.integers(0, 65536, (200, 300), np.uint16)
    yield "clear.png", Image.fromarray(np.zeros((200, 200, 4), np.uint8))
    yield "veil.png", Image.fromarray(np.full((90, 90, 4), 128, np.uint8))
    yield "thin.png", Image.fromarray(rng.integers(0, 256, (3000, 8, 3), np.uint8))
    yield "flat.png", Image.new("RGB", (640, 480), (90, 40, 200))
    yield "black.jpg", Image.new("RGB", (640, 480))
    yield "noise.png", Image.fromarray(noise)
    yield "grey.png", Image.fromarray(noise[..., 0])
    yield "deep.png", Image.fromarray(grey)
    yield "deep.tif", Image.fromarray(grey.astype(np.float32) / 65535)
    yield "palette.png", Image.fromarray(noise).quantize(16)
    yield "print.jpg", Image.fromarray(noise).convert("CMYK")
    yield "bits.png", Image.fromarray(noise[..., 0] > 127)
    yield "dot.png", Image.new("RGB", (1, 1), (9, 9, 9))
    yield "line.png", Image.new("RGBA", (5, 2), (9, 200, 9, 200))


@pytest.mark.parametrize("role", ["", "character"])
@pytest.mark.parametrize(("name", "image"), list(hostile()), ids=lambda v: v if isinstance(v, str) else "")
def test_odd_pictures_give_something_decent(name, image, role, tmp_path):
    """Whatever decodes gives a whole plate and well-formed views, never an exception."""
    path = tmp_path / name
    image.save(path)
    cutout = cut_out(path, role=role)
    assert cutout.method in METHODS
    assert cutout.role == role or not role
    assert 0 <= cutout.confidence <= 1
    assert cutout.plate.dtype == np.uint8
    assert cutout.plate.shape[2] == 3
    assert max(cutout.plate.shape) <= 1600
    assert bool(cutout.views) == (cutout.method != "place")
    for view in cutout.views:
        assert view.pixels.dtype == np.uint8
        assert view.pixels.shape[2] == 4
        assert max(view.pixels.shape) <= VIEW_SIDE
        assert view.pixels[..., 3].max() > 127
        assert not view.pixels[0, :, 3].any()
        assert not view.pixels[:, 0, 3].any()


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_what_is_no_picture_is_refused(content, tmp_path):
    """Bytes that do not decode are the request's fault and are named as such."""
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest) as caught:
        cut_out(path)
    assert caught.value.field == "images"


def test_letterbox_bars_are_no_backdrop(tmp_path):
    """Bars above and below a photograph are taken off; the photograph between is what counts."""
    noise = np.random.default_rng(2).integers(0, 256, (300, 600, 3), np.uint8)
    barred = cv2.copyMakeBorder(noise, 90, 90, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    assert cut_out(save(tmp_path, barred)).plate.shape[0] == pytest.approx(300, abs=4)


def same(one, two):
    return (
        (one.role, one.method, one.confidence) == (two.role, two.method, two.confidence)
        and np.array_equal(one.plate, two.plate)
        and [(v.name, v.faces_right) for v in one.views] == [(v.name, v.faces_right) for v in two.views]
        and all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one.views, two.views, strict=True))
    )


def test_the_same_picture_gives_the_same_cut(tmp_path):
    """Nothing in the cut depends on chance."""
    path = photograph("cheetah", tmp_path)
    assert same(cut_out(path), cut_out(path))


def test_the_cache_keeps_and_mends_itself(tmp_path):
    """A kept cut is read back equal; a damaged entry is ignored and written anew; roles are kept apart."""
    path, cache = save(tmp_path, staged([figure(0.6)])[0]), tmp_path / "cache"
    first = cut_out(path, cache=cache)
    (entry,) = cache.iterdir()
    stamp = entry.stat().st_mtime_ns
    assert same(first, cut_out(path, cache=cache))
    assert entry.stat().st_mtime_ns == stamp
    whole = entry.read_bytes()
    for damage in (b"", b"nonsense", whole[: len(whole) // 2]):
        entry.write_bytes(damage)
        assert same(first, cut_out(path, cache=cache))
        assert entry.read_bytes() == whole or entry.stat().st_size == len(whole)
    assert cut_out(path, role="scene", cache=cache).method == "place"
    assert {file.suffix for file in cache.iterdir()} == {".npz"}


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    """Without room for a cache the cut is made all the same."""
    path = save(tmp_path, staged([figure(0.6)])[0])
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert cut_out(path, cache=blocked / "cache").method == "backdrop"
