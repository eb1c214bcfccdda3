"""Everybody can use it: axe-core finds nothing in any state, at the desk, on a phone, in the dark."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.visitor import DESKTOP, HELD, LATE, PHONE, add, generate, mood, some, unanswered
from klingo1.ledger import Ledger

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
STILL = """() => {
  const style = document.createElement('style');
  style.textContent = '* { transition: none !important }';
  document.head.append(style);
}"""
"""A colour that is on its way is neither of the two that are to be judged."""
SIZES = """() => [...document.querySelectorAll('.gradio-container *')]
  .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
  .filter((node) => node.checkVisibility() && !node.closest('#k-video'))
  .map((node) => getComputedStyle(node).fontSize)"""
TYPE_SCALE = {"12px", "14px", "16px", "20px"}
RUN = """async runOnly => (await axe.run(document, {runOnly, resultTypes: ['violations']})).violations.map(
  v => [v.id, v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary)])"""


def violations(page, rules=RULES):
    """What axe-core finds on the page as it stands."""
    page.evaluate("source => window.axe || (0, eval)(source)", AXE)
    page.evaluate(STILL)
    return page.evaluate(RUN, rules)


def in_every_look(page):
    """What axe-core finds at the desk and on a phone, in the light and in the dark; nothing else changes. Of
    its rules only that of contrast depends on colours.
    """
    page.evaluate(STILL)
    found = []
    for viewport in (PHONE, DESKTOP):
        page.set_viewport_size(viewport)
        for dark, rules in ((True, ["color-contrast"]), (False, RULES)):
            page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
            found += [(viewport["width"], dark, *one) for one in violations(page, rules)]
    return found


def test_no_state_of_the_page_has_a_violation(page, photos):
    """Empty, filled, with notes and a list open, done with details, refused: zero findings each, at the desk,
    on a phone, light and dark. Every text has one of the four sizes.
    """
    found = {"empty": in_every_look(page)}
    add(page, photos, 1, 2, 3)
    page.locator("#k-pictures .grip").nth(1).click()
    page.locator("#k-pictures input[type=file]").set_input_files(photos / "tiny.png")
    expect(page.locator("#k-pictures .refused p")).to_have_count(1)
    page.get_by_label("Prompt").press_sequentially("A walk with @")
    found["filled"] = in_every_look(page)
    page.get_by_role("radio", name="Kling O1").click()
    found["key"] = in_every_look(page)
    page.get_by_role("radio", name="Draft").click()
    generate(page, photos, prompt="The fox walks")
    mood(page, "good")
    page.locator("#k-card summary").click()
    page.wait_for_function("document.querySelector('#k-video video')?.readyState >= 1")
    found["done"] = in_every_look(page)
    page.evaluate(
        """klingo.set('problems', [
          {field: 'prompt', text: 'It is empty.', remedy: 'Describe the video.'},
          {field: 'images[0]', text: 'It is damaged.', remedy: 'Save it again.'},
          {field: 'key', text: 'It is wrong.', remedy: 'Check it.'},
          {field: '', text: 'Nothing was started.', remedy: 'Try again.'}])"""
    )
    found["refused"] = in_every_look(page)
    assert found == {state: [] for state in found}
    assert set(page.evaluate(SIZES)) <= TYPE_SCALE


def test_a_run_under_way_has_no_violation(paid, payer, photos):
    """Nor has the card while the run goes on, on a page with a history."""
    (service, _), page = paid, payer
    service.service.script = ["processing"]
    try:
        generate(page, photos, prompt="The fox walks")
        mood(page, "busy")
        assert in_every_look(page) == []
        mood(page, "busy")
        assert set(page.evaluate(SIZES)) <= TYPE_SCALE
    finally:
        service.service.script = ["completed"]
    mood(page, "good")


def test_the_whole_way_goes_without_a_pointer(served, page, photos):
    """Tab and keys alone reach every step, and Ctrl+Enter generates, where Generate can be seen."""
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
    page.get_by_role("slider", name="Duration").press("End")
    page.keyboard.press("?")
    expect(page.locator("#k-masthead dialog")).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ControlOrMeta+Enter")
    assert not page.evaluate("klingo.get('sending')")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="One video").press("ArrowRight")
    page.keyboard.press("ControlOrMeta+Enter")
    assert not page.evaluate("klingo.get('sending')")
    page.get_by_role("tab", name="A list of videos").press("ArrowLeft")
    with served.holding():
        page.keyboard.press("ControlOrMeta+Enter")
        mood(page, "busy")
        page.get_by_role("button", name="Stop", exact=True).press("Enter")
        mood(page, "calm")


UNDER = """() => {
  const at = document.activeElement, floating = document.querySelector('#k-generate[data-afloat] .bar');
  if (!floating || at === document.body || floating.contains(at)) return '';
  const one = at.getBoundingClientRect(), bar = floating.getBoundingClientRect();
  return one.left < bar.right && one.bottom > bar.top ? at.outerHTML.slice(0, 80) : '';
}"""


def test_what_has_the_focus_is_not_under_the_floating_button(page, photos):
    """Where the form is taller than the window, Generate floats at its edge; what Tab reaches is above."""
    page.set_viewport_size({"width": 1000, "height": 500})
    add(page, photos, 1, 2)
    page.locator("#k-pictures .grip").first.click()
    expect(page.locator("#k-generate")).to_have_attribute("data-afloat", "")
    page.locator("#k-masthead .theme").focus()
    covered = []
    for _ in range(40):
        page.keyboard.press("Tab")
        covered.append(page.evaluate(UNDER))
    assert set(covered) == {""}


def test_focus_is_never_lost(payer, photos):
    """Whatever a key press takes away or closes, the focus stands on something that can be seen then; also
    while the server's answer is awaited.
    """
    page, lost = payer, []
    page.evaluate(LATE)

    def press(locator, key="Enter", then=None):
        locator.focus()
        page.keyboard.press(key)
        for wait in (None, then):
            if wait:
                wait()
            page.wait_for_timeout(150)  # what is drawn anew has been
            if not page.evaluate(HELD):
                lost.append(f"{key} on {locator}")

    button = page.get_by_role
    add(page, photos, 1, 2, 3)
    page.locator("#k-pictures input[type=file]").set_input_files(photos / "tiny.png")
    tiles = page.locator("#k-pictures .tile:not(.waiting)")
    press(button("button", name="Dismiss"))
    press(page.locator("#k-pictures .grip").nth(2), "ArrowLeft")
    press(button("button", name="Remove picture 3"), then=lambda: expect(tiles).to_have_count(2))
    press(button("button", name="Remove picture 1"), then=lambda: expect(tiles).to_have_count(1))
    page.get_by_label("Prompt").fill("Held")
    for kind in ("A first take", "A second take"):
        page.get_by_label("Prompt").fill(kind)
        page.get_by_role("slider", name="Duration").fill("3")
        press(page.locator("#k-generate .go"), then=lambda: mood(page, "good"))
        expect(page.locator("#k-history .open b").first).to_have_text(kind)
    press(page.locator("#k-history .open").nth(1), then=lambda: mood(page, "good"))
    press(button("button", name="Compare A first take"))
    press(button("dialog", name="Compare takes").get_by_role("button").first, "Escape")
    press(page.locator("#k-masthead .keys"))
    press(page.locator("#k-masthead dialog button").first, "Escape")
    press(
        button("button", name="Delete A second take"),
        then=lambda: expect(button("button", name="Undo")).to_be_visible(),
    )
    press(button("button", name="Undo"), then=lambda: expect(page.locator("#k-history .undo")).to_be_hidden())
    press(button("button", name="This frame as picture"), then=lambda: expect(tiles).to_have_count(2))
    press(
        button("button", name="As reference video"),
        then=lambda: page.locator("#k-clip .clip .away").wait_for(),
    )
    press(page.locator("#k-clip .clip .away"))
    press(button("radio", name="Kling O1"), "ArrowLeft")
    press(button("tab", name="One video"), "ArrowRight")
    press(button("tab", name="A list of videos"), "ArrowLeft")
    press(button("button", name="Delete A first take"))
    assert lost == []


def test_states_are_announced(served, page, photos):
    """A screen reader hears that the draft is ready, also when that is the first that the page hears."""
    page.evaluate(
        """() => {
          window.heard = [];
          new MutationObserver(() => {
            for (const n of document.querySelectorAll('.k-hidden[role=status]')) heard.push(n.textContent);
          }).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )
    with unanswered(page, "**/component_server/**", holding='"status"') as held:
        generate(page, photos, prompt="Heard, not seen")
        some(page, held, 1)
        home = served.folder / "home"
        book = Ledger(home / "klingo1.sqlite3", home=home)
        while not book.job(page.evaluate("klingo.get('job')")).state.ended:
            page.wait_for_timeout(50)
        book.close()
    mood(page, "good")
    page.wait_for_function("heard.some(t => t.startsWith('Draft ready'))")
    assert page.evaluate("heard.some(t => t.includes('added'))")
