"""How many drafts of one address stand in the line, whatever names its visitors give themselves."""

import threading

import pytest
from conftest import draw_picture

from klingo1.crowd import ADDRESS_DRAFTS, Crowd, caller
from klingo1.errors import Busy
from klingo1.request import VideoRequest
from klingo1.visitors import new_token


@pytest.fixture
def called_from():
    """Sets the address on whose behalf the test acts; nobody's again at the end."""
    before = caller.get()
    yield caller.set
    caller.set(before)


def test_an_address_has_so_many_places_until_one_of_its_drafts_ends(called_from):
    """Another address is not held up, nobody's address is not counted, what has ended makes room."""
    working = set()
    crowd = Crowd(lambda _, job: job in working, most=2)

    def come(job):
        with crowd.place() as place:
            working.add(job)
            place.extend(["owner", job])

    for job in ("a", "b", "c"):
        come(job)
    called_from("198.51.100.7")
    come("d")
    come("e")
    with pytest.raises(Busy) as refused:
        come("f")
    assert (refused.value.what, refused.value.limit) == ("drafts", 2)
    called_from("198.51.100.8")
    come("g")
    called_from("198.51.100.7")
    working.discard("d")
    come("h")


def test_what_was_refused_or_made_before_takes_no_place(called_from):
    """A click that fails, or that repeats an earlier one, gives its place back."""
    crowd = Crowd(lambda *_: True, most=1)
    called_from("198.51.100.7")
    with pytest.raises(KeyError), crowd.place():
        raise KeyError
    with crowd.place():
        pass
    with crowd.place() as place:
        place.extend(["owner", "job"])
    with pytest.raises(Busy), crowd.place():
        pass


def test_racing_clicks_do_not_get_past(called_from):
    """Thirty-two threads at once take as many places as there are."""
    crowd, let_in = Crowd(lambda *_: True, most=5), []
    called_from("198.51.100.7")

    def come(context_address):
        caller.set(context_address)
        try:
            with crowd.place() as place:
                place.extend(["owner", str(len(let_in))])
                let_in.append(place)
        except Busy:
            pass

    threads = [threading.Thread(target=come, args=("198.51.100.7",)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_in) == 5


def test_one_address_cannot_fill_the_line_with_new_names(open_studio, tmp_path, slow_drafts, called_from):
    """A new token for every draft: six are taken, the seventh waits, and another address is let in."""
    studio, picture = open_studio(hosted=True), draw_picture(tmp_path / "a.jpg")

    def draft(number):
        request = VideoRequest(prompt=f"walk {number}", images=(picture,))
        return studio.submit(request, owner=new_token())

    called_from("203.0.113.5")
    for number in range(ADDRESS_DRAFTS):
        draft(number)
    with pytest.raises(Busy) as refused:
        draft("too many")
    assert refused.value.what == "drafts"
    assert (
        not (studio.settings.home / "jobs").is_dir()
        or len(list((studio.settings.home / "jobs").iterdir())) == ADDRESS_DRAFTS
    )
    called_from("203.0.113.6")
    assert draft("of another").state.active
