"""What the page says of a prompt before and after a draft."""

import pytest

from klingo1.ui.reading import read_prompt, reading_of


def test_a_prompt_is_read_without_pictures():
    """Place, time, weather, action and camera are named in a person's words; idle words are told apart."""
    read = read_prompt(
        {"prompt": "She dances in the rain in a forest at night, slow push in, 8k", "duration": 5}
    )
    facts = dict(read["facts"])
    assert facts["place"] == "forest"
    assert facts["time"] == "night"
    assert facts["weather"] == "rain"
    assert facts["actions"] == "dance"
    assert facts["camera"] == "push in"
    assert read["shots"] >= 2


def test_words_without_effect_are_listed_and_counted():
    """At most eight are named, the rest is a number."""
    report = {"place": "city", "shots": [{}], "ignored": [f"word{n}" for n in range(11)]}
    read = reading_of(report)
    assert len(read["ignored"]) == 8
    assert read["more"] == 3


@pytest.mark.parametrize(
    "asked", [None, [], "x", {}, {"prompt": 7}, {"prompt": "  "}, {"prompt": None, "duration": "5"}]
)
def test_nothing_is_read_from_what_is_no_prompt(asked):
    """A forged question gets an empty answer."""
    assert read_prompt(asked) == {}


def test_who_plays_changes_the_reading():
    """A scene picture is the place; a cast that this server cannot have given is left aside."""
    person = {"role": "character", "images": [1], "views": ["front"], "cut": True}
    scene = {"role": "scene", "images": [2], "views": [], "cut": False}
    asked = {"prompt": "She walks", "duration": 5}
    alone, staged = read_prompt(asked | {"cast": [person]}), read_prompt(asked | {"cast": [person, scene]})
    assert "place" not in dict(alone["facts"])
    assert dict(staged["facts"])["place"] == "your scene picture"
    for forged in (7, "x", [7], [scene | {"images": [10**9]}], [scene | {"role": ["scene"]}], [{}] * 999):
        assert read_prompt(asked | {"cast": forged}) == read_prompt(asked)


@pytest.mark.parametrize("duration", [True, 10**9, "5", None, 2.5])
def test_a_forged_length_is_taken_as_the_usual_one(duration):
    """The reading neither fails nor grows."""
    read = read_prompt({"prompt": "A fox runs " * 1000, "duration": duration, "aspect": "4:3"})
    assert read["shots"] <= 4


def test_the_paid_model_reports_nothing():
    """An empty report gives an empty reading, and odd values are passed over."""
    assert reading_of({}) == {}
    assert reading_of({"place": {"a": 1}, "ignored": "x", "shots": 4})["ignored"] == ["x"]
