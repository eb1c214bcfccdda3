"""The README's promises: every command works, every setting exists, every link leads somewhere."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from browser.visitor import free_port

from klingo1 import settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("python -m")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the assets, in which the README's commands run one after the other."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "assets").symlink_to(ROOT / "assets")
    return folder


def run(words, folder):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
    env |= {"KLINGO1_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, timeout=200, check=False
    )


def test_every_command_of_the_script_section_works(workplace):
    """The commands run in their order, as a reader would run them."""
    assert len(COMMANDS) >= 6
    for command in COMMANDS:
        done = run([sys.executable, *shlex.split(command)[1:]], workplace)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert (workplace / "out" / "forest.mp4").stat().st_size > 10_000
    assert (workplace / "out" / "forest.png").exists()


def test_the_python_example_makes_a_clip(workplace):
    """The snippet for scripts runs as it stands."""
    (snippet,) = [block for block in blocks("python") if "from klingo1" in block]
    (workplace / "example.py").write_text(snippet)
    done = run([sys.executable, "example.py"], workplace)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).suffix == ".mp4"


def test_make_run_serves_the_page_that_the_python_example_drives(workplace, tmp_path):
    """`make run` starts the page, and the snippet for its API ends with a video."""
    port = free_port()
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_", "MAKE", "MFLAGS"))
    }
    env |= {
        "KLINGO1_HOME": str(tmp_path / "home"),
        "GRADIO_TEMP_DIR": str(tmp_path / "cache"),
        "GRADIO_SERVER_PORT": str(port),
    }
    command = ["make", "run", f"VENV={sys.prefix}"]
    with (tmp_path / "log.txt").open("wb") as log:
        made = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                break
            assert made.poll() is None, (tmp_path / "log.txt").read_text()
            assert time.monotonic() < until
            time.sleep(0.2)
        (snippet,) = [block for block in blocks("python") if "gradio_client" in block]
        (workplace / "page.py").write_text(snippet.replace(":7860", f":{port}"))
        done = run([sys.executable, "page.py"], workplace)
        assert done.returncode == 0, done.stderr
        assert "'state': 'done'" in done.stdout
        assert ".mp4" in done.stdout
    finally:
        os.killpg(made.pid, signal.SIGTERM)
        made.wait(timeout=30)


def test_every_setting_of_the_code_is_in_the_table_and_the_other_way_round():
    """The environment table is complete and names nothing that is not read."""
    named = set(re.findall(r"`(KLINGO1_\w+)`", README))
    assert named == set(settings._KNOWN)


def test_every_local_link_leads_to_a_file():
    """Pictures and documents that are linked are in the repository."""
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_space_installs_what_is_tested():
    """The front matter names this program and a Gradio that requirements.txt allows."""
    front = README.split("---")[1]
    assert "app_file: app.py" in front
    assert "sdk: gradio" in front
    version = re.search(r"sdk_version: (\d+)\.(\d+)", front)
    assert (int(version[1]), int(version[2])) >= (6, 31)
    assert "gradio>=6.31,<7" in (ROOT / "requirements.txt").read_text()


@pytest.mark.parametrize("target", ["run", "test"])
def test_the_two_make_commands_exist(target):
    """`make run` and `make test` are what the README says they are; CI runs the second."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert f"make {target}" in README
    assert "make test" in (ROOT / ".ci" / "run").read_text()
