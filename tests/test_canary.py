"""F53: a key goes into the paid service's Authorization header, and nowhere else, whatever goes wrong."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from conftest import draw_picture
from faults.server import FaultServer, Reply, Reset

from klingo1.request import DRAFT_SIZES
from klingo1.visitors import new_token

ENVIRONMENT, VISITOR = "wsk_canary_of_the_environment_01", "wsk_canary_of_a_visitor_02"
KEYS = (ENVIRONMENT.encode(), VISITOR.encode())
SAID = f"keys {ENVIRONMENT} and {VISITOR} were seen"
TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One whole run of the page; what every later test looks into."""
    folder = tmp_path_factory.mktemp("canary")
    picture = draw_picture(folder / "one.jpg")
    faults = {
        "submit": [
            Reply(500, SAID, billed=True),
            Reset(after="body"),
            Reply(422, {"code": 422, "message": SAID}),
        ],
        "result": [Reply(502, SAID), Reply(200, f"<html>{SAID}</html>"), None, Reply(500, {"message": SAID})],
        "ticket": [Reply(500, SAID)],
        "put": [Reply(500, SAID)],
        "download": [Reply(403, SAID), Reset(after="headers")],
        "list": [Reply(503, SAID)],
    }
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
    environ |= {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}", "WAVESPEED_API_KEY": ENVIRONMENT}
    with FaultServer(faults=faults) as server, (folder / "log.txt").open("wb") as log:
        command = [sys.executable, str(TESTS / "canary_page.py"), str(folder), server.url, str(picture)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environ
        ) as page:
            line = page.stdout.readline()
            assert line, (folder / "log.txt").read_text()[-3000:]
            answers = visit(json.loads(line), picture)
            page.stdin.close()
            page.wait(30)
    return {"folder": folder, "answers": answers, "requests": list(server.requests)}


def visit(told, picture):
    """What a visitor with a key does; returns every answer of the page, by what was asked."""
    answers = {}
    with httpx.Client(base_url=told["url"], timeout=30, trust_env=False) as client:

        def keep(name, answer):
            answers[name] = answer.content + repr(answer.headers).encode()
            return answer

        for path in (
            "/",
            "/config",
            "/gradio_api/info",
            "/gradio_api/openapi.json",
            "/healthz",
            "/openapi.json",
        ):
            keep(path, client.get(path))
        config = client.get("/config").json()
        me = new_token()

        def ask(name, owner=me, **data):
            part = next(c for c in config["components"] if name in (c["props"].get("server_fns") or ()))
            body = {"data": data | {"owner": owner}, "fn_name": name, "component_id": part["id"]}
            url = "/gradio_api/component_server"
            return keep(f"{name} {len(answers)}", client.post(url, json=body | {"session_hash": "s"})).json()

        ask("give_key", key=f"{VISITOR}\nX: y")
        ask("give_key", key=f"{VISITOR} {VISITOR}")
        assert ask("give_key", key=f"  {VISITOR} ")["ok"]
        jobs = [(told["owner"], told["job"])]
        for number in range(2):
            with picture.open("rb") as file:
                (path,) = client.post("/gradio_api/upload", files={"files": ("a.jpg", file)}).json()
            shown = {"file": {"path": path, "meta": {"_type": "gradio.FileData"}}, "role": ""}
            fields = [[shown], {}, f"walk {number}", 3, "16:9", "kling", DRAFT_SIZES[0], {}, {"owner": me}]
            click = next(d["id"] for d in config["dependencies"] if d["api_name"] == "submit")
            body = {"data": fields, "fn_index": click, "session_hash": "s"}
            made = keep(f"submit {number}", client.post("/gradio_api/run/submit", json=body)).json()
            jobs.append((me, made["data"][0]["job"]))
            for owner, job in jobs:
                until = time.monotonic() + 40
                while not (view := ask("status", owner, job=job))["ended"] and time.monotonic() < until:
                    time.sleep(0.2)
                assert view["ended"], view
                ask("inputs", owner, job=job)
        ask("history")
        ask("history", told["owner"])
        ask("forget_key")
    return answers


def test_no_answer_of_the_page_holds_a_key(run):
    """Pages, settings, API descriptions, states, errors, history."""
    assert len(run["answers"]) > 15
    assert [name for name, answer in run["answers"].items() if any(key in answer for key in KEYS)] == []


def test_no_log_at_debug_holds_a_key(run):
    """Every library logged everything, tracebacks too, while services answered with the keys themselves."""
    log = (run["folder"] / "log.txt").read_bytes()
    assert log.count(b"DEBUG") > 100
    assert b"httpcore" in log
    assert [key for key in KEYS if key in log] == []


def test_no_file_holds_a_key(run):
    """Ledger and journal, references, films and their metadata, partial files, Gradio's cache."""
    files = [path for path in run["folder"].rglob("*") if path.is_file()]
    assert any(path.suffix == ".mp4" for path in files)
    assert any("sqlite3" in path.name for path in files)
    assert [path for path in files if any(key in path.read_bytes() for key in KEYS)] == []


def test_keys_leave_in_the_services_own_header_only(run):
    """Each key with its owner's calls; none in an address, a body, another header, an upload, a download."""
    seen = set()
    assert {"submit", "result", "ticket", "put", "download", "list"} <= {
        request.route for request in run["requests"]
    }
    for request in run["requests"]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        authorization = headers.pop("authorization", "")
        rest = f"{request.path} {headers}".encode() + request.body
        assert not any(key in rest for key in KEYS), request.route
        if request.route in {"put", "download", "media"}:
            assert not authorization
        elif authorization:
            seen.add(authorization)
    assert seen == {f"Bearer {ENVIRONMENT}", f"Bearer {VISITOR}"}
