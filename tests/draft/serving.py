"""A running draft service and the steps that tests take with it."""

from __future__ import annotations

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import httpx
from PIL import Image

from klingo1.draft.service import DraftService
from klingo1.prediction import parse_prediction
from klingo1.request import MODEL
from klingo1.web.door import DoorClosed

ORIGIN = "http://draft.klingo1.invalid"
FILM = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 40


def film(order):
    """Stands in for the engine: the film's bytes do not matter here."""
    order.progress.write_text("0.5")
    order.output.write_bytes(FILM)
    return {"plan": {"place": "city"}, "pictures": [p.read_bytes()[:4].hex() for p in order.request.images]}


class Held:
    """A renderer that waits until it is let go or stopped."""

    def __init__(self):
        self.go = threading.Event()
        self.began = threading.Event()

    def __call__(self, order):
        order.progress.write_text("0.25\nshooting\n")
        self.began.set()
        for _ in range(2000):
            if order.stopped:
                raise RuntimeError("stopped half-way")
            if self.go.wait(0.005):
                return film(order)
        raise AssertionError("neither let go nor stopped")


class NoDoor:
    """A door that is always closed and remembers who knocked."""

    def __init__(self):
        self.asked = []

    async def fetch(self, url, target, *, limit):
        self.asked.append(url)
        raise DoorClosed("it is not on the public internet")


@asynccontextmanager
async def serving(folder, *, processes=False, **options):
    """A started service and a client with a key."""
    with ThreadPoolExecutor(4) as executor:
        defaults = {"render": film, "door": NoDoor(), "executor": None if processes else executor}
        service = DraftService(folder, **defaults | options)
        await service.start()
        transport = httpx.ASGITransport(app=service.app)
        headers = {"Authorization": "Bearer anything"}
        try:
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
                yield client
        finally:
            await service.close()


def picture(form="PNG", size=(40, 30)):
    stream = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(stream, form)
    return stream.getvalue()


async def uploaded(client, content, name="a.png"):
    ticket = (
        await client.post("/api/v3/media/uploads", json={"filename": name, "size": len(content)})
    ).json()
    put = ticket["data"]["upload"]
    answer = await client.put(put["url"], content=content, headers=put["headers"])
    assert answer.status_code == 200
    return ticket["data"]["download_url"]


async def submitted(client, **fields):
    answer = await client.post(f"/api/v3/{MODEL}", json={"prompt": "a fox walks"} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def ended(client, prediction_id):
    for _ in range(1000):
        body = (await client.get(f"/api/v3/predictions/{prediction_id}/result")).json()
        if parse_prediction(body).status.ended:
            return body["data"]
        await asyncio.sleep(0.005)
    raise AssertionError("the draft did not end")
