"""Two hundred open pages that ask for the state of their job while two drafts are rendered.

    python benchmarks/open_pages.py [--quick] [--json FILE]

Every page asks once a second, as klingo1's status card does for a paid run, over a connection of its own.
klingo1: its page, two hundred paid jobs in work in the same process. Rival: the usual Gradio page, a timer
that calls a plain function through the queue with Gradio's default limits. Beside both, two drafts are
rendered without a pause. A call lasts from its request to the arrival of the state, seen by the page.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from results import ROOT, Results, Row, arguments, median, percentile
from service import Service

KEY = "wsk_benchmark_0001"
DRAFTS = 2
KEPT = 2.0
"""Seconds after which an idle connection is not trusted any more; the servers close it after five."""


def draft_request(number):
    from klingo1 import VideoRequest

    image = ROOT / "assets" / "character_front.jpg"
    return VideoRequest(f"walking through a forest at dawn, take {number}", (image,), duration=5)


def keep_rendering(studio):
    """Always two drafts in work."""
    number = 0
    while True:
        active = [job for job in studio.jobs(limit=10) if job.engine.value == "draft" and job.goes_on]
        for _ in range(DRAFTS - len(active)):
            number += 1
            studio.submit(draft_request(number))
        time.sleep(0.2)


def studio_at(home, service):
    from klingo1 import Settings
    from klingo1.batches import BatchStudio

    # So many visitors has a hosted page.
    niceness = Settings.read({"KLINGO1_HOSTED": "1"}).draft_niceness
    return BatchStudio(
        Settings(
            home=Path(home), api_key=KEY, base_url=service, draft_workers=DRAFTS, draft_niceness=niceness
        )
    )


def told(**facts):
    print(json.dumps(facts), flush=True)
    sys.stdin.read()
    os._exit(0)  # whatever is being rendered is of no use any more


def serve_klingo1(pages, home, service):
    import gradio as gr

    from app import SWITCH_SECONDS
    from klingo1 import VideoRequest
    from klingo1.ui.components.status_card import StatusCard
    from klingo1.ui.page import create_page, launch_options

    sys.setswitchinterval(SWITCH_SECONDS)  # as app.py does
    with studio_at(home, service) as studio:
        asked = [
            VideoRequest(f"walk {n} that takes 600 s", ("https://example.com/1.jpg",)) for n in range(pages)
        ]
        jobs = [studio.submit(request, engine="kling").id for request in asked]
        page = create_page(studio, hosted=False)
        options = launch_options(studio) | {"server_name": "127.0.0.1", "server_port": None, "quiet": True}
        _, url, _ = page.launch(prevent_thread_lock=True, **options)
        threading.Thread(target=keep_rendering, args=(studio,), daemon=True).start()
        card = next(number for number, block in page.blocks.items() if isinstance(block, StatusCard))
        assert isinstance(page, gr.Blocks)
        told(url=url, card=card, jobs=jobs)


def serve_rival(pages, _home, _service):
    import gradio as gr

    states = dict.fromkeys((f"job{n}" for n in range(pages)), "processing")

    def tell(job):
        return states.get(job, "unknown")

    with gr.Blocks() as demo:
        job, state = gr.Textbox(), gr.Textbox()
        gr.Timer(1.0).tick(tell, job, state)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    told(url=url, card=0, jobs=list(states))


def serve_drafts(_pages, home, service):
    with studio_at(home, service) as studio:
        threading.Thread(target=keep_rendering, args=(studio,), daemon=True).start()
        told()


class Started:
    """One of the programs above in a process of its own."""

    def __init__(self, who, pages, home, service):
        command = [sys.executable, __file__, "--serve", who, str(pages), home, service]
        given = os.environ | {"GRADIO_TEMP_DIR": f"{home}/cache", "GRADIO_ANALYTICS_ENABLED": "False"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=given
        )
        while not (line := self.process.stdout.readline()).startswith(b"{"):
            if not line:
                raise RuntimeError(f"{who} did not start")
        self.facts = json.loads(line)

    def __enter__(self):
        return self.facts

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


async def asked(reader, writer, path, value):
    """POST JSON on a kept connection; the whole answer."""
    body = json.dumps(value).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return answer.split(b" ", 2)[1], await reader.readexactly(length)


async def connected(facts):
    host, port = facts["url"].removeprefix("http://").rstrip("/").split(":")
    return await asyncio.open_connection(host, int(port))


async def ask_klingo1(line, facts, number):
    value = {"data": {"owner": "desk", "job": facts["jobs"][number]}, "fn_name": "status"}
    value |= {"component_id": facts["card"], "session_hash": f"page{number}"}
    status, body = await asked(*line, "/gradio_api/component_server", value)
    assert status == b"200", status
    assert json.loads(body)["id"] == facts["jobs"][number]


async def ask_rival(line, facts, number):
    """Join the queue, then read the page's stream of events until the state has come."""
    session = f"page{number}"
    value = {"data": [facts["jobs"][number]], "fn_index": 0, "session_hash": session, "trigger_id": 2}
    status, _ = await asked(*line, "/gradio_api/queue/join", value)
    assert status == b"200", status
    path = f"/gradio_api/queue/data?session_hash={session}"
    reader, writer = await connected(facts)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    seen = b""
    while b"process_completed" not in seen:
        more = await reader.read(65536)
        assert more, "the stream ended"
        seen = (seen + more)[-65536:]
    writer.close()


async def one_page(ask, facts, number, until, calls):
    """Asks once a second, never twice at once; a connection that the server closed in between is renewed."""
    line, used = await connected(facts), time.monotonic()
    planned = used + (number * 0.618) % 1.0
    while planned < until:
        await asyncio.sleep(max(0.0, planned - time.monotonic()))
        if time.monotonic() - used > KEPT:
            line[1].close()
            line = await connected(facts)
        began = time.monotonic()
        await ask(line, facts, number)
        used = began  # the rival's line is idle while its stream is read
        ended = time.monotonic()
        calls.append((began, ended - began))
        planned = max(planned + 1.0, ended)
    line[1].close()


async def visited(ask, facts, pages, seconds):
    """Latencies of all calls in the last `seconds`, in seconds; the first three are a warm-up."""
    calls, began = [], time.monotonic()
    until = began + 3.0 + seconds
    tasks = [asyncio.create_task(one_page(ask, facts, n, until, calls)) for n in range(pages)]
    done, late = await asyncio.wait(tasks, timeout=3.0 + seconds + 60.0)
    for task in late:
        task.cancel()
    failed = [error for task in done if (error := task.exception())]
    if failed:
        raise failed[0]
    return [took for at, took in calls if at >= began + 3.0]


def main():
    if "--serve" in sys.argv:
        who, pages, home, service = sys.argv[2:6]
        serve = {"klingo1": serve_klingo1, "rival": serve_rival, "drafts": serve_drafts}[who]
        return serve(int(pages), home, service)
    parser = arguments(__doc__)
    parser.add_argument("--pages", type=int)
    chosen = parser.parse_args()
    pages, seconds = chosen.pages or (20 if chosen.quick else 200), 3.0 if chosen.quick else 30.0
    with Service() as service:
        with tempfile.TemporaryDirectory() as home, Started("klingo1", pages, home, service.url) as facts:
            ours = asyncio.run(visited(ask_klingo1, facts, pages, seconds))
        with (
            tempfile.TemporaryDirectory() as home,
            tempfile.TemporaryDirectory() as other,
            Started("drafts", 0, home, service.url),
            Started("rival", pages, other, service.url) as facts,
        ):
            theirs = asyncio.run(visited(ask_rival, facts, pages, seconds))
    found = Results(f"{pages} open pages, {DRAFTS} drafts being rendered", "Gradio timer")
    ms = [[1000 * took for took in calls] for calls in (ours, theirs)]
    found.add(
        Row("a status call, 95th percentile", "ms", *(percentile(c, 0.95) for c in ms), at_most=25),
        Row("a status call, median", "ms", *map(median, ms)),
        Row("status calls answered per second", "", len(ours) / seconds, len(theirs) / seconds),
    )
    found.notes.append(
        "The drafts, the page, the visitors and the service share the same cores; where there are two, the "
        "drafts alone would take both, at a lower priority than the page."
    )
    found.finish(chosen.json)
    return None


if __name__ == "__main__":
    sys.exit(main())
