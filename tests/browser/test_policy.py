"""The browser under the page's own policy: nothing that the page needs is refused, what it must not do is."""

import pytest

from browser.visitor import hydrated

pytestmark = pytest.mark.browser


def test_the_page_lives_under_its_policy_and_foreign_addresses_do_not(browser, hosted):
    """No console error, nothing refused while the page starts; pictures and posts elsewhere are held."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    said, refused = [], []
    page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("response", lambda r: refused.append((r.status, r.url)) if r.status >= 400 else None)
    page.goto(hosted.url)
    hydrated(page)
    assert refused == []
    assert [text for text in said if "Content Security Policy" in text or "Failed to load" in text] == []
    held = page.evaluate(
        """() => new Promise((done) => {
          const held = [];
          document.addEventListener('securitypolicyviolation', (e) => {
            held.push(e.effectiveDirective);
            if (held.length === 2) done(held.sort());
          });
          new Image().src = 'https://beacon.invalid/x.png';
          fetch('https://beacon.invalid/', { method: 'POST', body: 'words' }).catch(() => {});
        })"""
    )
    assert held == ["connect-src", "img-src"]
    context.close()
