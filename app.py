"""Serve the page: `python app.py`. Also the entry of a Hugging Face Space. `--mcp` adds tools."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from pathlib import Path

from klingo1.batches import BatchStudio
from klingo1.errors import LedgerError, SettingsError
from klingo1.settings import Settings

SWITCH_SECONDS = 0.0005
"""After so long a thread at work makes room for another, a tenth of Python's own: the page's questions wait
less for what else goes on (`benchmarks/open_pages.py`).
"""


def main() -> int:
    """Settings → studio → page → launch, which obeys GRADIO_SERVER_NAME and GRADIO_SERVER_PORT."""
    parser = argparse.ArgumentParser(description="Serve the page; the environment has its settings.")
    parser.add_argument("--mcp", action="store_true", help="offer price, generate, status, history over MCP")
    mcp = parser.parse_args().mcp
    gc.disable()  # what is loaded now stays: looking through it again and again is a fifth of the start
    from klingo1.ui.mcp import check_installed  # noqa: PLC0415 - a wrong option is told before gradio is loaded
    from klingo1.ui.page import create_page, launch_options  # noqa: PLC0415 - as above

    try:
        if mcp:
            check_installed()
        sys.setswitchinterval(SWITCH_SECONDS)
        settings = Settings.read(os.environ, dotenv_file=Path(".env"))
        with BatchStudio(settings) as studio:
            page = create_page(studio, hosted=settings.hosted, mcp=mcp)
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite stop closes the studio, too
            gc.freeze()
            gc.enable()
            page.launch(**launch_options(studio, mcp=mcp))
    except (SettingsError, LedgerError, OSError) as error:
        print(f"klingo1: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
