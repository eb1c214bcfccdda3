"""Two takes side by side."""

import pytest
from filming import film
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import generate, mood, unanswered

pytestmark = pytest.mark.browser

WATCH = """() => {
  for (const v of document.querySelectorAll('#k-compare video')) {
    const seen = (_, frame) => { v.dataset.shown = frame.mediaTime; v.requestVideoFrameCallback(seen); };
    v.requestVideoFrameCallback(seen);
  }
}"""
SHOWN = """wanted => [...document.querySelectorAll('#k-compare video')].every(
  (v, i) => Math.abs(Number(v.dataset.shown) - wanted[i]) < 0.002)"""
LOADED = "[...document.querySelectorAll('#k-compare video')].every(v => v.readyState >= 2)"
MOVING = "[...document.querySelectorAll('#k-compare video')].every(v => v.currentTime > 0.4)"
TIMES = "[...document.querySelectorAll('#k-compare video')].map(v => v.currentTime)"


def test_two_takes_play_and_step_as_one(paid, payer, photos, tmp_path):
    """Differences are listed; steps follow the finer of two frame rates, so no picture is passed over;
    playing keeps both together, Escape closes.
    """
    (service, _), page = paid, payer
    generate(page, photos, prompt="A fox walks in the snow", seconds=4)
    mood(page, "good")
    thirty = service.service.film
    service.service.film = film(tmp_path / "slower.mp4", seconds=3, fps=24, size=(1280, 720)).read_bytes()
    try:
        generate(page, photos, prompt="A fox dances <b>in</b> the desert")
        mood(page, "good")
    finally:
        service.service.film = thirty
    opener = page.get_by_role("button", name="Compare A fox walks")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Compare takes")
    expect(dialog.get_by_role("button", name="Play both")).to_be_focused()
    expect(dialog.locator("tbody tr", has_text="Prompt")).to_contain_text("A fox dances <b>in</b>")
    expect(dialog.locator("tbody tr", has_text="Price")).to_have_text("Price$0.336$0.448")
    expect(dialog.locator("tbody")).not_to_contain_text("Shape")
    page.wait_for_function(LOADED)
    assert violations(page) == []
    page.evaluate(WATCH)
    for step in range(1, 8):
        dialog.get_by_role("button", name="One frame on").click()
        page.wait_for_function(SHOWN, arg=[(step * 24 // 30) / 24, step / 30])
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(SHOWN, arg=[4 / 24, 6 / 30])
    dialog.get_by_role("button", name="Play both").click()
    page.wait_for_function(MOVING)
    dialog.get_by_role("button", name="Pause both").click()
    first, second = page.evaluate(TIMES)
    assert abs(first - second) < 0.1
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_take_on_the_card_is_compared(payer, photos):
    """It is the one that another take is compared with: also before the list knows that it is done, and when
    a search leaves only the other one in the list.
    """
    page = payer
    generate(page, photos, prompt="An owl sleeps in a tree")
    mood(page, "good")
    tiles = page.locator("#k-history li")
    expect(tiles.first.locator("b")).to_have_text("An owl sleeps in a tree")
    dialog = page.get_by_role("dialog", name="Compare takes")

    def compared():
        page.get_by_role("button", name="Compare An owl sleeps").press("Enter")
        expect(dialog.locator("tbody tr", has_text="Prompt")).to_have_text(
            "PromptAn owl flies over a lakeAn owl sleeps in a tree"
        )
        page.keyboard.press("Escape")

    with unanswered(page, "**/component_server/**", holding='"history"'):
        generate(page, photos, prompt="An owl flies over a lake")
        mood(page, "good")
        compared()
    expect(tiles.first.locator("b")).to_have_text("An owl flies over a lake")
    page.get_by_label("Search your videos").fill("sleeps")
    expect(tiles).to_have_count(1)
    compared()
