"""The hosted page, with its guard and without, in a process of its own for all tests of this folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from abuse.attacker import Attacker
from abuse.attacks import CANARY

TESTS = Path(__file__).parents[1]


@pytest.fixture
def attacker(pages):
    with Attacker(pages["guarded"]) as one:
        yield one


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Both pages in one process of their own."""
    folder = tmp_path_factory.mktemp("abuse")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
    environ |= {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}", "WAVESPEED_API_KEY": CANARY}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(TESTS / "abuse" / "pages.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environ,
        )
    told = process.stdout.readline()
    assert told, (folder / "log.txt").read_text()
    yield {"folder": folder} | json.loads(told)
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
