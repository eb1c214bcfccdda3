"""The tariff as data, in integer micro-dollars (1,000,000 = one US dollar).

$0.112 per second with pictures only, $0.168 per second with a reference video: the mission's own figures for
Kling Video O1 reference-to-video. The page gets the same table as JSON and computes the same integers.
"""

from __future__ import annotations

from dataclasses import dataclass

from klingo1.request import Engine, VideoRequest, check_duration

MICRO = 1_000_000
PER_SECOND = {Engine.KLING: (112_000, 168_000), Engine.DRAFT: (0, 0)}
"""Engine → micro-dollars per second (pictures only, with a reference video)."""


@dataclass(frozen=True, slots=True, order=True)
class Price:
    """An amount of money; `str()` gives what a person reads."""

    micro: int

    @property
    def dollars(self) -> str:
        """Dollars with as many decimals as the amount needs, at least two: 0.56, 0.336, 1.12."""
        whole, rest = divmod(abs(self.micro), MICRO)
        digits = f"{rest:06d}".rstrip("0").ljust(2, "0")
        return f"{'-' if self.micro < 0 else ''}{whole}.{digits}"

    def __str__(self) -> str:
        return "free" if self.micro == 0 else f"${self.dollars}"


def estimate_price(*, engine: Engine | str, duration: int, with_video: bool) -> Price:
    """What a run of `duration` seconds costs. Raises InvalidRequest for an impossible duration."""
    check_duration(duration)
    return Price(PER_SECOND[Engine(engine)][with_video] * duration)


def price_of(request: VideoRequest, engine: Engine | str) -> Price:
    """What this request costs, computed from the validated request and nothing else."""
    return estimate_price(engine=engine, duration=request.duration, with_video=request.has_video)


def tariff() -> dict[str, list[int]]:
    """The table for the page: engine → [micro-dollars per second with pictures only, with a video]."""
    return {engine.value: list(rates) for engine, rates in PER_SECOND.items()}
