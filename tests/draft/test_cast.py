"""Which pictures show the same subject, and the cast made of them."""

import numpy as np
from drawings import figure

from klingo1.draft.cast import cast_of, group, views_of
from klingo1.draft.cutout import Cutout, View
from klingo1.draft.views import trimmed

PLATE = np.zeros((10, 10, 3), np.uint8)


def cut(role="character", method="alpha", **drawing):
    bgr, mask = figure(0.5, **drawing)
    return Cutout(role, method, 1.0, (View(trimmed(np.dstack([bgr, mask]))),), PLATE)


def place():
    return Cutout("scene", "place", 1.0, (), PLATE)


RED, BLUE = (
    {"coat": (40, 40, 220)},
    {"coat": (210, 120, 30), "trousers": (60, 160, 200), "skin": (90, 120, 170)},
)


def test_views_of_one_character_come_together():
    """Of a back, a stranger, a front and a side, three are one member, named among themselves."""
    cutouts = [cut(back=True, **RED), cut(**BLUE), cut(**RED), cut(side=True, **RED), place()]
    assert group(cutouts) == [(0, 2, 3), (1,), (4,)]
    lead, other, scene = cast_of(cutouts)
    assert (lead.images, lead.views, lead.cut) == ((1, 3, 4), ("back", "front", "side"), True)
    assert (other.images, other.views) == ((2,), ("front",))
    assert (scene.role, scene.images, scene.views, scene.cut) == ("scene", (5,), (), False)
    assert [view.name for view in views_of(lead, cutouts)] == list(lead.views)
    assert views_of(scene, cutouts) == ()


def test_sisters_in_the_same_coat_are_two():
    """Three views of a dark-haired girl and three of a fair one in her clothes are two members, not one."""
    fair = {**RED, "hair": (90, 190, 235)}
    sides = ({}, {"side": True}, {"back": True})
    cutouts = [cut(**RED, **seen) for seen in sides] + [cut(**fair, **seen) for seen in sides]
    assert group(cutouts) == [(0, 1, 2), (3, 4, 5)]
    assert group([cutouts[0], cutouts[5]]) == [(0,), (1,)]
    assert group(cutouts, groups=[1] * 6) == [(0, 1, 2, 3, 4, 5)]  # what a person says comes first


def test_chosen_roles_keep_pictures_apart():
    """Two alike pictures that a person gave different roles are different members."""
    cutouts = [cut(), cut()]
    assert group(cutouts) == [(0, 1)]
    assert group(cutouts, roles=["character", "prop"]) == [(0,), (1,)]
    assert [m.role for m in cast_of(cutouts, roles=["prop", ""])] == ["prop"]
    assert cast_of(cutouts, roles=["character", "prop"])[1].role == "prop"


def test_prints_and_places_stay_alone():
    """What was not cut has nothing to compare."""
    cutouts = [cut(method="print"), cut(method="print"), place(), place()]
    assert group(cutouts) == [(0,), (1,), (2,), (3,)]
    assert [m.cut for m in cast_of(cutouts)] == [False] * 4


def test_no_pictures_no_cast():
    """An empty request has an empty cast."""
    assert group([]) == []
    assert cast_of([]) == ()
