"""The tools as Gradio's own MCP server offers them: names, types and descriptions for a program to read.

Gradio makes a tool of each documented endpoint, so while MCP is on, these four are the documented ones and
`/generate`, which streams, is left out of the list; programs that call it by name go on working.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import gradio as gr
from gradio.route_utils import get_root_url

from klingo1.crowd import caller
from klingo1.errors import KlingoError, SettingsError
from klingo1.ui.tools import Inputs, Tools
from klingo1.ui.words import notice_of
from klingo1.web.inspection import address_in

ENDPOINT = "/gradio_api/mcp"
Seconds = Literal[3, 4, 5, 6, 7, 8, 9, 10]
Shape = Literal["16:9", "9:16", "1:1"]
EngineName = Literal["draft", "kling"]
_Function = TypeVar("_Function", bound=Callable[..., Any])
_REFERENCE = "an https:// or data: address, or the name of a file in the folder that the host lends"
_INPUTS = f"""
prompt: What happens in the video, up to 2,500 characters; @Image1 names the first picture.
images: One to seven pictures (four beside a video), each {_REFERENCE}.
video: An optional reference video, {_REFERENCE}; it makes a paid run dearer.
keep_original_sound: Whether the reference video's sound is kept.
aspect_ratio: Shape of the video.
duration: Length in seconds.
engine: draft is free, made on the host's machine and marked DRAFT; kling is the paid model Kling Video O1.
"""


class Refused(gr.Error):  # type: ignore[misc]
    """An error as a program reads it, without the quotes of gr.Error."""

    def __str__(self) -> str:
        return str(self.message)


def check_installed() -> None:
    """Raise SettingsError when Gradio could not speak MCP."""
    if importlib.util.find_spec("mcp") is None:
        raise SettingsError("--mcp needs the package mcp: pip install 'klingo1[mcp]'", variable="--mcp")


def bind(tools: Tools) -> None:
    """Add the four tools to the Blocks that is being built."""

    @_described(
        """Check a video request and tell what it costs in US dollars; starts nothing and spends nothing.
        Answers JSON with price_usd and a quote. Pass the quote on to generate with the same arguments: it is
        good for one run of exactly these inputs within a day, however often generate is called with it.""",
        _INPUTS,
    )
    async def price(  # noqa: PLR0917 - their names and order are the tool's
        request: gr.Request,
        prompt: str,
        images: list[str],
        video: str = "",
        keep_original_sound: bool = True,
        aspect_ratio: Shape = "16:9",
        duration: Seconds = 5,
        engine: EngineName = "draft",
    ) -> str:
        asked = Inputs(prompt, images, video, keep_original_sound, aspect_ratio, duration, engine)
        return await _answer(tools, request, lambda owner: tools.price(asked, owner))

    @_described(
        """Start making a video from pictures and a sentence; answers JSON with the run's id at once.
        Ask status for its progress and its video. A paid run (engine kling) needs the quote of price for the
        same arguments. When the answer to a call is lost, call again with the same quote: the same run is
        told, and nothing is paid twice. Without a quote every call makes another draft.""",
        f"{_INPUTS}quote: The quote that price gave for exactly these arguments; required for kling.",
    )
    async def generate(  # noqa: PLR0917 - as above
        request: gr.Request,
        prompt: str,
        images: list[str],
        video: str = "",
        keep_original_sound: bool = True,
        aspect_ratio: Shape = "16:9",
        duration: Seconds = 5,
        engine: EngineName = "draft",
        quote: str = "",
    ) -> str:
        caller.set(address_in(request.headers))
        asked = Inputs(prompt, images, video, keep_original_sound, aspect_ratio, duration, engine)
        return await _answer(tools, request, lambda owner: tools.generate(asked, quote, owner))

    @_described(
        """Tell where a run stands: state, progress from 0 to 1, price, problem, and the video's address when
        it is done. Answers JSON. A draft takes seconds, a paid run minutes; both go on unasked.""",
        "run: The id that generate or history gave.\n"
        "wait: Seconds to wait for its end before answering, up to 50.",
    )
    async def status(request: gr.Request, run: str, wait: int = 0) -> str:
        return await _answer(tools, request, lambda owner: tools.status(run, wait, owner))

    @_described(
        """List the runs made here, newest first, each with its prompt and as status tells it.""",
        "limit: How many, up to 50.\n"
        "before: Only runs created before this time; what an earlier answer gave as before.",
    )
    async def history(request: gr.Request, limit: int = 10, before: float | None = None) -> str:
        return await _answer(tools, request, lambda owner: tools.history(limit, before, owner))

    for tool in (price, generate, status, history):
        gr.api(tool, api_name=f"mcp_{tool.__name__}", queue=False)


def _described(text: str, arguments: str) -> Callable[[_Function], _Function]:
    """A docstring in the form that Gradio reads: what it does, then one line for each argument."""

    def describe(function: _Function) -> _Function:
        function.__doc__ = f"{' '.join(text.split())}\n\nArgs:\n{arguments.strip()}"
        return function

    return describe


async def _answer(
    tools: Tools, request: gr.Request, ask: Callable[[str], dict[str, Any] | Awaitable[dict[str, Any]]]
) -> str:
    """The tool's answer as JSON text, with addresses that the caller can open; errors in plain words."""
    try:
        answer = await asyncio.to_thread(lambda: ask(tools.owner_by(request.headers)))
        told = answer if isinstance(answer, dict) else await answer
    except KlingoError as error:
        notice = notice_of(error)
        field = f"{notice.field}: " if notice.field else ""
        message = f"{field}{notice.text} {notice.remedy}".strip()
        raise Refused(message, print_exception=False) from None
    # The MCP server passes the bare request on, the plain interface wraps it.
    root = get_root_url(getattr(request, "request", request), ENDPOINT, None)
    return json.dumps(_with_addresses(told, root), ensure_ascii=False)


def _with_addresses(told: dict[str, Any], root: str) -> dict[str, Any]:
    """Paths of published files as addresses under which the page serves them."""
    found = dict(told)
    for name in ("video", "poster"):
        if found.get(name):
            found[name] = f"{root}/gradio_api/file={found[name]}"
    if "runs" in found:
        found["runs"] = [_with_addresses(run, root) for run in found["runs"]]
    return found
