"""The two engines behind one contract, and whose key may drive the paid one.

"draft" is a service in this process, reached without a port; "kling" is WaveSpeed over HTTPS. Keys that
people enter stay in memory, one per owner (keyring.py), and are forgotten at the end of the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import weakref
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from klingo1.client import Client
from klingo1.errors import KeyMissing, PaidOff
from klingo1.keyring import LIFE_SECONDS, Keyring
from klingo1.lines import Lines
from klingo1.request import Engine
from klingo1.retry import Clock, Patience
from klingo1.settings import Settings
from klingo1.wire import checked_key

if TYPE_CHECKING:
    from klingo1.draft.service import DraftService

OFF = "Paid runs are switched off on this page. Drafts are free."
NO_KEY = "Kling O1 needs a WaveSpeed API key. Enter one, or make a draft for free."
NO_OWN_KEY = (
    "Runs are looked for with a key of your own; the one that this page lends made other people's, too."
)
DRAFT_ORIGIN = "http://draft.klingo1.invalid"
"""Where the in-process service seems to live; the name resolves nowhere."""
DRAFT_PATIENCE = Patience(
    polls_per_second=50.0, first_wait=0.1, least_wait=0.1, share=0.015, unknown=0.0, learns=False
)
"""A draft takes seconds, tells how far it is, and asking costs next to nothing: every 0.25 s after ten. Its
service is in this process: what it does not know it never will.
"""


class Engines:
    """Clients for jobs, made and used on the studio's own event loop; the keys are thread-safe."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        draft: Callable[[], DraftService] | None = None,
        is_signed_in: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._make_draft = draft or self._draft_service
        self._service: DraftService | None = None
        self._cluster: Executor | None = None
        self._starting = asyncio.Lock()
        self._clients: dict[str, Client] = {}
        self._retired: weakref.WeakSet[Client] = weakref.WeakSet()
        self._lines: Lines | None = None
        self._keys = Keyring(clock.monotonic, life=LIFE_SECONDS if settings.hosted else None)
        self._is_signed_in = is_signed_in

    # -- keys

    def give_key(self, owner: str, key: str) -> None:
        """Keep an owner's key in memory. Raises KeyMissing or InvalidRequest for what cannot be a key."""
        self._keys.give(owner, checked_key(key))

    def forget_key(self, owner: str) -> None:
        """Drop an owner's key."""
        self._keys.forget(owner)

    def key_of(self, owner: str) -> str:
        """The key that pays for this owner, "" for none: their own; or the environment's, on a desk and for
        signed-in visitors of a host that lends it.
        """
        return self._keys.of(owner) or (self._settings.api_key if self._lent_to(owner) else "")

    def check_paid(self, owner: str) -> None:
        """Whether this owner may start a paid run at all. Raises PaidOff and KeyMissing."""
        if not self._settings.paid:
            raise PaidOff(OFF)
        if not self.key_of(owner):
            raise KeyMissing(NO_KEY)

    def check_own(self, owner: str) -> None:
        """Whether this owner may look at an account's runs: its key must be their own, not one that is lent,
        which made other people's runs as well. Raises PaidOff and KeyMissing.
        """
        self.check_paid(owner)
        if self._settings.hosted and not self._keys.of(owner):
            raise KeyMissing(NO_OWN_KEY)

    def is_lent(self, owner: str) -> bool:
        """Whether the environment's key pays for this owner."""
        return bool(self._settings.api_key) and not self._keys.of(owner) and self._lent_to(owner)

    def _lent_to(self, owner: str) -> bool:
        return not self._settings.hosted or (self._settings.sign_in and self._is_signed_in(owner))

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
            self._drop_unused()
            self._clients[key] = self._paid_client(key)
        return self._clients[key]

    async def balance_of(self, key: str) -> int:
        """What the account of a key holds, in micro-dollars; raises what Client and its `balance` raise.

        The client that asked is kept for the runs to come: it knows the service's clock by then.
        """
        client = self._paid_client(key)
        try:
            balance = await client.balance()
        except BaseException:
            await client.aclose()
            raise
        if self._clients.setdefault(checked_key(key), client) is not client:
            await client.aclose()
        return balance

    def _paid_client(self, key: str) -> Client:
        """All keys share the connections: a page of many visitors would hold many idle ones."""
        if self._lines is None:
            self._lines = Lines()
        return Client(key, base_url=self._settings.base_url, clock=self._clock, lines=self._lines)

    def _drop_unused(self) -> None:
        """Let go of clients whose key everybody has forgotten, and so of the key; work under way may end."""
        used = {"", self._settings.api_key}
        for key in [key for key in self._clients if key not in used and not self._keys.holds(key)]:
            self._retired.add(self._clients.pop(key))

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

        settings = self._settings
        if settings.draft_cluster:
            from klingo1.draft.cluster import ClusterExecutor  # noqa: PLC0415 - as above

            self._cluster = ClusterExecutor(settings.draft_cluster)
        return DraftService(
            settings.home / "drafts",
            executor=self._cluster,
            workers=settings.draft_workers,
            parts=settings.draft_parts,
            model=settings.cutout_model,
            niceness=settings.draft_niceness,
            remember=not settings.hosted,  # strangers' words about a picture are not for other strangers
        )

    async def close(self) -> None:
        """Close every connection and end the draft service."""
        for client in [*self._clients.values(), *self._retired]:
            await client.aclose()
        if self._lines is not None:
            await self._lines.aclose()
        if self._service is not None:
            await self._service.close()
        if self._cluster is not None:
            await asyncio.to_thread(self._cluster.shutdown)
