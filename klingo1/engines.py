"""The two engines behind one contract, and whose key may drive the paid one.

"draft" is a service in this process, reached without a port; "kling" is WaveSpeed over HTTPS. Keys that
people enter stay in memory, one per owner, and are forgotten at the end of the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from klingo1.client import Client
from klingo1.errors import KeyMissing
from klingo1.request import Engine
from klingo1.retry import Clock
from klingo1.settings import Settings
from klingo1.wire import Patience, checked_key

if TYPE_CHECKING:
    from klingo1.draft.service import DraftService

NO_KEY = "Kling O1 needs a WaveSpeed API key. Enter one, or make a draft for free."
DRAFT_ORIGIN = "http://draft.klingo1.invalid"
"""Where the in-process service seems to live; the name resolves nowhere."""
DRAFT_PATIENCE = Patience(polls_per_second=50.0, first_wait=0.1, growth=1.015)
"""A draft takes seconds and asking costs next to nothing: every 0.25 s after ten seconds, rarer later."""


class Engines:
    """Clients for jobs, made and used on the studio's own event loop; the keys are thread-safe."""

    def __init__(
        self, settings: Settings, clock: Clock, *, draft: Callable[[], DraftService] | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._make_draft = draft or self._draft_service
        self._service: DraftService | None = None
        self._starting = asyncio.Lock()
        self._clients: dict[str, Client] = {}
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()

    # -- keys

    def give_key(self, owner: str, key: str) -> None:
        """Keep an owner's key in memory. Raises KeyMissing or InvalidRequest for what cannot be a key."""
        cleaned = checked_key(key)
        with self._lock:
            self._keys[owner] = cleaned

    def forget_key(self, owner: str) -> None:
        """Drop an owner's key."""
        with self._lock:
            self._keys.pop(owner, None)

    def key_of(self, owner: str) -> str:
        """The key that pays for this owner: their own, or on a desk the environment's; "" for none."""
        with self._lock:
            own = self._keys.get(owner, "")
        return own or ("" if self._settings.hosted else self._settings.api_key)

    def account_of(self, engine: Engine, owner: str) -> str:
        """Which account a submit goes to, as a digest that gives no key away; "" for the draft engine."""
        key = self.key_of(owner) if engine is Engine.KLING else ""
        return hashlib.blake2b(key.encode(), digest_size=8, person=b"klingo1").hexdigest() if key else ""

    # -- clients

    async def client(self, engine: Engine, owner: str) -> Client:
        """The client for a job of this owner. Raises KeyMissing when the paid engine has no key."""
        if engine is Engine.DRAFT:
            return await self._draft_client()
        key = self.key_of(owner)
        if not key:
            raise KeyMissing(
                "The paid engine needs a WaveSpeed API key. Enter one, or make a draft for free."
            )
        if key not in self._clients:
            self._clients[key] = Client(key, base_url=self._settings.base_url, clock=self._clock)
        return self._clients[key]

    def paid_client(self, key: str) -> Client:
        """A client for a key that is only being checked."""
        return Client(key, base_url=self._settings.base_url, clock=self._clock)

    async def _draft_client(self) -> Client:
        async with self._starting:
            if self._service is None:
                import httpx  # noqa: PLC0415 - the service is only built when a draft is asked for

                service = await asyncio.to_thread(self._make_draft)
                await service.start()
                self._service = service
                self._clients[""] = Client(
                    "draft",
                    base_url=DRAFT_ORIGIN,
                    transport=httpx.ASGITransport(service.app),
                    clock=self._clock,
                    patience=DRAFT_PATIENCE,
                )
        return self._clients[""]

    def _draft_service(self) -> DraftService:
        from klingo1.draft.service import DraftService  # noqa: PLC0415 - loads the renderer's imports

        return DraftService(self._settings.home / "drafts", workers=self._settings.draft_workers)

    async def close(self) -> None:
        """Close every connection and end the draft service."""
        for client in self._clients.values():
            await client.aclose()
        if self._service is not None:
            await self._service.close()
