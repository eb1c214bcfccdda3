"""The scaling model: it agrees with queueing theory where that has a formula, and names the bottleneck."""

import importlib.util
import math
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

MODEL = Path(__file__).parents[1] / "benchmarks" / "scale_model.py"


@pytest.fixture(scope="module")
def model():
    spec = importlib.util.spec_from_file_location("scale_model", MODEL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["scale_model"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["scale_model"]


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


def test_the_plot_shows_every_point(model):
    """Nine points in three lines, as well-formed SVG."""
    rows = [
        {"replicas": r, "workers": w, "per_hour": r * w * 7, "first": "page"}
        for r in (1, 10, 100)
        for w in (1, 10, 100)
    ]
    picture = ET.fromstring(model.plot(rows))
    kinds = [element.tag.rpartition("}")[2] for element in picture]
    assert kinds.count("circle") == 9
    assert kinds.count("polyline") == 3
