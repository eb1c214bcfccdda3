"""The lexicon: word forms, tokens and mentions, and entries that name only what the renderer has."""

from __future__ import annotations

import pytest

from klingo1.draft.lexicon import MENTION, WORD, lexicon, plural, tokens_of, verb_forms
from klingo1.draft.plan import ACTIONS, CAMERAS, FRAMINGS, PLACES, TIMES, VIEWS, WEATHERS


def test_every_entry_names_something_the_plan_knows():
    """A misspelt section of the data would be silently lost; every one is a name of plan.py."""
    known = {"place": PLACES, "time": TIMES, "weather": WEATHERS, "action": ACTIONS, "camera": CAMERAS}
    known |= {"after": CAMERAS, "framing": FRAMINGS, "view": VIEWS}
    found = {name: set() for name in known}
    for senses in lexicon().entries.values():
        for sense in senses:
            if sense.kind in known:
                found[sense.kind].add(sense.value)
    assert {name: found[name] - set(values) for name, values in known.items()} == {
        name: set() for name in known
    }
    assert found["place"] == set(PLACES)
    assert found["action"] == set(ACTIONS)
    assert found["weather"] == set(WEATHERS)
    assert set(lexicon().default_times) <= set(PLACES)


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("walk", {"walk", "walks", "walking", "walked"}),
        ("run", {"run", "runs", "running", "runned"}),
        ("dance", {"dance", "dances", "dancing", "danced"}),
        ("dash", {"dash", "dashes", "dashing", "dashed"}),
        ("hurry", {"hurry", "hurries", "hurrying", "hurried"}),
        ("push in", {"push in", "pushes in", "pushing in", "pushed in"}),
        ("lie", {"lie", "lies", "lying", "lied"}),
        ("float", {"float", "floats", "floating", "floated"}),
    ],
)
def test_verb_forms_follow_english_spelling(verb, forms):
    """Consonants double, e and y give way, and only the first word of a phrase changes."""
    assert {form for _, form in verb_forms(verb)} == forms


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("city", "cities"),
        ("beach", "beaches"),
        ("bay", "bays"),
        ("leaf", "leaves"),
        ("ray of light", "rays of light"),
    ],
)
def test_plurals_are_regular(noun, many):
    """Nouns are listed once, in the singular."""
    assert plural(noun) == many


@pytest.mark.parametrize(
    "text",
    [
        "@Image2",
        "@image 2",
        "<<<image_2>>>",
        "image 2",
        "the second picture",
        "图2",
        "@图二",
        "第二张图片",
        "＠Image２",
        "[Image 2]",
    ],
)
def test_a_mention_is_found_in_any_of_its_forms(text):
    """Ours, Kling's and plain ones, in both languages and in full width, name picture two."""
    assert [token.number for token in tokens_of(f"让{text}走") if token.kind == MENTION] == [2]


def test_videos_emoji_and_controls_are_no_words():
    """A video's mention is no picture, and what is no letter is left out."""
    assert tokens_of("@Video1 \x00🎬\u200b") == []
    assert [token.text for token in tokens_of("𝐂𝐢𝐭𝐲 f/2.8 t-shirt") if token.kind == WORD] == [
        "city",
        "f",
        "2.8",
        "t",
        "shirt",
    ]
    assert [token.kind for token in tokens_of("imagination 3")] == [WORD, WORD]


def test_the_longest_entry_wins_and_the_cameras_verbs_need_a_camera():
    """A rain forest is one entry; "rises" means something only of the camera."""
    words = ["rain", "forest"]
    found = lexicon().longest(words, 0, camera=False)
    assert found is not None
    assert found[0] == 2
    assert lexicon().longest(["rises"], 0, camera=False) is None
    assert lexicon().longest(["rises"], 0, camera=True) is not None
