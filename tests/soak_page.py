"""Run as a program: a hosted page whose waits are short and whose drafts are one ready film.

Arguments: a folder, the service's address. Prints one line of JSON, ends when its input is closed.
"""

import json
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.clip import clip
from faults.clock import HastyClock

from klingo1.batches import BatchStudio
from klingo1.draft import service
from klingo1.engines import Engines
from klingo1.settings import Settings


def render(order):
    """The film is not the point here."""
    order.output.write_bytes(clip() + b"\0\0\0\x20free" + secrets.token_bytes(24))
    return {"summary": order.request.prompt}


def main():
    folder, address = Path(sys.argv[1]), sys.argv[2]
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "cache")
    from launching import launch

    executor = ThreadPoolExecutor(2)
    Engines._draft_service = lambda engines: service.DraftService(
        engines._settings.home / "drafts", executor=executor, render=render
    )
    settings = Settings.read(
        {
            "KLINGO1_HOME": str(folder / "home"),
            "KLINGO1_HOSTED": "1",
            "KLINGO1_PROXIES": "1",
            "WAVESPEED_BASE_URL": address,
            "GRADIO_TEMP_DIR": os.environ["GRADIO_TEMP_DIR"],
        }
    )
    with BatchStudio(settings, clock=HastyClock()) as studio:
        page, _, url = launch(studio)
        sys.stdout.write(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        page.close(verbose=False)
    executor.shutdown()


if __name__ == "__main__":
    main()
