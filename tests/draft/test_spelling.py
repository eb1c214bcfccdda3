"""Misspelt words are put right; words of their own are left alone."""

from __future__ import annotations

import pytest

from klingo1.draft.director import understand
from klingo1.draft.lexicon import lexicon
from klingo1.draft.spelling import Spelling


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("runing", "running"), ("sunst", "sunset"), ("walikng", "walking"), ("forrest", "forest"),
        ("mountian", "mountain"), ("camara", "camera"), ("undrwater", "underwater"), ("brigde", "bridge"),
    ],
)  # fmt: skip
def test_one_slip_is_put_right(said, meant):
    """A letter missing, doubled, two swapped, a wrong vowel."""
    assert lexicon().spelling.corrected(said) == meant


@pytest.mark.parametrize(
    "word", ["dessert", "waking", "explorer", "beech", "wondering", "battle", "rain", "街道", "café", "x2000"]
)
def test_other_words_are_left_alone(word):
    """Words of their own, other endings, short words, other scripts."""
    assert lexicon().spelling.corrected(word) == word


def test_two_possible_words_mean_none():
    """Where two known words are one slip away, it is not for us to choose."""
    spelling = Spelling(["planted", "planned"], frozenset())
    assert spelling.corrected("planed") == "planed"


def test_a_prompt_full_of_slips_is_understood():
    """Nobody's film is lost for a typing error."""
    said = understand("the camara slowly zooms out, a dog runing trough the forrest at sunst")
    assert (said.place, said.time, said.actions, said.camera) == ("forest", "dusk", ("run",), ("pull",))
