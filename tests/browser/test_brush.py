"""What a person says of pictures that only drafts know: the outline, who is the same, how large."""

import json

import pytest
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import add, hydrated, some, unanswered

pytestmark = pytest.mark.browser

STATE = "document.querySelector('#k-brush-panel .state').textContent"


def cut_shown(page, words):
    """Wait until the brush has a picture and says this of it."""
    page.wait_for_function(f"words => {STATE}.includes(words)", arg=words, timeout=30_000)
    page.locator("#k-canvas .pixi-target canvas").wait_for()
    page.wait_for_function("document.querySelector('#k-canvas .toolbar-wrap') !== null")


def masks(page):
    return page.evaluate("klingo.get('pictures').map(p => p.mask && p.mask.path)")


def mask_at(page, x, y):
    """Whether the first picture's mask keeps a point, given as shares of its sides."""
    return page.evaluate(
        """async ([x, y]) => {
          const img = new Image();
          img.src = klingo.get('pictures')[0].mask.url;
          await img.decode();
          const canvas = new OffscreenCanvas(img.width, img.height).getContext('2d');
          canvas.drawImage(img, 0, 0);
          return canvas.getImageData(x * img.width, y * img.height, 1, 1).data[0] > 127;
        }""",
        [x, y],
    )


def test_a_cut_out_is_corrected_with_the_pointer_and_without(page, photos):
    """Remove by dragging, preview, keep by keys, save; the film is asked for with the mask; then back."""
    page.set_viewport_size({"width": 880, "height": 360})  # a small canvas: here the processor draws it
    add(page, photos, 1)
    page.locator("#k-pictures .grip").first.press("Enter")
    page.get_by_role("button", name="Correct the cut-out").press("Enter")
    expect(page.get_by_role("dialog", name="Correct the cut-out")).to_be_visible()
    cut_shown(page, "cut out.")
    box = page.locator("#k-canvas .pixi-target canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_role("radio", name="Remove").click()
    page.mouse.move(middle[0] - 40, middle[1])
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1], steps=2)
    page.mouse.up()
    page.get_by_role("button", name="Preview").click()
    cut_shown(page, "will be cut out")
    assert violations(page) == []
    assert masks(page) == [None]
    aim = page.get_by_role("application")
    aim.focus()
    aim.press("k")
    for _ in range(3):
        aim.press("Shift+ArrowLeft")
    aim.press("Space")
    page.get_by_role("button", name="Save the cut-out").click()
    expect(page.locator("#k-brush")).to_be_hidden(timeout=30_000)
    expect(page.get_by_role("button", name="Cut-out corrected")).to_be_focused()
    assert not mask_at(page, 0.5, 0.5)
    assert mask_at(page, 0.5, 0.3)
    drawn = (box["height"] - 60) * 640 / 480  # the picture's width on the canvas, which has a margin
    assert mask_at(page, 0.5 - 3 * 32 / drawn, 0.5)
    assert not mask_at(page, 0.02, 0.1)
    page.get_by_label("Prompt").fill("It walks through the rain in the city at night")
    page.get_by_role("slider", name="Duration").fill("10")
    page.get_by_role("radio", name="1080p").click()
    with page.expect_request(lambda r: "1080p" in (r.post_data or "")) as asked:
        page.get_by_role("button", name="Generate draft").click()
    (pictures, *_, size) = json.loads(asked.value.post_data)["data"][:7]
    assert pictures[0]["mask"]["path"] == masks(page)[0]
    assert size == "1080p"
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Cut-out corrected").click()
    cut_shown(page, "cut out.")
    page.get_by_role("button", name="Back to the automatic cut").click()
    page.wait_for_function("klingo.get('pictures')[0].mask === null")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Correct the cut-out")).to_be_focused()
    page.get_by_role("button", name="Use these inputs").click()
    page.wait_for_function("klingo.get('pictures')[0].mask !== null")
    expect(page.get_by_role("radio", name="1080p")).to_be_checked()


def test_who_is_the_same_and_how_large_travel_with_the_form(page, photos):
    """A badge tells it on the tile; it outlives moves and reloads, and one alone is no group."""
    add(page, photos, 1, 2, 3)
    page.locator("#k-pictures .grip").nth(2).click()
    page.get_by_label("Subject of picture 3").select_option(label="Same subject as picture 1")
    expect(page.locator("#k-pictures .kin").nth(2)).to_have_text("= 1")
    page.get_by_role("button", name="Move picture 3 earlier").click()
    expect(page.get_by_label("Subject of picture 2")).to_have_value("0")
    expect(page.locator("#k-pictures .kin").nth(1)).to_have_text("= 1")
    page.wait_for_timeout(300)
    page.reload()
    hydrated(page)
    groups = "klingo.get('pictures').map(p => p.group)"
    assert page.evaluate(groups) == [1, 1, 0]
    page.locator("#k-pictures .grip").first.press("Delete")
    assert page.evaluate(groups) == [0, 0]
    expect(page.get_by_role("radio", name="720p")).to_be_checked()
    page.get_by_role("radio", name="720p").press("ArrowRight")
    expect(page.get_by_role("radio", name="1080p")).to_be_focused()
    page.get_by_role("radio", name="Kling O1").click()
    expect(page.get_by_text("Draft size")).to_be_hidden()


def test_the_brush_is_about_the_picture_that_is_open(page, photos):
    """Closed before its picture came and opened on another, it shows that one, and keeps its cut for it."""
    add(page, photos, 1, 2)
    grips = page.locator("#k-pictures .grip")
    grips.first.click()
    with unanswered(page) as held:
        page.get_by_role("button", name="Correct the cut-out").click()
        some(page, held, 1)
        page.keyboard.press("Escape")
        grips.nth(1).click()
        page.get_by_role("button", name="Correct the cut-out").click()
        some(page, held, 2)
        held.reverse()  # the second answer comes first
        held.pop(0).continue_()
        page.wait_for_timeout(1500)
    cut_shown(page, "cut out.")
    page.wait_for_timeout(1500)
    cut_shown(page, "cut out.")
    page.get_by_role("radio", name="Remove").click()
    aim = page.get_by_role("application")
    aim.focus()
    aim.press("Space")
    page.get_by_role("button", name="Save the cut-out").click()
    expect(page.locator("#k-brush")).to_be_hidden(timeout=30_000)
    first, second = masks(page)
    assert first is None
    assert second
