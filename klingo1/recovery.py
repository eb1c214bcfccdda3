"""Taking over a prediction that this ledger never knew: whoever submitted it, its result can be fetched."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from klingo1.client import Client
from klingo1.errors import InvalidRequest
from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.lookup import listing, names, read_time
from klingo1.prediction import Prediction
from klingo1.pricing import price_of
from klingo1.request import UNKNOWN_REFERENCE, Engine, VideoRequest
from klingo1.uploads import sent_references


async def find_run(client: Client, prediction_id: str, *, owner: str, now: float) -> tuple[Job, float]:
    """A job in `running` for a prediction, and when it was made there.

    Its request is what the service repeats of it, in its answer or in its list. Raises ApiError.
    """
    prediction = await client.result(prediction_id)
    made = read_time(prediction.created_at)
    inputs = prediction.inputs
    if not inputs and made is not None:
        near = timedelta(minutes=1)
        listed = await listing(client, after=made - near, before=made + near)
        inputs = next((p.inputs for p in listed if p.id == prediction_id), inputs)
    since = min(now, made.timestamp()) if made is not None else now
    return _adopted_job(prediction, inputs, owner=owner, now=now), since


def _adopted_job(prediction: Prediction, inputs: Mapping[str, Any], *, owner: str, now: float) -> Job:
    request = _echoed_request(inputs)
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


async def unrecorded(client: Client, ledger: Ledger) -> list[Prediction]:
    """The model's predictions of the service's last days that no job here has, newest first.

    What a submit on its way, or one that is being looked up, has made is left to it. Raises ApiError.
    """
    listed = await listing(client)  # which reaches back 7 days by itself, whatever this machine's clock says
    # In this order: a submit that is settled in between is not awaited any more, but known.
    awaited = [sent_references(job, uploads) for job, uploads in ledger.unsettled() if not job.problem]
    known = ledger.prediction_ids()
    return [p for p in listed if p.id not in known and not any(names(p, r) for r in awaited)]


def _echoed_request(inputs: Mapping[str, Any]) -> VideoRequest:
    try:
        return VideoRequest.from_wire(inputs)
    except InvalidRequest:
        return VideoRequest(prompt="A run that was found at the service", images=(UNKNOWN_REFERENCE,))
