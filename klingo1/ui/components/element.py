"""The base of the page's own elements.

An element's template is static: its script builds everything that changes with `textContent`, because a
value that is written into a Gradio template is evaluated there as JavaScript.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, Self

import anyio
import gradio as gr
from gradio.component_meta import ComponentMeta, updateable

HERE = Path(__file__).parent
THREADS = 24
"""Calls of one server function that are worked on at once; more wait in line, one after another."""
_EXCHANGE = "window.klingo.exchange(element);\n"
"""The template's own words, in the reader's language, before a script puts anything else into it."""


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
    """A server function in threads of its own.

    Gradio runs all clicks and calls in one set of threads. A crowd of clicks whose pictures are being judged
    would take all of them, and whoever asks how a run stands would wait for the last one.
    """
    limiter = anyio.CapacityLimiter(THREADS)

    @wraps(function)
    async def served(*asked: Any) -> Any:
        return await anyio.to_thread.run_sync(function, *asked, limiter=limiter)

    return served


class ElementMeta(ComponentMeta):  # type: ignore[misc]
    """Gradio's own metaclass writes a .pyi file beside every component; importing ours writes nothing."""

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Self:  # noqa: D102 - as the base's
        if "__init__" in attrs:
            attrs["__init__"] = updateable(attrs["__init__"])
        return ABCMeta.__new__(mcs, name, bases, attrs)


class Element(gr.HTML, metaclass=ElementMeta):  # type: ignore[misc]
    """A gr.HTML whose parts lie in `<part>.html`, `<part>.css` and `<part>.js` beside this file."""

    part = ""

    def __init__(
        self,
        value: Any = None,
        *,
        elem_id: str | None = None,
        label: str | None = None,
        server_functions: list[Callable[..., Any]] | None = None,
        **props: Any,
    ) -> None:
        """`props` reach the script as `props.<name>`; server functions as `server.<name>`."""
        super().__init__(
            value=value,
            label=label,
            html_template=text_of(self.part, "html"),
            css_template=text_of(self.part, "css"),
            js_on_load=f"{_EXCHANGE}{text_of(self.part, 'js')}",
            apply_default_css=False,
            elem_id=elem_id,
            elem_classes=["k-element"],
            server_functions=[apart(function) for function in server_functions or ()],
            **props,
        )

    def preprocess(self, payload: Any) -> Any:
        """What the browser sent, as the model of this element or as plain JSON."""
        return payload

    def postprocess(self, value: Any) -> Any:
        """A JSON value for the element's script."""
        return value

    def api_info(self) -> dict[str, Any]:
        """No element is part of the documented interface."""
        return {"type": "object"}

    def example_payload(self) -> Any:
        """Nothing, as `api_info`."""
        return None

    def example_value(self) -> Any:
        """Nothing, as `api_info`."""
        return None


@cache
def text_of(part: str, suffix: str) -> str:
    """The text of one of an element's files; "" where it has none."""
    file = HERE / f"{part}.{suffix}"
    return file.read_text(encoding="utf-8") if file.is_file() else ""
