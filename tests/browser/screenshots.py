"""Pictures of every state of the page: `python tests/browser/screenshots.py FOLDER [VIEW…]`.

Desk, phone and dark, each from empty to done, on the project's own example and drafts of three seconds; then
what goes wrong with the paid engine, against a service of our own that has no credit and lost runs; all of it
once more in Chinese.
"""

import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from faults.misbehaviour import Always, Reply
from faults.server import FaultServer
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

from browser.test_lost import elsewhere
from browser.visitor import ARGS, DESKTOP, KEY, PHONE, Served, chromium, mood, visit

VIEWS = {
    "desk": {"viewport": DESKTOP},
    "desk-dark": {"viewport": DESKTOP, "dark": True},
    "phone": {"viewport": PHONE, "has_touch": True, "device_scale_factor": 2},
    "phone-dark": {"viewport": PHONE, "has_touch": True, "device_scale_factor": 2, "dark": True},
}
NO_CREDIT = Reply(402, {"code": 402, "message": "insufficient balance"})
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
    page.get_by_role("button", name="Correct the cut-out").click()
    page.wait_for_function("document.querySelector('#k-brush-panel .state').textContent.includes('cut out')")
    page.locator("#k-canvas .pixi-target canvas").wait_for()
    page.wait_for_function("document.querySelector('#k-brush .still').hidden")
    page.wait_for_timeout(600)
    shoot("3-brush")
    page.keyboard.press("Escape")
    page.locator("#k-pictures input[type=file]").set_input_files(strip())
    page.locator("#k-pictures .way").nth(1).wait_for()
    shoot("3-fit")
    page.get_by_role("button", name="Dismiss").click()
    page.locator("#k-pictures .grip").nth(1).click()
    page.get_by_role("radio", name="Kling O1").click()
    page.get_by_label("Shape").press("Home")
    page.wait_for_timeout(500)
    shoot("4-key")
    page.get_by_label("Shape").press("End")
    page.get_by_role("radio", name="Draft").click()
    page.get_by_label("Prompt").fill("@Image1 walks through a futuristic city at night, neon lights")
    page.get_by_role("slider", name="Duration").press("Home")
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


def strip() -> dict:
    """A picture that is too long for the service."""
    drawn = Image.new("RGB", (1600, 400), "#dddddd")
    ImageDraw.Draw(drawn).ellipse((1150, 60, 1450, 360), fill="#b03020")
    bytes_ = io.BytesIO()
    drawn.save(bytes_, "PNG")
    return {"name": "banner.png", "mimeType": "image/png", "buffer": bytes_.getvalue()}


def trouble(page: Page, service: FaultServer, shoot) -> None:
    """A visitor with a key, whose wallet is empty, and who finds runs of another computer."""
    elsewhere(service, "@Image1 rides a tram through the rain")
    elsewhere(service, "A lighthouse at dusk, slow orbit", duration=8)
    service.set_faults("submit", Always(NO_CREDIT))
    page.locator("#k-stage .examples button").nth(1).click()
    page.locator("#k-engine [data-engine=kling]").click()
    page.locator("#k-generate .go").click()
    mood(page, "bad")
    page.wait_for_timeout(800)
    shoot("11-no-credit")
    page.locator("#k-lost button").first.click()
    page.locator("#k-lost li").first.wait_for()
    page.locator("#k-lost").scroll_into_view_if_needed()
    shoot("12-lost")


def main(folder: Path, views: list[str]) -> None:
    """Serve, visit in every way (or in `views`), write PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        for name, options in VIEWS.items():
            if views and name not in views:
                continue
            place = Path(scratch) / name
            place.mkdir()
            served = Served(place).start()
            try:
                with visit(browser, served.url, **options) as page:
                    walk(
                        page,
                        lambda state, page=page, name=name: page.screenshot(
                            path=folder / f"{name}-{state}.png",
                            full_page=name.startswith("phone") and state != "3-brush",
                            timeout=90_000,
                        ),
                    )
            finally:
                served.stop()
            locales = {"": "en-US"} | ({"-zh": "zh-CN"} if name in {"desk", "phone"} else {})
            for suffix, locale in locales.items():
                paid(browser, Path(scratch), folder, name + suffix, options | {"locale": locale})
        browser.close()


def paid(browser: Browser, scratch: Path, folder: Path, name: str, options: dict) -> None:
    """The states of `trouble`, for which a service of our own stands in."""
    place = scratch / f"{name}-paid"
    place.mkdir()
    with FaultServer(key=KEY) as service:
        served = Served(place, WAVESPEED_BASE_URL=service.url, WAVESPEED_API_KEY=KEY).start()
        try:
            with visit(browser, served.url, **options) as page:
                page.wait_for_timeout(600)
                page.screenshot(path=folder / f"{name}-0-first.png")
                trouble(
                    page,
                    service,
                    lambda state: page.screenshot(
                        path=folder / f"{name}-{state}.png", full_page=name.startswith("phone")
                    ),
                )
        finally:
            served.stop()


if __name__ == "__main__":
    folder, *views = sys.argv[1:] or ["screenshots"]
    main(Path(folder), views)
