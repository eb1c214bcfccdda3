"""Pictures made from videos: posters, frames, contact sheets."""

from pathlib import Path

import numpy as np
import pytest
from conftest import draw_picture
from filming import film, finished, grey, turned
from PIL import Image, ImageChops, ImageStat

from klingo1.errors import InvalidRequest
from klingo1.export import write_frame, write_identity_sheet, write_poster, write_sheet
from klingo1.request import Engine

EXAMPLE = Path(__file__).parents[1] / "assets" / "example.mp4"
GROUND = (247, 246, 243)


def grey_at(path, box=(0.5, 0.5, 0.9, 0.9)):
    """The mean of a part of a picture."""
    with Image.open(path) as picture:
        w, h = picture.size
        part = picture.convert("L").crop((box[0] * w, box[1] * h, box[2] * w, box[3] * h))
        return float(np.asarray(part).mean())


@pytest.mark.parametrize(
    ("seconds", "number"),
    [(0, 0), (-5, 0), (0.5, 12), (0.51, 12), (1.25, 30), (1.999, 47), (2.0, 47), (1e9, 47)],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_frame_is_the_one_that_is_shown_then(tmp_path, seconds, number, suffix):
    """Its grey value tells which picture it is; outside of the film it is the first or the last."""
    video = film(tmp_path / "v.mp4", seconds=2)
    to = write_frame(video, seconds, tmp_path / f"frame{suffix}")
    with Image.open(to) as picture:
        assert (picture.size, picture.format) == ((320, 180), {".png": "PNG", ".jpg": "JPEG"}[suffix])
    assert grey_at(to) == pytest.approx(grey(number, 48), abs=2.5)


def test_frames_of_a_long_film_are_found_by_seeking(tmp_path):
    """Far apart pictures are right, too."""
    video = film(tmp_path / "v.mp4", seconds=60, fps=10, size=(96, 64))
    to = write_frame(video, 47.3, tmp_path / "frame.png")
    assert grey_at(to) == pytest.approx(grey(473, 600), abs=2.5)
    write_sheet(video, tmp_path / "sheet.png", frames=4, columns=2)
    for box, number in [((0, 0), 0), ((0.5, 0), 200), ((0, 0.5), 399), ((0.5, 0.5), 599)]:
        part = (box[0] + 0.3, box[1] + 0.3, box[0] + 0.45, box[1] + 0.45)
        assert grey_at(tmp_path / "sheet.png", part) == pytest.approx(grey(number, 600), abs=2.5)


def test_a_poster_shows_an_early_picture(tmp_path):
    """The first one, unless nothing is to be seen in it; a video that cannot be read has none, and nothing is
    raised.
    """
    video = film(tmp_path / "v.mp4")
    assert write_poster(video, tmp_path / "poster.jpg") is True
    assert grey_at(tmp_path / "poster.jpg") == pytest.approx(grey(8, 24), abs=2.5)
    assert write_poster(EXAMPLE, tmp_path / "poster.jpg") is True
    write_frame(EXAMPLE, 0.0, tmp_path / "first.jpg")
    with Image.open(tmp_path / "poster.jpg") as poster, Image.open(tmp_path / "first.jpg") as first:
        assert ImageStat.Stat(ImageChops.difference(poster, first)).mean == pytest.approx([0] * 3, abs=3)
    (tmp_path / "no.mp4").write_text("no video")
    assert write_poster(tmp_path / "no.mp4", tmp_path / "none.jpg") is False
    assert not (tmp_path / "none.jpg").exists()


def test_a_sheet_has_frames_from_the_first_to_the_last(tmp_path):
    """Nine of them, three abreast, 480 px wide each, growing brighter as the film does."""
    write_sheet(film(tmp_path / "v.mp4", seconds=2), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (1440, 810)
        cells = [
            sheet.crop((x * 480 + 240, y * 270 + 135, x * 480 + 400, y * 270 + 260))
            for y in range(3)
            for x in range(3)
        ]
    values = [np.asarray(cell.convert("L")).mean() for cell in cells]
    assert values == sorted(values)
    assert values[0] == pytest.approx(grey(0, 48), abs=2.5)
    assert values[-1] == pytest.approx(grey(47, 48), abs=2.5)


@pytest.mark.parametrize(("size", "frames"), [((320, 180), 9), ((240, 240), 12), ((180, 320), 10)])
def test_an_identity_sheet_shows_references_beside_frames(tmp_path, size, frames):
    """The references' colours stand at the left, evenly spaced frames of every shape at the right."""
    video = film(tmp_path / "v.mp4", size=size, seconds=2)
    green, blue = tmp_path / "green.png", tmp_path / "blue.jpg"
    Image.new("RGB", (400, 600), (20, 160, 20)).save(green)
    Image.new("RGB", (600, 400), (20, 20, 200)).save(blue)
    job = finished(video, [green, blue], roles=("character", ""))
    to = write_identity_sheet(job, tmp_path / "sheet.png")
    with Image.open(to) as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert pixels.shape[1] == 1920
    assert 700 < pixels.shape[0] < 1600
    left, right = pixels[:, :576], pixels[:, 640:]
    for colour in ((20, 160, 20), (20, 20, 200)):
        assert (np.abs(left - colour).max(2) < 12).sum() > 20_000
        assert (np.abs(right - colour).max(2) < 12).sum() == 0
    corners = (np.abs(right - (220, 30, 30)).max(2) < 25).sum()  # every frame has a red corner of a 16th
    shown = (right.shape[0] * right.shape[1]) - (np.abs(right - GROUND).max(2) < 4).sum()
    assert corners / shown == pytest.approx(1 / 16, rel=0.25)
    greys = right[(np.ptp(right, axis=2) < 5) & (right.max(2) < 215)]
    for number in range(frames):
        expected = grey(round(number * 47 / (frames - 1)), 48)
        assert (np.abs(greys.mean(1) - expected) < 2.5).sum() > 5_000


def test_references_that_are_elsewhere_or_gone_are_named_and_nothing_is_fetched(tmp_path):
    """Seven references, half of them unusable: the sheet is still made."""
    video = film(tmp_path / "v.mp4")
    here = draw_picture(tmp_path / "a.jpg")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(here.read_bytes()[:300])
    images = [here, "https://127.0.0.1:1/a.png", tmp_path / "gone.png", broken, here, here, here]
    for engine in Engine:
        job = finished(video, images, engine=engine, prompt="@Image1 走路 " * 50)
        with Image.open(write_identity_sheet(job, tmp_path / "sheet.png")) as sheet:
            assert sheet.width == 1920


def test_the_reference_video_is_shown_by_its_first_picture(tmp_path):
    """It stands among the references."""
    reference = tmp_path / "ref.mp4"
    film(reference, seconds=0.5, size=(320, 180))
    video = film(tmp_path / "v.mp4", seconds=0.5)
    image = tmp_path / "blue.png"
    Image.new("RGB", (400, 400), (20, 20, 200)).save(image)
    write_identity_sheet(finished(video, [image], reference=reference), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        left = np.asarray(sheet.convert("RGB")).astype(int)[:, :576]
    assert (np.abs(left - (220, 30, 30)).max(2) < 25).sum() > 1_000


@pytest.mark.parametrize(
    "write",
    [
        write_sheet,
        lambda video, to: write_frame(video, 1.0, to),
        lambda video, to: write_identity_sheet(finished(video, ["https://e.com/a.png"]), to),
    ],
    ids=["sheet", "frame", "identity"],
)
def test_what_is_no_video_is_refused_and_leaves_nothing(tmp_path, write):
    """The error is about the video, and no half picture stays."""
    video = tmp_path / "v.mp4"
    video.write_text("no video")
    with pytest.raises(InvalidRequest) as caught:
        write(video, tmp_path / "o.png")
    assert caught.value.field == "video"
    assert list(tmp_path.iterdir()) == [video]


def test_a_picture_is_png_or_jpeg(tmp_path):
    """Another ending is refused by name."""
    with pytest.raises(InvalidRequest) as caught:
        write_frame(film(tmp_path / "v.mp4"), 0, tmp_path / "frame.tiff")
    assert caught.value.field == "to"


def test_a_turned_video_gives_upright_pictures(tmp_path):
    """What a phone filmed on its side: the red corner is at the upper right."""
    video = turned(film(tmp_path / "v.mp4"), tmp_path / "turned.mp4")
    with Image.open(write_frame(video, 0, tmp_path / "frame.png")) as picture:
        assert picture.size == (180, 320)
        assert picture.getpixel((170, 10))[0] > 180
        assert picture.getpixel((10, 10))[0] < 70
