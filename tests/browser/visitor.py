"""What the browser tests do: serve the page, visit it, fill in the form, wait for the card."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from small_drafts import HOLD

ROOT = Path(__file__).parents[2]
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KEY = "wsk_canary_4f9d2b7a61"
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def chromium() -> str:
    """The system's browser; tests are skipped where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on this machine")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """`app.py` on a port of its own over a home folder of its own; can be killed and started again.

    With `small`, its drafts have fewer pixels.
    """

    def __init__(
        self, folder: Path, *, options: tuple[str, ...] = (), small: bool = False, **environ: str
    ) -> None:
        self.folder = folder
        self._program = "tests/browser/small_page.py" if small else "app.py"
        self._options = options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._environ = environ
        self._process = None

    def start(self):
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, self._program, *self._options],
                cwd=ROOT,
                env=inherited
                | {
                    "KLINGO1_HOME": str(self.folder / "home"),
                    "GRADIO_TEMP_DIR": str(self.folder / "cache"),
                    "GRADIO_SERVER_PORT": str(self.port),
                    "PYTHONPATH": str(ROOT / "tests"),
                }
                | self._environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError), urllib.request.urlopen(self.url, timeout=5) as answer:
                if answer.status == 200:
                    return self
            if self._process.poll() is not None:
                raise AssertionError(self.log)
            time.sleep(0.1)
        raise AssertionError(f"no answer within 60 s: {self.log}")

    @contextlib.contextmanager
    def holding(self):
        """Meanwhile every draft stays in work, however quick the machine is."""
        hold = self.folder / "home" / HOLD
        hold.touch()
        try:
            yield
        finally:
            hold.unlink()

    def kill(self):
        """As by a power cut: the whole process group, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self):
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        self.kill()

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")


def hydrated(page, *, owner=True):
    """Wait until the scripts have run and the server has answered the arrival."""
    page.locator("#k-generate .go").wait_for()
    page.wait_for_function("window.klingo && document.querySelector('#k-generate .price').textContent !== ''")
    if owner:
        page.wait_for_function("Boolean(window.klingo.get('owner'))")
    return page


@contextlib.contextmanager
def visit(browser, url, *, viewport=None, dark=False, **context_options):
    """A fresh visitor on the page; fails when the page threw or asked another machine for anything."""
    context = browser.new_context(
        viewport=viewport or DESKTOP,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        **{"locale": "en-US"} | context_options,
    )
    context.set_default_timeout(30_000)
    errors, outside = [], []
    context.on("weberror", lambda e: errors.append(str(e.error)))
    context.on(
        "request",
        lambda r: None if r.url.startswith((url, "data:", "blob:")) else outside.append(r.url),
    )
    page = context.new_page()
    page.goto(url)
    yield hydrated(page)
    context.close()
    assert not errors, errors
    assert not outside, outside


def add(page, photos, *numbers):
    """Choose pictures by number, all at once, and wait for their tiles."""
    before = page.locator("#k-pictures .tile:not(.waiting)").count()
    page.locator("#k-pictures input[type=file]").set_input_files(
        [photos / f"picture {n}.jpg" for n in numbers]
    )
    page.wait_for_function(
        "n => document.querySelectorAll('#k-pictures .tile:not(.waiting)').length === n",
        arg=before + len(numbers),
    )


HELD = """() => {
  const at = document.activeElement;
  return at && at !== document.body && at.checkVisibility() ? at.outerHTML.slice(0, 80) : '';
}"""
"""What has the focus and can be seen; "" for nothing."""
LATE = """() => {
  const ask = window.fetch;
  window.fetch = async (...asked) => {
    const late = String(asked[0].url || asked[0]).includes('component_server');
    if (late) await new Promise((then) => setTimeout(then, 400));
    return ask(...asked);
  };
}"""
"""From now on what the page's elements ask of the server reaches it 0.4 s later."""


@contextlib.contextmanager
def unanswered(page, asked="**/run/predict*", *, holding=""):
    """The list of what the page's elements asked of the server meanwhile, where the question's body holds
    these words; all of it reaches it at the end.
    """
    held = []
    page.route(
        asked,
        lambda question: (
            held.append(question) if holding in (question.request.post_data or "") else question.continue_()
        ),
    )
    yield held
    for question in held:
        question.continue_()
    page.unroute(asked)


def some(page, held, count):
    """Wait until so many questions are held."""
    until = time.monotonic() + 30
    while len(held) < count:
        assert time.monotonic() < until, f"{len(held)} of {count} questions"
        page.wait_for_timeout(20)


def names(page):
    """The pictures' file names in their order, as the form holds them."""
    return page.evaluate("window.klingo.get('pictures').map(p => p.file.orig_name)")


def generate(page, photos, *, prompt="The character walks through a city", numbers=(1,), seconds=3):
    """Fill in the form, click, and wait for the answer: a job of its own, or what is wrong."""
    before = page.evaluate("window.klingo.get('job') || ''")
    if not page.evaluate("window.klingo.get('pictures').length"):
        add(page, photos, *numbers)
    page.get_by_label("Prompt").fill(prompt)
    page.get_by_role("slider", name="Duration").fill(str(seconds))
    page.locator("#k-generate .go").click()
    page.wait_for_function(
        """before => {
          const { get } = window.klingo;
          return !get('sending') && ((get('job') || '') !== before || (get('problems') || []).length > 0);
        }""",
        arg=before,
        timeout=30_000,
    )


def mood(page, *wanted, seconds=90):
    """Wait until the card is in one of these moods: busy, good, bad, calm, ask."""
    page.wait_for_function(
        """wanted => {
          const card = document.querySelector('#k-card .card');
          const view = window.klingo && window.klingo.get('view');
          const shown = card !== null && !card.hidden && view && view.id === window.klingo.get('job');
          return Boolean(shown) && wanted.includes(card.dataset.mood);
        }""",
        arg=list(wanted),
        timeout=seconds * 1000,
    )
