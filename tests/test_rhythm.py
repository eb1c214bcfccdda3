"""When tasks are asked for: simulated on a clock of its own, beside a poll every second."""

import itertools
import random
import statistics

import pytest

from klingo1.rhythm import BOLDEST, LIMIT, Rhythm

ROUND_TRIP = 0.003


def new_rhythm(**changes):
    return Rhythm(**({"first": 0.25, "least": 1.0, "share": 0.18, "blur": lambda: 0.5} | changes))


def watched(rhythm, seconds, kind="k", *, known=True):
    """How late the end of a task of `seconds` is seen, and the ages at which it was asked for."""
    watch = rhythm.watch(kind, born=0.0 if known else None, now=0.0)
    now, polls = watch.pause(0.0) if known else 0.0, []
    while True:
        polls.append(now)
        if now >= seconds:
            watch.end(now + ROUND_TRIP)
            return now + ROUND_TRIP - seconds, polls
        now += watch.pause(now + ROUND_TRIP) + ROUND_TRIP


def every_second(seconds):
    polls = list(itertools.takewhile(lambda at: at < seconds, itertools.count(0.0, 1.0 + ROUND_TRIP)))
    return len(polls) * (1.0 + ROUND_TRIP) + ROUND_TRIP - seconds, len(polls) + 1


@pytest.mark.parametrize("nominal", [2.0, 5.0, 20.0])
def test_a_kind_that_was_seen_before_is_noticed_four_times_sooner_for_fewer_polls(nominal):
    """After three tasks of about that length the next ends are seen soon, from 5 s on with no more polls."""
    chance, ours, theirs = random.Random(7), [], []
    for _ in range(60):
        rhythm = new_rhythm()
        lengths = [chance.uniform(nominal - 0.5, nominal + 0.5) for _ in range(8)]
        for number, length in enumerate(lengths):
            late, polls = watched(rhythm, length)
            if number >= 3:
                ours.append((late, len(polls)))
                theirs.append(every_second(length))
    (late, polls), (their_late, their_polls) = (
        [statistics.median(column) for column in zip(*rows, strict=True)] for rows in (ours, theirs)
    )
    assert late <= 0.25 * their_late
    assert polls <= their_polls or nominal < 5


def test_an_unknown_task_is_asked_for_quickly_at_first_and_politely_later():
    """The first poll comes after a quarter of a second; a quarter of an hour costs fewer than sixty."""
    late, polls = watched(new_rhythm(), 900.0)
    assert polls[0] <= 0.25
    assert len(polls) < 60
    assert late <= LIMIT + ROUND_TRIP


def test_an_end_that_comes_much_sooner_than_expected_is_not_slept_through():
    """After many tasks of a minute, one that fails after two seconds is seen within seconds."""
    rhythm = new_rhythm()
    for _ in range(10):
        watched(rhythm, 60.0)
    late, _ = watched(rhythm, 2.0)
    assert late <= BOLDEST * 1.0 + ROUND_TRIP


def test_one_that_takes_longer_than_all_before_is_still_asked_for():
    """Past the time that was learned the pauses grow again, from small ones up to thirty seconds."""
    rhythm = new_rhythm()
    for _ in range(5):
        watched(rhythm, 5.0)
    late, polls = watched(rhythm, 6.0)
    assert late <= 1.2
    _, polls = watched(rhythm, 400.0)
    pauses = [after - before for before, after in itertools.pairwise(polls)]
    assert max(pauses) <= LIMIT + ROUND_TRIP
    assert pauses[-1] > 20


def test_kinds_are_kept_apart_and_an_unknown_age_teaches_nothing():
    """Tasks of one kind do not move another's polls; nor does a task whose beginning nobody saw."""
    taught, fresh = new_rhythm(), new_rhythm()
    for _ in range(5):
        watched(taught, 5.0, "short")
        watched(taught, 9.0, "long", known=False)
    assert watched(taught, 9.0, "long") == watched(fresh, 9.0, "long")
    assert watched(taught, 5.0, "short")[0] < watched(fresh, 5.0, "short")[0]


def test_the_same_length_every_time_is_no_reason_to_hammer():
    """However well the end is known, no two polls of a task of 20 seconds are closer than 0.1 s."""
    rhythm = new_rhythm()
    for _ in range(20):
        _, polls = watched(rhythm, 20.0)
    assert min(after - before for before, after in itertools.pairwise(polls)) >= 0.1
