"""The tools of `app.py --mcp`, driven by the official client over streamable HTTP, a real draft included."""

import asyncio
import base64
import json
import os
from pathlib import Path

import httpx
import pytest
from browser.visitor import Served
from conftest import draw_picture
from faults.server import FaultServer
from gradio_client import Client, handle_file

mcp = pytest.importorskip("mcp", reason="pip install 'klingo1[mcp]'")
from mcp.client.streamable_http import streamable_http_client  # noqa: E402 - after the check

KEY = "wsk_canary_0123456789"
OWNER = "v-" + "a" * 30


def talk(url, script, headers=None):
    """Run `script(session)` in a session with the server at `url`."""

    async def go():
        async with (
            httpx.AsyncClient(headers=headers, timeout=60, follow_redirects=True) as http,
            streamable_http_client(f"{url}gradio_api/mcp/", http_client=http) as (reading, writing, _),
            mcp.ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            return await script(session)

    return asyncio.run(asyncio.wait_for(go(), 120))


def called(url, name, headers=None, **arguments):
    """The answer of one tool call, or the words of its error."""

    async def script(session):
        return await session.call_tool(name, arguments)

    return read(talk(url, script, headers))


def read(result):
    text = result.content[0].text
    return text if result.isError else json.loads(text)


@pytest.fixture(scope="module")
def lent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lent") / "pictures"
    folder.mkdir()
    draw_picture(folder / "one.jpg")
    (folder / "set").mkdir()
    draw_picture(folder / "set" / "two.png")
    outside = draw_picture(folder.parent / "outside.jpg")
    (folder / "link.jpg").symlink_to(outside)
    (folder / "ring.jpg").symlink_to(folder / "ring.jpg")
    (folder / "up").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe.jpg")
    return folder


@pytest.fixture(scope="module")
def service():
    with FaultServer(script=["completed"]) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory, lent, service):
    environ = {
        "KLINGO1_MCP_FOLDER": str(lent), "WAVESPEED_API_KEY": KEY, "WAVESPEED_BASE_URL": service.url,
        "KLINGO1_BUDGET_DAY": "0.70", "PYTHONWARNINGS": "error::DeprecationWarning:klingo1",
    }  # fmt: skip
    one = Served(tmp_path_factory.mktemp("mcp"), options=("--mcp",), **environ).start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A hosted page with tools but without a folder."""
    one = Served(tmp_path_factory.mktemp("closed"), options=("--mcp",), KLINGO1_HOSTED="1").start()
    yield one
    one.stop()


def walk(**changes):
    return {"prompt": "A fox walks by the sea", "images": ["one.jpg"], "duration": 3} | changes


def test_exactly_four_tools_are_offered(served):
    """Each with a description, each argument with one, numbers and choices with their types."""

    async def script(session):
        return await session.list_tools()

    tools = {tool.name: tool for tool in talk(served.url, script).tools}
    assert sorted(tools) == ["generate", "history", "price", "status"]
    for tool in tools.values():
        assert len(tool.description) > 40
        assert all(argument.get("description") for argument in tool.inputSchema["properties"].values())
    schema = tools["generate"].inputSchema
    assert sorted(schema["required"]) == ["images", "prompt"]
    assert schema["properties"]["images"]["items"] == {"type": "string"}
    assert schema["properties"]["duration"]["enum"] == list(range(3, 11))
    assert schema["properties"]["engine"]["enum"] == ["draft", "kling"]


def test_a_draft_is_made_from_price_to_video(served):
    """Price, generate, wait, history: the video can be fetched from the address that is told."""

    async def script(session):
        asked = walk(images=["set/two.png"], aspect_ratio="1:1")
        offer = read(await session.call_tool("price", asked))
        run = read(await session.call_tool("generate", asked | {"quote": offer["quote"]}))
        while not run["ended"]:
            run = read(await session.call_tool("status", {"run": run["id"], "wait": 20}))
        return offer, run, read(await session.call_tool("history", {"limit": 5}))

    offer, run, history = talk(served.url, script)
    assert offer["price_usd"] == "0.00"
    assert (run["state"], run["engine"]) == ("done", "draft")
    assert httpx.get(run["video"]).content[4:8] == b"ftyp"
    assert [(one["id"], one["prompt"]) for one in history["runs"]] == [(run["id"], "A fox walks by the sea")]


def test_a_paid_run_needs_its_quote_and_is_paid_once(served, service):
    """Without a quote nothing is sent; with one, three calls are one run; another request cannot have it."""
    asked = walk(engine="kling")
    assert "quote" in called(served.url, "generate", **asked)
    assert service.billed == 0
    offer = called(served.url, "price", **asked)
    assert offer["price_usd"] == "0.336"
    runs = [called(served.url, "generate", **asked, quote=offer["quote"]) for _ in range(3)]
    assert len({run["id"] for run in runs}) == 1
    refused = called(served.url, "generate", **walk(engine="kling", duration=4), quote=offer["quote"])
    assert "inputs changed" in refused
    done = called(served.url, "status", run=runs[0]["id"], wait=50)
    assert (done["state"], done["money"]) == ("done", "$0.336 spent")
    assert service.billed == 1


def test_the_budget_holds_for_programs(served, service):
    """A run over the day's cap is refused with its figures, and not sent."""
    before = service.billed
    asked = walk(engine="kling", duration=10)
    quote = called(served.url, "price", **asked)["quote"]
    assert "budget" in called(served.url, "generate", **asked, quote=quote)
    assert service.billed == before


def test_generate_stays_callable_by_name(served, service, lent, tmp_path):
    """The streaming endpoint, which is no tool, ends with its video for programs that name it."""
    before = service.billed
    client = Client(served.url, verbose=False, download_files=str(tmp_path))
    given = [handle_file(str(lent / "one.jpg"))], "A fox walks", None, True, "16:9", 3, "kling"
    state, video = client.predict(*given, api_name="/generate")
    assert state["state"] == "done"
    assert Path(video).read_bytes()[4:8] == b"ftyp"
    assert service.billed == before + 1


@pytest.mark.parametrize(
    "name",
    ["../outside.jpg", "link.jpg", "up/outside.jpg", "set/../../outside.jpg", "/etc/passwd", "ring.jpg",
     "pipe.jpg", "..\\outside.jpg", "C:\\x.jpg", "\\\\host\\x.jpg", "file:///etc/passwd", "~/x.jpg",
     "set", ".", "missing.jpg", "one.jpg\0.png"],
)  # fmt: skip
def test_nothing_outside_the_folder_can_be_named(served, lent, name):
    """Links, dots, absolute and foreign names, pipes and folders all end alike."""
    for given in (name, str(lent / "one.jpg")):
        answer = called(served.url, "price", **walk(images=[given]))
        assert answer.startswith("images[0]: It is no file of the lent folder.")


def test_files_are_not_lent_unless_a_folder_is_named(closed, lent):
    """By default a name is refused and a data: address works; a hosted page asks whose a call is."""
    headers = {"x-klingo1-owner": OWNER}
    assert "not lent" in called(closed.url, "price", headers, **walk(images=[str(lent / "one.jpg")]))
    data = base64.b64encode((lent / "one.jpg").read_bytes()).decode()
    picture = f"data:image/jpeg;base64,{data}"
    assert called(closed.url, "price", headers, **walk(images=[picture]))["price_usd"] == "0.00"
    for wrong in ("data:text/html;base64,PGI+", "data:image/png;base64,@@", "data:image/png,x"):
        assert called(closed.url, "price", headers, **walk(images=[wrong])).startswith("images[0]:")
    assert called(closed.url, "history").startswith("x-klingo1-owner:")
    run = called(closed.url, "generate", headers, **walk(images=[picture]))
    other = {"x-klingo1-owner": "v-" + "b" * 30}
    assert "no longer known" in called(closed.url, "status", other, run=run["id"])
    assert called(closed.url, "history", other)["runs"] == []


def test_wrong_arguments_are_named(served):
    """Types and choices are held before anything runs, limits by the request's own checks."""
    assert "99 is not one of [3, 4" in called(served.url, "price", **walk(duration=99))
    assert "images" in called(served.url, "price", **walk(images=["one.jpg"] * 8))
    assert "prompt" in called(served.url, "price", **walk(prompt=" "))
    assert KEY not in served.log


def test_other_ways_in_stay_shut(served):
    """A foreign page's post, another host's name, the old transport and the schema route are refused."""
    url = f"{served.url}gradio_api/mcp/"
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"accept": "application/json, text/event-stream"}
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert httpx.post(url, json=hello, headers=accept | foreign).status_code == 403
    assert httpx.post(url, json=hello, headers=accept | {"host": "evil.example"}).status_code == 403
    assert httpx.post(url, content=b"{}", headers=accept | {"content-type": "text/plain"}).status_code == 415
    assert httpx.get(url).status_code == 405
    assert httpx.get(f"{url}sse").status_code == 404
    assert httpx.get(f"{url}schema").status_code == 404
    assert httpx.post(f"{url}messages/", json=hello).status_code == 404
