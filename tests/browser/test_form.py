"""The form in the browser: pictures, prompt, sliders, price, what is kept."""

import base64
import itertools
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from browser.visitor import add, hydrated, names, visit
from klingo1.pricing import Price, estimate_price
from klingo1.request import EXAMPLE_PROMPT, Engine

pytestmark = pytest.mark.browser


@pytest.fixture
def page(emptied):
    """A page for all tests of this file, one after the other."""
    return emptied


def test_pictures_are_added_several_at_once_and_again(page, photos):
    """Two, then three more: five numbered tiles in the order they came."""
    add(page, photos, 1, 2)
    add(page, photos, 3, 4, 5)
    assert names(page) == [f"picture {n}.jpg" for n in (1, 2, 3, 4, 5)]
    expect(page.locator("#k-pictures .number")).to_have_text(["1", "2", "3", "4", "5"])
    expect(page.locator("#k-pictures .count")).to_have_text("5 of 7")


def test_an_eighth_picture_is_left_out_and_said_so(page, photos):
    """Nine are chosen: seven stay, the note names the limit."""
    page.locator("#k-pictures input[type=file]").set_input_files(
        [photos / f"picture {n}.jpg" for n in range(1, 10)]
    )
    expect(page.locator("#k-pictures .tile:not(.waiting)")).to_have_count(7)
    expect(page.locator("#k-pictures .refused")).to_contain_text("2 more did not fit: at most 7 pictures")


def test_a_full_disk_of_the_server_is_told_as_what_it_is(page, photos):
    """507 for an upload: one note says that the disk is almost full, not to check the connection."""
    page.route("**/gradio_api/upload**", lambda route: route.fulfill(status=507))
    page.locator("#k-pictures input[type=file]").set_input_files([photos / "picture 1.jpg"])
    note = page.locator("#k-pictures .refused")
    expect(note).to_contain_text("the disk of this page is almost full. Try again later.")
    expect(page.locator("#k-pictures .tile")).to_have_count(0)
    expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_how_much_of_a_picture_has_left_is_shown(page, photos, tmp_path):
    """On a slow line the bar on the tile grows with what was sent; Generate waits for it."""
    Image.effect_noise((1200, 1000), 90).convert("RGB").save(tmp_path / "grain.png")
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    line.send("Network.emulateNetworkConditions", slow)
    page.locator("#k-pictures input[type=file]").set_input_files(tmp_path / "grain.png")
    sent = "parseInt(document.querySelector('#k-pictures .bar')?.style.getPropertyValue('--sent')) "
    page.wait_for_function(sent + "> 5")
    assert 5 < page.evaluate(sent) < 100
    expect(page.locator("#k-generate")).to_contain_text("Wait for the upload to end")
    line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    line.detach()
    expect(page.locator("#k-pictures .tile:not(.waiting)")).to_have_count(1)


def test_a_picture_is_removed_and_the_mentions_follow(page, photos):
    """Removing the first renumbers the others in the prompt and flags the orphan."""
    add(page, photos, 1, 2, 3)
    page.get_by_label("Prompt").fill("@Image1 meets @Image3 near @image 2")
    page.get_by_role("button", name="Remove picture 1", exact=True).click()
    assert names(page) == ["picture 2.jpg", "picture 3.jpg"]
    expect(page.get_by_label("Prompt")).to_have_value("@Image? meets @Image2 near @image 1")
    expect(page.locator("#k-prompt .note")).to_contain_text("@Image? means no picture")


def test_pictures_are_reordered_by_keyboard(page, photos):
    """Arrow keys move the focused picture, focus stays with it, mentions keep their pictures."""
    add(page, photos, 1, 2, 3)
    page.get_by_label("Prompt").fill("@Image3 follows @Image1")
    page.locator("#k-pictures .grip").nth(2).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert names(page) == ["picture 3.jpg", "picture 1.jpg", "picture 2.jpg"]
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("Picture 1 of 3: picture 3.jpg")
    expect(page.get_by_label("Prompt")).to_have_value("@Image1 follows @Image2")
    page.keyboard.press("Delete")
    assert names(page) == ["picture 1.jpg", "picture 2.jpg"]


def test_pictures_are_reordered_by_drag(page, photos):
    """The first tile is dragged behind the third."""
    add(page, photos, 1, 2, 3)
    tiles = page.locator("#k-pictures .tile")
    tiles.nth(0).drag_to(tiles.nth(2))
    assert names(page) == ["picture 2.jpg", "picture 3.jpg", "picture 1.jpg"]
    expect(page.locator("#k-pictures .panel")).to_be_hidden()


def test_what_comes_while_a_picture_is_dragged_waits_for_the_hand(page, photos):
    """Notes, a further picture and one that is gone change nothing of where the held one is put."""
    add(page, photos, 1, 2, 3)
    boxes = [tile.bounding_box() for tile in page.locator("#k-pictures .tile").all()]
    first, last = ((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes[::2])
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*last, steps=5)
    page.evaluate("klingo.set('notes', {})")
    page.mouse.up()
    assert names(page) == ["picture 2.jpg", "picture 3.jpg", "picture 1.jpg"]
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*last, steps=5)
    page.locator("#k-pictures input[type=file]").set_input_files(photos / "picture 4.jpg")
    page.wait_for_function("klingo.get('pictures').length === 4")
    page.evaluate("document.querySelectorAll('#k-pictures .drop-it')[0].click()")
    page.mouse.up()
    assert names(page) == ["picture 1.jpg", "picture 2.jpg", "picture 4.jpg"]
    expect(page.locator("#k-pictures .tile")).to_have_count(3)


REFUSED = {
    "tiny.png": "200 × 640 px; each side needs at least 300 px",
    "long.png": "too long and narrow",
    "words.txt": "is not a picture",
    "broken.jpg": "cannot be read",
    "huge.jpg": "the limit is 10.0 MB",
}


def test_what_cannot_be_used_is_refused_in_place(page, photos):
    """Each note names file, limit and remedy; a good picture chosen with them is kept."""
    chooser = page.locator("#k-pictures input[type=file]")
    chooser.set_input_files([*(photos / file for file in REFUSED), photos / "picture 1.jpg"])
    notes = page.locator("#k-pictures .refused p")
    expect(notes).to_have_count(len(REFUSED))
    for file, words in REFUSED.items():
        expect(notes.filter(has_text=file)).to_contain_text(words)
    expect(page.locator("#k-pictures .tile:not(.waiting)")).to_have_count(1)
    chooser.set_input_files(photos / "empty.png")
    expect(notes).to_have_text([re.compile("empty.png is an empty file")])


def test_the_server_marks_a_picture_the_browser_lets_pass(page, photos):
    """Half a JPEG shows in browsers; the tile turns red and Generate waits."""
    page.locator("#k-pictures input[type=file]").set_input_files(photos / "half.jpg")
    expect(page.locator("#k-pictures .tile.bad")).to_have_count(1)
    expect(page.locator("#k-generate .missing")).to_contain_text("Replace the picture marked in red")
    page.locator("#k-pictures .grip").click()
    expect(page.locator("#k-pictures .remark.bad")).not_to_be_empty()


PUT = """([event, bytes]) => {
  const content = Uint8Array.from(atob(bytes), c => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([content], 'dropped.jpg', {type: 'image/jpeg'}));
  const options = {bubbles: true, cancelable: true};
  const [place, happening] = event === 'paste'
    ? ['#k-prompt textarea', new ClipboardEvent('paste', {...options, clipboardData: data})]
    : ['#k-history', new DragEvent('drop', {...options, dataTransfer: data})];
  document.querySelector(place).dispatchEvent(happening);
}"""


def test_pictures_are_dropped_and_pasted_anywhere(page, photos):
    """Far from the gallery, even while the prompt has focus."""
    for count, event in enumerate(("drop", "paste"), 1):
        content = (photos / f"picture {count}.jpg").read_bytes()
        page.evaluate(PUT, [event, base64.b64encode(content).decode()])
        expect(page.locator("#k-pictures .tile:not(.waiting)")).to_have_count(count)


def test_browser_and_server_agree_on_every_price(page):
    """Engine × duration × video: the same integers and the same words."""
    grid = list(itertools.product([e.value for e in Engine], range(3, 11), [False, True]))
    here = [estimate_price(engine=e, duration=s, with_video=v) for e, s, v in grid]
    there = page.evaluate("g => g.map(a => klingo.price(...a))", [list(point) for point in grid])
    assert there == [price.micro for price in here]
    words = page.evaluate("m => m.map(klingo.money)", there)
    assert words == [str(price) for price in here]
    odd = [1, 10, 500_000, 999_999, 1_000_000, 12_345_678]
    assert page.evaluate("m => m.map(klingo.money)", odd) == [str(Price(micro)) for micro in odd]


def test_the_price_follows_without_asking_the_server(page, served):
    """Duration and engine change the button's price while the network is cut."""
    button = page.locator("#k-generate .go")
    expect(button).to_have_text("Generate draft · free")
    page.context.set_offline(True)
    page.get_by_role("radio", name="Kling O1").click()
    expect(button).to_have_text("Generate · $0.56")
    page.get_by_role("slider", name="Duration").press("ArrowRight")
    expect(button).to_have_text("Generate · $0.672")
    expect(page.get_by_role("radio", name="Kling O1")).to_contain_text("$0.672")
    page.get_by_role("button", name="By address").click()
    page.get_by_label("Address of the video").fill("https://example.org/clip.mp4")
    expect(button).to_have_text("Generate · $1.008")
    page.context.set_offline(False)


def test_sliders_work_by_keyboard_and_tell_their_values(page):
    """Native range inputs: three shapes, eight durations, readable values."""
    shape = page.get_by_label("Shape")
    assert shape.get_attribute("aria-valuetext") == "16 to 9, wide"
    shape.press("ArrowLeft")
    assert shape.get_attribute("aria-valuetext") == "1 to 1, square"
    shape.press("Home")
    assert page.evaluate("klingo.get('aspect')") == "9:16"
    frame = page.locator("#k-aspect .frame i").bounding_box()
    assert frame["height"] > frame["width"] * 1.5
    duration = page.get_by_role("slider", name="Duration")
    duration.press("End")
    assert duration.get_attribute("aria-valuetext") == "10 seconds"
    assert [duration.get_attribute(n) for n in ("min", "max")] == [
        "3",
        "10",
    ]


def test_a_blocked_button_lists_what_is_missing(page, photos):
    """Each gap by name; a click leads to the first one; nothing is sent."""
    missing = page.locator("#k-generate .missing")
    expect(missing).to_have_text("Add at least one picture · Write a prompt")
    page.locator("#k-generate .go").click(force=True)
    assert page.evaluate("document.activeElement.className") == "add"
    add(page, photos, 1)
    expect(missing).to_have_text("Write a prompt")
    page.get_by_label("Prompt").fill("x" * 2501)
    expect(missing).to_have_text("Shorten the prompt by 1")
    expect(page.locator("#k-prompt .count")).to_have_text("1 too many")
    page.get_by_label("Prompt").fill("x" * 2300)
    expect(page.locator("#k-prompt .count")).to_have_text("200 left")
    expect(page.locator("#k-prompt .count")).to_have_class("count near")
    page.get_by_label("Prompt").fill("A fox runs")
    expect(missing).to_be_hidden()
    expect(page.locator("#k-generate .go")).to_have_attribute("aria-disabled", "false")


def test_a_mention_is_chosen_from_a_list(page, photos):
    """@ opens the pictures; arrows and Enter insert one; Escape closes; no match is said. It needs no space
    before it, as in Chinese, but is none in an address.
    """
    add(page, photos, 1, 2)
    prompt = page.get_by_label("Prompt")
    prompt.press_sequentially("A walk with @")
    options = page.locator("#k-mentions [role=option]")
    expect(options).to_have_count(2)
    expect(options.nth(1).locator("img")).to_have_js_property("naturalWidth", 640)
    prompt.press("ArrowDown")
    prompt.press("Enter")
    expect(prompt).to_have_value("A walk with @Image2 ")
    prompt.press_sequentially(" and @zz")
    expect(options).to_have_text(["No matches"])
    prompt.press("Escape")
    expect(page.locator("#k-mentions")).to_be_hidden()
    expect(prompt).to_have_value("A walk with @Image2 and @zz")
    prompt.fill("让人物＠2")
    prompt.press("Enter")
    expect(prompt).to_have_value("让人物@Image2 ")
    prompt.fill("mail ada@")
    expect(page.locator("#k-mentions")).to_be_hidden()


def test_a_phrase_comes_and_goes_with_one_click(page):
    """The second click restores the text; undo works on it as on typing."""
    prompt = page.get_by_label("Prompt")
    prompt.fill("A fox runs")
    chip = page.get_by_role("button", name="Push in", exact=True)
    chip.click()
    expect(prompt).to_have_value("A fox runs, slow push-in")
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    expect(prompt).to_have_value("A fox runs")
    chip.click()
    prompt.focus()
    page.keyboard.press("ControlOrMeta+z")
    expect(prompt).to_have_value("A fox runs")


def test_what_was_entered_survives_a_reload(page, photos):
    """Prompt, pictures with roles, duration, shape and engine are there again."""
    add(page, photos, 1, 2)
    page.locator("#k-pictures .grip").nth(1).click()
    page.get_by_role("button", name="Scene", exact=True).click()
    page.get_by_label("Prompt").fill("A fox <b>runs</b> ${7*7} {{7*7}} `tick`")
    page.get_by_role("slider", name="Duration").fill("7")
    page.get_by_label("Shape").fill("0")
    page.get_by_role("radio", name="Kling O1").click()
    page.wait_for_timeout(250)
    page.reload()
    hydrated(page)
    expect(page.get_by_label("Prompt")).to_have_value("A fox <b>runs</b> ${7*7} {{7*7}} `tick`")
    assert names(page) == ["picture 1.jpg", "picture 2.jpg"]
    held = page.evaluate("['duration','aspect','engine'].map(n => klingo.get(n))")
    assert held == [7, "9:16", "kling"]
    assert page.evaluate("klingo.get('pictures').map(p => p.role)") == ["", "scene"]
    expect(page.locator("#k-pictures .tile img").first).to_have_js_property("naturalWidth", 640)


def test_the_example_prompt_is_the_placeholder(page):
    """The empty box shows the sentence of the model's own page."""
    assert page.get_by_label("Prompt").get_attribute("placeholder") == EXAMPLE_PROMPT


def test_every_example_loads_complete_inputs(page):
    """Three, each with one click: pictures, prompt, duration and shape; the button is ready."""
    chosen = page.locator("#k-stage .examples button")
    expect(chosen).to_have_count(3)
    loaded = set()
    for number in range(3):
        told = chosen.nth(number).locator("small").inner_text()
        chosen.nth(number).click()
        count = int(told[0])
        expect(page.locator("#k-pictures .tile")).to_have_count(count)
        page.wait_for_function(
            "[...document.querySelectorAll('#k-pictures .tile img')].every(i => i.naturalWidth > 300)"
        )
        expect(page.locator("#k-generate .go")).to_have_attribute("aria-disabled", "false")
        expect(page.locator("#k-generate .missing")).to_be_hidden()
        seconds, shape = page.evaluate("['duration', 'aspect'].map(name => klingo.get(name))")
        assert told.endswith(f"{seconds} s · {shape}")
        loaded.add(page.get_by_label("Prompt").input_value())
        for left in range(count, 0, -1):
            page.locator("#k-pictures .grip").first.press("Delete")
            expect(page.locator("#k-pictures .tile")).to_have_count(left - 1)
    assert len(loaded) == 3


def test_a_reference_video_lowers_the_number_of_pictures(page, photos, clip):
    """Beside a video four pictures go; the fifth is asked to leave; its sound can be left out."""
    add(page, photos, 1, 2, 3, 4, 5)
    page.locator("#k-clip input[type=file]").set_input_files(clip)
    expect(page.locator("#k-clip .clip")).to_be_visible()
    expect(page.locator("#k-generate .missing")).to_contain_text("Keep at most 4 pictures beside a video")
    expect(page.get_by_label("Keep its original sound")).to_be_checked()
    page.get_by_label("Keep its original sound").uncheck()
    assert page.evaluate("klingo.get('clip').keep_sound") is False
    page.get_by_role("button", name="Remove the reference video").click()
    expect(page.locator("#k-generate .missing")).to_have_text("Write a prompt")


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_shows_one_column_with_the_button_in_reach(browser, served, photos, width):
    """No sideways scrolling, and Generate stays on the screen wherever one reads."""
    with visit(browser, served.url, viewport={"width": width, "height": 844}, has_touch=True) as page:
        add(page, photos, 1, 2, 3, 4, 5)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        button = page.locator("#k-generate .go")
        for top in (0, 200):
            page.evaluate("y => window.scrollTo(0, y)", top)
            box = button.bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 844


SMALL = """() => {
  const reach = (node) => {
    const more = getComputedStyle(node, '::after');
    const added = more.content !== 'none' && more.position === 'absolute' ? -2 * parseFloat(more.top) : 0;
    return node.getBoundingClientRect().height + added;
  };
  return [...document.querySelectorAll('.gradio-container :is(button, select, a, input:not([type=range]))')]
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().width > 1
      && !node.matches('input[type=file]') && reach(node) < 36)
    .map((node) => [node.getAttribute('aria-label') || node.textContent.trim(), reach(node)]);
}"""


def test_a_finger_hits_what_it_means(page, photos):
    """On a phone whatever can be pressed is at least 36 px high, its reach counted; no margin is wasted."""
    page.set_viewport_size({"width": 390, "height": 844})
    add(page, photos, 1, 2)
    page.locator("#k-pictures .grip").first.click()
    assert page.evaluate(SMALL) == []
    assert page.evaluate("document.querySelector('#k-pictures').getBoundingClientRect().left") == 16


def test_a_desk_shows_form_and_result_without_scrolling(page, photos):
    """At 1280 × 800 the button, what it waits for and the stage are in view, with seven pictures, a reading,
    the field for the key and what is wrong with the key; with a picture opened Generate stays in reach.
    """
    hint = page.locator("#k-generate .missing")
    expect(hint).to_be_in_viewport(ratio=1)
    add(page, photos, 1, 2, 3, 4, 5, 6, 7)
    page.get_by_label("Prompt").fill(
        "@Image1 walks through a city at night in the rain, slow push in, quixotic"
    )
    expect(page.locator("#k-prompt .k-reading")).to_contain_text("quixotic")
    button, stage = page.locator("#k-generate .go"), page.locator("#k-stage .area")
    for seen in (button, stage):
        expect(seen).to_be_in_viewport(ratio=1)
    page.get_by_role("radio", name="Kling O1").click()
    expect(page.locator("#k-key-help")).to_be_in_viewport(ratio=1)
    page.get_by_label("WaveSpeed key").fill("no key\u00e9")
    page.get_by_role("button", name="Use key").click()
    expect(page.locator("#k-key-problem span")).to_be_in_viewport(ratio=1)
    hints = [page.locator(f"#k-prompt {kind}") for kind in (".k-reading", ".note")]
    for seen in (button, stage, hint, *hints):
        expect(seen).to_be_in_viewport(ratio=1)
    over, under = page.locator("#k-engine").bounding_box(), button.bounding_box()
    assert over["y"] + over["height"] <= under["y"]
    page.locator("#k-pictures .grip").first.click()
    for seen in (button, stage, hint):
        expect(seen).to_be_in_viewport(ratio=1)
    assert stage.bounding_box()["x"] > under["x"] + under["width"]
    assert page.evaluate("scrollY") == 0


def test_a_question_mark_shows_the_shortcuts(page):
    """Outside of text fields; Escape closes; in the prompt it is a question mark."""
    page.get_by_role("slider", name="Duration").focus()
    page.keyboard.press("?")
    expect(page.locator("#k-masthead dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#k-masthead dialog")).to_be_hidden()
    page.get_by_label("Prompt").press_sequentially("Why?")
    expect(page.get_by_label("Prompt")).to_have_value("Why?")
