"""The service's reply: read leniently, nothing dropped."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klingo1.prediction import OUTPUTS_MAX, Status, is_prediction_id, parse_prediction

REPLY = {
    "code": 200,
    "message": "success",
    "data": {
        "id": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "model": "kwaivgi/kling-video-o1/reference-to-video",
        "outputs": ["https://cdn.example.com/1.mp4"],
        "urls": {"get": "https://api.wavespeed.ai/api/v3/predictions/a1b2/result"},
        "has_nsfw_contents": [False],
        "status": "completed",
        "created_at": "2026-01-02T03:04:05.123456789Z",
        "error": "",
        "timings": {"inference": 61234},
        "something_new": {"kept": True},
    },
}


def with_data(**data):
    return REPLY | {"data": REPLY["data"] | data}


def test_every_field_of_the_reply_is_kept():
    """All named fields are read, and the whole reply can be shown."""
    prediction = parse_prediction(REPLY)
    assert prediction.status is Status.COMPLETED
    assert prediction.outputs == ("https://cdn.example.com/1.mp4",)
    assert prediction.get_url.endswith("/result")
    assert prediction.has_nsfw_contents == (False,)
    assert prediction.created_at == "2026-01-02T03:04:05.123456789Z"
    assert prediction.inference_ms == 61234
    assert (prediction.code, prediction.message, prediction.error) == (200, "success", "")
    assert prediction.as_details() == REPLY


@pytest.mark.parametrize(
    ("outputs", "read"),
    [
        ([], ()),
        (None, ()),
        ("https://a/1", ("https://a/1",)),
        ([{"url": "https://a/1"}, {"url": "https://a/2"}], ("https://a/1", "https://a/2")),
        (["https://a/1", "https://a/1"], ("https://a/1",)),
        ([1, None, ["x"], {"href": "y"}], ()),
    ],
)
def test_f29_outputs_of_every_shape_become_addresses(outputs, read):
    """A list, a string, objects with url, duplicates, nothing: addresses in order, each once."""
    assert parse_prediction(with_data(outputs=outputs)).outputs == read


def test_f29_fifty_outputs_are_enough():
    """A reply of absurd length is cut."""
    many = [f"https://a/{n}" for n in range(500)]
    assert len(parse_prediction(with_data(outputs=many)).outputs) == OUTPUTS_MAX


@pytest.mark.parametrize("word", ["created", "processing", "queued", "reticulating", "", None, 7])
def test_f21_an_unknown_word_means_still_running(word):
    """Only the known final words end a task."""
    assert not parse_prediction(with_data(status=word)).status.ended


@pytest.mark.parametrize("word", ["completed", "failed", "cancelled", "timeout", "deleted"])
def test_final_words_end_a_task(word):
    """Each documented final word does."""
    status = parse_prediction(with_data(status=word)).status
    assert status.ended
    assert status.succeeded == (word == "completed")


@pytest.mark.parametrize(
    "bad", ["../balance", "a" * 10_240, "abc\n1234", 12345, None, "", "ab", "a/b/c/d", "id%2e%2e"]
)
def test_f12_an_id_that_could_become_a_path_is_no_id(bad):
    """Ids are 4 to 128 letters, digits, _ and -."""
    assert not is_prediction_id(bad)
    with pytest.raises(ValueError, match="prediction"):
        parse_prediction(with_data(id=bad))


@pytest.mark.parametrize("good", ["a1b2", "pred_0123456789", "task-77", "f" * 32])
def test_ids_of_every_known_form_are_taken(good):
    """The forms seen so far are ids."""
    assert is_prediction_id(good)


@pytest.mark.parametrize(
    "huge", [10**400, math.inf, math.nan, "9", True], ids=["integer", "inf", "nan", "text", "true"]
)
def test_numbers_that_are_none_become_zero_or_the_limit(huge):
    """A figure of absurd size or type does no harm."""
    prediction = parse_prediction(with_data(timings={"inference": huge}, progress=huge))
    assert prediction.inference_ms in {0.0, math.inf} or math.isnan(prediction.inference_ms)
    assert prediction.progress in {None, 1.0}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)


@given(JSON, st.dictionaries(st.sampled_from([*REPLY["data"], "progress", "code"]), JSON))
def test_no_reply_does_harm(body, data):
    """Any JSON is either a prediction or a ValueError."""
    for reply in (body, with_data(**data)):
        try:
            prediction = parse_prediction(reply)
        except ValueError:
            continue
        assert is_prediction_id(prediction.id)
        assert prediction.progress is None or 0 <= prediction.progress <= 1
