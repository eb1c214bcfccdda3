"""The scaling model: it agrees with queueing theory where that has a formula, and names the bottleneck."""

import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def model(imported):
    return imported("scale_model")


@pytest.mark.parametrize("load", [0.4, 0.6])
def test_one_server_waits_as_the_formula_says(model, load):
    """M/M/1: P(wait > t) = load · exp(−(1 − load)·t / service); the simulation is within a fifth."""
    times = model.Times(page=1e-9, ledger=1e-9, render=1.0)
    simulated = model.simulate(times, rate=load, replicas=1, workers=1)
    exact = math.log(load / 0.05) / (1.0 - load)
    assert simulated == pytest.approx(exact, rel=0.2)


@pytest.mark.parametrize(
    ("replicas", "workers", "first"),
    [(1, 1, "render workers"), (1, 100, "page"), (100, 100, "ledger")],
)
def test_the_first_bottleneck_is_named_and_never_passed(model, replicas, workers, first):
    """Capacity lies below what the slowest station can do at best."""
    times = model.Times(page=0.5, ledger=0.2, render=8.0)
    rate, named = model.capacity(times, replicas=replicas, workers=workers)
    best = {"render workers": workers / 8.0, "page": replicas / 0.5, "ledger": 1 / 0.2}
    assert named == first
    assert 0 < rate < best[first]


def test_the_plot_shows_every_point(model, tmp_path):
    """Nine points in three lines, as well-formed SVG."""
    rows = [
        {"replicas": r, "workers": w, "per_hour": r * w * 7, "first": "page"}
        for r in (1, 10, 100)
        for w in (1, 10, 100)
    ]
    model.plot(rows, tmp_path / "plot.svg")
    groups = {one.get("id"): one for one in ET.parse(tmp_path / "plot.svg").getroot().iter()}
    for replicas in (1, 10, 100):
        kinds = [one.tag.rpartition("}")[2] for one in groups[f"replicas{replicas}"].iter()]
        assert kinds.count("use") == 3


def test_the_page_says_what_the_last_measurement_found(model):
    """docs/scaling.md holds exactly what docs/scaling.json says, table and bottlenecks included."""
    facts = json.loads((DOCS / "scaling.json").read_text(encoding="utf-8"))
    page = (DOCS / "scaling.md").read_text(encoding="utf-8")
    assert model.written(page, model.told(facts)) == page
    assert facts["rows"] == model.table(model.Times(**facts["per_draft"]))
    assert all(f"with {size} of each the " in page for size in (1, 10, 100))


def test_only_what_stands_between_the_marks_is_written(model):
    """The words around stay; a page without marks is refused instead of overwritten."""
    page = f"before\n{model.BEGIN}\nold\n{model.END}\nafter\n"
    assert model.written(page, "new") == f"before\n{model.BEGIN}\n\nnew\n\n{model.END}\nafter\n"
    with pytest.raises(ValueError, match="missing"):
        model.written("no marks", "new")


def test_transactions_are_counted_by_kind(model, tmp_path):
    """A draft's reads and writes of the ledger are told apart, as the service time of each wants."""
    ledger = model.Ledger(tmp_path / "ledger.sqlite3", home=tmp_path)
    counts = model.transactions(ledger)
    ledger.new_quote("desk", now=1e9)
    ledger.jobs(owner="desk", limit=5)
    ledger.spending()
    ledger.close()
    assert counts == {"writes": 1, "reads": 2}
