"""The WaveSpeed v3 contract as an asynchronous client; the paid service and the draft service speak it alike.

Every call raises errors of klingo1.errors and nothing of httpx. A submit leaves once, whatever happens; reads
are safe to repeat, and `wait` repeats them for as long as the task takes. The log holds ids and statuses.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from klingo1.answer import BODY_MAX, LIST_MAX, Answer, micro_dollars, micro_price
from klingo1.download import SIZE_MAX, fetch, fetch_small
from klingo1.errors import (
    GenerationFailed,
    InvalidRequest,
    NotFound,
    NotSent,
    RateLimited,
    SubmitUncertain,
    Unavailable,
)
from klingo1.gate import FOR_ALL
from klingo1.lines import Lines
from klingo1.prediction import Prediction, is_prediction_id, parse_prediction
from klingo1.request import MODEL
from klingo1.retry import Clock, Pace, Patience, SystemClock
from klingo1.upload import send_file
from klingo1.waiting import Waiting
from klingo1.wire import Wire

_log = logging.getLogger("klingo1.client")


class Client:
    """One account at one service. Connections are kept alive; close it, or use it in `async with`.

    `base_url` is the service's origin, or that origin with `/api/v3`. `transport` replaces the network: an
    httpx.ASGITransport makes the draft service answer in process. `lines` are connections that it shares with
    other clients, and does not close. Raises KeyMissing, InvalidRequest for a key that cannot be one,
    SettingsError for an impossible address.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://api.wavespeed.ai",
        transport: httpx.AsyncBaseTransport | None = None,
        lines: Lines | None = None,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._patience = patience or Patience()
        self._shares = lines is not None
        self._lines = lines or Lines(
            transport, connect=self._patience.connect, silence=self._patience.silence
        )
        self._wire = Wire(api_key, base_url, lines=self._lines, clock=self._clock, patience=self._patience)
        unhurried = transport is not None and patience is None  # in process there is nobody to be polite to
        rate = 100.0 if unhurried else self._patience.polls_per_second
        self._pace = Pace(self._clock, per_second=rate)
        self._waiting = Waiting(
            clock=self._clock, pace=self._pace, patience=self._patience, ask_page=self._list_in_turn
        )

    def __repr__(self) -> str:
        return f"Client({self._wire.base.host!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection that is this client's own."""
        self._waiting.close()
        if not self._shares:
            await self._lines.aclose()

    @property
    def ahead(self) -> float:
        """Seconds that the service's clock is ahead of this one, 0 until an answer has told its time."""
        return self._wire.ahead

    async def submit(
        self, body: Mapping[str, Any], *, on_sending: Callable[[], None] | None = None
    ) -> Prediction:
        """Start a paid task from the wire form of a request. The request leaves at most once.

        `on_sending` is called when the connection stands, just before the first byte leaves; what it raises
        is passed on, and nothing is sent. Raises NotSent (may be repeated), a kind of Refused (nothing was
        created), SubmitUncertain (the task may exist and be billed: look it up, never send it again).
        """
        url = self._wire.address("/" + MODEL)
        try:
            answer = await self._wire.call(
                "POST", url, body=body, once=True, on_sending=on_sending, seconds=self._patience.submit
            )
            self._raise_for(answer)
            prediction = answer.prediction()
        except Unavailable as error:
            _log.info("submit: answer lost or unclear, status %s", error.status_code)
            raise SubmitUncertain(
                "The answer to the submit was lost or unclear; the task may exist.",
                status_code=error.status_code,
                code=error.code,
                detail=error.detail,
                retry_after=error.retry_after,
            ) from error
        _log.info("submit: prediction %s, %s", prediction.id, prediction.status)
        self._waiting.note_made(prediction)
        return prediction

    async def result(self, prediction_id: str, *, get_url: str = "", born: float = math.inf) -> Prediction:
        """The task as it is now. `get_url` is asked first when it has the API's own origin; of many that wait
        for their turn, what was `born` later is asked for sooner.

        Raises InvalidRequest for an id that cannot be one, a kind of Refused (NotFound: the service does not
        know it), Unavailable for anything that is not a readable answer about this very task; ask again
        later.
        """
        _checked_id(prediction_id)
        await self._pace.turn(born)
        return await self._result(prediction_id, get_url, born)

    async def _result(self, prediction_id: str, get_url: str, born: float) -> Prediction:
        """As `result`, in a turn that has been taken; each further address has its own."""
        path = f"/predictions/{_checked_id(prediction_id)}"
        given = [get_url] if get_url and self._wire.is_own(get_url) else []
        addresses = dict.fromkeys([*given, self._wire.address(path + "/result"), self._wire.address(path)])
        for position, address in enumerate(addresses, start=1):
            if position > 1:
                await self._pace.turn(born)
            try:
                prediction = (await self._ask("GET", address)).prediction()
                break
            except NotFound:
                if position == len(addresses):
                    raise
            except RateLimited as error:
                self._pace.hold(error.retry_after or 1.0)
                raise
        if prediction.id != prediction_id:
            raise Unavailable("The service answered about another task.")
        _log.debug("result: prediction %s, %s", prediction.id, prediction.status)
        return prediction

    async def wait(
        self,
        prediction_id: str,
        *,
        get_url: str = "",
        kind: Hashable = None,
        on_update: Callable[[Prediction], None] | None = None,
    ) -> Prediction:
        """The task once it has ended, well or badly; asked for quickly at first, every 30 seconds later, and
        when three of its `kind` were watched, at the ages at which those ended.

        There is no deadline. `on_update` gets every answer. Outages and "too many requests" are waited out,
        an unknown id for a minute; any other refusal is raised.
        """
        ask = partial(self._result, prediction_id, get_url)
        return await self._waiting.until_ended(prediction_id, ask, kind=kind, on_update=on_update)

    async def list(
        self,
        *,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        model: str = MODEL,
        status: str = "",
        page: int = 1,
        page_size: int = 100,
    ) -> list[Prediction]:
        """One page of the account's tasks of the last 7 days, newest first; unreadable items are left out.

        Times without a zone are taken as UTC. Raises a kind of Refused, or Unavailable.
        """
        body: dict[str, Any] = {"page": page, "page_size": min(100, max(1, page_size))}
        window = {"created_after": created_after, "created_before": created_before}
        body |= {name: _iso(moment) for name, moment in window.items() if moment is not None}
        body |= {name: word for name, word in (("model", model), ("status", status)) if word}
        data = (await self._ask("POST", self._wire.address("/predictions"), body, most=LIST_MAX)).data()
        items = data.get("items") if isinstance(data, Mapping) else data
        if not isinstance(items, Sequence) or isinstance(items, str):
            raise Unavailable("The service's list cannot be read.")
        found = []
        for item in items:
            try:
                found.append(parse_prediction({"code": 200, "data": item}))
            except (ValueError, OverflowError):
                continue
        return found

    async def _list_in_turn(self, page: int) -> Sequence[Prediction]:
        await self._pace.turn(born=FOR_ALL)
        try:
            return await self.list(page=page)
        except RateLimited as error:
            self._pace.hold(error.retry_after or 1.0)
            raise

    async def upload(self, file: Path, *, filename: str, content_type: str) -> str:
        """Send `file` from disk and return the address under which the service reads it (kept 7 days there).

        `filename` is what the service sees; keep people's own names out of it. Raises TooLarge and other
        kinds of Refused, Unavailable after three tries, OSError when the file cannot be read.
        """
        return await send_file(self._wire, file, filename=filename, content_type=content_type)

    async def download(
        self,
        url: str,
        to: Path,
        *,
        refresh: Callable[[], Awaitable[str]] | None = None,
        limit: int = SIZE_MAX,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> Path:
        """Fetch a result to `to`, which appears only when the video is whole; a cut download is resumed.

        `refresh` gives a fresh address when this one has expired; `limit` is bytes; `on_progress` gets bytes
        so far and the whole length where it is known. Raises DownloadFailed (`expired` when the service no
        longer has it), what `refresh` raises, and OSError when the disk refuses. Except for a result over its
        limit, what was fetched stays, and the next call goes on there.
        """
        return await fetch(self._wire, url, to, refresh=refresh, limit=limit, on_progress=on_progress)

    async def picture(self, url: str) -> bytes:
        """A small file of the service's own, such as an early frame. Raises ValueError for a stranger's."""
        return await fetch_small(self._wire, url)

    async def balance(self) -> int:
        """What the account holds, in micro-dollars."""
        data = (await self._ask("GET", self._wire.address("/balance"))).data()
        return micro_dollars(data.get("balance") if isinstance(data, Mapping) else None)

    async def price(self, body: Mapping[str, Any]) -> int:
        """What the service would bill for this wire form, in micro-dollars. Free of charge."""
        question = {"model_id": MODEL, "inputs": dict(body)}
        return micro_price((await self._ask("POST", self._wire.address("/model/price"), question)).data())

    async def delete(self, ids: Sequence[str]) -> int:
        """Remove tasks and their results from the service; returns how many it removed."""
        body = {"ids": [_checked_id(one) for one in ids]}
        data = (await self._ask("POST", self._wire.address("/predictions/delete"), body)).data()
        count = data.get("deleted_count") if isinstance(data, Mapping) else None
        return count if isinstance(count, int) else 0

    async def _ask(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, *, most: int = BODY_MAX
    ) -> Answer:
        """A call that may be repeated: a good answer, a kind of Refused, or Unavailable."""
        try:
            answer = await self._wire.call(method, url, body=body, most=most)
        except NotSent as error:
            raise Unavailable(str(error)) from error
        self._raise_for(answer)
        return answer

    def _raise_for(self, answer: Answer) -> None:
        if (fault := answer.fault(now=self._clock.time())) is not None:
            raise fault


def succeeded(prediction: Prediction) -> Prediction:
    """The same task when it has not failed. Raises GenerationFailed with the service's reason."""
    if prediction.status.ended and not prediction.status.succeeded:
        raise GenerationFailed(
            prediction.error or f"The service ended the task: {prediction.status}.",
            prediction_id=prediction.id,
            status=str(prediction.status),
            code=prediction.task_code or None,
        )
    return prediction


def _checked_id(prediction_id: str) -> str:
    if not is_prediction_id(prediction_id):
        raise InvalidRequest("id", "It is not a prediction's id.", "Copy the id again.")
    return prediction_id


def _iso(moment: datetime) -> str:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
