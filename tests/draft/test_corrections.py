"""What a person said about a picture wins, and holds the next time it comes."""

import cv2
import numpy as np
import pytest

from klingo1.draft.corrections import KEPT, Correction, corrections_of
from klingo1.request import GUESS, DraftOptions


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), np.full((40, 30, 3), 90, np.uint8))
    return path


def mask(tmp_path, value, name="mask.png"):
    path = tmp_path / name
    cv2.imwrite(str(path), np.full((40, 30), value, np.uint8))
    return path


def said(picture, folder, **wishes):
    (correction,) = corrections_of([picture], DraftOptions(**wishes), folder)
    return correction


def test_what_was_said_once_holds_again(picture, tmp_path):
    """Role, view and mask come back for the same bytes under another name, and for no other picture."""
    folder = tmp_path / "corrections"
    drawn = mask(tmp_path, 255)
    said(picture, folder, roles=("prop",), views=("back",), masks=(drawn,))
    drawn_bytes = drawn.read_bytes()
    drawn.unlink()
    copy = tmp_path / "copy.bin"
    copy.write_bytes(picture.read_bytes())
    again = said(copy, folder)
    assert (again.role, again.view) == ("prop", "back")
    assert again.mask.read_bytes() == drawn_bytes
    other = mask(tmp_path, 7, "other.png")
    assert said(other, folder) == Correction()


def test_the_latest_word_wins(picture, tmp_path):
    """An explicit wish replaces its own entry and leaves the others."""
    folder = tmp_path / "corrections"
    said(picture, folder, roles=("prop",), views=("back",))
    assert said(picture, folder, roles=("character",)) == Correction("character", "back")
    assert said(picture, folder) == Correction("character", "back")


def test_a_wish_can_be_taken_back(picture, tmp_path):
    """GUESS and a black mask forget; when nothing is left, no file is."""
    folder = tmp_path / "corrections"
    said(picture, folder, roles=("prop",), views=("left",), masks=(mask(tmp_path, 255),))
    black = mask(tmp_path, 0, "black.png")
    assert said(picture, folder, roles=(GUESS,), views=(GUESS,), masks=(black,)) == Correction()
    assert said(picture, folder) == Correction()
    assert not list(folder.iterdir())


def test_a_mask_is_forgotten_by_name(picture, tmp_path):
    """GUESS in place of a mask brings the automatic cut back, now and the next time, and keeps the role."""
    folder = tmp_path / "corrections"
    said(picture, folder, roles=("prop",), masks=(mask(tmp_path, 255),))
    assert said(picture, folder, masks=(GUESS,)) == Correction("prop")
    assert said(picture, folder) == Correction("prop")
    assert not list(folder.glob("*.mask"))


def test_looking_is_not_saying(picture, tmp_path):
    """A preview completes its wishes from what was said and leaves no word of its own behind."""
    folder = tmp_path / "corrections"
    said(picture, folder, roles=("prop",))
    (seen,) = corrections_of([picture], DraftOptions(views=("back",)), folder, remember=False)
    assert seen == Correction("prop", "back")
    assert said(picture, folder) == Correction("prop")


@pytest.mark.parametrize("damage", [b"", b"[]", b"{", b'{"role": ["prop"], "view": 3}', b"\xff\xfe"])
def test_a_damaged_record_is_none(picture, tmp_path, damage):
    """What cannot be read was never said."""
    folder = tmp_path / "corrections"
    said(picture, folder, roles=("prop",))
    (record,) = folder.glob("*.json")
    record.write_bytes(damage)
    assert said(picture, folder) == Correction()


def test_nothing_is_remembered_without_a_folder(picture, tmp_path):
    """On a shared page wishes hold for one film; a folder that cannot be written is no error."""
    assert said(picture, None, roles=("prop",)) == Correction("prop")
    assert said(picture, None) == Correction()
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert said(picture, blocked / "corrections", roles=("prop",)) == Correction("prop")


def test_the_oldest_go_first(picture, tmp_path, monkeypatch):
    """So many are kept that the folder stays small."""
    assert KEPT >= 100
    monkeypatch.setattr("klingo1.draft.corrections.KEPT", 2)
    folder = tmp_path / "corrections"
    for value in range(4):
        said(mask(tmp_path, value, f"{value}.png"), folder, roles=("prop",))
    assert len(list(folder.glob("*.json"))) == 2
