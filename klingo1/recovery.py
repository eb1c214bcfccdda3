"""Taking over a prediction that this ledger never knew: whoever submitted it, its result can be fetched."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from klingo1.errors import InvalidRequest
from klingo1.job import Job, Money, State
from klingo1.prediction import Prediction
from klingo1.pricing import price_of
from klingo1.request import Engine, VideoRequest

UNKNOWN_REFERENCE = "unknown:"
"""Stands for references that the service did not echo."""


def adopted_job(prediction: Prediction, *, owner: str, now: float) -> Job:
    """A job in `running` for `prediction`; its request is what the service echoes, if anything."""
    request = _echoed_request(prediction.inputs)
    return Job(
        id=uuid.uuid4().hex,
        owner=owner,
        engine=Engine.KLING,
        state=State.RUNNING,
        request=request,
        price=price_of(request, Engine.KLING),
        money=Money.SPENT,
        created_at=now,
        updated_at=now,
        prediction_id=prediction.id,
        details=prediction.as_details(),
    )


def _echoed_request(inputs: Mapping[str, Any]) -> VideoRequest:
    images = inputs.get("images")
    named = tuple(i for i in images if isinstance(i, str)) if isinstance(images, list) else ()
    video = inputs.get("video")
    try:
        return VideoRequest(
            prompt=inputs["prompt"],
            images=named or (UNKNOWN_REFERENCE,),
            video=video if isinstance(video, str) and video else None,
            keep_original_sound=inputs.get("keep_original_sound", True),
            aspect_ratio=inputs.get("aspect_ratio", "16:9"),
            duration=inputs.get("duration", 5),
        )
    except (KeyError, InvalidRequest):
        return VideoRequest(prompt="A run that was found at the service", images=(UNKNOWN_REFERENCE,))
