"""The page as a function of a studio, and the options it is launched with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

# Read by gradio at import: no call leaves the machine, and no table grows with every event.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from klingo1 import request as limits
from klingo1.batches import BatchStudio
from klingo1.pricing import tariff
from klingo1.references import BYTES_MAX, RATIO_MAX, SIDE_MIN
from klingo1.ui import events
from klingo1.ui import mcp as tools
from klingo1.ui.components.element import text_of
from klingo1.ui.components.masthead import Masthead
from klingo1.ui.components.tabs import Tabs
from klingo1.ui.cutouts import Cutouts
from klingo1.ui.discretion import keep_words_out_of_the_log
from klingo1.ui.examples import read_examples
from klingo1.ui.handlers import Handlers
from klingo1.ui.languages import create_i18n
from klingo1.ui.lists import Lists
from klingo1.ui.panels import compose, cutout, history, interface, lists, result
from klingo1.ui.shelf import keep_uploads_apart, shelf_of
from klingo1.ui.theme import create_theme
from klingo1.ui.tools import Tools
from klingo1.web.guard import Guard
from klingo1.web.policy import Policy

_INSTALLED = Path(__file__).parents[1] / "assets"
ASSETS = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "assets"
"""Inside the package where it is installed, beside it in the repository."""
UPLOAD_MAX = "200mb"
SESSIONS_MAX = 100
"""Gradio keeps 60 kB for each session that is named to it, whoever names it; the page itself needs none."""
GROUND = "#f7f6f3"
"""The page's ground, as --k-ground in assets/style.css: the colour of its window where it is installed."""
QUEUE_SECONDS = 0.1, 1.0
"""Between two looks of Gradio at its queue, which only `/generate` uses, and at its progress, which nothing
does. Its own are 1,000 and 100 looks a second, also when nobody is there (`benchmarks/start_up.py`).
"""
TITLE = "klingo1 · pictures and a sentence in, a video out"


def create_page(studio: BatchStudio, *, hosted: bool, assets: Path = ASSETS, mcp: bool = False) -> gr.Blocks:
    """The page over one studio. `hosted` separates visitors; a desk has one owner. `mcp` adds tools."""
    keep_uploads_apart()
    shelf = shelf_of(get_upload_folder())
    handlers = Handlers(studio, hosted=hosted, publish=shelf.publish)
    cutouts = Cutouts(studio.cutting, shelf.publish)
    examples = read_examples(assets)
    gr.set_static_paths([*(file for example in examples for file in example.files)])
    # Made outside of the page it has no listeners: it is there for Gradio's routes and signed cookie, and the
    # masthead shows the link.
    sign_in = gr.LoginButton(visible=False) if studio.settings.offers_sign_in else None
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86400)) as demo:
        # The secret is no secret: it only keeps the value readable after a restart.
        browser = gr.BrowserState({}, storage_key="klingo1", secret="klingo1")  # noqa: S106
        Masthead({}, elem_id="k-masthead")
        if sign_in is not None:
            sign_in.render()
        Tabs({}, elem_id="k-tabs")
        with gr.Row(elem_id="k-page", equal_height=False):
            with gr.Column(elem_id="k-compose", min_width=0):
                form = compose.build(handlers, cutouts)
            with gr.Column(elem_id="k-result", min_width=0):
                shown = result.build(handlers, [example.as_json() for example in examples])
        listed = lists.build(handlers, Lists(studio, publish=shelf.publish))
        history.build(handlers)
        offers = studio.settings.offers_sign_in
        page = events.Page(demo, browser, offers, form, shown, cutout.build(), interface.build(), listed)
        events.bind(page, handlers, cutouts, documented=not mcp)
        if mcp:
            tools.bind(Tools(studio, hosted=hosted, publish=shelf.publish))
    demo.queue(default_concurrency_limit=None, max_size=200, api_open=False)
    queue = demo._queue  # noqa: SLF001 - there is no other way to its pace
    queue.sleep_when_free, queue.progress_update_sleep_when_free = QUEUE_SECONDS
    return demo


def launch_options(studio: BatchStudio, *, assets: Path = ASSETS, mcp: bool = False) -> dict[str, Any]:
    """Keyword arguments for `Blocks.launch`. The guard before Gradio follows the studio's settings."""
    style = assets / "style.css"
    publish = shelf_of(get_upload_folder()).publish
    handlers = Handlers(studio, hosted=studio.settings.hosted, publish=publish)
    guard = Middleware(
        Guard,
        policy=Policy.of(studio.settings, mcp=mcp),
        health=studio.health,
        room=studio.has_room,
        direct={"status": handlers.status},
    )
    if studio.settings.hosted:
        keep_words_out_of_the_log()
    everywhere = os.environ.get("GRADIO_SERVER_NAME") or "0.0.0.0"  # noqa: S104 - hosted: everybody's
    return {
        "server_name": everywhere if studio.settings.hosted else None,
        "theme": create_theme(),
        "css": style.read_text(encoding="utf-8") if style.is_file() else "",
        "head": page_head(),
        "i18n": create_i18n(),
        "max_threads": 200,
        "state_session_capacity": SESSIONS_MAX,
        "max_file_size": UPLOAD_MAX,
        "pwa": True,
        "mcp_server": mcp,
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "footer_links": [],
        "strict_cors": True,
        "allowed_paths": [],
        "favicon_path": icon if (icon := assets / "icon.png").is_file() else None,
        # Before Gradio's own routes: its manifest has neither a short name nor colours.
        "app_kwargs": {
            "middleware": [guard, Middleware(PageInSmall, compresslevel=6)],
            "routes": [Route("/manifest.json", manifest)],
        },
    }


class PageInSmall(GZipMiddleware):
    """The page itself, 0.4 MB of text, travels compressed; Gradio compresses its own files only."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on all else as it is."""
        answer = super().__call__ if scope["type"] == "http" and scope["path"] == "/" else self.app
        await answer(scope, receive, send)


def manifest(_: Request) -> Response:
    """What a browser needs to install the page as an app; addresses are relative to the manifest's own."""
    icons = [
        {"src": f"pwa_icon/{side}", "sizes": f"{side}x{side}", "type": "image/png", "purpose": "any"}
        for side in (192, 512)
    ]
    told = {
        "name": TITLE,
        "short_name": "klingo1",
        "description": "One to seven pictures and a sentence become a short video; drafts are free.",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": icons,
    }
    return JSONResponse(told, media_type="application/manifest+json")


def page_head() -> str:
    """The tariff and the limits as JSON, and the scripts that the elements share."""
    facts = json.dumps(page_facts(), separators=(",", ":")).replace("</", "<\\/")
    texts = (
        text_of(part, "js")
        for part in ("language", "picture_mend", "page", "picture_panel", "picture_moving", "chime")
    )
    scripts = (f"window.klingoFacts = {facts};", *texts)
    return "\n".join(f"<script>{script}</script>" for script in scripts)


def page_facts() -> dict[str, Any]:
    """What the scripts know about the contract; one source with the server's own checks."""
    return {
        "tariff": tariff(),
        "promptMax": limits.PROMPT_MAX,
        "imagesMax": limits.IMAGES_MAX,
        "imagesMaxWithVideo": limits.IMAGES_MAX_WITH_VIDEO,
        "durationMin": limits.DURATION_MIN,
        "durationMax": limits.DURATION_MAX,
        "durationDefault": limits.DURATION_DEFAULT,
        "aspects": list(limits.ASPECT_RATIOS),
        "aspectDefault": limits.ASPECT_RATIO_DEFAULT,
        "draftSizes": list(limits.DRAFT_SIZES),
        "roles": list(limits.ROLES),
        "examplePrompt": limits.EXAMPLE_PROMPT,
        "sideMin": SIDE_MIN,
        "ratioMax": RATIO_MAX,
        "bytesMax": BYTES_MAX,
    }
