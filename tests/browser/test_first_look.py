"""The first look: a finished example on the empty stage."""

import pytest
from playwright.sync_api import expect

from browser.visitor import add, hydrated

pytestmark = pytest.mark.browser

PLAYS = "() => { const v = document.querySelector('#k-stage .film video'); return v && v.currentTime > 0.1; }"


def test_an_example_plays_until_there_are_pictures(page, photos):
    """Less motion shows the poster; else the film plays, can be paused, and makes room for the inputs."""
    film = page.locator("#k-stage .film")
    expect(film).to_contain_text("made on this machine")
    assert page.evaluate("document.querySelector('#k-stage .film video').paused")
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    hydrated(page)
    page.wait_for_function(PLAYS)
    assert page.evaluate("document.querySelector('#k-stage .film video').muted")
    page.get_by_role("button", name="Pause the example").press("Enter")
    assert page.evaluate("document.querySelector('#k-stage .film video').paused")
    page.get_by_role("button", name="Play the example").press("Enter")
    add(page, photos, 1)
    expect(film).to_be_hidden()
    page.wait_for_function("document.querySelector('#k-stage .film video').paused")
