"""The pictures of docs/benchmarks.md, drawn from the series that the programs leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

mpl.rcParams["svg.hashsalt"] = "klingo1"
mpl.rcParams["axes.spines.top"] = mpl.rcParams["axes.spines.right"] = False
OURS, THEIRS = "#b3541e", "#5a6b7a"


def plot_lags(found: dict[str, Any], to: Path) -> bool:
    """Completion lag by job length: every round a dot, the medians joined."""
    series = found.get("series") or {}
    if not series:
        return False
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    places = range(len(series))
    for side, who, colour in ((-0.12, "wavespeed", THEIRS), (0.12, "klingo1", OURS)):
        middles = []
        for place, lags in zip(places, series.values(), strict=True):
            values = lags[who]
            axes.plot([place + side] * len(values), values, "o", color=colour, alpha=0.35, markersize=5)
            middles.append(sorted(values)[len(values) // 2])
        axes.plot([place + side for place in places], middles, "-", color=colour, label=who)
    axes.set_xticks(list(places), [f"{length} s" for length in series])
    axes.set_xlabel("length of the task at the service")
    axes.set_ylabel("its end is known after, ms")
    axes.legend(frameon=False)
    return saved(figure, to)


def plot_memory(found: dict[str, Any], to: Path) -> bool:
    """Memory by jobs in flight."""
    curves = (found.get("series") or {}).get("memory")
    if not curves or not any(curves.values()):
        return False
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    for who, colour in (("threads", THEIRS), ("klingo1", OURS)):
        if points := curves.get(who):
            axes.plot(*zip(*points, strict=True), "-o", color=colour, label=who, markersize=4)
    axes.set_xlabel("jobs in flight")
    axes.set_ylabel("memory that the process grew by, MB")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return saved(figure, to)


def plot_durations(found: dict[str, Any], to: Path) -> bool:
    """Render time by duration, a line for each size: `series["render"]` = {size: [[seconds, seconds], …]}."""
    curves = (found.get("series") or {}).get("render")
    if not curves:
        return False
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    for (size, points), look in zip(curves.items(), ("-o", "--s", ":^", "-.v", "-D"), strict=False):
        axes.plot(*zip(*points, strict=True), look, color=OURS, label=size, markersize=4)
    axes.set_xlabel("duration of the film, s")
    axes.set_ylabel("time to make it, s")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return saved(figure, to)


def saved(figure: Any, to: Path) -> bool:
    figure.tight_layout()
    to.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(to, metadata={"Date": None})
    plt.close(figure)
    return True


PLOTS = {
    "client_overhead": ("lag-by-length", plot_lags, "Completion lag by job length"),
    "many_jobs": ("memory-by-jobs", plot_memory, "Memory by jobs in flight"),
    "draft_film": ("render-by-duration", plot_durations, "Render time by duration"),
}
