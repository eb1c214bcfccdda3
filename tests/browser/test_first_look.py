"""The first look: a finished example on the empty stage, and a page that can be kept as an app."""

import io
import json

import pytest
from PIL import Image
from playwright.sync_api import expect

from browser.visitor import ARGS, add, chromium, hydrated

pytestmark = pytest.mark.browser

PLAYS = "() => { const v = document.querySelector('#k-stage .film video'); return v && v.currentTime > 0.1; }"


def test_an_example_plays_until_there_are_pictures(page, photos):
    """Less motion shows the poster; else the film plays, can be paused, and makes room for the inputs. Who
    likes it dark has it dark.
    """
    film = page.locator("#k-stage .film")
    expect(film).to_contain_text("made on this machine")
    assert page.evaluate("document.querySelector('#k-stage .film video').paused")
    page.emulate_media(reduced_motion="no-preference", color_scheme="dark")
    page.reload()
    hydrated(page)
    assert page.evaluate("document.body.classList.contains('dark')")
    page.wait_for_function(PLAYS)
    assert page.evaluate("document.querySelector('#k-stage .film video').muted")
    page.get_by_role("button", name="Pause the example").press("Enter")
    assert page.evaluate("document.querySelector('#k-stage .film video').paused")
    page.get_by_role("button", name="Play the example").press("Enter")
    add(page, photos, 1)
    expect(film).to_be_hidden()
    page.wait_for_function("document.querySelector('#k-stage .film video').paused")


def test_the_page_can_be_installed(browser, served, tmp_path):
    """Chromium finds nothing that stands in the way; name, colours and both icons are what they say."""
    context = browser.browser_type.launch_persistent_context(
        str(tmp_path), executable_path=chromium(), args=ARGS, locale="en-US"
    )
    page = context.pages[0]
    page.goto(served.url)
    hydrated(page)
    inspector = context.new_cdp_session(page)
    assert inspector.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    read = inspector.send("Page.getAppManifest")
    assert read["errors"] == []
    manifest = json.loads(read["data"])
    assert (manifest["name"][:7], manifest["short_name"]) == ("klingo1", "klingo1")
    assert read["manifest"]["startUrl"] == served.url
    ground = page.evaluate("getComputedStyle(document.body).getPropertyValue('--k-ground').trim()")
    assert manifest["theme_color"] == manifest["background_color"] == ground
    for icon in manifest["icons"]:
        with Image.open(io.BytesIO(page.request.get(served.url + icon["src"]).body())) as picture:
            assert "x".join(map(str, picture.size)) == icon["sizes"]
    context.close()
