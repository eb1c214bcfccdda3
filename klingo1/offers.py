"""Quotes: the one-use tokens by which a click, or a program's call that is repeated, makes one run."""

from __future__ import annotations

from klingo1.arrivals import check_references, digest_of
from klingo1.housekeeping import Housekeeping
from klingo1.intake_process import Intake
from klingo1.pricing import Price, price_of
from klingo1.request import Engine, VideoRequest
from klingo1.visitors import DESK


class Offers(Housekeeping):
    """The side of a studio that names prices. Nothing here spends."""

    intake: Intake

    def new_quote(self, owner: str = DESK) -> str:
        """A one-use token: however often a click with it arrives, it makes one job."""
        return self._ledger.new_quote(owner, now=self._clock.time())

    def offer(
        self, request: VideoRequest, *, engine: Engine | str = Engine.DRAFT, owner: str = DESK
    ) -> tuple[Price, str]:
        """What this request costs, and a quote that is good for it alone: its fields, references and price.

        The references are read. Raises InvalidRequest.
        """
        engine = Engine(engine)
        check_references(request, engine, self.intake)
        price = price_of(request, engine)
        digest = digest_of(request, engine, price)
        return price, self._ledger.new_quote(owner, now=self._clock.time(), digest=digest)
