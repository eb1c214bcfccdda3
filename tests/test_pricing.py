"""The price: the tariff's figures, in integers, over the whole grid."""

import pytest

from klingo1.errors import InvalidRequest
from klingo1.pricing import Price, estimate_price, price_of, tariff
from klingo1.request import Engine, VideoRequest


@pytest.mark.parametrize("seconds", range(3, 11))
@pytest.mark.parametrize(("with_video", "per_second"), [(False, 112_000), (True, 168_000)])
def test_kling_costs_so_much_per_second(seconds, with_video, per_second):
    """$0.112 per second with pictures only, $0.168 with a reference video."""
    assert (
        estimate_price(engine="kling", duration=seconds, with_video=with_video).micro == seconds * per_second
    )


@pytest.mark.parametrize("with_video", [False, True])
def test_a_draft_is_free(with_video):
    """The draft engine costs nothing and says so."""
    assert str(estimate_price(engine=Engine.DRAFT, duration=10, with_video=with_video)) == "free"


def test_the_price_comes_from_the_validated_request_alone():
    """A reference video changes it, the number of pictures does not."""
    one = VideoRequest(prompt="x", images=("https://e.com/1",))
    four = VideoRequest(prompt="x", images=("https://e.com/1",) * 4, video="https://e.com/v")
    assert (price_of(one, "kling"), price_of(four, "kling")) == (Price(560_000), Price(840_000))


@pytest.mark.parametrize("duration", [2, 11, 4.5, "5", None])
def test_an_impossible_duration_has_no_price(duration):
    """There is no price for what cannot be asked for."""
    with pytest.raises(InvalidRequest):
        estimate_price(engine="kling", duration=duration, with_video=False)


@pytest.mark.parametrize(
    ("micro", "words"), [(560_000, "$0.56"), (336_000, "$0.336"), (1_680_000, "$1.68"), (5_000_000, "$5.00")]
)
def test_amounts_are_written_without_rounding(micro, words):
    """At least two decimals, and as many as the amount needs."""
    assert str(Price(micro)) == words


def test_the_page_gets_the_same_table():
    """The tariff for the browser holds the very integers that the server computes with."""
    assert tariff() == {"kling": [112_000, 168_000], "draft": [0, 0]}
