"""Run as a program: app.py, whose drafts have a ninth of the pixels, for tests that look at the page only."""

import functools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from small_drafts import small_film

import app
from klingo1.draft import service

if __name__ == "__main__":
    service.DraftService.__init__ = functools.partialmethod(service.DraftService.__init__, render=small_film)
    sys.exit(app.main())
