"""The files for hosting: locked versions, the image, and documents that name what is there."""

import re
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from klingo1 import settings

ROOT = Path(__file__).parents[1]
LOCK = [
    line
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if line and not line.startswith("#")
]


def test_the_lock_names_exact_versions_and_nothing_else():
    """No address, no range, no option: whichever registry pip is set to will do."""
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.!+-]+", line) for line in LOCK)


def test_the_lock_is_complete_and_keeps_to_the_bounds():
    """Each requirement, and what the locked packages require in turn, is locked to an allowed version."""
    locked = {canonicalize_name(name): version for name, version in (line.split("==") for line in LOCK)}
    wanted = [Requirement(line) for line in (ROOT / "requirements.txt").read_text().split()]
    assert all("<" in str(one.specifier) for one in wanted)
    for name in ("gradio", "httpx", "sqlalchemy", "fastapi"):
        asked = map(Requirement, requires(name) or ())
        wanted += [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    for one in wanted:
        assert one.specifier.contains(locked[canonicalize_name(one.name)]), one


@pytest.mark.parametrize("name", ["docs/hosting.md", "docs/privacy.md", "SECURITY.md"])
def test_documents_name_what_is_there(name):
    """Settings, tests and modules that a document speaks of exist."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert set(re.findall(r"KLINGO1_\w+", text)) <= set(settings._KNOWN)
    for path in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"`((?:web/)?\w+\.py)`", text):
        assert (ROOT / "klingo1" / module).exists(), module


def test_the_image_is_slim_and_nobody_special():
    """A slim base, a user without rights, one folder that is written to."""
    image = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^FROM python:3\.\d+-slim", image, flags=re.MULTILINE)
    assert image.index("\nUSER klingo1") < image.index("\nCMD")
    assert "GRADIO_TEMP_DIR=/data/" in image
    assert "VOLUME /data" in image


@pytest.mark.parametrize(
    ("known", "ours", "code"), [("", "", 2), ("CVE-2024-34064", "", 0), ("CVE-2024-34064", "CVE-2026-1", 2)]
)
def test_an_audit_that_could_not_look_fails_and_says_so(tmp_path, known, ours, code):
    """A service that is silent about a version whose holes are known has looked at nothing."""
    bins = tmp_path / "audit" / "bin"
    bins.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / "audit" / ".done").touch()
    auditor = bins / "pip-audit"
    auditor.write_text(
        f"#!/bin/sh\ncase $* in *known) say='{known}';; *) say='{ours}';; esac\n"
        'echo "$say"; [ -z "$say" ]\n'
    )
    auditor.chmod(0o755)
    done = subprocess.run(
        ["make", "audit", f"VENV={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert ("NOTHING WAS AUDITED" in done.stdout) is (not known)


def test_the_audit_is_a_command_of_its_own():
    """`make audit` asks the network, so `make test` does not need it."""
    make = (ROOT / "Makefile").read_text()
    assert re.search(r"^audit:", make, flags=re.MULTILINE)
    assert "audit" not in re.search(r"^test:.*", make, flags=re.MULTILINE)[0]
