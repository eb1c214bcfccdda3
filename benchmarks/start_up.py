"""How soon the page is there, beside Gradio's hello world; and what a command or an import costs.

    python benchmarks/start_up.py [--quick] [--json FILE]

The first HTTP 200 and the usable page count from the start of the process. Usable in Chromium: hello world
when its button is there, klingo1 when its scripts have run, the price stands on the button and the server has
answered the arrival. One browser is open all the time; each round is a new visitor without a cache.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from results import ROOT, Results, Row, arguments, median

HELLO = """
import gradio as gr

def greet(name):
    return "Hello " + name + "!"

gr.Interface(fn=greet, inputs="text", outputs="text").launch()
"""
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
USABLE = {
    "hello": "[...document.querySelectorAll('button')].some((b) => b.textContent.trim() === 'Submit')",
    "klingo1": "window.klingo && document.querySelector('#k-generate .price')?.textContent"
    " && Boolean(window.klingo.get('owner'))",
}
HEAVY = ("gradio", "av", "cv2", "sqlalchemy")


def environment(folder, port):
    """Without settings, and with compiled modules kept on disk as usual: an installed gradio has its own."""
    ours = ("KLINGO1_", "WAVESPEED_", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return kept | {
        "KLINGO1_HOME": str(folder / "home"),
        "GRADIO_TEMP_DIR": str(folder / "cache"),
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "PYTHONPATH": str(ROOT),
    }


@contextlib.contextmanager
def served(command, folder):
    """Start a page; gives its address and when the process began. Ends it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment(folder, port),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}/", began, process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def first_answer(url, began, process):
    """Seconds from the start of the process to the first HTTP 200."""
    while process.poll() is None and time.perf_counter() - began < 120:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=10) as answer:
            if answer.status == 200:
                return time.perf_counter() - began
        time.sleep(0.01)
    raise RuntimeError("the page did not start")


def one_start(who, folder, browser=None):
    """(first 200, usable in Chromium or None), in seconds."""
    command = ["app.py"] if who == "klingo1" else ["-c", HELLO]
    with served(command, folder) as (url, began, process):
        answered = first_answer(url, began, process)
        if browser is None:
            return answered, None
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        try:
            page = context.new_page()
            page.goto(url, wait_until="commit")
            page.wait_for_function(USABLE[who], timeout=60_000)
            return answered, time.perf_counter() - began
        finally:
            context.close()


def resting(who, folder, seconds):
    """CPU seconds a minute of a page that nobody looks at, on Linux; None elsewhere."""
    command = ["app.py"] if who == "klingo1" else ["-c", HELLO]
    with served(command, folder) as (url, began, process):
        first_answer(url, began, process)
        stat = Path(f"/proc/{process.pid}/stat")
        if not stat.exists():
            return None

        def spent():
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        time.sleep(seconds / 2)  # what the start still does is over
        before = spent()
        time.sleep(seconds)
        return (spent() - before) * 60 / seconds


def timed(*command):
    began = time.perf_counter()
    environ = environment(ROOT, 0)
    subprocess.run([sys.executable, *command], cwd=ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def loaded_by_import():
    code = f"import sys, klingo1; print(sum(m in sys.modules for m in {HEAVY!r}))"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return int(told.stdout)


@contextlib.contextmanager
def opened_browser():
    """The system's Chromium, or None where there is none."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


def main():
    chosen = arguments(__doc__).parse_args()
    rounds = 1 if chosen.quick else 7
    pages = {"hello": [], "klingo1": []}
    commands = {"gradio": [], "help": [], "klingo1": [], "bare": []}
    with tempfile.TemporaryDirectory() as name, opened_browser() as browser:
        for number in range(rounds + 1):  # the first round fills the disk's caches and is not counted
            for who, times in pages.items():
                started = one_start(who, Path(name), browser)
                if number:
                    times.append(started)
        rest = {who: resting(who, Path(name), 2 if chosen.quick else 20) for who in pages}
        for _ in range(rounds):
            commands["gradio"].append(timed("-c", "import gradio"))
            commands["help"].append(timed("-m", "klingo1", "--help"))
            commands["klingo1"].append(timed("-c", "import klingo1"))
            commands["bare"].append(timed("-c", "pass"))
    answered = {who: median(first for first, _ in times) for who, times in pages.items()}
    took = {name: median(times) for name, times in commands.items()}
    found = Results("Start", "gradio")
    found.add(
        Row("first HTTP 200; rival: hello world", "s", answered["klingo1"], answered["hello"], most=1.15)
    )
    if browser is not None:
        usable = {who: median(whole for _, whole in times) for who, times in pages.items()}
        found.add(
            Row("usable in Chromium; rival: hello world", "s", usable["klingo1"], usable["hello"], most=1.5)
        )
    found.add(
        Row("python -m klingo1 --help; rival: import gradio", "s", took["help"], took["gradio"], most=0.35),
        Row("import klingo1; rival: import gradio", "s", took["klingo1"], took["gradio"]),
        Row("Python itself", "s", took["bare"]),
        Row("loaded by import klingo1: gradio, av, cv2, sqlalchemy", "", loaded_by_import(), at_most=0),
    )
    if rest["klingo1"] is not None:
        found.add(
            Row("CPU a minute with nobody there; rival: hello world", "s", rest["klingo1"], rest["hello"])
        )
    found.finish(chosen.json)


if __name__ == "__main__":
    sys.exit(main())
