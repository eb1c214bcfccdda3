"""When to ask next for a task that runs elsewhere: rarely while it cannot have ended, often when it should.

Nothing is known about a first task, so the pauses between polls grow with its age. Each task that was watched
from its start to its end leaves the span in which it ended: after the last poll that found it running, before
the one that found it done. The next of its kind is asked for where those spans lie, at equal shares of the
chance that is left, and so is seen sooner for fewer polls.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from itertools import pairwise

LIMIT = 30.0
"""Seconds; no pause is longer."""
REMEMBERED = 24
ENOUGH = 3
"""Spans of a kind before they are believed."""
SHARES, SHARES_MOST, SHARES_EVERY = 4, 16, 2.5
"""Into so many polls the time in which a task probably ends is cut: two more for five seconds of age."""
BOLDEST = 6.0
"""So many times the pause of an unknown task may be slept through before that time."""
LEAST, LEAST_SHARE = 0.12, 0.005
"""No two polls are closer than so many seconds, or than this share of the task's age."""

Span = tuple[float, float]


class Rhythm:
    """What one client knows about how long tasks take.

    Of an unknown kind, a task is asked for after `first` seconds, then after `first` + `share` × its age, but
    not within `least` seconds; blurred, so that jobs fall out of step.
    """

    def __init__(
        self,
        *,
        first: float,
        share: float,
        least: float = 0.0,
        learns: bool = True,
        blur: Callable[[], float] = random.random,
    ) -> None:
        self._first, self._share, self._least = first, share, least
        self._learns, self._blur = learns, blur
        self._spans: defaultdict[Hashable, deque[Span]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def watch(self, kind: Hashable, *, born: float | None, now: float) -> Watch:
        """Watch one more task; `born` is when it was made, None when nobody saw that."""
        return Watch(self, kind, born=born, now=now)

    def pause(self, kind: Hashable, age: float, last: float, *, known: bool) -> float:
        """Seconds until a task of this age is asked for again, when the last pause was `last`. An age that is
        not known for certain cannot be compared with others.
        """
        usual = min(LIMIT, max(self._first + self._share * age, self._least if last else 0.0))
        usual *= 0.85 + 0.15 * self._blur()
        spans = self._spans[kind] if self._learns and known else ()
        ahead = [_widened(span) for span in spans if span[1] > age]
        if len(spans) < ENOUGH or not ahead:
            # Just after the time it was expected in, it is still likely to end soon.
            return min(usual, 2.0 * last) if len(spans) >= ENOUGH and last else usual
        shares = min(SHARES_MOST, SHARES + age / SHARES_EVERY)
        aimed = _quantile(ahead, age, 1.0 / shares) - age
        return min(max(aimed, LEAST, LEAST_SHARE * age), BOLDEST * usual, LIMIT)

    def remember(self, kind: Hashable, span: Span) -> None:
        """A task of this kind ended between these two ages."""
        self._spans[kind].append(span)


class Watch:
    """One task from poll to poll."""

    def __init__(self, rhythm: Rhythm, kind: Hashable, *, born: float | None, now: float) -> None:
        self._rhythm, self._kind = rhythm, kind
        self.known = born is not None
        """It was made under our eyes: its age is certain, and the first poll may wait."""
        self._born = now if born is None else born
        self._asked = self._born
        self._last = 0.0

    def pause(self, now: float) -> float:
        """Seconds to wait; the task was asked for at `now` and runs."""
        self._asked = now
        self._last = self._rhythm.pause(self._kind, now - self._born, self._last, known=self.known)
        return self._last

    def end(self, now: float) -> None:
        """The answer that came at `now` said that it has ended."""
        if self.known:
            self._rhythm.remember(self._kind, (self._asked - self._born, now - self._born))


def _widened(span: Span) -> Span:
    """The span and a little around it: tasks do not repeat each other exactly."""
    after, by = span
    room = 0.15 * (by - after) + 0.005 * by
    return max(0.0, after - room), by + room


def _quantile(spans: list[Span], age: float, share: float) -> float:
    """The age below which `share` of the spans' mass beyond `age` lies, each spread evenly over its span."""
    pieces = [(max(after, age), by, (by - max(after, age)) / (by - after)) for after, by in spans]
    wanted = share * sum(mass for *_, mass in pieces)
    edges = sorted({edge for after, by, _ in pieces for edge in (after, by)})
    reached = 0.0
    for low, high in pairwise(edges):
        here = sum(mass * (high - low) / (by - after) for after, by, mass in pieces if after <= low < by)
        if here and reached + here >= wanted:
            return low + (high - low) * (wanted - reached) / here
        reached += here
    return edges[-1]
