"""The page in simplified Chinese, for browsers that ask for it."""

import pytest
from playwright.sync_api import expect

from browser.test_access import violations
from browser.visitor import DESKTOP, add, hydrated, mood

pytestmark = pytest.mark.browser


def test_the_page_speaks_chinese_and_leaves_what_people_wrote(browser, served, photos):
    """Labels, advice, states and buttons are exchanged; a prompt that reads like one of them is not."""
    context = browser.new_context(viewport=DESKTOP, locale="zh-CN", reduced_motion="reduce")
    context.set_default_timeout(15_000)
    errors = []
    context.on("weberror", lambda e: errors.append(str(e.error)))
    page = context.new_page()
    page.goto(served.url)
    hydrated(page)
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    expect(page.get_by_role("heading", name="参考图片")).to_be_visible()
    expect(page.locator("#k-stage .headline")).to_have_text("视频将显示在这里")
    add(page, photos, 1)
    page.get_by_label("提示词").fill("Download")
    page.get_by_label("时长").fill("3")
    expect(page.locator("#k-generate .go")).to_contain_text("生成草稿")
    page.locator("#k-generate .go").click()
    mood(page, "good")
    expect(page.locator("#k-card .title")).to_have_text("草稿完成")
    expect(page.get_by_role("button", name="更多格式")).to_be_visible()
    expect(page.locator("#k-history .open b").first).to_have_text("Download")
    expect(page.get_by_label("提示词")).to_have_value("Download")
    assert violations(page) == []
    context.close()
    assert not errors, errors
