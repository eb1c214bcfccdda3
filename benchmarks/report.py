"""Run the benchmark programs one after another and write docs/benchmarks.md with its plots: `make bench`.

    python benchmarks/report.py [--quick] [--only uploads history] [--out docs] [--collect FOLDER]

Each program runs in a process of its own and leaves its rows as JSON; what it printed is kept beside them.
With --collect the rows of an earlier run are written up again and nothing is measured.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plots import PLOTS
from results import ROOT, cores, number

PACKAGES = ("gradio", "httpx", "pillow", "av", "numpy", "opencv-python-headless", "sqlalchemy", "wavespeed")
LIMIT = 1200.0
"""Seconds after which a program counts as stuck and is ended; the others go on."""


@dataclass(frozen=True)
class Program:
    """One benchmark: how it is tried out quickly, and the claim it stands for, in a reader's words."""

    name: str
    claim: str
    quick: tuple[str, ...] = ("--quick",)


PROGRAMS = (
    Program("client_overhead", "From a task's end there to its result here, beside the `wavespeed` package."),
    Program("uploads", "Preparing and sending seven photographs."),
    Program("many_jobs", "Many jobs at once, beside a thread and a sleeping poll per job."),
    Program("open_pages", "Open pages while drafts are rendered, beside a Gradio timer with default limits."),
    Program("start_up", "Start, beside Gradio's hello world."),
    Program("page_load", "The page in the browser."),
    Program("draft_film", "Draft films, beside the encoder alone and FFmpeg's zoompan.", ("--quick",)),
    Program("draft_encoder", "What the encoder's settings cost in time and in size."),
    Program("history", "A long history."),
    Program("render_cluster", "A render cluster of several workers, beside one worker."),
)  # fmt: skip


def run(program: Program, folder: Path, *, quick: bool) -> float:
    """Run it; `<name>.json` and `<name>.txt` in `folder` are what it found. Returns seconds."""
    kept, printed = folder / f"{program.name}.json", folder / f"{program.name}.txt"
    command = [sys.executable, str(ROOT / "benchmarks" / f"{program.name}.py"), "--json", str(kept)]
    kept.unlink(missing_ok=True)
    began = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        printed.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            [*command, *(program.quick if quick else ())],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running,
    ):
        alarm = threading.Timer(LIMIT, running.kill)
        alarm.start()
        for line in running.stdout:
            out.write(line)
            print(line, end="", flush=True)
        code = running.wait()
        alarm.cancel()
    if code != 0:
        kept.unlink(missing_ok=True)  # what a failed program left is not to be trusted
        print(f"{program.name} failed ({code})", file=sys.stderr)
    return time.perf_counter() - began


def machine() -> str:
    """One line about what it was measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
    return f"{model}, {cores()} cores{memory}, {platform.system()} {platform.release()}"


def versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return " · ".join(found)


def table(found: dict[str, Any]) -> list[str]:
    """The rows as Markdown: ours where a program has them in our shape, else every column as it is."""
    rows = found["rows"]
    if not rows:
        return []
    if "klingo1" not in rows[0]:
        names = list(rows[0])
        lines = ["| " + " | ".join(names) + " |", "| " + " | ".join("---:" for _ in names) + " |"]
        return lines + ["| " + " | ".join(cell(row.get(name)) for name in names) + " |" for row in rows]
    lines = [
        f"| | {found.get('rival') or 'rival'} | klingo1 | ratio | goal | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        unit = f" {row['unit']}" if row["unit"] else ""
        rival = "" if row["rival"] is None else number(row["rival"]) + unit
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}×"
        verdict = {True: "reached", False: "**not reached**", None: ""}[row["reached"]]
        if row["reached"] is False and row.get("why"):
            verdict += f": {row['why']}"
        lines.append(
            f"| {row['what']} | {rival} | {number(row['klingo1'])}{unit} | {ratio} "
            f"| {row['goal']} | {verdict} |"
        )
    return lines


def reached_instead(row: dict[str, Any]) -> str:
    """What a row that missed its goal came to."""
    came_to = f"{number(row['klingo1'])} {row['unit']}".rstrip()
    if row["goal"].endswith("×"):
        came_to = f"{row['ratio']:.2f}×"
    return f"{came_to}, goal {row['goal']}" + (f" ({row['why']})" if row.get("why") else "")


def failure(folder: Path, program: Program) -> str:
    """What a program that failed said last."""
    said = (folder / f"{program.name}.txt").read_text(encoding="utf-8").strip().splitlines()
    return f"**It failed, so nothing is claimed**: `{said[-1].replace('`', '')[:200] if said else 'no word'}`"


def cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return "" if value is None else str(value).replace("|", "\\|")


def write(folder: Path, out: Path, took: dict[str, float], *, quick: bool) -> Path:
    """docs/benchmarks.md from the JSON in `folder`."""
    source = "Measured by `make bench`" if took else "Collected from runs of single programs"
    lines = [
        "# Benchmarks",
        "",
        f"{source}, {time.strftime('%Y-%m-%d')}"
        + (" in its quick form, which proves nothing" if quick else "")
        + ". Every program runs klingo1 and its rival in turn on the same machine, server and inputs; "
        "figures are medians: read the ratios rather than the seconds.",
        "",
        f"Machine: {machine()}.",
        "",
        f"Versions: {versions()}.",
        "",
    ]
    missed = []
    for program in PROGRAMS:
        kept = folder / f"{program.name}.json"
        if not kept.exists():
            if program.name in took:
                missed.append(f"{program.name}: it failed")
                lines += [f"## {program.name}", "", program.claim, "", failure(folder, program), ""]
            continue
        found = json.loads(kept.read_text(encoding="utf-8"))
        missed += [
            f"{found['title']}: {row['what']}: {reached_instead(row)}"
            for row in found["rows"]
            if row.get("reached") is False
        ]
        lines += [f"## {found['title']}", "", program.claim, "", *table(found), ""]
        lines += [note for note in found.get("notes", ()) for note in (note, "")]
        if program.name in PLOTS:
            name, draw, words = PLOTS[program.name]
            if draw(found, out / "pictures" / f"{name}.svg"):
                lines += [f"![{words}](pictures/{name}.svg)", ""]
        command = f"python benchmarks/{program.name}.py"
        seconds = f" ({took[program.name]:.0f} s)" if program.name in took else ""
        lines += [f"Measured by `{command}`{seconds}.", ""]
    absent = [
        one.name for one in PROGRAMS if one.name not in took and not (folder / f"{one.name}.json").exists()
    ]
    if absent:
        lines += [f"Not measured this time: {', '.join(f'`{name}`' for name in absent)}.", ""]
    verdict = ["Not reached:", "", *(f"- {one}" for one in missed)] if missed else ["Every goal is reached."]
    lines[8:8] = [*verdict, ""]
    page = out / "benchmarks.md"
    out.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return page


def main() -> int:
    names = [program.name for program in PROGRAMS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, to try it out")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--collect", type=Path, help="a folder with the rows of an earlier run")
    chosen = parser.parse_args()
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.collect or Path(name)
        if chosen.collect is None:
            for program in PROGRAMS:
                if program.name in chosen.only and (ROOT / "benchmarks" / f"{program.name}.py").exists():
                    took[program.name] = run(program, folder, quick=chosen.quick)
                    print(flush=True)
        missing = [one for one in took if not (folder / f"{one}.json").exists()]
        print(f"{write(folder, chosen.out, took, quick=chosen.quick)} ({sum(took.values()):.0f} s)")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
