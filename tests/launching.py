"""A hosted page in this process, as the programs serve it that tests start."""

import socket

from klingo1.ui.page import create_page, launch_options


def launch(studio, **changed):
    """Serve a studio's page on a free port; `changed` replaces options. Gives page, app and address."""
    page = create_page(studio, hosted=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = launch_options(studio) | {"server_name": "127.0.0.1", "server_port": port, "quiet": True}
    app, url, _ = page.launch(prevent_thread_lock=True, **options | changed)
    return page, app, url
