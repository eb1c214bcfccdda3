"""The history: search, filters, deleting with undo."""

import pytest
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import generate, mood, visit

pytestmark = pytest.mark.browser


POSTER = """shape => {
  const poster = document.querySelector('#k-history li img');
  return poster?.naturalWidth && Math.abs(poster.naturalWidth / poster.naturalHeight - shape) < 0.02;
}"""


def begin_and_stop(page, photos, prompt):
    generate(page, photos, prompt=prompt)
    mood(page, "busy", "good")
    page.evaluate(
        "document.querySelector('#k-card [data-act=stop]')?.click()"
    )  # where it is not made already
    mood(page, "calm", "good")


def test_runs_are_found_deleted_and_taken_back(browser, hosted, photos):
    """A finished run shows its poster; words and states narrow the list; a deleted run leaves card and list,
    and Undo brings it back.
    """
    with visit(browser, hosted.url) as page:
        expect(page.locator("#k-history .history")).to_be_hidden()
        generate(page, photos, prompt="A red fox waits at the station")
        mood(page, "good")
        tiles = page.locator("#k-history li")
        page.wait_for_function(POSTER, arg=16 / 9)
        begin_and_stop(page, photos, "A blue heron <i>waits</i>")
        expect(tiles).to_have_count(2)
        assert violations(page) == []
        words = page.get_by_label("Search your videos")
        words.fill("WAITS heron")
        expect(tiles).to_have_count(1)
        expect(tiles.locator("b")).to_have_text("A blue heron <i>waits</i>")
        words.fill("giraffe")
        expect(page.locator("#k-history .none")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="Show everything").click()
        expect(tiles).to_have_count(2)
        page.get_by_label("Made by", exact=True).select_option("kling")
        expect(tiles).to_have_count(0)
        page.get_by_label("Made by", exact=True).select_option("")
        expect(tiles).to_have_count(2)
        page.get_by_role("button", name="Delete A blue heron").press("Enter")
        expect(tiles).to_have_count(1)
        expect(page.locator("#k-card .card")).to_be_hidden()
        expect(page.get_by_role("button", name="Undo")).to_be_focused()
        assert violations(page) == []
        page.keyboard.press("Enter")
        expect(tiles).to_have_count(2)
        page.get_by_role("button", name="Delete A red fox").click()
        expect(tiles).to_have_count(1)
        page.reload()
        expect(tiles).to_have_count(1)
