"""Cut-outs side by side in one film."""

import numpy as np
import pytest
from drawings import figure

from klingo1.draft.cast import cast_of, group, views_of
from klingo1.draft.cutout import Cutout
from klingo1.draft.looks import in_one_look, is_drawn, seen_as
from klingo1.draft.views import View, trimmed


def drawn(**options):
    bgr, mask = figure(0.5, **options)
    return trimmed(np.dstack([bgr, mask]))


def photographed():
    view = drawn()
    grain = np.random.default_rng(3).normal(0, 14, view.shape[:2])[..., None]
    view[..., :3] = (view[..., :3] + grain).clip(0, 255)
    return view


def cutout(pixels, method="backdrop", role="character"):
    return Cutout(role, method, 1.0, (View(pixels),), pixels[..., :3].copy())


def test_drawings_and_photographs_are_told_apart():
    """Even paint is a drawing, grain a photograph."""
    assert is_drawn(drawn())
    assert not is_drawn(photographed())


def test_photographs_of_one_film_look_alike():
    """Beside a sticker a tightly cut photograph gets a white outline too; a drawing keeps its edge."""
    looks = in_one_look([cutout(drawn()), cutout(photographed()), cutout(photographed(), "sticker")])
    assert [c.method for c in looks] == ["backdrop", "sticker", "sticker"]
    outlined = looks[1].views[0].pixels
    assert outlined.shape[0] > photographed().shape[0]
    edge = outlined[outlined[..., 3] > 250]
    assert ((edge[:, :3] > 250).all(axis=1)).mean() > 0.02


def test_without_a_sticker_nothing_changes():
    """Tight photographs stay tight among themselves."""
    cuts = [cutout(photographed()), cutout(drawn())]
    assert all(a is b for a, b in zip(in_one_look(cuts), cuts, strict=True))


@pytest.mark.parametrize(
    ("said", "name", "right"), [("back", "back", None), ("left", "side", False), ("right", "side", True)]
)
def test_a_person_names_the_view(said, name, right):
    """The word of a person stands, also among the views of one subject; left and right tell the facing."""
    (view,) = seen_as(cutout(drawn()), said).views
    assert view.name == name
    assert right is None or view.faces_right is right
    pair = [seen_as(cutout(drawn(back=True)), said), cutout(drawn())]
    (member,) = cast_of(pair, groups=(1, 1))
    assert member.views[0] == name
    assert [v.name for v in views_of(member, pair)] == list(member.views)


def test_a_person_says_who_is_the_same():
    """The same number puts pictures together, different numbers keep the likest apart; prints stay alone."""
    same, other = cutout(drawn()), cutout(drawn(side=True))
    twin = cutout(255 - drawn()[..., [0, 1, 2, 3]])
    twin.views[0].pixels[..., 3] = same.views[0].pixels[..., 3]
    assert group([same, twin], groups=(1, 1)) == [(0, 1)]
    assert group([same, same], groups=(1, 2)) == [(0,), (1,)]
    assert group([same, same]) == [(0, 1)]
    framed = cutout(drawn(), "print")
    assert group([same, framed, other], groups=(3, 3, 3)) == [(0, 2), (1,)]
