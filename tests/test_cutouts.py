"""What the page's brush may ask: shown, painted on, kept, forgotten; and what a forged question gets."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from klingo1.cutting import KEEP, REMOVE, Cutting, Subject
from klingo1.intake_process import Here
from klingo1.settings import Settings
from klingo1.ui.cutouts import Cutouts


@pytest.fixture
def cutouts(tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()

    def publish(file):
        return str(file.rename(taken / file.name))

    return Cutouts(Cutting(Settings(home=tmp_path / "home"), Here()), publish)


def layer(folder, *boxes):
    """Strokes as the editor sends them; boxes are (colour, box)."""
    strokes = Image.new("RGBA", (640, 480))
    for colour, box in boxes:
        ImageDraw.Draw(strokes).rectangle(box, fill=colour)
    strokes.save(folder / "layer.png")
    return str(folder / "layer.png")


def kept(mask):
    with Image.open(mask) as image:
        return np.asarray(image.convert("L")) > 127


def test_a_correction_is_looked_at_kept_and_forgotten(cutouts, picture, tmp_path):
    """A preview keeps nothing; saving is remembered for the picture's next visit; a reset forgets it."""
    gallery = [{"path": str(picture), "role": ""}]
    told, shown = cutouts.show(gallery, {"index": 0, "mask": ""})
    assert (told["state"], told["cut"], told["mask"]) == ("shown", True, "")
    with Image.open(shown) as image:
        assert image.size == (640, 480)
    strokes = layer(tmp_path, (REMOVE, (260, 200, 380, 300)), (KEEP, (0, 0, 60, 60)))
    seen, _ = cutouts.preview(gallery, {"index": 0, "mask": ""}, strokes)
    assert kept(seen["mask"])[30, 30]
    assert not kept(seen["mask"])[250, 320]
    fresh, _ = cutouts.preview(gallery, {"index": 0, "mask": ""}, layer(tmp_path))
    assert not kept(fresh["mask"])[30, 30]
    saved, _ = cutouts.save(gallery, {"index": 0, "mask": seen["mask"]}, None)
    assert saved["state"] == "saved"
    assert saved["mask"] == seen["mask"]
    again, _ = cutouts.preview(gallery, {"index": 0, "mask": ""}, layer(tmp_path))
    assert (kept(again["mask"]) == kept(seen["mask"])).all()
    told, shown = cutouts.reset(gallery, {"index": 0, "mask": seen["mask"]})
    assert told["state"] == "reset"
    assert told["mask"] == ""
    assert shown
    after, _ = cutouts.preview(gallery, {"index": 0, "mask": ""}, layer(tmp_path))
    assert kept(after["mask"])[250, 320]
    assert not kept(after["mask"])[30, 30]


def test_saving_without_a_stroke_changes_nothing(cutouts, picture):
    """The automatic cut stays automatic."""
    saved, shown = cutouts.save([{"path": str(picture)}], {"index": 0, "mask": ""}, None)
    assert (saved["state"], saved["mask"], shown) == ("saved", "", "")


@pytest.mark.parametrize("index", [-1, 1, True, "0", None])
def test_a_picture_that_is_not_there_is_refused_with_words(cutouts, picture, index):
    """Whatever a browser sends, the answer is a sentence and a remedy."""
    told, shown = cutouts.show([{"path": str(picture)}], {"index": index, "asked": 7})
    assert told["state"] == "refused"
    assert told["text"]
    assert told["remedy"]
    assert told["turn"] == 7
    assert shown == ""


def test_removing_everything_is_refused_with_words(cutouts, picture, tmp_path):
    """A film needs something of each picture."""
    everything = layer(tmp_path, (REMOVE, (0, 0, 640, 480)))
    told, _ = cutouts.save([{"path": str(picture)}], {"index": 0, "mask": ""}, everything)
    assert told["state"] == "refused"
    assert "left" in told["text"]


def test_the_cast_for_the_reading_knows_what_was_said_before(cutouts, picture, tmp_path):
    """A remembered role plays again; what the gallery says now goes before; a file that is none is nobody."""
    gallery = [{"path": str(picture), "role": "scene"}]
    (told,) = cutouts.cast(gallery)["cast"]
    assert (told["role"], told["images"], told["cut"]) == ("scene", (1,), False)
    assert cutouts.cast([{"path": str(picture)}])["cast"][0]["role"] != "scene"  # asking remembers nothing
    cutouts._cutting.remember(Subject(picture, "scene"))
    assert cutouts.cast([{"path": str(picture)}])["cast"][0]["role"] == "scene"
    (now,) = cutouts.cast([{"path": str(picture), "role": "prop"}])["cast"]
    assert now["role"] == "prop"
    (tmp_path / "words.jpg").write_text("no picture")
    answer = cutouts.cast([{"path": str(tmp_path / "words.jpg")}])
    assert answer["cast"] == []
    assert answer["paths"] == [str(tmp_path / "words.jpg")]


def test_the_cast_is_told_of_received_files_alone(cutouts, picture, tmp_path):
    """What a browser names outside the folder of uploads is not opened, whatever its form."""
    gallery = [{"path": str(picture), "role": "scene", "view": "", "mask": "", "group": 0}]
    (told,) = cutouts.cast_of_received({"pictures": gallery}, received=picture.parent)["cast"]
    assert told["role"] == "scene"
    nobody = {"paths": [], "cast": []}
    other = tmp_path / "other"
    other.mkdir()
    assert cutouts.cast_of_received({"pictures": gallery}, received=other) == nobody
    masked = [{"path": str(picture), "mask": "/etc/passwd"}]
    assert cutouts.cast_of_received({"pictures": masked}, received=picture.parent) == nobody
    for forged in (None, [], {"pictures": "x"}, {"pictures": [7, None]}, {"pictures": [{"path": "\0"}]}):
        assert cutouts.cast_of_received(forged, received=picture.parent)["cast"] == []
