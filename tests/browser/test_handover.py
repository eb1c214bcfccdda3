"""Handing a result over: other forms to download, and what a film of ours tells when it is dropped."""

import base64

import av
import pytest
from PIL import Image
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import ROOT, generate, mood
from klingo1.recipe import read_recipe
from klingo1.request import Engine

pytestmark = pytest.mark.browser

DROP = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type: 'video/mp4'}));
  const how = {dataTransfer: transfer, bubbles: true, cancelable: true};
  document.body.dispatchEvent(new DragEvent('drop', how));
}"""


PLAYED = """() => new Promise((done) => {
  const v = document.querySelector('video');
  v.addEventListener('timeupdate', () => { if (v.currentTime > 0.1) done(); });
  v.muted = true;
  v.play();
})"""
"""Waits by itself: the offline page's policy lets nobody evaluate a text again and again."""


def drop(page, file):
    page.evaluate(DROP, [base64.b64encode(file.read_bytes()).decode(), file.name])


def opens_as_webm(file, page):
    with av.open(str(file)) as film:
        assert "webm" in film.format.name
        frames = list(film.decode(video=0))
    assert len(frames) == 90
    assert frames[0].height == 480


def opens_as_gif(file, page):
    with Image.open(file) as film:
        assert film.format == "GIF"
        assert film.n_frames > 20
        assert film.height == 480


def opens_as_sheet(file, page):
    with Image.open(file) as sheet:
        sheet.load()
        assert sheet.format == "PNG"
        assert min(sheet.size) > 400


def plays_offline(file, page):
    context = page.context.browser.new_context(offline=True)
    alone = context.new_page()
    alone.goto(file.as_uri())
    expect(alone.get_by_text("Handed to a stakeholder")).to_be_visible()
    expect(alone.get_by_text("$0.336")).to_be_visible()
    assert alone.evaluate("[...document.images].map(i => i.naturalWidth > 0)") == [True]
    alone.evaluate(PLAYED)
    context.close()


def test_a_result_is_saved_in_other_forms(payer, photos, tmp_path):
    """WebM, GIF, contact sheet and offline page are made while the page tells so, and open."""
    page = payer
    generate(page, photos, prompt="Handed to a stakeholder")
    mood(page, "good")
    opener = page.get_by_role("button", name="More formats")
    opener.press("Enter")
    expect(page.get_by_label("Format")).to_be_focused()
    assert violations(page) == []
    page.get_by_label("with its cost").check()
    for press, choose, ending, opens in (
        ("Save video", ("webm", "480p"), "-480p.webm", opens_as_webm),
        ("Save video", ("gif", "480p"), "-480p.gif", opens_as_gif),
        ("Contact sheet", None, "-contact-sheet.png", opens_as_sheet),
        ("Offline page", None, "-page.html", plays_offline),
    ):
        if choose:
            page.get_by_label("Format").select_option(choose[0])
            page.get_by_label("Size", exact=True).select_option(choose[1])
        with page.expect_download(timeout=60_000) as download:
            page.get_by_role("button", name=press).click()
        assert download.value.suggested_filename.endswith(ending)
        saved = tmp_path / download.value.suggested_filename
        download.value.save_as(saved)
        opens(saved, page)
    expect(page.locator("#k-card .made")).to_contain_text("ready")
    opener.click()
    expect(page.locator("#k-forms")).to_be_hidden()


def test_a_dropped_film_of_ours_offers_its_settings(page):
    """Apply writes the form, Cancel leaves everything, Use makes it the reference video."""
    film = ROOT / "assets" / "example.mp4"
    offer = page.get_by_role("group", name="A video with its recipe")
    drop(page, film)
    expect(offer).to_contain_text("futuristic city")
    expect(page.get_by_role("button", name="Apply settings")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(offer).to_be_hidden()
    drop(page, film)
    page.get_by_role("button", name="Cancel").click()
    expect(offer).to_be_hidden()
    assert page.evaluate("klingo.get('clip').file") is None
    page.get_by_role("slider", name="Duration").fill("9")
    drop(page, film)
    page.get_by_role("button", name="Apply settings").click()
    expect(page.get_by_label("Prompt")).to_have_value(
        "The character walking through a futuristic city at night, neon lights reflecting on wet streets"
    )
    expect(page.get_by_role("slider", name="Duration")).to_have_value("5")
    drop(page, film)
    page.get_by_role("button", name="Use as reference video").click()
    expect(page.locator("#k-clip .clip b")).to_have_text("example.mp4")


def test_a_paid_result_saved_from_the_page_tells_how_it_was_made(paid, payer, photos, tmp_path):
    """The card's download and the player's own file hold the recipe; dropped on the page it offers it. What
    the service delivered lies untouched.
    """
    (service, served), page = paid, payer
    generate(page, photos, prompt="@Image1 pays for this one", seconds=3)
    mood(page, "good")
    with page.expect_download() as saving:
        page.locator("#k-card [data-act=download]").click()
    saved = tmp_path / "saved.mp4"
    saving.value.save_as(saved)
    recipe = read_recipe(saved)
    assert (recipe.prompt, recipe.engine) == ("@Image1 pays for this one", Engine.KLING)
    played = page.locator("#k-video video").get_attribute("src")
    assert page.request.get(played).body() == saved.read_bytes()
    page.get_by_label("Prompt").fill("Something else")
    drop(page, saved)
    page.get_by_role("button", name="Apply settings").click()
    expect(page.get_by_label("Prompt")).to_have_value("@Image1 pays for this one")
    job = page.evaluate("klingo.get('job')")
    original = served.folder / "home" / "jobs" / job / "video.mp4"
    assert original.read_bytes() == service.service.film
