"""Two takes side by side."""

import pytest
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import Served, generate, mood, visit

pytestmark = pytest.mark.browser

TIMES = "[...document.querySelectorAll('#k-compare video')].map(v => v.currentTime)"
LOADED = "[...document.querySelectorAll('#k-compare video')].every(v => v.readyState >= 2)"
MOVING = "[...document.querySelectorAll('#k-compare video')].every(v => v.currentTime > 0.4)"


def test_two_takes_play_and_step_as_one(browser, photos, tmp_path):
    """Differences are listed, frames are stepped together, playing keeps them together, Escape closes."""
    served = Served(tmp_path).start()
    try:
        with visit(browser, served.url) as page:
            for prompt in ("A fox walks in the snow", "A fox dances <b>in</b> the desert"):
                generate(page, photos, prompt=prompt)
                mood(page, "busy")
                mood(page, "good")
            opener = page.get_by_role("button", name="Compare A fox walks")
            opener.press("Enter")
            dialog = page.get_by_role("dialog", name="Compare takes")
            expect(dialog.get_by_role("button", name="Play both")).to_be_focused()
            expect(dialog.locator("tbody tr", has_text="Prompt")).to_contain_text("A fox dances <b>in</b>")
            expect(dialog.locator("tbody")).not_to_contain_text("Shape")
            page.wait_for_function(LOADED)
            assert violations(page) == []
            for _ in range(3):
                dialog.get_by_role("button", name="One frame on").click()
            first, second = page.evaluate(TIMES)
            assert first == second == pytest.approx(3 / 24, abs=0.01)
            page.keyboard.press("ArrowLeft")
            assert page.evaluate(TIMES) == pytest.approx([2 / 24] * 2, abs=0.01)
            dialog.get_by_role("button", name="Play both").click()
            page.wait_for_function(MOVING)
            dialog.get_by_role("button", name="Pause both").click()
            first, second = page.evaluate(TIMES)
            assert abs(first - second) < 0.1
            page.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
            expect(opener).to_be_focused()
    finally:
        served.stop()
