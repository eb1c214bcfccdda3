"""What would be filmed, without filming it: for the command line, and for the page while somebody types."""

from __future__ import annotations

from collections.abc import Sequence

from klingo1.draft.director import direct
from klingo1.draft.plan import CastMember, Plan, with_everyone

SOMEBODY = (CastMember(role="character", images=(1,)),)
"""The cast while there are no pictures yet."""


def preview(prompt: str, *, duration: int, aspect_ratio: str, cast: Sequence[CastMember] = SOMEBODY) -> Plan:
    """The plan for `prompt`, as the film has it; `cast` is that of its pictures (see `looking`)."""
    return with_everyone(direct(prompt, cast or SOMEBODY, duration=duration, aspect_ratio=aspect_ratio))
