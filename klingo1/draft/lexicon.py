"""The director's words: reads lexicon.toml, makes the word forms, cuts a prompt into tokens, finds entries.

Forms are made from base forms by the rules of English spelling, never by cutting stems off: that is how
"explorer" stays no walk and "raincoat" no rain. Chinese has no spaces, so each character is a token and an
entry is a run of them; the longest entry that fits wins in both languages.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from klingo1.draft.spelling import Spelling

CJK = "\u3400-\u4dbf\u4e00-\u9fff"
WORD, MENTION, STOP, COMMA, QUOTE = "w", "m", ".", ",", '"'
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_NUMERALS = {numeral: number for number, numeral in enumerate("一二三四五六七", 1)}
_TOKEN = re.compile(
    rf"""
    <<<\s*image_?\s*(?P<wire>\d+)\s*>>>
  | @?\[?(?<![a-z])(?:image|img|picture|pic|reference|photo)\s*[_\#]?\s*(?P<number>\d+)(?![\da-z])\]?
  | (?<![a-z])(?P<ordinal>{"|".join(_ORDINALS)})\s+(?:image|picture|photo|reference)(?![a-z])
  | @?(?:参考图|图片|图)\s*(?P<chinese>\d+|[一二三四五六七](?![个样张种些]))
  | 第(?P<nth>\d|[一二三四五六七])[张幅](?:参考图|图片|照片|图)
  | (?P<video><<<\s*video_?\s*\d+\s*>>>|@?(?<![a-z])video\s*\d+(?![\da-z]))
  | (?<!\d)(?P<hour>\d{{1,2}})(?:[:.](?P<minute>\d\d))?\s*(?P<half>[ap])\.?\s?m(?![a-z])\.?
  | (?<![\d:])(?P<clock>(?:[01]?\d|2[0-3])):[0-5]\d(?![\d:])
  | (?P<character>[{CJK}])
  | (?P<word>\d+(?:[.,]\d+)+|[^\W_{CJK}]+(?:'[^\W_{CJK}]+)*|&)
  | (?P<stop>[.!?;。\n])
  | (?P<comma>[,、:—–])
  | (?P<quote>["“”「」『』])
    """,
    re.VERBOSE,
)  # fmt: skip
_DOUBLED = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
_VOWEL_Y = re.compile(r".*[aeiou]y")


class Sense(NamedTuple):
    """One meaning of an entry: `kind` is place, action, …; `form` is how a verb stands (base, s, ing, ed)."""

    kind: str
    value: str
    weak: bool = False
    form: str = ""


class Token(NamedTuple):
    """A word, a mention (`number` is the picture's), or a mark. `kind` is one of the constants above."""

    kind: str
    text: str
    number: int = 0


class Implication(NamedTuple):
    """What goes without saying: `kind` (weather, look) being `value` gives a place or a time where none is
    said, `unless` the film is at one of those places.
    """

    kind: str
    value: str
    place: str = ""
    time: str = ""
    unless: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lexicon:
    """Entries by their tokens, the sizes of those that begin with a token (longest first), and grammar.

    In `sheltered` places a hint at the time of day (a lantern) does not count.
    """

    entries: Mapping[tuple[str, ...], tuple[Sense, ...]]
    sizes: Mapping[str, list[int]]
    grammar: Mapping[str, frozenset[str]]
    heads: frozenset[str]
    default_times: Mapping[str, str]
    spelling: Spelling
    implications: tuple[Implication, ...] = ()
    sheltered: frozenset[str] = frozenset()

    def longest(self, words: list[str], at: int, *, camera: bool) -> tuple[int, tuple[Sense, ...]] | None:
        """The longest entry at `at` with a sense that applies, as (tokens, senses), or None.

        `camera` tells whether the camera is the subject here: what only it does ("rises") counts only then.
        """
        for size in self.sizes.get(words[at], ()):
            if at + size > len(words):
                continue
            senses = self.entries.get(tuple(words[at : at + size]), ())
            fitting = senses if camera else tuple(sense for sense in senses if sense.kind != "after")
            if fitting:
                return size, fitting
        return None


def _hour(match: re.Match[str]) -> str:
    """A time on the clock as one word, to the hour: "2:30 a.m." is 2am, "18:45" is 6pm."""
    if match["clock"]:
        hour, half = int(match["clock"]) % 12, "p" if int(match["clock"]) >= 12 else "a"
    else:
        hour, half = int(match["hour"]) % 12, match["half"]
    return f"{hour or 12}{half}m"


def tokens_of(text: str) -> list[Token]:
    """Cut a prompt of any script into tokens; what is neither word nor mark (emoji, controls) is dropped."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return list(_tokens(plain))


def _tokens(plain: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(plain):
        kind, found = match.lastgroup, match.group()
        if kind in ("word", "character"):
            yield Token(WORD, found)
        elif kind == "stop":
            yield Token(STOP, found)
        elif kind == "comma":
            yield Token(COMMA, found)
        elif kind == "quote":
            yield Token(QUOTE, found)
        elif kind in ("hour", "minute", "half", "clock"):
            yield Token(WORD, _hour(match))
        elif kind != "video":
            said = match.group(kind or 0)
            number = _ORDINALS.get(said) or _NUMERALS.get(said) or int(said[:9])
            yield Token(MENTION, found, number)


@cache
def lexicon() -> Lexicon:
    """The lexicon, read on first use."""
    raw = tomllib.loads(resources.files("klingo1.draft").joinpath("lexicon.toml").read_text("utf-8"))
    table: dict[tuple[str, ...], list[Sense]] = {}
    for phrase, sense in _senses(raw):
        senses = table.setdefault(_split(phrase), [])
        if sense not in senses:
            senses.append(sense)
    _inherit(table)
    sizes: dict[str, list[int]] = {}
    for words in sorted(table, key=len, reverse=True):
        known = sizes.setdefault(words[0], [])
        if len(words) not in known:
            known.append(len(words))
    entries = {words: tuple(senses) for words, senses in table.items()}
    grammar = {name: frozenset(words) for name, words in raw["grammar"].items()}
    vocabulary = {word for words in entries for word in words}.union(*grammar.values())
    heads = frozenset(form for head in raw["compound"]["heads"] for form in (head, plural(head)))
    return Lexicon(
        entries, sizes, grammar, heads, raw["defaults"],
        spelling=Spelling(vocabulary, frozenset(raw["spelling"]["own"])),
        implications=tuple(_implication(rule) for rule in raw["implies"]),
        sheltered=frozenset(raw["sheltered"]["places"]),
    )  # fmt: skip


def _implication(rule: Mapping[str, Any]) -> Implication:
    kind, _, value = rule["when"].partition(".")
    return Implication(
        kind, value, rule.get("place", ""), rule.get("time", ""), frozenset(rule.get("unless", ()))
    )


def _inherit(table: dict[tuple[str, ...], list[Sense]]) -> None:
    """Give long entries what their words mean by themselves: a dark alley is a city, "slow pan" is slow."""
    slow = Sense("rhythm", "slow")
    for words, senses in table.items():
        kinds = {sense.kind for sense in senses}
        if len(words) == 1 or "nothing" in kinds:
            continue
        if kinds <= {"look", "time", "weather"} and words[0].isascii():
            senses.extend(sense for sense in table.get(words[-1:], ()) if sense.kind == "place")
        if kinds in ({"look"}, {"weather"}):  # "soft morning light" is morning, "through the fog" is misty
            inner = (sense for word in words for sense in table.get((word,), ()))
            other = "time" if kinds == {"look"} else "look"
            senses.extend([sense for sense in inner if sense.kind == other][:1])
        if kinds == {"view"}:  # "walks away" is also a walk
            single = (sense for word in words for sense in table.get((word,), ()))
            senses.extend([sense for sense in single if sense.kind == "action"][:1])
        if slow not in senses and any(slow in table.get((word,), ()) or word in "缓慢" for word in words):
            senses.append(slow)


def _split(phrase: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokens_of(phrase))


def _senses(raw: Mapping[str, Any]) -> Iterator[tuple[str, Sense]]:
    for kind in ("place", "time", "weather", "look", "action", "camera", "framing", "view", "rhythm", "noun"):
        for value, group in raw[kind].items():
            yield from _group(kind, value, group)
    for value, words in raw["colour"].items():
        yield from ((word, Sense("colour", value)) for word in words)
    yield from ((word, Sense("unwanted", "")) for word in raw["grammar"]["unwanted"])
    for word in (*raw["nothing"]["words"], *raw["nothing"]["zh"]):
        yield from ((form, Sense("nothing", "")) for form in (word, plural(word)))
    yield from ((word, Sense("likeness", "")) for word in raw["compound"]["likeness"])
    for name, kind in (
        ("beats", "beat"), ("arrivals", "arrival"), ("distance", "distance"), ("camera_words", "lens")
    ):  # fmt: skip
        yield from ((word, Sense(kind, "")) for word in raw["grammar"][name])
    for group in ("stops", "pronouns", "determiners", "negators"):
        runs = (word for word in raw["grammar"][group] if len(word) > 1 and not word.isascii())
        yield from ((word, Sense("small", word)) for word in runs)


def _group(kind: str, value: str, group: Mapping[str, list[str]]) -> Iterator[tuple[str, Sense]]:
    for word in (*group.get("words", ()), *group.get("zh", ())):
        yield word, Sense(kind, value)
    for word in group.get("nouns", ()):
        # A noun's value is its singular where the word itself matters (who acts), else the group's name.
        yield word, Sense(kind, value)
        yield plural(word), Sense(kind, value, form="plural")
    for word in (*group.get("weak", ()), *group.get("zh_weak", ())):
        yield from ((form, Sense(kind, value, weak=True)) for form in {word, plural(word)})
    for verb in group.get("verbs", ()):
        yield from ((form, Sense(kind, value, form=name)) for name, form in verb_forms(verb))
    for verb in group.get("after", ()):
        yield from ((form, Sense("after", value, form=name)) for name, form in verb_forms(verb))


def plural(noun: str) -> str:
    """The regular plural: wolf-like irregulars stand in the lexicon as words."""
    if re.match(f"[{CJK}]", noun):
        return noun
    head, of, rest = noun.partition(" of ")
    if of:
        return plural(head) + of + rest
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and not _VOWEL_Y.fullmatch(noun):
        return noun[:-1] + "ies"
    if noun.endswith("leaf"):
        return noun[:-1] + "ves"
    return noun + "s"


def verb_forms(verb: str) -> Iterable[tuple[str, str]]:
    """Base, third person, -ing and -ed of a verb; only the first word of "push in" changes."""
    head, _, rest = verb.partition(" ")
    tail = f" {rest}" if rest else ""
    third = plural(head) if not head.endswith("o") else head + "es"
    stem = head[:-1] if head.endswith("e") and not head.endswith(("ee", "oe", "ye")) else head
    if head.endswith("ie"):
        stem = head[:-2] + "y"
    elif _DOUBLED.fullmatch(head):
        stem = head + head[-1]
    past = third[:-1] + "d" if third.endswith("ies") else (head[:-1] if head.endswith("e") else stem) + "ed"
    return (("base", verb), ("s", third + tail), ("ing", stem + "ing" + tail), ("ed", past + tail))
