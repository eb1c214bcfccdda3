"""Films of fewer pixels, for tests that do not look at the picture. Importing this loads no renderer."""

import os
import time
from pathlib import Path

from klingo1.draft.worker import render_film

HOLD = "hold"
"""While a file of this name lies in the home folder no film is begun."""


def small_film(order):
    """The engine's film, of a ninth of the pixels; what a rendering process runs."""
    from klingo1.draft.frames import SIZES

    hold = Path(os.environ.get("KLINGO1_HOME", os.devnull), HOLD)
    while hold.exists() and not order.stopped:
        time.sleep(0.02)
    whole = dict(SIZES)
    SIZES.update({key: (width // 3 & ~1, height // 3 & ~1) for key, (width, height) in whole.items()})
    try:
        return render_film(order)
    finally:
        SIZES.update(whole)
