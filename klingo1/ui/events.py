"""Every listener of the page, in one place.

Clicks run outside Gradio's queue: they only write a row, and a queued event would hold a stream whose cut
reloads the page. `/generate` is the one documented endpoint and the only one that is queued.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from klingo1.crowd import caller
from klingo1.errors import KlingoError
from klingo1.ui.cutouts import Cutouts
from klingo1.ui.handlers import Form, Handlers
from klingo1.ui.panels.compose import ComposePanel
from klingo1.ui.panels.cutout import CutoutPanel
from klingo1.ui.panels.interface import InterfacePanel
from klingo1.ui.panels.lists import ListsPanel
from klingo1.ui.panels.result import ResultPanel
from klingo1.ui.words import notice_of
from klingo1.web.inspection import address_in

Answer = tuple[dict[str, Any], dict[str, Any]]
_NO_EDITOR = "() => ({__type__: 'update', visible: false, value: null})"
_QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# Left alone, Gradio drops an event while an earlier one of its kind is unanswered.
_EACH = _QUIET | {"trigger_mode": "multiple"}


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that listens or is listened to."""

    demo: gr.Blocks
    browser: gr.BrowserState
    offers_sign_in: bool
    compose: ComposePanel
    result: ResultPanel
    cutout: CutoutPanel
    interface: InterfacePanel
    lists: ListsPanel


def bind(page: Page, handlers: Handlers, cutouts: Cutouts, *, documented: bool = True) -> None:
    """Connect the panels to the handlers; `documented` lists `/generate` among the public endpoints."""
    browser, compose, card = page.browser, page.compose, page.result.card
    session = [browser, card]

    def submit(request: gr.Request, *values: Any) -> Answer:
        *fields, click, memory = values
        caller.set(address_in(request.headers))
        return handlers.submit(Form(*fields), click, memory)

    def promote(memory: Any, event: gr.EventData) -> Answer:
        return handlers.promote(_data_of(event), memory)

    def resume(memory: Any, event: gr.EventData) -> Answer:
        return handlers.resume(_data_of(event), memory)

    _bind_arrival(page, session, handlers)
    compose.price.generate(submit, [*compose.form, compose.price, browser], session, **_EACH)
    card.promote(promote, browser, session, **_EACH)
    card.resume(resume, browser, session, **_EACH)
    # The browser shows the video without asking the server again: nothing to lose to a cut network.
    card.shown(None, None, page.result.video, js="() => window.klingo.shownVideo()", show_progress="hidden")
    card.remember(
        None, browser, browser, js="(memory) => window.klingo.remembered(memory)", show_progress="hidden"
    )
    _bind_cutout(page, cutouts)
    _bind_lists(page.lists, browser, handlers)
    _bind_interface(page.interface, handlers, documented=documented)


def _bind_lists(panel: ListsPanel, browser: gr.BrowserState, handlers: Handlers) -> None:
    """Every answer carries the turn of its question, so that an old one changes nothing."""
    lists = panel.lists

    def answered(asked: dict[str, Any], memory: Any) -> dict[str, Any]:
        files, click, owner = asked["files"], asked["click"], handlers.owner_of(memory)
        if click.get("ask") == "admit":
            answer = lists.admit(files, click, owner)
        elif click.get("ask") == "carry_on":
            answer = lists.carry_on(str(click.get("list") or ""), owner)
        else:
            answer = lists.price(files, click, owner)
        return answer | {"turn": str(click.get("turn"))}

    for event in (panel.desk.price, panel.desk.admit, panel.desk.carry_on):
        event(answered, [panel.desk, browser], panel.answer, **_EACH)


def _bind_arrival(page: Page, session: Sequence[gr.components.Component], handlers: Handlers) -> None:
    """Gradio reads who has signed in from its signed cookie, which no script and no other site can set."""

    def arrive(memory: Any) -> Answer:
        return handlers.arrive(memory)

    def arrive_signed_in(memory: Any, profile: gr.OAuthProfile | None) -> Answer:
        return handlers.arrive(memory, profile.username if profile is not None else "")

    page.demo.load(arrive_signed_in if page.offers_sign_in else arrive, page.browser, session, **_QUIET)


def _bind_cutout(page: Page, cutouts: Cutouts) -> None:
    pictures, brush, canvas = page.compose.pictures, page.cutout.brush, page.cutout.canvas
    both = [brush, canvas]

    def drawn_on(told: tuple[dict[str, Any], str]) -> tuple[dict[str, Any], Any]:
        answer, shown = told
        return answer, gr.update(visible=True, value=shown) if shown else gr.skip()

    def show(gallery: Any, wish: Any) -> tuple[dict[str, Any], Any]:
        return drawn_on(cutouts.show(gallery, wish))

    def preview(gallery: Any, wish: Any, strokes: Any) -> tuple[dict[str, Any], Any]:
        return drawn_on(cutouts.preview(gallery, wish, strokes))

    def save(gallery: Any, wish: Any, strokes: Any) -> dict[str, Any]:
        return cutouts.save(gallery, wish, strokes)[0]

    def reset(gallery: Any, wish: Any) -> tuple[dict[str, Any], Any]:
        return drawn_on(cutouts.reset(gallery, wish))

    brush.show(show, [pictures, brush], both, **_EACH)
    brush.preview(preview, [pictures, brush, canvas], both, **_EACH)
    brush.save(save, [pictures, brush, canvas], brush, **_EACH)
    brush.reset(reset, [pictures, brush], both, **_EACH)
    # It draws all the time, also unseen, so it is there only while somebody paints.
    brush.away(None, None, canvas, js=_NO_EDITOR, show_progress="hidden")
    # The editor takes its colour and width from its own properties.
    brush.brush(
        None,
        None,
        canvas,
        js="() => ({__type__: 'update', brush: window.klingo.get('brushNow')})",
        show_progress="hidden",
    )


def _bind_interface(interface: InterfacePanel, handlers: Handlers, *, documented: bool) -> None:
    async def generate(  # noqa: PLR0917 - their names and order are the public interface
        request: gr.Request,
        images: list[str],
        prompt: str,
        video: str | None = None,
        keep_original_sound: bool = True,
        aspect_ratio: str = "16:9",
        duration: float = 5,
        engine: str = "draft",
    ) -> AsyncIterator[tuple[dict[str, Any], str | None]]:
        """Make a video from one to seven pictures and a prompt. Streams (state, None), ends with the video.

        `duration` is a whole number of seconds from 3 to 10, `aspect_ratio` one of 16:9, 9:16 and 1:1,
        `engine` draft (free, on this machine) or kling (paid; needs a key on the server).
        """
        caller.set(address_in(request.headers))
        form = Form(
            pictures=[{"path": path, "role": ""} for path in images or []],
            clip={"path": video or "", "keep_sound": keep_original_sound},
            prompt=prompt,
            duration=duration,
            aspect=aspect_ratio,
            engine=engine,
        )
        try:
            async for state, made in handlers.generate(form):
                yield state, str(made) if made else None
        except KlingoError as error:
            notice = notice_of(error)
            field = f"{notice.field}: " if notice.field else ""
            raise gr.Error(f"{field}{notice.text} {notice.remedy}".strip(), print_exception=False) from None

    gr.on(
        [],
        generate,
        interface.inputs,
        interface.outputs,
        api_name="generate",
        api_visibility="public" if documented else "undocumented",
        concurrency_limit=None,
        show_progress="hidden",
    )


def _data_of(event: gr.EventData) -> Any:
    """What the element's script passed along with its event."""
    return event._data  # noqa: SLF001 - the public way reads single attributes of a mapping of unknown shape
