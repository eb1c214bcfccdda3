"""Serve the page: `python app.py`. Also the entry of a Hugging Face Space."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from klingo1.errors import LedgerError, SettingsError
from klingo1.settings import Settings
from klingo1.studio import Studio


def main() -> int:
    """Settings → studio → page → launch, which obeys GRADIO_SERVER_NAME and GRADIO_SERVER_PORT."""
    from klingo1.ui.page import create_page, launch_options  # noqa: PLC0415 - after the settings are known to be right

    try:
        settings = Settings.read(os.environ, dotenv_file=Path(".env"))
        with Studio(settings) as studio:
            page = create_page(studio, hosted=settings.hosted)
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite stop closes the studio, too
            page.launch(**launch_options(studio))
    except (SettingsError, LedgerError, OSError) as error:
        print(f"klingo1: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
