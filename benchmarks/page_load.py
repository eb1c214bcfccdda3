"""From open to usable: klingo1's page beside a bare Gradio hello world, in the same browser, in turns.

    python benchmarks/page_load.py [--quick] [--json FILE] [--rounds 7]

Prints medians and ratios: seconds from navigation until the page can be used (the button carries a price and
the server has answered the arrival; beside it: Gradio's text box and button are there), bytes moved over the
network by a first visit, requests; and how long the price on the button takes to follow the duration slider,
beside Gradio's own slider with a Python handler that does the same. Every round is a new browser profile, so
nothing is cached. Both servers run here, on loopback.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from results import ROOT, Results, Row, arguments

sys.path.insert(0, str(ROOT / "tests"))

from browser.visitor import ARGS, DESKTOP, chromium, free_port
from playwright.sync_api import Browser, Page, sync_playwright

HELLO = """
import gradio as gr
with gr.Blocks() as demo:
    name = gr.Textbox(label="name")
    seconds = gr.Slider(3, 10, 5, step=1, label="seconds", elem_id="seconds")
    price = gr.Textbox("$0.56", label="price", elem_id="price")
    gr.Button("Greet").click(lambda n: f"Hello {n}", name, name)
    seconds.input(lambda s: f"${s * 0.112:.3f}", seconds, price, queue=False, show_progress="hidden")
demo.launch(server_port=PORT, ssr_mode=False, prevent_thread_lock=False)
"""
"""The hello world, with the least that shows a price in Gradio's own way."""
USABLE = {
    "klingo1": """window.klingo && klingo.get('owner') && document.querySelector('#k-pictures .add')
      && document.querySelector('#k-generate .price')?.textContent""",
    "hello": "[...document.querySelectorAll('button')].some((b) => b.textContent.includes('Greet'))",
}
FOLLOW = """([slider, target]) => new Promise((done, fail) => {
  const input = document.querySelector(slider);
  const shown = document.querySelector(target);
  const text = () => shown.value ?? shown.textContent;
  const before = text();
  const began = performance.now();
  const look = () => {
    const passed = performance.now() - began;
    if (text() !== before) done(passed);
    else if (passed > 10000) fail(new Error(`the price stays ${before}`));
    else setTimeout(look, 0);
  };
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  set.call(input, String(Number(input.value) === 10 ? 4 : Number(input.value) + 1));
  input.dispatchEvent(new Event('input', { bubbles: true }));
  look();
})"""
PARTS = {
    "klingo1": ["#k-duration input", "#k-generate .price"],
    "hello": ["#seconds input[type=range]", "#price textarea, #price input"],
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One first visit: seconds until usable, bytes and requests until then and for a second more."""

    seconds: float
    moved: int
    requests: int
    price_ms: float


@contextlib.contextmanager
def served(command: list[str], folder: Path, port: int) -> Iterator[str]:
    """A server in a process of its own, answering."""
    url = f"http://127.0.0.1:{port}/"
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))} | {
        "KLINGO1_HOME": str(folder / "home"),
        "GRADIO_TEMP_DIR": str(folder / "cache"),
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=quiet, stderr=quiet) as process:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
                    break
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def visit(browser: Browser, name: str, url: str) -> Visit:
    """Open the page in a fresh profile, wait until it can be used, then move its slider."""
    context = browser.new_context(viewport=DESKTOP, locale="en-US", reduced_motion="reduce")
    page = context.new_page()
    moved = {"bytes": 0, "requests": 0}
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")

    def finished(event: dict[str, float]) -> None:
        moved["bytes"] += int(event["encodedDataLength"])
        moved["requests"] += 1

    wire.on("Network.loadingFinished", finished)
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function(USABLE[name], polling=10, timeout=60_000)
    seconds = time.perf_counter() - began
    page.wait_for_timeout(1000)
    told = Visit(seconds, moved["bytes"], moved["requests"], price_latency(page, name))
    context.close()
    return told


def price_latency(page: Page, name: str) -> float:
    """Milliseconds from the slider's event until another price is shown: the median of nine."""
    if name == "klingo1":
        page.get_by_role("radio", name="Kling O1").click()  # a draft is free however long it is
    return statistics.median(page.evaluate(FOLLOW, PARTS[name]) for _ in range(9))


def main() -> None:
    """Take turns, print medians and ratios."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    rounds = 1 if chosen.quick else max(5, chosen.rounds)
    found: dict[str, list[Visit]] = {"klingo1": [], "hello": []}
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        ports = {name: free_port() for name in found}
        hello = Path(scratch) / "hello.py"
        hello.write_text(HELLO.replace("PORT", str(ports["hello"])), encoding="utf-8")
        commands = {"klingo1": [sys.executable, "app.py"], "hello": [sys.executable, str(hello)]}
        urls = {n: stack.enter_context(served(commands[n], Path(scratch) / n, ports[n])) for n in found}
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=chromium(), args=ARGS
        )
        for name, url in urls.items():
            visit(browser, name, url)  # warms the servers; not counted
        for _ in range(rounds):
            for name, url in urls.items():
                found[name].append(visit(browser, name, url))
        browser.close()
    results = Results("The page, opened in a fresh browser profile", "hello world")
    for title, unit, field, scale, most in (
        ("open to usable", "s", "seconds", 1, 1.5),
        ("bytes moved", "kB", "moved", 1000, None),
        ("requests", "", "requests", 1, None),
        ("price follows the slider", "ms", "price_ms", 1, None),
    ):
        ours, theirs = (
            statistics.median(getattr(v, field) for v in found[n]) / scale for n in ("klingo1", "hello")
        )
        results.add(Row(title, unit, ours, theirs, most=most))
    results.finish(chosen.json)


if __name__ == "__main__":
    main()
