"""Cut-outs before any film: shown, brushed and cast, here and in a process of its own."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import draw_picture
from PIL import Image, ImageDraw

from klingo1.cutting import AT_ONCE, KEEP, REMOVE, Cutting, Subject
from klingo1.draft.corrections import corrections_of
from klingo1.draft.means import Means
from klingo1.draft.plan import CastMember
from klingo1.errors import Busy, InvalidRequest
from klingo1.intake_process import Apart, Here
from klingo1.references import normalise_picture
from klingo1.request import GUESS, DraftOptions
from klingo1.settings import Settings


@pytest.fixture(params=[Here, Apart], ids=["here", "apart"])
def cutting(request, tmp_path):
    intake = request.param()
    yield Cutting(Settings(home=tmp_path / "home", hosted=request.param is Apart), intake)
    intake.close()


@pytest.fixture
def shelf(tmp_path):
    """Takes what is published, as the page's own shelf does."""
    taken = tmp_path / "taken"
    taken.mkdir()

    def publish(file):
        to = taken / file.name
        to.write_bytes(file.read_bytes())
        return str(to)

    return publish


def strokes(folder, *, keep=None, remove=None, size=(640, 480)):
    """A layer as the editor sends it: see-through, with a box in either colour."""
    layer = Image.new("RGBA", size)
    pen = ImageDraw.Draw(layer)
    for box, colour in ((keep, KEEP), (remove, REMOVE)):
        if box:
            pen.rectangle(box, fill=colour)
    layer.save(folder / "layer.png")
    return folder / "layer.png"


def kept(mask):
    with Image.open(mask) as image:
        return np.asarray(image.convert("L")) > 127


def test_strokes_become_a_mask_that_the_next_look_starts_from(cutting, shelf, picture, tmp_path):
    """The disc is cut; a red box goes, a green one comes, and the corrected cut is shown the next time."""
    shown, cut = cutting.show(Subject(picture), shelf)
    assert cut
    with Image.open(shown) as image:
        assert image.size == (640, 480)
    layer = strokes(tmp_path, keep=(0, 0, 60, 60), remove=(260, 200, 380, 300))
    mask = cutting.brush(Subject(picture), layer, shelf)
    cut_by = kept(mask)
    assert cut_by[10:50, 10:50].all()
    assert not cut_by[210:290, 270:370].any()
    assert cut_by[150, 320]
    assert not cut_by[240, 600]
    again = cutting.brush(Subject(picture, mask=Path(mask)), strokes(tmp_path), shelf)
    assert (kept(again) == cut_by).all()
    automatic = cutting.brush(Subject(picture, mask=GUESS), strokes(tmp_path), shelf)
    assert kept(automatic)[250, 320]
    assert not kept(automatic)[30, 30]


def test_nothing_is_left_lying_and_no_name_can_be_guessed(cutting, shelf, picture, tmp_path):
    """What was made is only where it was published, under 128 random bits."""
    masks = {cutting.brush(Subject(picture), strokes(tmp_path), shelf) for _ in range(2)}
    assert len(masks) == 2
    assert all(len(Path(mask).stem) == len("mask-") + 32 for mask in masks)
    assert [entry.name for entry in (tmp_path / "home").iterdir()] == ["drafts"]


def test_what_is_no_picture_is_refused_with_words(cutting, shelf, picture, tmp_path):
    """Strokes that are none, too many of them, no strokes at all, and a mask that would leave nothing."""
    words = tmp_path / "words.png"
    words.write_text("no picture")
    everything = strokes(tmp_path, remove=(0, 0, 640, 480))
    for wrong in (words, None, everything):
        with pytest.raises(InvalidRequest) as refused:
            cutting.brush(Subject(picture), wrong, shelf)
        assert refused.value.remedy
    for subject in (Subject(words), Subject(picture, mask=words)):
        with pytest.raises(InvalidRequest):
            cutting.show(subject, shelf)


def test_the_cast_is_that_of_the_film(cutting, picture, tmp_path):
    """Roles, views and groups as said; a picture that cannot be read is named."""
    other = draw_picture(tmp_path / "other.jpg", colour=(150, 60, 20))
    wishes = DraftOptions(roles=("prop", "scene"), views=("back",))
    cast = cutting.cast([picture, other], wishes)
    assert cast == (
        CastMember("prop", (1,), ("back",)),
        CastMember("scene", (2,), (), cut=False),
    )
    together = cutting.cast([picture, other], DraftOptions(groups=(1, 1)))
    assert [one.images for one in together] == [(1, 2)]
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    with pytest.raises(InvalidRequest) as refused:
        cutting.cast([picture, tmp_path / "broken.jpg"], wishes)
    assert refused.value.field == "images[1]"


def test_a_desk_shows_what_was_said_before_and_a_host_does_not(shelf, picture, tmp_path):
    """A remembered mask is the present cut of a desk; strangers never see each other's."""
    home = tmp_path / "home"
    disc = Image.new("L", (640, 480))
    ImageDraw.Draw(disc).rectangle((0, 0, 100, 480), fill=255)
    disc.save(tmp_path / "drawn.png")
    desk, host = Settings(home=home), Settings(home=home, hosted=True)
    said = DraftOptions(masks=(tmp_path / "drawn.png",))
    sent = normalise_picture(picture, tmp_path / "sent.jpg")
    corrections_of([sent], said, Means.of(desk).corrections)
    found = {
        name: kept(Cutting(settings, Here()).brush(Subject(picture), strokes(tmp_path), shelf))
        for name, settings in (("desk", desk), ("host", host))
    }
    assert found["desk"][240, 50]
    assert not found["desk"][240, 320]
    assert not found["host"][240, 50]
    assert found["host"][240, 320]


def test_importing_it_loads_no_pixels():
    """The studio starts without the arrays."""
    code = "import sys, klingo1.cutting; print('cv2' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_a_crowd_at_the_brush_is_sent_away_and_leaves_nothing(tmp_path, shelf, picture):
    """While so many wait for the intake, the next one is told at once; afterwards there is room again."""
    hold, begun = threading.Event(), threading.Semaphore(0)

    class Busily(Here):
        def normalise_picture(self, path, to, *, field="images"):
            begun.release()
            hold.wait(20)
            return normalise_picture(path, to, field=field)

    cutting = Cutting(Settings(home=tmp_path / "home", hosted=True), Busily())
    shown = []
    asking = [
        threading.Thread(target=lambda: shown.append(cutting.show(Subject(picture), shelf)))
        for _ in range(AT_ONCE)
    ]
    for one in asking:
        one.start()
    for _ in asking:
        assert begun.acquire(timeout=20)
    with pytest.raises(Busy) as refused:
        cutting.show(Subject(picture), shelf)
    assert (refused.value.what, refused.value.limit) == ("files", AT_ONCE)
    hold.set()
    for one in asking:
        one.join()
    assert len(shown) == AT_ONCE
    assert cutting.show(Subject(picture), shelf)
    assert not list((tmp_path / "home").glob("cutting-*"))
