"""The page looks like one: its style sheets keep to one spacing scale, one type scale, one palette."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHEETS = [ROOT / "assets/style.css", *sorted((ROOT / "klingo1/ui/components").glob("*.css"))]
SPACES = {0, 2, 4, 6, 8, 12, 16, 20, 24, 32}
PLACES = {
    "margin: -56px 0 0 512px",  # the tabs, in the masthead's row and over the second column
    "padding: 30px",  # what lies over Gradio's canvas, which keeps 30 px of its own
    "padding: 12px clamp(16px, 2.5vw, 32px) 64px !important",  # the page's end
    "scroll-padding-bottom: 104px",  # the height of the floating button
}
OVER_PICTURES = {"#fff", "#000", "#101010", "#e9e6e1", "#ffe9b0", "#553b00", "#b3261e"}
SIZES = {"12px", "14px", "16px", "20px", "inherit", "0"}


def rules(sheet):
    """A sheet's text without comments and without pictures."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r'url\("data:[^"]*"\)', "", text)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_every_space_is_a_step_of_one_scale(sheet):
    """Margins, paddings and gaps are 2 4 6 8 12 16 20 24 or 32 px, out or in, but in four places."""
    said = re.findall(r"(?<![-\w])(?:[a-z]+-)?(?:margin|padding|gap)[a-z-]*:[^;}]+", rules(sheet))
    wrong = [
        space.strip()
        for space in said
        if space.strip() not in PLACES
        and not {abs(float(n)) for n in re.findall(r"(-?[\d.]+)px", space)} <= SPACES
    ]
    assert wrong == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_every_text_has_one_of_four_sizes(sheet):
    """Font sizes are 12, 14, 16 or 20 px."""
    said = re.findall(r"font-size:\s*([^;}!]+)", rules(sheet))
    assert {size.strip() for size in said} <= SIZES


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_colours_come_from_the_theme(sheet):
    """But for what lies over pictures and films, every colour is one of the theme's variables."""
    outside = re.sub(r"--k-[a-z-]+:[^;}]+", "", rules(sheet))
    inside = re.findall(r"\{([^{}]*)\}", outside)
    assert {c.lower() for text in inside for c in re.findall(r"#[0-9a-fA-F]{3,8}\b", text)} <= OVER_PICTURES
