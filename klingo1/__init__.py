"""klingo1: pictures and a sentence in, a short video out.

>>> from klingo1 import estimate_price
>>> str(estimate_price(engine="kling", duration=5, with_video=False))
'$0.56'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from klingo1 import errors
from klingo1.errors import KlingoError
from klingo1.prediction import Prediction, Status
from klingo1.pricing import Price, estimate_price
from klingo1.request import DraftOptions, Engine, VideoRequest
from klingo1.settings import Settings
from klingo1.version import VERSION

if TYPE_CHECKING:
    from klingo1.client import Client
    from klingo1.job import Job
    from klingo1.oneshot import generate
    from klingo1.studio import Studio

__all__ = [
    "Client",
    "DraftOptions",
    "Engine",
    "Job",
    "KlingoError",
    "Prediction",
    "Price",
    "Settings",
    "Status",
    "Studio",
    "VideoRequest",
    "__version__",
    "errors",
    "estimate_price",
    "generate",
]

__version__ = VERSION
_LATER = {
    "Client": "klingo1.client",
    "Job": "klingo1.job",
    "Studio": "klingo1.studio",
    "generate": "klingo1.oneshot",
}
"""What needs the network or the ledger is imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
