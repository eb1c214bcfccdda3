"""Pictures of every state of the page: `python tests/browser/screenshots.py FOLDER`.

Desk, phone and dark, each from empty to done, on the project's own example and a draft of three seconds.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Page, sync_playwright

from browser.visitor import ARGS, DESKTOP, PHONE, Served, chromium, mood, visit

VIEWS = {
    "desk": {"viewport": DESKTOP},
    "desk-dark": {"viewport": DESKTOP, "dark": True},
    "phone": {"viewport": PHONE, "has_touch": True, "device_scale_factor": 2},
    "phone-dark": {"viewport": PHONE, "has_touch": True, "device_scale_factor": 2, "dark": True},
}
TINY = {"name": "tiny.png", "mimeType": "text/plain", "buffer": b"no picture"}


def walk(page: Page, shoot) -> None:
    """One visitor from the first look to the finished draft, and what goes wrong on the way."""
    page.wait_for_timeout(600)
    shoot("1-empty")
    page.locator("#k-stage .examples button").first.click()
    page.wait_for_timeout(700)
    shoot("2-filled")
    page.locator("#k-pictures .grip").nth(1).click()
    page.locator("#k-pictures input[type=file]").set_input_files(TINY)
    page.get_by_label("Prompt").press_sequentially(", with @")
    page.wait_for_timeout(300)
    shoot("3-notes")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Dismiss").click()
    page.locator("#k-pictures .grip").nth(1).click()
    page.get_by_role("radio", name="Kling O1").click()
    page.get_by_label("Shape").press("Home")
    page.wait_for_timeout(500)
    shoot("4-key")
    page.get_by_label("Shape").press("End")
    page.get_by_role("radio", name="Draft").click()
    page.get_by_label("Prompt").fill("@Image1 walks through a futuristic city at night, neon lights")
    page.get_by_label("Duration").press("Home")
    page.locator("#k-generate .go").click()
    mood(page, "busy")
    page.wait_for_timeout(1200)
    shoot("5-running")
    mood(page, "good", "bad")
    page.wait_for_timeout(1500)
    shoot("6-done")
    page.locator("#k-card summary").click()
    shoot("7-details")
    page.locator("#k-card summary").click()
    page.get_by_role("button", name="More formats").click()
    page.wait_for_timeout(300)
    shoot("7-formats")
    page.get_by_role("button", name="More formats").click()
    page.get_by_label("Prompt").fill("@Image1 walks through a forest at dawn")
    page.locator("#k-generate .go").click()
    mood(page, "busy")
    mood(page, "good", "bad")
    page.get_by_role("button", name="Compare @Image1 walks through a futuristic").first.click()
    page.wait_for_timeout(1200)
    page.get_by_role("button", name="One frame on").click()
    page.wait_for_timeout(300)
    shoot("9-compare")
    page.keyboard.press("Escape")
    page.get_by_label("Shape").press("Home")
    page.locator("#k-generate .go").click()
    mood(page, "busy")
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Stop", exact=True).click()
    mood(page, "calm")
    page.wait_for_timeout(600)
    shoot("8-stopped")
    page.locator("#k-history .away").first.click()
    page.get_by_label("Search your videos").fill("forest")
    page.wait_for_timeout(900)
    page.locator("#k-history").scroll_into_view_if_needed()
    shoot("10-history")


def main(folder: Path) -> None:
    """Serve, visit in every way, write PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        for name, options in VIEWS.items():
            place = Path(scratch) / name
            place.mkdir()
            served = Served(place).start()
            try:
                with visit(browser, served.url, **options) as page:
                    walk(
                        page,
                        lambda state, page=page, name=name: page.screenshot(
                            path=folder / f"{name}-{state}.png", full_page=name.startswith("phone")
                        ),
                    )
            finally:
                served.stop()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
