"""The benchmark programs: they still run, judge by the goals they print, and are written up whole."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "benchmarks"
LONG = ["uploads", "many_jobs", "open_pages", "start_up", "page_load", "history", "render_cluster"]


def told_by(name, tmp_path, *options):
    """The rows of a program run in its smallest form."""
    kept = tmp_path / f"{name}.json"
    command = [sys.executable, str(PROGRAMS / f"{name}.py"), "--quick", "--json", str(kept), *options]
    given = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
    ended = subprocess.run(
        command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=280, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(kept.read_text())
    assert found["rows"]
    assert all(row["what"] in ended.stdout for row in found["rows"])
    return found


def test_the_clients_are_measured_on_the_same_tasks(tmp_path):
    """Both clients see every task end; lag, polls, CPU and connections stand beside each other."""
    found = told_by("client_overhead", tmp_path, "--lengths", "0.3", "--rounds", "1")
    assert len(found["rows"]) == 6
    assert all(row["klingo1"] > 0 and row["rival"] > 0 for row in found["rows"])
    assert [len(lags) for lags in found["series"]["0.3"].values()] == [1, 1]


@pytest.mark.soak
@pytest.mark.parametrize("name", LONG)
def test_every_program_runs_in_its_smallest_form(name, tmp_path):
    """A program prints its rows and writes the same ones down."""
    rows = told_by(name, tmp_path)["rows"]
    assert all(row["klingo1"] >= 0 for row in rows)


def test_every_program_of_the_report_is_there(imported):
    """`make bench` leaves nothing out: what takes --json is in its list, and the list names real files."""
    report = imported("report")
    listed = {program.name for program in report.PROGRAMS}
    programs = {file.stem for file in PROGRAMS.glob("*.py") if "json.tool" not in (text := file.read_text())
                and "arguments(__doc__)" in text}  # fmt: skip
    assert programs <= listed
    assert set(LONG) | {"client_overhead"} <= listed


@pytest.mark.parametrize(
    ("bounds", "values", "reached"),
    [
        ({"most": 0.5}, (1.0, 2.0), True),
        ({"most": 0.5}, (1.01, 2.0), False),
        ({"least": 1.2}, (2.4, 2.0), True),
        ({"least": 1.2}, (2.3, 2.0), False),
        ({"at_most": 25}, (25.0, 900.0), True),
        ({"at_most": 25}, (25.1, None), False),
        ({"most": 0.5}, (1.0, None), None),
        ({}, (1.0, 2.0), None),
    ],
)
def test_a_goal_is_judged_as_it_is_printed(imported, bounds, values, reached):
    """Ratios are judged against the rival, absolute bounds against the figure itself."""
    assert imported("results").Row("one", "ms", *values, **bounds).reached is reached


def test_the_report_tells_what_was_missed_and_draws_the_plots(imported, tmp_path):
    """Made-up rows become a page with every figure, a list of what is not reached, and readable pictures."""
    report, results = imported("report"), imported("results")
    rows = [
        results.Row("lag", "ms", 50.0, 500.0, most=0.25),
        results.Row("CPU", "ms", 9.0, 10.0, most=0.5),
    ]
    lags = {"0.3": {"wavespeed": [700, 650, 720], "klingo1": [20, 30, 25]}}
    curves = {"memory": {"threads": [[50, 3], [100, 6]], "klingo1": [[50, 4], [100, 5]]}}
    films = {"render": {"720p": [[3, 1.5], [10, 4.6]], "1080p": [[3, 3], [10, 9]]}}
    for name, series in (("client_overhead", lags), ("many_jobs", curves), ("draft_film", films)):
        found = results.Results(name.upper(), "them", rows=rows, notes=["Mind this."], series=series)
        found.finish(tmp_path / f"{name}.json")
    page = report.write(tmp_path, tmp_path / "docs", {"many_jobs": 61.0}, quick=False).read_text()
    for words in (
        "| lag | 500 ms | 50.0 ms | 0.10× | ≤ 0.25× | reached |",
        "**not reached**",
        "Mind this.",
        "(61 s)",
    ):
        assert words in page
    missed = [f"- {name}: CPU: 0.90×, goal ≤ 0.5×" for name in ("CLIENT_OVERHEAD", "MANY_JOBS", "DRAFT_FILM")]
    assert "\n".join(["", "Not reached:", "", *missed, "", "## CLIENT_OVERHEAD"]) in page
    assert "Not measured this time: `uploads`, `open_pages`," in page
    for name in ("lag-by-length", "memory-by-jobs", "render-by-duration"):
        assert f"pictures/{name}.svg" in page
        picture = ET.parse(tmp_path / "docs" / "pictures" / f"{name}.svg").getroot()
        assert sum(1 for _ in picture.iter("{http://www.w3.org/2000/svg}path")) > 10


def test_a_program_that_fails_stops_nothing_and_is_written_up_as_failed(tmp_path, imported, monkeypatch):
    """The page names it among what is not reached, says what it said last, and claims no figure of it."""
    report = imported("report")
    broken = report.Program("no_such_program", "Never measured.")
    monkeypatch.setattr(report, "PROGRAMS", (broken,))
    took = {broken.name: report.run(broken, tmp_path, quick=True)}
    page = report.write(tmp_path, tmp_path / "docs", took, quick=True).read_text(encoding="utf-8")
    assert "- no_such_program: it failed" in page
    assert "It failed" in page
    assert "No such file" in page


def test_a_goal_that_is_missed_is_told_with_its_reason(imported):
    """The reason stands beside the verdict, and only where the goal is missed."""
    results, report = imported("results"), imported("report")
    found = results.Results("t", "r")
    found.add(results.Row("slow", "s", 2.0, 1.0, most=1.0, why="physics"))
    found.add(results.Row("fast", "s", 1.0, 2.0, most=1.0, why="never told"))
    lines = report.table({"rival": "r", "rows": [row.as_json() for row in found.rows]})
    assert lines[-2].endswith("**not reached**: physics |")
    assert lines[-1].endswith("| reached |")
