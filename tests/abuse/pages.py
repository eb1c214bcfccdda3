"""Run as a program: the hosted page twice, with its guard and without, and what an attacker could know of it.

Prints one line of JSON: addresses, every route of the running applications, and where the ledger lies. Ends
when its standard input is closed.
"""

import json
import os
import sys
from pathlib import Path

os.environ["GRADIO_TEMP_DIR"] = str(Path(sys.argv[1]) / "cache")

from launching import launch

from klingo1.batches import BatchStudio
from klingo1.settings import Settings


def routes_of(app):
    """(method, path) of every route, those of included routers too."""
    waiting = [app]
    while waiting:
        for route in waiting.pop().routes:
            if hasattr(route, "path"):
                for method in getattr(route, "methods", None) or ():
                    yield method, route.path
            else:
                waiting.append(route.original_router)


def serve(folder, *, guarded):
    environ = {
        "KLINGO1_HOME": str(folder),
        "KLINGO1_HOSTED": "1",
        "KLINGO1_PROXIES": "1",
        "WAVESPEED_API_KEY": os.environ["WAVESPEED_API_KEY"],
        "WAVESPEED_BASE_URL": "http://127.0.0.1:9",
        "GRADIO_TEMP_DIR": os.environ["GRADIO_TEMP_DIR"],
    }
    studio = BatchStudio(Settings.read(environ))
    studio.start()
    page, app, url = launch(studio, **({} if guarded else {"app_kwargs": {}}))
    told = {
        "url": url,
        "routes": sorted(set(routes_of(app))),
        "ledger": str(folder / "klingo1.sqlite3"),
    }
    return told, studio, page


def main():
    folder = Path(sys.argv[1])
    served = [serve(folder / name, guarded=name == "guarded") for name in ("guarded", "unguarded")]
    told = {"guarded": served[0][0], "unguarded": served[1][0], "pid": os.getpid()}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    for _, studio, page in served:
        page.close(verbose=False)
        studio.close()


if __name__ == "__main__":
    main()
