"""klingo1: pictures and a sentence in, a short video out.

The price of a run is known before anything is sent:

>>> from klingo1 import estimate_price
>>> str(estimate_price(engine="kling", duration=5, with_video=False))
'$0.56'
>>> str(estimate_price(engine="draft", duration=10, with_video=True))
'free'

A request checks itself, and says which field is wrong, why, and what to do:

>>> from pathlib import Path
>>> from klingo1 import InvalidRequest, VideoRequest
>>> request = VideoRequest("@Image1 waves", images=(Path("hero.jpg"),), duration=6)
>>> request.aspect_ratio, request.has_video
('16:9', False)
>>> try:
...     VideoRequest("a walk", images=("https://example.com/hero.jpg",), duration=12)
... except InvalidRequest as error:
...     print(error.field, "-", error.remedy)
duration - Choose 3 to 10 seconds.

One call makes a video. The draft engine is free and needs no key; `engine="kling"` is paid, by the key in
WAVESPEED_API_KEY:

>>> from klingo1 import generate
>>> video = generate("a walk on the beach", ["hero.jpg"], duration=3, aspect_ratio="1:1", output="walk.mp4")
>>> video.name, video.read_bytes()[4:8]
('walk.mp4', b'ftyp')

A `Studio` keeps a ledger: what it has taken survives the process, and no run is paid twice. See its methods
submit, watch, resume and jobs. `Client` speaks to the service directly.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from klingo1 import errors
from klingo1.errors import InvalidRequest, KlingoError
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
    "InvalidRequest",
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
