"""Tables and totals on standard output, for people who run the long forms with -s."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping


def say(words: str) -> None:
    """One line of its own."""
    sys.stdout.write(f"\n{words}\n")


def show_table(cells: Mapping[tuple[str, str], str], rows: Iterable[str], columns: Iterable[str]) -> None:
    """Cells by (row, column); columns without a cell are left out."""
    columns = [column for column in columns if any(key[1] == column for key in cells)]
    lines = [f"{'':27}" + "".join(f"{column:23}" for column in columns)]
    lines += [f"{row:27}" + "".join(f"{cells.get((row, c), ''):23}" for c in columns) for row in rows]
    say("\n".join(lines))
