"""The coach on the pictures: advice that never blocks, and what a person knows better than the engine."""

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import add, hydrated, some, unanswered

pytestmark = pytest.mark.browser


@pytest.fixture
def page(emptied):
    """A page for all tests of this file, one after the other."""
    return emptied


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


def test_advice_is_about_the_pictures_there_are_now(page, photos):
    """What was removed while the server looked at the pictures is looked at after that."""
    add(page, photos, 1)
    page.locator("#k-pictures .grip").first.click()
    remark = page.locator("#k-pictures .remark").filter(has_text="side view")
    expect(remark).to_have_count(1)
    with unanswered(page, "**/component_server/**", holding='"judge"') as held:
        add(page, photos, 2)
        some(page, held, 1)
        page.get_by_role("button", name="Remove picture 2").click()
        held.pop().continue_()
        expect(remark).to_have_count(0)
        some(page, held, 1)
    expect(remark).to_have_count(1)


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


def test_pictures_of_odd_measures_are_made_to_fit_with_one_click(page, photos, tmp_path):
    """Too long: cropped around what is in it, or bordered, each previewed; too small: enlarged. In place
    of an accepted one that is long, it keeps role, mention and place.
    """
    strip = Image.new("RGB", (1600, 400), "#dddddd")
    ImageDraw.Draw(strip).ellipse((1150, 60, 1450, 360), fill="#b03020", outline="black", width=12)
    strip.save(tmp_path / "strip.png")
    strip.crop((650, 0, 1570, 400)).save(tmp_path / "panorama.png")
    Image.new("RGB", (200, 240), "#225588").save(tmp_path / "small.png")
    page.locator("#k-pictures input[type=file]").set_input_files(tmp_path / "strip.png")
    ways = page.locator("#k-pictures .way")
    expect(ways).to_have_text(["Crop around the subject800 × 400", "Add borders1600 × 800"])
    assert violations(page) == []
    ways.first.press("Enter")
    expect(page.locator("#k-pictures .tile:not(.waiting) .grip")).to_be_focused()
    red = """async () => {
      const pen = new OffscreenCanvas(8, 4).getContext('2d');
      const img = new Image();
      img.src = klingo.get('pictures')[0].file.url;
      await img.decode();
      pen.drawImage(img, 0, 0, 8, 4);
      return [img.naturalWidth, img.naturalHeight, pen.getImageData(4, 2, 1, 1).data[1] < 120];
    }"""
    width, height, in_the_middle = page.evaluate(red)
    assert (width, height) == (800, 400)
    assert in_the_middle
    page.locator("#k-pictures input[type=file]").set_input_files(tmp_path / "small.png")
    page.get_by_role("button", name="Enlarge it").click()
    page.wait_for_function("klingo.get('pictures').length === 2")
    expect(page.locator("#k-pictures .tile img").nth(1)).to_have_js_property("naturalHeight", 360)
    page.locator("#k-pictures input[type=file]").set_input_files(tmp_path / "panorama.png")
    page.wait_for_function("klingo.get('pictures').length === 3")
    page.locator("#k-pictures .grip").nth(2).click()
    page.get_by_role("button", name="Prop", exact=True).click()
    page.get_by_role("button", name="Move picture 3 earlier").click()
    page.get_by_label("Prompt").fill("@Image2 rolls")
    page.get_by_role("button", name="Crop or add borders").click()
    ways.nth(1).click()
    page.wait_for_function("klingo.get('pictures')[1].file.orig_name === 'panorama.jpg'")
    assert page.evaluate("klingo.get('pictures').map(p => p.role)") == ["", "prop", ""]
    expect(page.get_by_label("Prompt")).to_have_value("@Image2 rolls")
