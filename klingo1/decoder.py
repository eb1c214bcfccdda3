"""A process that decodes strangers' files, as the one that asks it sees it: two pipes and a deadline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = "klingo1.intake_process"


@dataclass(slots=True)
class Decoder:
    """One process and the two pipes to it."""

    memory: int
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        # No variable of ours goes with it, so no key does: only what Python needs to start.
        kept = {
            k: v for k, v in os.environ.items() if k in {"PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR"}
        }
        root = str(Path(__file__).parents[1])
        self.process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", PROGRAM, str(self.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept | {"PYTHONPATH": root, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.process is not None and self.process.poll() is None

    def ask(self, call: dict[str, Any], *, seconds: float) -> dict[str, Any] | None:
        """The answer; None when it ended, or took too long and was ended."""
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        late = threading.Timer(seconds, self.process.kill)
        late.start()
        try:
            self.process.stdin.write(json.dumps(call).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline(2**20)
            told = json.loads(line) if line.endswith(b"\n") else None
            return told if isinstance(told, dict) else None
        except (OSError, ValueError):
            return None
        finally:
            late.cancel()

    def end(self) -> None:
        """Kill it; it holds nothing that could be lost."""
        if self.process is not None:
            self.process.kill()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            self.process.wait()
