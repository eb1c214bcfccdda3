import itertools

import pytest

from klingo1.draft.blocking import Body, block, height_of
from klingo1.draft.plan import FRAMINGS
from klingo1.draft.stage import lens

SIZES = [(1280, 720), (720, 1280), (960, 960)]
PERSON = Body(0.4, "person")
GROUPS = [
    [PERSON],
    [Body(2.4, "figure")],
    [Body(0.9, "bust")],
    [Body(1.5, "print")],
    [PERSON, PERSON, PERSON],
    [PERSON, Body(0.6, "thing", companion=True, held=True), Body(1.8, "thing", companion=True)],
    [PERSON, Body(1.6, "figure"), Body(1.3, "print"), Body(0.7, "print")],
    [Body(1.0, "print")] * 7,
]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("framing", ["wide", "full", "medium"])
@pytest.mark.parametrize("bodies", GROUPS)
def test_everybody_is_in_the_picture(bodies, framing, width, height):
    """In all but close shots each body lies between the left and right edge."""
    plan = block(bodies, framing, width, height)
    for mark, body in zip(plan.marks, bodies, strict=True):
        half = 0.5 * mark.height * body.aspect
        depth = plan.distance + mark.z
        assert abs(mark.x) * lens(width, height) / depth + half * lens(width, height) / depth <= 0.52 * width


@pytest.mark.parametrize("bodies", GROUPS)
def test_nobody_stands_in_anybody(bodies):
    """No two bodies overlap, save a thing that is held."""
    plan = block(bodies, "wide", 1280, 720)
    spans = [
        (m.x - 0.5 * m.height * b.aspect, m.x + 0.5 * m.height * b.aspect)
        for m, b in zip(plan.marks, bodies, strict=True)
        if not m.raised
    ]
    for a, b in itertools.combinations(spans, 2):
        assert a[1] <= b[0] + 1e-9 or b[1] <= a[0] + 1e-9


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("bodies", GROUPS)
def test_the_leads_head_is_in_the_picture_and_the_camera_above_ground(bodies, framing, width, height):
    """The upper end of the lead is never cut off and the camera never under the floor."""
    plan = block(bodies, framing, width, height)
    depth = plan.distance + plan.marks[0].z
    top = plan.horizon + lens(width, height) * (plan.camera_height - plan.marks[0].height) / depth
    assert 0.03 * height <= top <= 0.75 * height
    assert plan.camera_height > 0.1


def test_close_is_nearer_than_wide():
    """Framings are in the order of their names."""
    far = [block([PERSON], framing, 1280, 720).distance for framing in ("wide", "full", "medium", "close")]
    assert far == sorted(far, reverse=True)


def test_wide_shapes_are_lower_than_people():
    """A long animal is not as tall as a person; a thing at hand is small."""
    assert height_of(Body(2.4, "figure")) < height_of(PERSON)
    assert height_of(Body(0.5, "thing", companion=True)) < 0.6


def test_nobody_at_all_still_gives_a_camera():
    """A shot of the place alone can be filmed."""
    assert block([], "wide", 1280, 720).marks == ()


def test_the_rider_sits_on_what_carries_it():
    """The mount stands where the lead does, a little nearer; the lead is raised, and stays in sight."""
    bodies = [Body(0.5, "person"), Body(2.0, "thing", carries=True), Body(0.5, "person")]
    for shape in ((1280, 720), (720, 1280), (960, 960)):
        found = block(bodies, "full", *shape)
        lead, mount, other = found.marks
        assert mount.x == lead.x
        assert mount.z < lead.z
        assert 0.3 * mount.height < lead.raised < mount.height
        assert other.x != lead.x
        assert mount.raised == other.raised == 0
        top = found.horizon - 0.86 * (shape[0] * shape[1]) ** 0.5 / found.distance * (
            lead.raised + lead.height - found.camera_height
        )
        assert top > 0


@pytest.mark.parametrize("size", SIZES)
def test_a_group_about_a_portrait_is_not_lost_at_the_lower_edge(size):
    """Where many must fit the portrait is small, and all stand in the picture."""
    bodies = [Body(0.9, "bust"), *[Body(1.7, "thing")] * 3]
    blocking = block(bodies, "wide", *size)
    foot = blocking.horizon + lens(*size) * blocking.camera_height / blocking.distance
    assert foot <= 0.9 * size[1]


@pytest.mark.parametrize("bodies", [
    [Body(1.0, "bust"), Body(1.5, "print")], [Body(1.5, "print"), Body(0.7, "print")],
    [Body(1.0, "bust"), Body(0.8, "thing", companion=True), Body(0.4, "person")],
])  # fmt: skip
def test_a_group_fills_the_width_of_a_tall_picture(bodies):
    """Both sides have the same margin, and the group stands on the ground near the picture's lower edge."""
    plan = block(bodies, "full", 720, 1280)
    scale = lens(720, 1280) / plan.distance
    half = [0.5 * m.height * b.aspect for m, b in zip(plan.marks, bodies, strict=True)]
    left = min(m.x - reach for m, reach in zip(plan.marks, half, strict=True))
    right = max(m.x + reach for m, reach in zip(plan.marks, half, strict=True))
    assert left == pytest.approx(-right)
    assert (right - left) * scale == pytest.approx(0.84 * 720)
    assert {mark.raised for mark in plan.marks} == {0}
    assert 0.7 < (plan.horizon + scale * plan.camera_height) / 1280 < 0.9


def test_a_thing_beside_a_portrait_is_in_the_picture():
    """A bust's ground lies below the frame: what goes along is raised, held or not."""
    for held in (True, False):
        bodies = [Body(0.9, "bust"), Body(0.8, "thing", companion=True, held=held)]
        blocking = block(bodies, "wide", 1280, 720)
        mark = blocking.marks[1]
        row = blocking.horizon + lens(1280, 720) * (blocking.camera_height - mark.raised) / (
            blocking.distance + mark.z
        )
        assert mark.raised > 0.3
        assert row < 720


FLYER = Body(1.7, "thing", aloft=True)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("bodies", [
    [PERSON, FLYER], [FLYER, PERSON], [PERSON, Body(0.4, "person", aloft=True), Body(1.2, "figure"), FLYER],
])  # fmt: skip
def test_who_flies_is_above_those_on_the_ground_and_in_the_picture(bodies, width, height):
    """A flyer's lower end is above every head, and its upper end and all feet are seen."""
    plan = block(bodies, "medium", width, height)
    placed = list(zip(plan.marks, bodies, strict=True))
    heads = max(mark.height for mark, body in placed if not body.aloft)
    for mark, body in placed:
        assert (mark.raised > heads) == body.aloft
        scale = lens(width, height) / (plan.distance + mark.z)
        above = plan.horizon + scale * (plan.camera_height - mark.raised - mark.height)
        below = plan.horizon + scale * (plan.camera_height - mark.raised)
        assert 0 <= above < below <= 0.95 * height
        assert (abs(mark.x) + 0.5 * mark.height * body.aspect) * scale <= 0.5 * width


def test_who_flies_alone_is_high_above_the_ground_and_as_large_as_ever():
    """A lone flyer takes the camera up with it; in a room both stay low."""
    outdoors, indoors = block([FLYER], "wide", *SIZES[0]), block([FLYER], "wide", *SIZES[0], sky=0.2)
    assert outdoors.marks[0].raised > 1
    assert indoors.marks[0].raised == pytest.approx(0.2)
    assert outdoors.distance == indoors.distance
    lower = outdoors.camera_height - indoors.camera_height
    assert lower == pytest.approx(outdoors.marks[0].raised - 0.2)
