"""What a benchmark program prints and writes: rows of rival, klingo1 and their ratio, beside the goal.

Every program takes `--quick` (fewer rounds, to try it out) and `--json FILE`. Importing this puts the
repository on the path, so that a program runs from anywhere.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: the rival's value (None where there is none), ours, and the goal.

    `most` and `least` bound the ratio of ours to the rival's, `at_most` bounds our value itself.
    """

    what: str
    unit: str
    klingo1: float
    rival: float | None = None
    most: float | None = None
    least: float | None = None
    at_most: float | None = None
    why: str = ""
    """Why the goal is not reached, where that is known; told only then."""

    @property
    def ratio(self) -> float | None:
        return self.klingo1 / self.rival if self.rival is not None and self.rival > 0 else None

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {self.unit}".rstrip()
        if self.most is not None:
            return f"≤ {self.most:g}×"
        return "" if self.least is None else f"≥ {self.least:g}×"

    @property
    def reached(self) -> bool | None:
        """None where there is no goal."""
        if self.at_most is not None:
            return self.klingo1 <= self.at_most
        if self.ratio is None:
            return None
        if self.most is not None:
            return self.ratio <= self.most
        return None if self.least is None else self.ratio >= self.least

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "goal": self.goal, "reached": self.reached}


@dataclass
class Results:
    """What one program found. `series` feeds the plots, `notes` say what a reader has to know."""

    title: str
    rival: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    series: dict[str, Any] = field(default_factory=dict)

    def add(self, *rows: Row) -> None:
        """Keep rows and print them at once: some programs take minutes."""
        if not self.rows:
            print(f"{self.title}\n{'':52}{self.rival:>14}{'klingo1':>10} {'':5}{'ratio':>8}  goal")
        for row in rows:
            self.rows.append(row)
            rival = "" if row.rival is None else number(row.rival)
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}×"
            verdict = {True: "reached", False: "MISSED", None: ""}[row.reached]
            line = f"{row.what:52}{rival:>14}{number(row.klingo1):>10} {row.unit:5}{ratio:>8}"
            print(f"{line}  {row.goal:12}{verdict}", flush=True)

    def finish(self, file: Path | None) -> None:
        for note in self.notes:
            print(f"  {note}")
        if file is not None:
            found = {"title": self.title, "rival": self.rival, "notes": self.notes, "series": self.series}
            found["rows"] = [row.as_json() for row in self.rows]
            file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def number(value: float) -> str:
    """Three significant figures without an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """The options that every program has."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, to try it out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    return parser


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def bind(pid: int, number: int) -> None:
    """Keep a process that is just starting (0: this one) to one core, where the system can.

    Threads that it starts later are kept there too.
    """
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(pid, {allowed[number % len(allowed)]})


median = statistics.median
