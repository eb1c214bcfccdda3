"""Deleting everything of mine on the page: asked once more, then nothing is left, here or in the browser."""

import pytest
from playwright.sync_api import expect
from test_retention import middle, traces

from browser.visitor import generate, hydrated, mood, visit

pytestmark = pytest.mark.browser
WORDS = "a quiet zebra-canary walk through a city"


def test_everything_of_mine_goes_down_to_the_bytes(hosted, browser, photos):
    """Keeping changes nothing; deleting removes a finished draft, its exports, what the form holds, and the
    browser's notes, from the home folder and from Gradio's cache alike.
    """
    with visit(browser, hosted.url) as page:
        generate(page, photos, prompt=WORDS, numbers=(8, 9))  # nobody else's
        mood(page, "good")
        page.get_by_role("button", name="More formats").click()
        page.get_by_role("button", name="Contact sheet").click()
        page.locator("#k-card .made", has_text="ready").wait_for(timeout=60_000)
        needles = [b"zebra-canary", middle(photos / "picture 8.jpg"), middle(photos / "picture 9.jpg")]
        assert len(traces(hosted.folder, *needles)) >= 5
        page.get_by_role("button", name="Delete everything of mine").click()
        page.get_by_role("button", name="Keep everything").click()
        expect(page.locator("#k-history li")).to_have_count(1)
        page.get_by_role("button", name="Delete everything of mine").click()
        page.get_by_role("button", name="Delete everything", exact=True).click()
        page.get_by_text("Everything of yours is gone from this server.").wait_for(timeout=60_000)
        page.get_by_role("button", name="Close", exact=True).click()
        assert traces(hosted.folder, *needles) == []
        page.wait_for_function("document.querySelectorAll('#k-history li').length === 0")
        assert page.get_by_label("Prompt").input_value() == ""
        assert page.locator("#k-pictures .tile").count() == 0
        assert not page.locator("#k-card .card").is_visible()
        # The form's notes are kept a moment after the last change.
        page.wait_for_function("!JSON.stringify(Object.entries(localStorage)).includes('zebra-canary')")
        page.reload()
        hydrated(page)
        assert page.locator("#k-history li").count() == 0
