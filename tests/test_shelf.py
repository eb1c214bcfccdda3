"""Files of the home folder on their way to the browser: by names nobody can guess, without copying."""

from pathlib import Path

import pytest
from gradio import route_utils
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from klingo1.ui import shelf as shelves


@pytest.fixture
def shelf(tmp_path):
    return shelves.Shelf(tmp_path / "cache")


def test_a_file_is_put_there_once_by_a_name_of_its_own(shelf, tmp_path):
    """The same version has one place, without a second copy of its bytes; another file has another place."""
    file, other = tmp_path / "video.mp4", tmp_path / "more" / "video.mp4"
    other.parent.mkdir()
    for one in (file, other):
        one.write_bytes(b"film" * 1000)
    placed = shelf.publish(file)
    assert shelf.publish(file) == placed
    assert shelf.publish(other) != placed
    assert Path(placed).samefile(file)
    assert len(Path(placed).parent.name) == 64


def test_a_new_version_and_an_emptied_cache_are_put_there_again(shelf, tmp_path):
    """A replaced file is shown as it is now; one that the cache has lost comes back."""
    file = tmp_path / "poster.jpg"
    file.write_bytes(b"one")
    first = shelf.publish(file)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"another")
    fresh.replace(file)
    second = shelf.publish(file)
    assert (Path(first).read_bytes(), Path(second).read_bytes()) == (b"one", b"another")
    Path(second).unlink()
    assert Path(shelf.publish(file)).read_bytes() == b"another"


def test_where_links_are_impossible_the_file_is_copied(shelf, tmp_path, monkeypatch):
    """A cache on another disk holds a copy of its own."""

    def refuse(*_):
        raise OSError(18, "another device")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    file = tmp_path / "video.mp4"
    file.write_bytes(b"film")
    placed = shelf.publish(file)
    assert not Path(placed).samefile(file)
    assert [one.name for one in Path(placed).parent.iterdir()] == ["video.mp4"]
    assert Path(placed).read_bytes() == b"film"


def test_equal_uploads_have_a_place_each(tmp_path):
    """A picture that two visitors have sent lies there twice, so that deleting one leaves the other."""
    shelves.keep_uploads_apart()

    async def take(request):
        files, *_ = await route_utils.upload_fn(request, str(tmp_path), 10**6, None)
        return JSONResponse(files)

    client = TestClient(Starlette(routes=[Route("/upload", take, methods=["POST"])]))
    sent = [("files", ("hero.png", b"the same picture", "image/png"))] * 2
    answers = [client.post("/upload", files=sent).json() for _ in range(2)]
    places = [Path(place) for answer in answers for place in answer]
    assert len({place.parent for place in places}) == 4
    places[0].unlink()
    assert all(place.read_bytes() == b"the same picture" for place in places[1:])
