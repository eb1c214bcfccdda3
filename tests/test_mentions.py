"""Mentions of pictures: found, moved, spelled for a model, and never confused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klingo1.errors import InvalidRequest
from klingo1.mentions import (
    FORMS,
    Mention,
    check_wire_length,
    find,
    from_wire,
    orphans,
    renumber,
    to_wire,
)

NUMBERS = st.integers(1, 7)
PLAIN = st.text(alphabet=st.characters(exclude_characters="@＠<>", exclude_categories=["Cs"]), max_size=20)


@st.composite
def prompts(draw):
    """A prompt of plain pieces with mentions of pictures 1 to 7 between them, set off by spaces."""
    pieces = draw(st.lists(st.tuples(PLAIN, NUMBERS), max_size=6))
    return "".join(f"{plain} @Image{number} " for plain, number in pieces), [number for _, number in pieces]


@pytest.mark.parametrize(
    ("prompt", "numbers"),
    [
        ("@Image1 walks", [1]),
        ("@image 2 and @IMAGE3, then @Image12.", [2, 3, 12]),
        ('(@Image1) "@Image2" @Image3\'s hat—@Image4!', [1, 2, 3, 4]),
        ("让@Image1走在街上,@Image2。", [1, 2]),
        ("＠Image1", [1]),
        ("first.@Image1", [1]),
        ("@Image1@Image2@image 3@Video1@Image4", [1, 2, 3, 4]),
        ("write to me@image1.com or josé@image2.org", []),
        ("a.b+@image1 me_@image2 100%@image3", []),
        ("@Image @Image0 @Image01 @Image1st @Image1_2 @Image1234 @Images1 @@Image1", []),
        ("@ımage1 @İmage2 @Image\u0663", []),
        ("@Image?", []),
        ("@Video1", []),
        ("", []),
    ],
)
def test_mentions_are_found_as_a_person_means_them(prompt, numbers):
    """Case and one space do not matter; longer numbers, addresses and other words are left alone."""
    assert [mention.number for mention in find(prompt)] == numbers


def test_a_mention_tells_where_it_stands():
    """Start and end cut exactly the mention out of the prompt."""
    prompt = "A dog, @image 2, runs"
    assert find(prompt) == [Mention(2, 7, 15)]
    assert prompt[7:15] == "@image 2"
    assert find("with @Video1", kind="video") == [Mention(1, 5, 12, "video")]


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        ("kling", "<<<image_1>>> waves at <<<image_2>>> as in <<<video_1>>>; mail a@image1.com"),
        ("at", "@Image1 waves at @Image2 as in @Video1; mail a@image1.com"),
        ("plain", "image 1 waves at image 2 as in video 1; mail a@image1.com"),
    ],
)
def test_each_form_spells_pictures_and_video(form, sent):
    """One prompt, three spellings; what is no mention is untouched."""
    assert to_wire("@Image1 waves at @image 2 as in @VIDEO1; mail a@image1.com", form) == sent


def test_an_unknown_form_is_an_error_of_the_program():
    """A misspelled setting is not sent to a paid model."""
    with pytest.raises(ValueError, match="kling, at, plain"):
        to_wire("a prompt without mentions", "klingon")


@given(st.text(max_size=300), st.sampled_from(FORMS))
def test_a_prompt_without_mentions_goes_out_untouched(prompt, form):
    """Byte for byte, whatever it holds."""
    if not find(prompt) and not find(prompt, kind="video"):
        assert to_wire(prompt, form) == prompt


@given(prompts())
def test_kling_form_reads_back(made):
    """To the wire and back is the same prompt."""
    prompt, numbers = made
    assert [mention.number for mention in find(prompt)] == numbers
    assert from_wire(to_wire(prompt, "kling")) == prompt


@given(prompts(), st.permutations(range(1, 8)))
def test_reordering_keeps_every_mention_on_its_picture(made, order):
    """Pictures move, and each mention follows its own; moving back restores the prompt."""
    prompt, numbers = made
    mapping = dict(zip(range(1, 8), order, strict=True))
    moved = renumber(prompt, mapping)
    assert [mention.number for mention in find(moved)] == [mapping[number] for number in numbers]
    assert renumber(moved, {new: old for old, new in mapping.items()}) == prompt


@given(prompts(), NUMBERS)
def test_removing_a_picture_marks_its_mentions_and_moves_the_later_ones(made, removed):
    """What follows closes up; the removed one is marked and counted among the orphans."""
    prompt, numbers = made
    mapping = {n: None if n == removed else n - (n > removed) for n in range(1, 8)}
    after = renumber(prompt, mapping)
    assert [mention.number for mention in find(after)] == [n - (n > removed) for n in numbers if n != removed]
    assert after.count("@Image? ") == prompt.count(f"@Image{removed} ")
    assert (0 in orphans(after, 6, with_video=False)) == (removed in numbers)


def test_renumbering_keeps_the_persons_spelling():
    """Only digits change; numbers nobody maps and videos stay."""
    prompt = "@image 1, @IMAGE2, @Image9, @Video1, a@image1.com"
    moved = "@image 2, @IMAGE?, @Image9, @Video1, a@image1.com"
    assert renumber(prompt, {1: 2, 2: None}) == moved
    assert renumber(moved, {}) == moved
    assert renumber("is it @Image1?", {1: None}) == "is it @Image??"


@pytest.mark.parametrize(
    ("prompt", "count", "with_video", "lost"),
    [
        ("@Image1 @Image2", 2, False, []),
        ("@Image3 @Image5 @Image3", 2, False, [3, 5]),
        ("@Video1", 1, True, []),
        ("@Video1", 1, False, [0]),
        ("@Video2", 1, True, [0]),
        ("@Image? and @Image4", 3, True, [0, 4]),
        ("no mention", 0, False, []),
    ],
)
def test_mentions_of_nothing_are_listed(prompt, count, with_video, lost):
    """Numbers over the count, and 0 for removed pictures and absent videos."""
    assert orphans(prompt, count, with_video) == lost


def test_the_limit_holds_for_what_is_sent():
    """A prompt that fits as typed may be too long in Kling's spelling; the remedy says by how much."""
    prompt = "@Image1 " * 312
    assert len(prompt) < 2500
    check_wire_length(prompt, "at")
    with pytest.raises(InvalidRequest) as caught:
        check_wire_length(prompt, "kling")
    assert caught.value.field == "prompt"
    assert "4,368" in caught.value.reason
    assert "2,500" in caught.value.reason
    assert "1,868" in caught.value.remedy


@pytest.mark.parametrize(
    "prompt", ["@" * 100_000, "@Image" * 20_000, "@Image1" * 20_000, "\ud800@Image1", "\0@Image1"]
)
def test_strange_and_huge_prompts_are_handled_in_passing(prompt):
    """No slow matching, no exception: half characters and control characters pass through unharmed."""
    for form in FORMS:
        assert to_wire(prompt, form)
    assert renumber(prompt, {}) == prompt
    assert len(find(prompt)) == prompt.count("@Image1")
    assert orphans(prompt, 1, with_video=False) == []
