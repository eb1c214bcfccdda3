"""What a hosted page's process says about failures: their kind.

Gradio prints every exception of a listener with its message, and those messages hold paths and file names of
visitors ("Cannot move …/holiday of Ada.jpg to the gradio cache"). It offers no other way to be told to stop.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

_log = logging.getLogger(__name__)


def keep_words_out_of_the_log() -> None:
    """From now on `traceback.print_exc`, by which Gradio reports failures, names the kind of error alone."""
    traceback.print_exc = _kind_alone


def _kind_alone(*_: Any, **__: Any) -> None:
    _log.error("a listener failed: %s", getattr(sys.exc_info()[0], "__name__", "unknown"))
