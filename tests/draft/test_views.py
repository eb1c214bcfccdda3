"""Trimming, edge colours, sheets, names and facing of cut-out views."""

import numpy as np
import pytest
from drawings import figure

from klingo1.draft.bearings import asymmetry, faces_right
from klingo1.draft.views import (
    VIEW_SIDE,
    kind,
    named,
    split,
    trimmed,
    with_edge_colours,
)


def drawn(**drawing):
    bgr, mask = figure(0.5, **drawing)
    return np.dstack([bgr, mask])


def side_by_side(*parts, gap=40):
    height = max(p.shape[0] for p in parts) + 2 * gap
    sheet = np.zeros((height, sum(p.shape[1] + gap for p in parts) + gap, 4), np.uint8)
    left = gap
    for part in parts:
        sheet[gap : gap + part.shape[0], left : left + part.shape[1]] = part
        left += part.shape[1] + gap
    return sheet


def test_nothing_visible_gives_nothing():
    """A clear picture has no views."""
    clear = np.zeros((40, 40, 4), np.uint8)
    assert trimmed(clear) is None
    assert split(clear) == ()
    assert named(()) == ()


def test_a_large_view_is_reduced():
    """A view is never longer than its limit, whatever its shape."""
    for shape in ((3000, 100), (100, 3000), (2000, 2000)):
        view = trimmed(np.full((*shape, 4), 255, np.uint8))
        assert max(view.shape) <= VIEW_SIDE


def test_soft_edges_take_the_subjects_colour():
    """A half-transparent pixel keeps nothing of the old background."""
    bgr = np.zeros((40, 40, 3), np.uint8)
    bgr[:] = (0, 255, 0)
    bgr[10:30, 10:30] = (10, 20, 200)
    alpha = np.zeros((40, 40), np.uint8)
    alpha[9:31, 9:31] = 128
    alpha[10:30, 10:30] = 255
    extended = with_edge_colours(bgr, alpha)
    assert (extended[..., :3].reshape(-1, 3) == (10, 20, 200)).all()
    assert np.array_equal(extended[..., 3], alpha)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_sheet_is_split_from_left_to_right(count):
    """Two to five figures give as many views; one gives one."""
    assert len(split(side_by_side(*[drawn()] * count))) == count


def test_a_floating_part_joins_its_figure():
    """A balloon above one figure goes with it and does not become a view."""
    sheet = side_by_side(drawn(), drawn())
    sheet[4:34, 90:120] = (0, 0, 255, 255)
    views = split(sheet)
    assert len(views) == 2
    assert views[0].shape[0] > views[1].shape[0]


def test_parts_above_each_other_are_one_thing():
    """A head above a body is not a sheet."""
    picture = np.zeros((300, 200, 4), np.uint8)
    picture[10:120, 40:160] = picture[150:290, 40:160] = 255
    assert len(split(picture)) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_views_are_named_in_any_order(order):
    """Front, side and back are told apart wherever they stand."""
    drawings = [("front", drawn()), ("side", drawn(side=True)), ("back", drawn(back=True))]
    chosen = [drawings[i] for i in order]
    views = named([trimmed(part) for _, part in chosen])
    assert [view.name for view in views] == [name for name, _ in chosen]


def test_a_sheet_with_both_sides_has_two_side_views():
    """Of front, right, back and left the second and the last are sides, whatever their outline's evenness."""
    side = drawn(side=True)
    parts = [drawn(), side, drawn(back=True), np.ascontiguousarray(side[:, ::-1])]
    views = named([trimmed(part) for part in parts])
    assert [view.name for view in views] == ["front", "side", "back", "side"]
    assert [views[1].faces_right, views[3].faces_right] == [True, False]


def test_an_even_figure_is_seen_from_the_side_where_it_is_narrow():
    """A robot of boxes has no lopsided view: the narrow one is its side; without one there is none."""

    def box(width, windows):
        picture = np.full((300, width, 4), (150, 160, 170, 255), np.uint8)
        for column in windows:
            picture[40:60, column : column + 20] = (20, 20, 30, 255)
        return trimmed(picture)

    front, side, back = box(150, (30, 60, 100)), box(70, (40,)), box(150, ())
    assert [view.name for view in named([back, side, front])] == ["back", "side", "front"]
    assert [view.name for view in named([back, front])] == ["back", "front"]


def test_facing_turns_with_the_picture():
    """The mirror image of a side view faces the other way."""
    side = trimmed(drawn(side=True))
    assert faces_right(side)
    assert not faces_right(np.ascontiguousarray(side[:, ::-1]))


def test_asymmetry_is_nought_for_a_mirror_image():
    """An even silhouette has next to none, a lopsided one has some."""
    assert asymmetry(drawn()) < 0.06
    assert asymmetry(drawn(side=True)) > 0.07


def test_kind_by_silhouette():
    """Two legs make a character; a ball and a box are props."""
    ball = np.zeros((200, 200, 4), np.uint8)
    rows, columns = np.mgrid[0:200, 0:200]
    ball[(rows - 100) ** 2 + (columns - 100) ** 2 < 90**2] = 255
    box = np.full((120, 300, 4), 255, np.uint8)
    assert kind(named([trimmed(drawn())])) == "character"
    assert kind(named([trimmed(drawn(side=True))])) == "character"
    assert kind(named([trimmed(ball)])) == "prop"
    assert kind(named([trimmed(box)])) == "prop"
