"""Every place against its golden contact sheet: a change of looks is seen before it is shipped.

After a change that is meant: KLINGO1_GOLDEN=write python -m pytest tests/draft/test_golden.py, and look at
every picture that git shows as changed.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from shooting import FOX, PROMPTS, take

from klingo1.draft.light import picture_of

GOLDEN = Path(__file__).with_name("golden")
WIDE = 160


def sheet(place):
    """One frame of each of two shots, side by side, 160 pixels in all."""
    film = take(PROMPTS[place], FOX[:1])
    cells = []
    with film.open() as made:
        for shot in film.plan.shots[:2]:
            planes, _ = made.frame((shot.start + shot.stop) // 2)
            cells.append(cv2.resize(picture_of(planes), (WIDE // 2, 45), interpolation=cv2.INTER_AREA))
    return np.hstack(cells) & 0xF8  # five bits a colour: half the bytes, and far below the tolerance


@pytest.mark.parametrize("place", PROMPTS)
def test_every_place_looks_as_it_did(place):
    """The sheet is near its golden picture: other versions of OpenCV round a little differently."""
    path = GOLDEN / f"{place or 'neutral'}.png"
    found = sheet(place)
    if os.environ.get("KLINGO1_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), found)
    golden = cv2.imread(str(path))
    assert golden is not None
    assert golden.shape == found.shape == (45, WIDE, 3)
    difference = np.abs(golden.astype(int) - found)
    assert difference.mean() <= 3
    assert np.percentile(difference, 99) <= 40


def test_golden_pictures_differ_from_each_other_and_are_small():
    """No place passes for another, and all of them together weigh less than 200 kB."""
    pictures = {path.stem: cv2.imread(str(path)).astype(int) for path in GOLDEN.glob("*.png")}
    assert len(pictures) == len(PROMPTS)
    names = sorted(pictures)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            assert np.abs(pictures[one] - pictures[other]).mean() > 6, (one, other)
    assert sum(path.stat().st_size for path in GOLDEN.glob("*.png")) < 200_000
