"""Misspelt words: "runing" and "sunst" are put right when one letter away from a word that the lexicon knows.

Careful on purpose. Only words of five letters and more; the first and the last letter must be right (so that
a word's ending keeps its meaning: an "explorer" has not "explored"); and what is a word of its own ("waking",
"dessert") stands in the lexicon's `[spelling]` and is never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

SHORTEST = 5
"""Letters: shorter words have too many neighbours."""
_VOWELS = frozenset("aeiou")


class Spelling:
    """The words that may be meant, found by the words with one inner letter left out."""

    def __init__(self, known: Iterable[str], own: AbstractSet[str]) -> None:
        self._known = {word for word in known if len(word) >= SHORTEST and word.isascii() and word.isalpha()}
        self._own = own
        self._near: dict[str, set[str]] = {}
        for word in self._known:
            for part in _shorter(word):
                self._near.setdefault(part, set()).add(word)

    def corrected(self, word: str) -> str:
        """The known word that is one slip away (a letter missing or doubled, a wrong vowel, two swapped),
        when there is just one; else the word itself.
        """
        if len(word) < SHORTEST or word in self._known or word in self._own or not word.isascii():
            return word
        found = {
            near for part in _shorter(word) for near in self._near.get(part, ()) if _one_slip(word, near)
        }
        return found.pop() if len(found) == 1 else word


def _shorter(word: str) -> Iterator[str]:
    """The word, and the word without one of its inner letters."""
    yield word
    for at in range(1, len(word) - 1):
        yield word[:at] + word[at + 1 :]


def _one_slip(said: str, meant: str) -> bool:
    """A letter missing or doubled, two letters swapped, or one vowel for another."""
    if said[0] != meant[0] or said[-1] != meant[-1]:
        return False
    at = next((i for i, (a, b) in enumerate(zip(said, meant, strict=False)) if a != b), 0)
    if len(said) < len(meant):
        return said[at:] == meant[at + 1 :]
    if len(said) > len(meant):
        return said[at + 1 :] == meant[at:] and said[at] == said[at - 1]
    if said[at + 1 :] == meant[at + 1 :]:
        return len(said) > SHORTEST and said[at] in _VOWELS and meant[at] in _VOWELS
    return said[at : at + 2] == meant[at : at + 2][::-1] and said[at + 2 :] == meant[at + 2 :]
