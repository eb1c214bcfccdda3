"""The page in more than one language: English as it stands in the code, simplified Chinese beside it.

`chinese.toml` is the one table. It goes to the browser as Gradio's own translations, so that Gradio's
components and the page's elements speak the same words; each browser shows the language that it asks for.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import gradio as gr

CHINESE = "zh-CN"


@cache
def chinese() -> dict[str, str]:
    """Each English sentence with its Chinese; `{0}`, `{1}`… hold the places of what changes in it."""
    return tomllib.loads(Path(__file__).with_name("chinese.toml").read_text(encoding="utf-8"))


def create_i18n() -> gr.I18n:
    """The translations for `Blocks.launch`. English needs none: a sentence without one is shown as it is."""
    return gr.I18n(en={}, **{CHINESE: chinese()})


def spoken(sentence: str) -> str:
    """A label of one of Gradio's own components, in the reader's language."""
    return str(gr.I18n()(sentence))
