"""The request: six fields, their limits, and the body that is sent."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klingo1.errors import InvalidRequest
from klingo1.request import ASPECT_RATIOS, PROMPT_MAX, DraftOptions, VideoRequest

URL = "https://example.com/a.jpg"


def request_of(**fields):
    return VideoRequest(**({"prompt": "a walk", "images": (URL,)} | fields))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n\t "}, "prompt"),
        ({"prompt": "x" * (PROMPT_MAX + 1)}, "prompt"),
        ({"prompt": "x" * 100_000}, "prompt"),
        ({"prompt": "half \ud83d"}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"images": ()}, "images"),
        ({"images": (URL,) * 8}, "images"),
        ({"images": (URL,) * 5, "video": URL}, "images"),
        ({"duration": 2}, "duration"),
        ({"duration": 11}, "duration"),
        ({"duration": 4.5}, "duration"),
        ({"duration": "5"}, "duration"),
        ({"duration": True}, "duration"),
        ({"duration": math.nan}, "duration"),
        ({"duration": 1e308}, "duration"),
        ({"aspect_ratio": "4:3"}, "aspect_ratio"),
        ({"aspect_ratio": ["16:9"]}, "aspect_ratio"),
        ({"keep_original_sound": "false"}, "keep_original_sound"),
        ({"draft": DraftOptions(size="4k")}, "size"),
    ],
)
def test_f43_a_wrong_field_is_named_with_its_limit_and_a_remedy(fields, field):
    """Whatever is wrong is refused before anything is sent, in words that help."""
    with pytest.raises(InvalidRequest) as refused:
        request_of(**fields)
    assert refused.value.field == field
    assert refused.value.reason.endswith(".")
    assert refused.value.remedy.endswith(".")
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("seconds", range(3, 11))
@pytest.mark.parametrize("aspect_ratio", ASPECT_RATIOS)
def test_everything_the_model_makes_can_be_asked_for(seconds, aspect_ratio):
    """Every duration and shape is accepted and stands in the body as it was asked."""
    body = request_of(duration=seconds, aspect_ratio=aspect_ratio).to_wire()
    assert (body["duration"], body["aspect_ratio"]) == (seconds, aspect_ratio)


def test_the_body_has_the_contracts_fields_and_no_empty_video():
    """The key `video` is left out when there is none; nothing else is added, wishes for a draft neither."""
    body = request_of(images=(URL, URL)).to_wire()
    assert body == {
        "prompt": "a walk",
        "images": [URL, URL],
        "keep_original_sound": True,
        "aspect_ratio": "16:9",
        "duration": 5,
    }
    assert request_of(video=URL).to_wire()["video"] == URL
    wishes = DraftOptions(size="1080p", roles=("prop",), views=("left",), groups=(1,))
    assert request_of(images=(URL, URL), draft=wishes).to_wire() == body


def test_a_local_file_cannot_be_sent_as_an_address():
    """A request over local files has no body yet."""
    with pytest.raises(ValueError, match="uploaded"):
        request_of(images=(Path("a.jpg"),)).to_wire()


@given(st.text(max_size=3000))
def test_any_text_is_either_sent_as_it_is_or_refused(prompt):
    """No prompt is changed on its way, and none makes anything but InvalidRequest."""
    try:
        body = request_of(prompt=prompt).to_wire()
    except InvalidRequest as error:
        assert error.field == "prompt"  # noqa: PT017 - either outcome is checked
    else:
        assert body["prompt"] == prompt


@given(
    st.recursive(st.none() | st.text() | st.integers(), lambda s: st.lists(s) | st.dictionaries(st.text(), s))
)
def test_draft_options_from_anywhere_are_read_without_harm(raw):
    """Whatever a stranger puts there becomes options within their limits."""
    options = DraftOptions.from_wire(raw)
    assert DraftOptions.from_wire(options.to_wire()) == options
