"""Each of the page's sentences has its Chinese, and no Chinese is left over."""

import re
import tomllib

import pytest
from ui_words import ROOT, in_python, in_scripts, in_templates

from klingo1.job import State
from klingo1.request import EXAMPLE_PROMPT, ROLES, Engine
from klingo1.ui import words
from klingo1.ui.languages import CHINESE, chinese, create_i18n, spoken
from klingo1.ui.page import ASSETS, TITLE

NAMED = {"'Adjust volume'", "'Kling O1'"}
"""A name, and what Gradio calls a button of its player that the page calls otherwise."""
PLACE = re.compile(r"\{\d\}")


def understood_names():
    """What the draft engine can name on its reading line."""
    lexicon = tomllib.loads((ROOT / "klingo1/draft/lexicon.toml").read_text(encoding="utf-8"))
    kinds = ("place", "time", "weather", "look", "action", "camera")
    return {words.READING_NAMES.get(name, name) for kind in kinds for name in lexicon[kind]} | {"slow"}


def known(sentence):
    """Whether the table has it, a refusal also by its subject: "Picture 3 is …", "The picture is …"."""
    lead = sentence.removeprefix("{0} ")
    shifted = PLACE.sub(lambda found: f"{{{int(found[0][1]) - 1}}}", lead)
    return sentence in chinese() or {f"Picture {{0}} {lead}", f"The picture {shifted}"} <= set(chinese())


def test_every_sentence_of_a_template_has_its_chinese():
    """Texts, labels for those who listen, hints and placeholders."""
    assert len(in_templates()) > 60
    assert [one for one in sorted(in_templates()) if one not in chinese()] == []


def test_every_sentence_of_a_script_has_its_chinese():
    """What the elements' scripts say."""
    assert len(in_scripts()) > 150
    assert [one for one in sorted(in_scripts()) if one not in chinese()] == []


def test_no_script_says_a_sentence_that_is_not_marked():
    """A text of several words in quotation marks is a sentence that would stay English."""
    quoted = re.compile(r"""(?<![\w`])(?:'([A-Z][a-z]+(?: [\w,;’']+)+[.…]?)'|`([A-Z][a-z]+ [a-z][^`]*)`)""")
    for file in sorted((ROOT / "klingo1/ui/components").glob("*.js")):
        text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        found = [match[0] for match in quoted.finditer(text) if match[0] not in NAMED]
        assert found == [], file.name


def test_every_sentence_of_the_server_has_its_chinese():
    """Refusals, advice, phases, errors, and what a run tells when it ended or waits."""
    assert len(in_python()) > 130
    assert [one for one in sorted(in_python()) if not known(one)] == []


def test_every_name_that_is_shown_has_its_chinese():
    """States, engines, roles, what the draft engine understood, the examples and the title."""
    examples = tomllib.loads((ASSETS / "examples.toml").read_text(encoding="utf-8"))["example"]
    shown = {state.value for state in State}
    shown |= {one["name"] for one in examples} | {one["prompt"] for one in examples}
    shown |= {*ROLES, TITLE, EXAMPLE_PROMPT, words.ENGINE_NAMES[Engine.DRAFT]} | understood_names()
    assert sorted(shown - set(chinese())) == []


@pytest.mark.parametrize("english", chinese())
def test_a_translation_keeps_the_places_and_is_chinese(english):
    """Both languages hold the same places, in English in ascending order, and the Chinese holds Chinese."""
    own = chinese()[english]
    places = PLACE.findall(english)
    assert places == [f"{{{number}}}" for number in range(len(places))]
    assert sorted(PLACE.findall(own)) == places
    assert re.search("[\u4e00-\u9fff，]", own) or own == "{0} / {1}"


def test_no_translation_is_left_over():
    """Whatever is in the table still stands somewhere in the code."""
    source = "".join(
        file.read_text(encoding="utf-8")
        for suffix in ("py", "js", "html", "toml")
        for folder in ("klingo1", "assets")
        for file in sorted((ROOT / folder).rglob(f"*.{suffix}"))
        if file.name != "chinese.toml"
    )
    source = re.sub(r'"\s*\n?\s*f?"', "", source)
    composed = {"Picture {0} is {1}.", "The picture is {0}."}
    pieces = {one: re.split(r"\{\d\}| \(", one) for one in chinese() if one not in composed}
    left = [one for one, parts in pieces.items() if not all(part.strip() in source for part in parts)]
    assert left == []


def test_the_table_goes_along_as_gradios_own_translations():
    """One source for the elements and for Gradio's components."""
    assert create_i18n().translations_dict[CHINESE] is chinese()
    assert '"key": "Result"' in spoken("Result")
