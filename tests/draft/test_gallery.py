"""The gallery: one clip of every place and action."""

from itertools import islice

import pytest
from draft.shooting import FOX

from klingo1.draft.gallery import clips, prompts
from klingo1.draft.plan import ACTIONS, PLACES
from klingo1.draft.understanding import understand
from klingo1.errors import InvalidRequest
from klingo1.probe import probe


def test_each_prompt_is_understood_as_its_clip_is_named():
    """Every place and every action has a clip, and its words lead the director there."""
    named = prompts()
    assert set(named) >= {f"place-{place}" for place in PLACES} | {f"action-{action}" for action in ACTIONS}
    for name, prompt in named.items():
        kind, _, wanted = name.partition("-")
        read = understand(prompt)
        got = {read.place or "neutral"} if kind == "place" else {*(read.actions or ("still",))}
        assert wanted in got, (name, prompt, got)


def test_a_clip_has_the_size_that_was_asked_for(tmp_path):
    """1080p is 1920 x 1080; a size that is none is refused before anything is filmed."""
    clip = next(islice(clips(tmp_path, FOX, size="1080p"), 1))
    film = probe(clip.video)
    assert (film.width, film.height) == (1920, 1080)
    with pytest.raises(InvalidRequest, match="720p or 1080p"):
        next(clips(tmp_path / "other", FOX, size="4k"))
