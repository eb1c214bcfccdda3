"""Everybody can use it: axe-core finds nothing in any state, at the desk, on a phone, in the dark."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.visitor import DESKTOP, PHONE, add, generate, mood, visit

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async rules => (await axe.run(document, {runOnly: rules})).violations.map(
  v => [v.id, v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary)])"""


def violations(page):
    page.evaluate(AXE)
    return page.evaluate(RUN, RULES)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_no_state_of_the_page_has_a_violation(browser, served, photos, viewport, dark):
    """Empty, filled, with notes and a list open, running, done with details, refused: zero findings each."""
    with visit(browser, served.url, viewport=viewport, dark=dark) as page:
        assert page.evaluate("document.body.classList.contains('dark')") is dark
        found = {"empty": violations(page)}
        add(page, photos, 1, 2, 3)
        page.locator("#k-pictures .grip").nth(1).click()
        page.locator("#k-pictures input[type=file]").set_input_files(photos / "tiny.png")
        expect(page.locator("#k-pictures .refused p")).to_have_count(1)
        page.get_by_label("Prompt").press_sequentially("A walk with @")
        found["filled"] = violations(page)
        page.get_by_role("radio", name="Kling O1").click()
        found["key"] = violations(page)
        page.get_by_role("radio", name="Draft").click()
        generate(page, photos, prompt="The fox walks")
        mood(page, "busy")
        found["running"] = violations(page)
        mood(page, "good")
        page.locator("#k-card summary").click()
        page.wait_for_function("document.querySelector('#k-video video')?.readyState >= 1")
        found["done"] = violations(page)
        page.evaluate(
            """klingo.set('problems', [
              {field: 'prompt', text: 'It is empty.', remedy: 'Describe the video.'},
              {field: 'images[0]', text: 'It is damaged.', remedy: 'Save it again.'},
              {field: 'key', text: 'It is wrong.', remedy: 'Check it.'},
              {field: '', text: 'Nothing was started.', remedy: 'Try again.'}])"""
        )
        found["refused"] = violations(page)
        assert found == {state: [] for state in found}


def test_the_whole_way_goes_without_a_pointer(page, photos):
    """Tab and keys alone reach every step, and Ctrl+Enter generates."""
    add(page, photos, 1, 2)
    wanted = ["k-pictures", "k-clip", "k-prompt", "k-duration", "k-aspect", "k-engine", "k-generate"]
    reached = set()
    page.locator("#k-masthead .theme").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "ids => ids.find(id => document.getElementById(id).contains(document.activeElement))", wanted
            )
        )
    assert set(wanted) <= reached
    page.get_by_label("Prompt").fill("By keyboard alone")
    page.get_by_label("Duration").press("Home")
    page.keyboard.press("ControlOrMeta+Enter")
    mood(page, "busy", "good")
    page.get_by_role("button", name="Stop", exact=True).press("Enter")
    mood(page, "calm", "good")


def test_states_are_announced(page, photos):
    """A screen reader hears that the draft is ready."""
    page.evaluate(
        """() => {
          window.heard = [];
          new MutationObserver(() => {
            for (const n of document.querySelectorAll('.k-hidden[role=status]')) heard.push(n.textContent);
          }).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )
    generate(page, photos, prompt="Heard, not seen")
    mood(page, "good")
    page.wait_for_function("heard.some(t => t.startsWith('Draft ready'))")
    assert page.evaluate("heard.some(t => t.includes('added'))")
