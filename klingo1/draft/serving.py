"""The draft service on a port, for any client that speaks the contract."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from klingo1.draft.cluster import ClusterExecutor
from klingo1.draft.service import DraftService


def run(
    folder: Path,
    *,
    host: str,
    port: int,
    api_key: str,
    workers: int,
    announce: Callable[[str], None],
    cluster: str = "",
    parts: int = 1,
    niceness: int = 0,
    model: Path | None = None,
) -> None:
    """Serve until interrupted. `announce` gets the base URL once the port is open; port 0 chooses one.

    `cluster` is the scheduler of a Dask cluster that renders instead of processes of our own, each film in
    `parts`; `model` an ONNX network that cuts photographs.

    Raises OSError when the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        announce(f"http://{shown}:{listener.getsockname()[1]}")
        executor = ClusterExecutor(cluster) if cluster else None
        # Whoever holds a key may ask: what one says about a picture is not remembered for the others.
        service = DraftService(
            folder,
            executor=executor,
            workers=workers,
            parts=parts,
            niceness=niceness,
            api_key=api_key or None,
            model=model,
            remember=False,
        )  # fmt: skip
        config = uvicorn.Config(service.app, log_level="warning", access_log=False)
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            if executor is not None:
                executor.shutdown()
