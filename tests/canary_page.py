"""Run as a program: the hosted page, everything logged at DEBUG, and one paid run on the server's own key.

Arguments: a folder, the service's address, a picture. Prints one line of JSON, ends when its input is closed.
"""

import json
import logging
import os
import sys
from pathlib import Path

from conftest import SwiftClock

from klingo1.batches import BatchStudio
from klingo1.request import VideoRequest
from klingo1.settings import Settings


def main():
    folder, service, picture = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "cache")
    from launching import launch

    settings = Settings.read(
        {
            "KLINGO1_HOME": str(folder / "home"),
            "KLINGO1_HOSTED": "1",
            "KLINGO1_SIGN_IN": "1",
            "KLINGO1_BUDGET_DAY": "10",
            "KLINGO1_BUDGET_VISITOR_DAY": "5",
            "WAVESPEED_API_KEY": os.environ["WAVESPEED_API_KEY"],
            "WAVESPEED_BASE_URL": service,
            "GRADIO_TEMP_DIR": os.environ["GRADIO_TEMP_DIR"],
        }
    )
    logging.getLogger("canary").debug("%r", settings)
    with BatchStudio(settings, clock=SwiftClock()) as studio:
        page, _, url = launch(studio)
        owner = studio.sign_in("ada")
        asked = VideoRequest(prompt="a walk", images=(picture,))
        job = studio.submit(asked, engine="kling", owner=owner)
        sys.stdout.write(json.dumps({"url": url, "owner": studio.pass_of(owner), "job": job.id}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        page.close(verbose=False)


if __name__ == "__main__":
    main()
