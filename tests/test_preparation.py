"""Clean copies of references: all of them, once each, and the first failure is the one that is told."""

import asyncio

import pytest
from conftest import draw_picture
from PIL import Image

from klingo1.errors import InvalidRequest
from klingo1.intake_process import Here
from klingo1.preparation import AT_ONCE, prepare
from klingo1.request import VideoRequest
from klingo1.uploads import PREPARED


class Counting(Here):
    """The intake of a desk that notes how many pictures are in work."""

    def __init__(self):
        self.asked, self.most, self._now = [], 0, 0

    def normalise_picture(self, path, to, *, field="images"):
        self._now += 1
        self.most = max(self.most, self._now)
        self.asked.append(field)
        try:
            return super().normalise_picture(path, to, field=field)
        finally:
            self._now -= 1


def test_what_is_there_is_not_made_again(tmp_path):
    """Seven pictures give seven copies, two at a time at most; a second call makes only what lacks."""
    pictures = tuple(draw_picture(tmp_path / f"{n}.png", colour=(30 * n, 90, 60)) for n in range(1, 8))
    request, intake = VideoRequest("a walk", pictures), Counting()
    asyncio.run(prepare(request, tmp_path / "job", intake))
    made = tmp_path / "job" / PREPARED
    assert {file.name for file in made.iterdir()} == {f"{n}.jpg" for n in range(1, 8)}
    assert intake.most <= AT_ONCE
    (made / "3.jpg").unlink()
    intake.asked.clear()
    asyncio.run(prepare(request, tmp_path / "job", intake))
    assert intake.asked == ["images[2]"]


def test_the_first_bad_picture_is_named_and_the_good_ones_are_kept(tmp_path):
    """A damaged second and a foreign fourth picture: the second is told, the others have their copies."""
    pictures = [draw_picture(tmp_path / f"{n}.jpg") for n in range(1, 5)]
    pictures[1].write_bytes(pictures[1].read_bytes()[:9000])
    pictures[3].write_bytes(b"<svg/>")
    with pytest.raises(InvalidRequest) as refused:
        asyncio.run(prepare(VideoRequest("a walk", tuple(pictures)), tmp_path / "job", Here()))
    assert refused.value.field == "images[1]"
    assert {file.name for file in (tmp_path / "job" / PREPARED).iterdir()} == {"1.jpg", "3.jpg"}


def test_colour_is_sent_as_finely_as_it_came(tmp_path):
    """A camera's halved colour stays halved, full colour stays full, and both show the same pixels."""
    source = Image.open(draw_picture(tmp_path / "drawn.png"))
    for subsampling in (0, 2):
        picture, sent = tmp_path / f"in{subsampling}.jpg", tmp_path / f"out{subsampling}.jpg"
        source.save(picture, quality=95, subsampling=subsampling, comment=b"hidden words")
        Here().normalise_picture(picture, sent)
        with Image.open(sent) as made, Image.open(picture) as given:
            assert made.layer[0][1] == given.layer[0][1] == (1 if subsampling == 0 else 2)
            assert "comment" not in made.info
            differences = [abs(a - b) for a, b in zip(made.tobytes(), given.tobytes(), strict=True)]
            assert sum(differences) / len(differences) < 2
