"""What the draft engine understood, under the prompt while typing and on the card afterwards."""

import re

import pytest
from playwright.sync_api import expect

from browser.visitor import add, generate, mood

pytestmark = pytest.mark.browser


@pytest.fixture
def page(emptied):
    """A page for all tests of this file, one after the other."""
    return emptied


def test_the_reading_follows_the_typing_and_stays_with_the_result(page, photos):
    """Place, time, weather, action, camera and idle words; the card says the same of the finished draft."""
    line = page.locator("#k-prompt .k-reading")
    expect(line).to_be_hidden()
    add(page, photos, 1)
    page.get_by_label("Prompt").press_sequentially("@Image1 runs in a forest")
    expect(line).to_contain_text("Place forest")
    expect(line).to_contain_text("Action run")
    words = "@Image1 dances on the beach at night in the rain, slow push in <b>quixotic</b>"
    page.get_by_label("Prompt").fill(words)
    expect(line).to_contain_text("Place beach")
    for fact in ("Time night", "Weather rain", "Action dance", "Camera push in", "No effect", "quixotic"):
        expect(line).to_contain_text(fact)
    expect(line).not_to_contain_text("Image1")
    assert line.locator("b").count() == 0
    generate(page, photos, prompt=words)
    mood(page, "good")
    told = page.locator("#k-card .k-reading")
    for fact in ("Understood", "Place beach", "Time night", "Weather rain", "Camera push in", "quixotic"):
        expect(told).to_contain_text(fact)
    page.get_by_label("Prompt").fill("")
    expect(line).to_be_hidden()


def test_the_reading_knows_who_plays(page, photos):
    """The guess is told and can be corrected: what is called a scene is the place, also where it is moved."""
    line = page.locator("#k-prompt .k-reading")
    add(page, photos, 1, 2)
    page.get_by_label("Prompt").fill("She walks")
    expect(line).to_contain_text("Action walk")
    expect(line).not_to_contain_text("Place")
    page.locator("#k-pictures .grip").nth(1).click()
    expect(page.get_by_role("button", name=re.compile("^Guess: (Character|Prop|Scene)$"))).to_be_visible()
    page.get_by_role("button", name="Scene", exact=True).click()
    expect(page.get_by_role("button", name="Guess", exact=True)).to_be_visible()
    expect(line).to_contain_text("Place your scene picture")
    page.get_by_role("button", name="Move picture 2 earlier").click()
    expect(line).to_contain_text("Place your scene picture")
    page.get_by_role("button", name="Character", exact=True).click()
    expect(line).not_to_contain_text("Place")
