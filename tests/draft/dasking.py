"""A Dask cluster of real processes that share nothing with the tests but the network."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from browser.visitor import free_port

ROOT = Path(__file__).parents[2]


class Dask:
    """A scheduler and workers, each a process in an empty folder of its own; ended with the block."""

    def __init__(self, folder: Path, *, workers: int = 1) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self._folder = folder
        self._count = workers
        self.scheduler = None
        self.workers: list[subprocess.Popen] = []

    def __enter__(self):
        self.start_scheduler()
        for _ in range(self._count):
            self.add_worker()
        return self

    def __exit__(self, *_):
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait(20)

    def start_scheduler(self):
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")

    def add_worker(self):
        options = (
            "--nthreads",
            "1",
            "--nworkers",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--death-timeout",
            "60",
        )
        self.workers.append(self._start("worker", self.address, *options))

    def kill_scheduler(self):
        self.scheduler.kill()
        self.scheduler.wait(20)

    def kill(self, pid):
        worker = next(one for one in self.workers if one.pid == pid)
        worker.kill()
        worker.wait(20)

    def _start(self, *words):
        room = self._folder / f"{words[0]}{time.monotonic_ns()}"
        (room / "temp").mkdir(parents=True)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
        env |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}{os.pathsep}{ROOT / 'tests' / 'draft'}"}
        env |= {"TMPDIR": str(room / "temp"), "PYTHONWARNINGS": "ignore"}
        with (self._folder / f"{room.name}.txt").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *words], cwd=room, env=env, stdout=log, stderr=log
            )


@contextlib.contextmanager
def observed(address):
    """A client of the test's own; gives a function that names the processes that make a film now."""
    from distributed import Client

    with Client(address, timeout="30s", set_as_default=False) as client:

        def busy():
            pids = client.run(os.getpid)
            return [pids[worker] for worker, tasks in client.processing().items() if tasks]

        yield client, busy


def until(true, seconds=60.0, every=0.05):
    """Wait for something to become true, and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(every)
    return found


def patient_film(order):
    """Takes a second and a half, tells how far it is and in which process, and leaves when told."""
    for step in range(30):
        order.progress.write_text(f"{step / 30:.4f}\nshooting\n")
        if order.stopped:
            raise RuntimeError("stopped half-way")
        time.sleep(0.05)
    order.output.write_bytes(order.request.images[0].read_bytes())
    return {"pid": os.getpid()}
