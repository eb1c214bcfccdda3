import ast
from pathlib import Path

import numpy as np
import pytest

from klingo1.draft import sets
from klingo1.draft.scenery import Scenery, scenery_size
from klingo1.draft.sets import HEADINGS, SetSpec
from klingo1.draft.sets.picture import ground_line
from klingo1.draft.stage import Camera

SHAPES = [(1280, 720), (720, 1280), (960, 960)]


def picture(shape):
    """A photograph stand-in: bright above, dark with texture below two thirds."""
    height, width = shape
    rng = np.random.default_rng(3)
    photo = np.full((height, width, 3), (210, 190, 170), np.uint8)
    photo[int(0.66 * height) :] = rng.integers(20, 90, (height - int(0.66 * height), width, 3))
    return photo


def filmed(spec, width, height):
    place = sets.build(spec)
    scenery = Scenery(place, width, height, scenery_size(width, height, "720p"))
    return place, scenery.paint(Camera.default(width, height), 0.5, ())


@pytest.mark.parametrize("place", sets.places())
@pytest.mark.parametrize("heading", HEADINGS)
def test_every_place_can_be_filmed_in_every_shape(place, heading):
    """At some hour in each shape: the sky large enough, the frame bright enough and not flat."""
    for (width, height), time in zip(SHAPES, ("day", "night", "dusk"), strict=True):
        inner = scenery_size(width, height, "720p")
        spec = SetSpec(*inner, place=place, time=time, heading=heading, seed=5, picture=picture((300, 500)))
        built, frame = filmed(spec, width, height)
        if built.backdrop is None:
            assert built.sky.shape[1] >= 1.4 * inner[0]
            assert built.horizon >= 0.74 * inner[1]
            assert built.sky[..., 3].min() == 255
        assert frame[..., :3].mean() >= 30
        assert frame[..., :3].std() >= 12


def test_a_set_is_a_function_of_its_spec():
    """Built twice it is the same, with another seed another."""
    spec = SetSpec(480, 270, place="city", time="night", seed=1)
    one, two = (filmed(spec, 640, 360)[1].copy() for _ in range(2))
    assert (one == two).all()
    other = filmed(SetSpec(480, 270, place="city", time="night", seed=2), 640, 360)[1]
    assert np.abs(one.astype(int) - other).mean() > 2


def test_an_unknown_place_is_neutral_and_no_path():
    """A place without a file, and a name that is no name, both give the neutral set."""
    for name in ("atlantis", "../../etc", "", "__init__", "_private"):
        assert sets.build(SetSpec(480, 270, place=name)).grounds


def test_colours_of_the_prompt_tint_the_neutral_set():
    """Named blue, the set is bluer than named red."""
    blue, red = (
        filmed(SetSpec(480, 270, colours=(c,)), 640, 360)[1].mean(axis=(0, 1)) for c in ("#0000ff", "#ff0000")
    )
    assert blue[0] - blue[2] > red[0] - red[2] + 20


def test_a_photograph_is_folded_at_its_ground_line():
    """The line is found where wall and ground meet."""
    assert ground_line(picture((300, 500))) == pytest.approx(0.66, abs=0.06)


@pytest.mark.parametrize("shape", [(1200, 90), (60, 80), (300, 500)])
def test_any_photograph_becomes_a_place(shape):
    """A very tall one and a tiny one are hung as a print; a fitting one fills the frame."""
    spec = SetSpec(960, 540, place="picture", picture=picture(shape))
    place, frame = filmed(spec, 1280, 720)
    assert (place.backdrop is None) == (shape != (300, 500))
    assert frame[..., :3].max(axis=2).min() > 8


def test_no_set_imports_a_heavy_thing_or_reads_a_file():
    """Set modules stand on the draft engine's painters, OpenCV and NumPy alone."""
    allowed = (
        "klingo1.draft",
        "numpy",
        "cv2",
        "math",
        "dataclasses",
        "collections",
        "itertools",
        "__future__",
        "typing",
        "functools",
    )
    for path in Path(sets.__file__).parent.glob("*.py"):
        if path.name == "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in getattr(node, "names", [])]
                if isinstance(node, ast.Import)
                else []
            )
            assert all(name.startswith(allowed) for name in names), (path.name, names)
