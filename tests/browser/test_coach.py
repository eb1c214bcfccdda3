"""The coach on the pictures: advice that never blocks, and what a person knows better than the engine."""

import pytest
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import add, hydrated

pytestmark = pytest.mark.browser


def test_advice_comes_and_goes_with_pictures_and_prompt(page, photos):
    """One angle asks for a side view; a prompt that names some pictures tells of the others."""
    add(page, photos, 1)
    page.locator("#k-pictures .grip").first.click()
    remarks = page.locator("#k-pictures .remark")
    expect(remarks.filter(has_text="side view")).to_have_count(1)
    add(page, photos, 2)
    expect(remarks.filter(has_text="side view")).to_have_count(0)
    page.get_by_label("Prompt").fill("@Image2 walks")
    expect(remarks.filter(has_text="not mentioned")).to_have_count(1)
    page.get_by_label("Prompt").fill("@Image2 walks with @Image1")
    expect(remarks.filter(has_text="not mentioned")).to_have_count(0)
    page.get_by_label("Prompt").fill("They walk")
    expect(remarks.filter(has_text="not mentioned")).to_have_count(0)
    expect(page.locator("#k-generate .go")).to_have_attribute("aria-disabled", "false")


def test_role_and_view_are_corrected_and_kept(page, photos):
    """They travel with the picture through moves and reloads; Guess forgets what was said before."""
    add(page, photos, 1, 2)
    page.locator("#k-pictures .grip").first.click()
    page.get_by_role("button", name="Prop", exact=True).click()
    page.get_by_label("View of picture 1").select_option("back")
    assert violations(page) == []
    page.get_by_role("button", name="Move picture 1 later").click()
    expect(page.get_by_label("View of picture 2")).to_have_value("back")
    page.wait_for_timeout(300)
    page.reload()
    hydrated(page)
    kept = "klingo.get('pictures').map(p => [p.role, p.view])"
    assert page.evaluate(kept) == [["", ""], ["prop", "back"]]
    page.locator("#k-pictures .grip").nth(1).click()
    page.get_by_label("View of picture 2").select_option("")
    page.get_by_role("button", name="Guess", exact=True).click()
    assert page.evaluate(kept) == [["", ""], ["guess", "guess"]]
    expect(page.get_by_role("button", name="Guess", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_page_can_be_installed(page):
    """The manifest has a name and an icon that is there."""
    manifest = page.request.get(page.url + "manifest.json").json()
    assert manifest["name"].startswith("klingo1")
    assert page.request.get(page.url.rstrip("/") + manifest["icons"][0]["src"]).ok
    assert page.locator("link[rel=manifest]").count() == 1
