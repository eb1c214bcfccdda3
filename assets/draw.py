"""Render the drawings in art/ to the pictures beside this file: `python assets/draw.py [name …]`.

The system's Chromium draws the SVG sources, so gradients, filters and blending come out as in a browser.
Pictures that stand for a person's upload become JPEG; the icon stays PNG, with a transparent ground.
"""

from __future__ import annotations

import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
JPEG_QUALITY = 92
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing: `source` and `target` relative to this folder, size in pixels."""

    source: str
    target: str
    width: int
    height: int


PICTURES = (
    Picture("art/character_front.svg", "character_front.jpg", 900, 1400),
    Picture("art/character_side.svg", "character_side.jpg", 900, 1400),
    Picture("art/character_back.svg", "character_back.jpg", 900, 1400),
    Picture("art/prop_airship.svg", "prop_airship.jpg", 1000, 1000),
    Picture("art/scene_headland.svg", "scene_headland.jpg", 1920, 1080),
    Picture("icon.svg", "icon.png", 512, 512),
)


def render(page: Page, picture: Picture) -> Image.Image:
    """The drawing as RGBA at its size, one SVG unit of the view box scaled to fit."""
    drawing = (HERE / picture.source).read_text(encoding="utf-8")
    page.set_viewport_size({"width": picture.width, "height": picture.height})
    page.set_content(f"<style>*{{margin:0}}svg{{display:block;width:100vw;height:100vh}}</style>{drawing}")
    return Image.open(io.BytesIO(page.screenshot(omit_background=True))).convert("RGBA")


def save(image: Image.Image, target: Path) -> None:
    """Write JPEG or PNG as the name's ending says."""
    if target.suffix == ".jpg":
        image.convert("RGB").save(target, quality=JPEG_QUALITY, optimize=True, progressive=True)
    else:
        image.quantize(256, Image.Quantize.FASTOCTREE).save(target, optimize=True)


def main(wanted: list[str]) -> int:
    """Draw the pictures whose target is named, or all; 1 when there is no Chromium or no such picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("Chromium is needed to draw; none was found on the PATH.", file=sys.stderr)
        return 1
    unknown = set(wanted) - {picture.target for picture in PICTURES}
    if unknown:
        print(f"No such picture: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        page = browser.new_page()
        for picture in PICTURES:
            if not wanted or picture.target in wanted:
                save(render(page, picture), HERE / picture.target)
                print(picture.target)
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
