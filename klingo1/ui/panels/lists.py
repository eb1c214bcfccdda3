"""The other tab: a list of requests as one decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from klingo1.ui.components.list_desk import ListAnswer, ListDesk
from klingo1.ui.handlers import Handlers
from klingo1.ui.lists import Lists


@dataclass(frozen=True, slots=True)
class ListsPanel:
    """The desk where a list is added and shown, and what carries answers to it."""

    desk: ListDesk
    answer: ListAnswer
    lists: Lists


def build(handlers: Handlers, lists: Lists) -> ListsPanel:
    """Lay out the tab inside the current Blocks."""

    def named(asked: Mapping[str, Any]) -> tuple[str, str]:
        return str(asked.get("list") or "")[:200], handlers.owner_of(asked)

    def list_standing(asked: dict[str, Any]) -> dict[str, Any]:
        return lists.standing(*named(asked))

    def list_withdraw(asked: dict[str, Any]) -> dict[str, Any]:
        return lists.withdraw(*named(asked))

    def list_results(asked: dict[str, Any]) -> list[dict[str, Any]]:
        return lists.results(*named(asked))

    functions = [list_standing, list_withdraw, list_results]
    desk = ListDesk(None, elem_id="k-list", server_functions=functions)
    return ListsPanel(desk, ListAnswer({}, elem_id="k-list-answer"), lists)
