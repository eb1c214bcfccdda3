"""The free engine as a service that speaks WaveSpeed's v3 contract, in process or on a port.

What the mission's API page and WaveSpeed's documentation say about submit, result, list, delete, uploads,
balance and price is answered here in the same words. Beyond the contract a prediction carries `progress`
(0 to 1), `phase` (a word) and `poster` (the address of an early frame) while it is made and, when it is done,
`draft`: what the engine understood of the prompt and which shots it made. A submit may carry `klingo1`, the
options of DraftOptions.
"""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route

from klingo1.draft.intake import Intake, file_response
from klingo1.draft.jobs import DraftJobs, Extras
from klingo1.draft.renderer import RenderQueue
from klingo1.draft.store import DraftStore
from klingo1.draft.wire import (
    Answered,
    account_of,
    answering,
    envelope,
    list_filters,
    prediction_json,
    read_json,
    submit_fields,
)
from klingo1.draft.worker import Order, render_film
from klingo1.prediction import is_prediction_id
from klingo1.request import MODEL, DraftOptions
from klingo1.web.door import Door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from klingo1.draft.store import Record
    from klingo1.draft.supply import Fetcher
    from klingo1.draft.wire import Handler

API = "/api/v3"
WAITING_MAX = 200
"""More unfinished predictions than this are answered with 429."""
SYNC_SECONDS = 120.0
"""How long a submit in sync mode is held open."""
PRUNE_SECONDS = 3600.0


class DraftService:
    """The service over one folder.

    `app` is mounted through httpx.ASGITransport (then call `start` and `close` yourself) or served by uvicorn
    (its lifespan calls them). `executor` None renders in `workers` spawned processes; `render` must then be
    picklable; another executor makes each film in `parts` side by side. `api_key` None accepts every key.
    `door` fetches references from the open internet. `model` is an ONNX network that cuts photographs. With
    `remember`, what people say about a picture (role, view, mask) holds for the next film with it. Spawned
    processes stand back by `niceness` steps of nice. Raises LedgerError when the folder's record cannot be
    opened.
    """

    def __init__(
        self,
        folder: Path,
        *,
        executor: Executor | None = None,
        workers: int = 1,
        parts: int = 1,
        api_key: str | None = None,
        render: Callable[[Order], dict[str, Any]] = render_film,
        door: Fetcher | None = None,
        seconds: float = 900.0,
        model: Path | None = None,
        remember: bool = True,
        niceness: int = 0,
    ) -> None:
        self._store = DraftStore(folder)
        queue = RenderQueue(
            executor=executor,
            workers=workers,
            render=render,
            seconds=seconds,
            parts=parts,
            niceness=niceness,
        )
        self._jobs = DraftJobs(self._store, queue, door or Door(), Extras(remember, model))
        self._pruned = 0.0
        self.app = self._application(Intake(self._store.uploads, self._jobs.warm), api_key)

    async def start(self) -> None:
        """Tidy up, and go on with every unfinished prediction whose process is gone."""
        await self._tidy()
        for record in await run_in_threadpool(self._store.unfinished):
            await self._jobs.attend(record)

    async def close(self) -> None:
        """Stop rendering within seconds. What is unfinished goes on at the next start."""
        await self._jobs.close()
        self._store.close()

    def _application(self, intake: Intake, api_key: str | None) -> Starlette:
        def route(path: str, handler: Handler, *methods: str, keyed: bool = True) -> Route:
            return Route(path, answering(handler, api_key, keyed=keyed), methods=list(methods))

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            await self.start()
            yield
            await self.close()

        async def refuse(_: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)
            return envelope(None, code=error.status_code, message=error.detail.lower())

        app = Starlette(
            routes=[
                route(f"{API}/{MODEL}", self._submit, "POST"),
                route(f"{API}/predictions", self._list, "POST"),
                route(f"{API}/predictions/delete", self._delete, "POST"),
                route(f"{API}/predictions/{{id}}", self._result, "GET"),
                route(f"{API}/predictions/{{id}}/result", self._result, "GET"),
                route(f"{API}/media/uploads", intake.ticket, "POST"),
                route(f"{API}/media/upload/binary", intake.form, "POST"),
                route(f"{API}/balance", self._balance, "GET"),
                route(f"{API}/model/price", self._price, "POST"),
                route(f"{API}/{{model:path}}", self._unknown, "POST", "GET", "PUT", "PATCH", "DELETE"),
                route("/uploads/{token}", intake.put, "PUT", keyed=False),
                route("/media/{id}", intake.get, "GET", keyed=False),
                route("/outputs/{id}", self._output, "GET", keyed=False),
            ],
            exception_handlers={HTTPException: refuse},
            lifespan=lifespan,
        )
        app.router.redirect_slashes = False
        return app

    async def _submit(self, request: Request) -> Response:
        body = await read_json(request)
        fields = submit_fields(body)
        options = DraftOptions.from_wire(body.get("klingo1")).to_wire()
        if await run_in_threadpool(self._store.running_count) >= WAITING_MAX:
            raise Answered(429, "too many requests: the queue is full", {"Retry-After": "5"})
        if time.monotonic() - self._pruned > PRUNE_SECONDS:
            await self._tidy()
        record = await run_in_threadpool(self._store.create, MODEL, fields, options, account_of(request))
        self._jobs.begin(record)
        if body.get("enable_sync_mode") is not True:
            return envelope(prediction_json(record, _base(request)))
        finished = await self._jobs.finished(record.id, SYNC_SECONDS)
        data = self._json(await self._found(record.id), request)
        if not finished:
            data |= {"code": 5004, "error": "Sync mode timed out; query the result later."}
        return envelope(data)

    async def _result(self, request: Request) -> Response:
        record = await self._found(request.path_params["id"])
        if record.running:
            await self._jobs.attend(record)
        return envelope(self._json(record, request))

    async def _list(self, request: Request) -> Response:
        wanted = list_filters(await read_json(request))
        records = await run_in_threadpool(self._store.listed, wanted, account_of(request))
        items = [self._json(record, request, with_input=True) for record in records]
        return envelope({"page": wanted.page, "items": items})

    async def _delete(self, request: Request) -> Response:
        ids = (await read_json(request)).get("ids")
        if not isinstance(ids, list) or not 0 < len(ids) <= 100 or not all(map(is_prediction_id, ids)):
            raise Answered(400, 'field "ids" must be an array of 1 to 100 prediction ids')
        return envelope({"deleted_count": await self._jobs.delete(ids)})

    async def _balance(self, _: Request) -> Response:
        return envelope({"balance": 0.0})

    async def _price(self, request: Request) -> Response:
        body = await read_json(request)
        if body.get("model_id") != MODEL:
            raise Answered(404, "model not found")
        return envelope({"price": 0, "discounted_price": 0, "currency": "USD"})

    async def _unknown(self, request: Request) -> Response:
        raise Answered(404, "model not found" if request.method == "POST" else "not found")

    async def _output(self, request: Request) -> Response:
        prediction_id, _, kind = request.path_params["id"].partition(".")
        record = await self._found(prediction_id)
        path = self._store.poster(record.id) if kind == "jpg" else self._store.video(record.id)
        if not (record.status.succeeded or kind == "jpg") or not path.is_file():
            raise Answered(404, "file not found")
        return await run_in_threadpool(file_response, path)

    async def _found(self, prediction_id: str) -> Record:
        record = await run_in_threadpool(self._store.prediction, prediction_id)
        if record is None:
            raise Answered(404, "Prediction not found")
        return record

    def _json(self, record: Record, request: Request, *, with_input: bool = False) -> dict[str, Any]:
        base = _base(request)
        news = self._jobs.news(record)
        if self._store.poster(record.id).is_file():
            news["poster"] = f"{base}/outputs/{record.id}.jpg"
        return prediction_json(record, base, with_input=with_input) | news

    async def _tidy(self) -> None:
        self._pruned = time.monotonic()
        await run_in_threadpool(self._store.prune)


def _base(request: Request) -> str:
    """The origin (and mount path) under which the client reached this service."""
    return str(request.base_url).rstrip("/")
