"""Below both sides: everything made so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from klingo1.ui.components.compare import Compare
from klingo1.ui.components.farewell import Farewell
from klingo1.ui.components.history_strip import HistoryStrip
from klingo1.ui.components.lost_finder import LostFinder
from klingo1.ui.handlers import Handlers


@dataclass(frozen=True, slots=True)
class HistoryPanel:
    """The strip of jobs, what finds lost ones and what deletes all, and the dialog that compares two."""

    strip: HistoryStrip
    lost: LostFinder
    farewell: Farewell
    compare: Compare


def build(handlers: Handlers) -> HistoryPanel:
    """Lay out the history inside the current Blocks."""

    def history(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.history(asked)

    def inputs(asked: dict[str, Any]) -> dict[str, Any] | None:
        return handlers.inputs(asked)

    def delete(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.delete(asked)

    def restore(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.restore(asked)

    def delete_all(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.delete_all(asked)

    def find_lost(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.find_lost(asked)

    def adopt(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.adopt(asked)

    def choose(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.choose(asked)

    def release(asked: dict[str, Any]) -> dict[str, Any]:
        return handlers.release(asked)

    def rate(asked: dict[str, Any]) -> float | None:
        return handlers.rate(asked)

    functions = [history, inputs, delete, restore]
    strip = HistoryStrip({}, elem_id="k-history", server_functions=functions)
    lost = LostFinder({}, elem_id="k-lost", server_functions=[find_lost, adopt, choose, release])
    farewell = Farewell({}, elem_id="k-farewell", server_functions=[delete_all])
    compare = Compare({}, elem_id="k-compare", server_functions=[rate])
    return HistoryPanel(strip, lost, farewell, compare)
