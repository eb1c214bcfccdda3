"""What the command line says about pictures."""

from pathlib import Path

import pytest

from klingo1.errors import InvalidRequest
from klingo1.request import DraftOptions
from klingo1.wishes import draft_options


def test_each_wish_finds_its_picture(tmp_path):
    """Numbers count pictures from 1, in any order."""
    mask = tmp_path / "a=b.png"
    mask.write_bytes(b"1")
    options = draft_options(
        4,
        size="1080p",
        roles=["3=prop", "1=guess"],
        views=["2=left"],
        masks=[f"2={mask}", "3=guess"],
        same=["1,3", "2, 4"],
    )
    assert options == DraftOptions(
        size="1080p",
        roles=("guess", "", "prop"),
        views=("", "left"),
        masks=(None, Path(mask), "guess"),
        groups=(1, 2, 1, 2),
    )
    assert draft_options(2, size="720p") == DraftOptions()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"roles": ["prop"]}, "role"),
        ({"roles": ["3=prop"]}, "role"),
        ({"roles": ["0=prop"]}, "role"),
        ({"roles": ["²=prop"]}, "role"),
        ({"roles": ["1=hero"]}, "role"),
        ({"views": ["1=above"]}, "view"),
        ({"views": ["1="]}, "view"),
        ({"masks": ["1=nowhere.png"]}, "masks[0]"),
        ({"same": ["1,9"]}, "same"),
        ({"same": ["1,2", "2"]}, "same"),
        ({"same": [""]}, "same"),
    ],
)
def test_a_slip_is_named(wrong, field):
    """A wish that cannot hold is refused with the option's name, never dropped."""
    with pytest.raises(InvalidRequest) as caught:
        draft_options(2, size="720p", **wrong)
    assert caught.value.field == field
