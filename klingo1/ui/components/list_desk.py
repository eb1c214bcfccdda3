"""A list of requests with its pictures: added, priced, admitted with one click, shown row by row."""

from __future__ import annotations

from typing import Any

from gradio.data_classes import FileData, GradioModel

from klingo1.ui.components.element import Element


class ListForm(GradioModel):  # type: ignore[misc]
    """What was added and clicked. As `FileData`, only files that this app received are accepted as paths."""

    files: list[FileData] = []  # noqa: RUF012 - pydantic copies it
    click: dict[str, Any] = {}  # noqa: RUF012 - as above


class ListDesk(Element):
    """Its value reaches handlers as {"files": [{"path", "name"}], "click": {…}}."""

    part = "list_desk"
    data_model = ListForm

    def preprocess(self, payload: Any) -> dict[str, Any]:
        """The files in the order in which they were added, and what was clicked."""
        form = payload if isinstance(payload, ListForm) else ListForm()
        files = [{"path": file.path, "name": file.orig_name or ""} for file in form.files]
        return {"files": files, "click": form.click}

    def postprocess(self, value: Any) -> ListForm:
        """The script alone fills it."""
        return value if isinstance(value, ListForm) else ListForm()


class ListAnswer(Element):
    """Carries the server's answer about a list to the desk; shows nothing itself."""

    part = "list_answer"
