"""The page in simplified Chinese, for browsers that ask for it; in English for all others."""

import re

import pytest
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import DESKTOP, add, hydrated, mood, visit

pytestmark = pytest.mark.browser

VISIBLE = """() => {
  const found = new Set();
  const seen = { visibilityProperty: true }, hidden = 'dialog:not([open]), script, style';
  const shown = (node) => node.checkVisibility(seen) && !node.closest(hidden);
  const theirs = `textarea, .open b, #k-card dd, #k-card dt, #k-pictures .name, #k-clip .clip b, .found p,
    .passed, #k-compare td, option`;
  const texts = document.createTreeWalker(document.querySelector('.gradio-container'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    if (parent && shown(parent) && !parent.closest(theirs)) found.add(texts.currentNode.data.trim());
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'aria-valuetext']) {
    for (const node of document.querySelectorAll(`.gradio-container [${name}]`)) {
      if (shown(node) && !node.closest('#k-history ol, #k-compare td')) found.add(node.getAttribute(name));
    }
  }
  for (const node of document.querySelectorAll('option')) {
    if (!node.closest('#k-compare')) found.add(node.textContent);
  }
  found.add(document.title);
  return [...found].filter(Boolean);
}"""
NAMES = (
    r"klingo1|Kling O1|WaveSpeed|MP4|MOV|WebM|GIF|PNG|JPE?G|H\.264|Ctrl|Enter|Delete|Del|px|MB"
    r"|https?://\S*|@Image\d+|picture \d\.jpg|\S+\.(?:jpg|png|txt|mp4)|\d+p"
)
"""What stays as it is: names, keys, units, files, addresses."""


def english(page):
    """Whatever is shown or spoken in Latin words, names left out."""
    left = []
    for text in page.evaluate(VISIBLE):
        bare = re.sub(NAMES, " ", text)
        if re.search(r"[A-Za-z]{2,}", bare):
            left.append(text)
    return left


@pytest.fixture
def reader(browser, served):
    """A visitor whose browser asks for Chinese."""
    context = browser.new_context(viewport=DESKTOP, locale="zh-CN", reduced_motion="reduce")
    context.set_default_timeout(15_000)
    errors = []
    context.on("weberror", lambda e: errors.append(str(e.error)))
    page = context.new_page()
    page.goto(served.url)
    yield hydrated(page)
    context.close()
    assert not errors, errors


def test_no_english_is_left_from_the_first_look_to_history(served, reader, photos, clip):
    """Empty, filled, refused, asked for a key, running, done, forms, details, stopped, deleted, lost."""
    page = reader
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert english(page) == []
    page.keyboard.press("?")
    assert english(page) == []
    page.keyboard.press("Escape")
    add(page, photos, 1, 2)
    page.locator("#k-pictures input[type=file]").set_input_files([photos / "long.png", photos / "words.txt"])
    page.locator("#k-pictures .refused p").nth(1).wait_for()
    page.locator("#k-pictures .grip").first.click()
    page.get_by_label("提示词").fill("@Image1 挥手，@Image7")
    page.locator("#k-prompt .note:not([hidden])").wait_for()
    page.locator("#k-prompt .k-reading:not([hidden])").wait_for()
    assert english(page) == []
    page.locator("#k-prompt textarea").press_sequentially(" @")
    assert english(page) == []
    page.keyboard.press("Escape")
    page.locator("#k-clip input[type=file]").set_input_files(clip)
    page.locator("#k-clip .clip:not([hidden])").wait_for()
    page.get_by_role("radio", name="Kling O1").click()
    page.get_by_label("WaveSpeed 密钥").fill("wrong key\u00e9")
    page.get_by_role("button", name="使用密钥").click()
    page.locator("#k-engine .k-problem span").wait_for()
    assert english(page) == []
    page.get_by_role("radio", name="草稿").click()
    page.locator("#k-clip .clip .away").click()
    page.get_by_label("提示词").fill("Download")
    page.get_by_label("时长").fill("3")
    page.locator("#k-generate .go").click()
    mood(page, "busy", "good")
    assert english(page) == []
    mood(page, "good")
    expect(page.locator("#k-history .open b").first).to_have_text("Download")
    expect(page.get_by_label("提示词")).to_have_value("Download")
    page.get_by_role("button", name="更多格式").click()
    page.locator("#k-card summary").click()
    assert english(page) == []
    assert violations(page) == []
    page.get_by_label("提示词").fill("小狐狸在雨中走过夜晚的城市")
    with served.holding():
        page.locator("#k-generate .go").click()
        mood(page, "busy")
        page.get_by_role("button", name="停止", exact=True).click()
        mood(page, "calm")
    assert english(page) == []
    page.locator("#k-history .away").first.click()
    page.get_by_label("搜索您的视频").fill("没有这样的")
    page.locator("#k-history .none:not([hidden])").wait_for()
    assert english(page) == []
    page.get_by_role("button", name="查找丢失的任务").click()
    page.get_by_role("button", name="输入密钥").wait_for()
    assert english(page) == []


def test_an_example_is_filled_in_in_chinese(reader):
    """Its prompt too, and the draft engine reads it as it reads the English one."""
    page = reader
    page.locator("#k-stage .examples button").nth(1).click()
    expect(page.get_by_label("提示词")).to_have_value(re.compile("海岬"))
    page.locator("#k-prompt .k-reading:not([hidden])").wait_for()
    expect(page.locator("#k-prompt .k-reading .lead")).to_have_text("草稿理解为")
    assert english(page) == []


def test_sentences_of_the_server_are_recognised_with_their_places_filled(reader):
    """Refusals, sums, unknown words: the form is found, the values stay, the unknown stays whole."""
    told = reader.evaluate(
        "texts => texts.map(window.klingo.said)",
        [
            "Picture 3 is a PDF document. Save it as JPEG or PNG and add it again.",
            "The budget for you today is $1.00, $0.56 is used; this run costs $0.56.",
            "It could not be uploaded. The service refused the request (bad).",
            "Whatever the service has to say about nothing.",
        ],
    )
    assert told == [
        "图片 3 是 PDF 文档。请存为 JPEG 或 PNG 后重新添加。",
        "您今天的预算为 $1.00，已用 $0.56；此任务需 $0.56。",
        "无法上传。服务端拒绝了请求（bad）。",
        "Whatever the service has to say about nothing.",
    ]


def test_other_browsers_see_no_chinese(browser, served, photos):
    """English for everybody else, also for readers of other kinds of Chinese."""
    with visit(browser, served.url) as page:
        add(page, photos, 1)
        assert [text for text in page.evaluate(VISIBLE) if re.search("[\u4e00-\u9fff]", text)] == []
        assert page.evaluate("window.klingo.said('Add pictures')") == "Add pictures"
