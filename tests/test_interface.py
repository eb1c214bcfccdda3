"""The public endpoint, driven by gradio_client, and what must not be public."""

from pathlib import Path

import httpx
import pytest
from browser.visitor import Served
from conftest import draw_picture
from gradio_client import Client, handle_file

from klingo1.request import DRAFT_SIZES


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    one = Served(tmp_path_factory.mktemp("interface")).start()
    yield one
    one.stop()


def ask(served, tmp_path, **changes):
    client = Client(served.url, verbose=False, download_files=str(tmp_path / "got"))
    picture = draw_picture(tmp_path / "one.jpg")
    given = {
        "images": [handle_file(str(picture))],
        "prompt": "A fox walks by the sea",
        "duration": 3,
    } | changes
    return client.submit(**given, api_name="/generate")


def test_generate_streams_states_and_ends_with_the_video(served, tmp_path):
    """States follow each other to done; the last answer carries an MP4 and every field of the reply."""
    job = ask(served, tmp_path, aspect_ratio="1:1", keep_original_sound=False)
    state, video = job.result(timeout=120)
    states = [output[0]["state"] for output in job.outputs()]
    assert states[-1] == state["state"] == "done"
    assert states.index("running") > 0
    assert all(output[1] is None for output in job.outputs()[:-1])
    assert state["price_usd"] == "0.00"
    assert state["response"]["data"]["status"] == "completed"
    assert Path(video).read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "  "}, "prompt: It is empty"),
        ({"images": []}, "images: There is no picture"),
        ({"duration": 11}, "3 to 10"),
        ({"duration": 4.5}, "3 to 10"),
        ({"aspect_ratio": "4:3"}, "aspect_ratio"),
        ({"engine": "best"}, "engine"),
        ({"engine": "kling"}, "WaveSpeed key"),
        ({"keep_original_sound": "false"}, "keep_original_sound"),
    ],
)
def test_a_bad_field_is_named(served, tmp_path, changes, words):
    """The error names the field and its limit; no job is made."""
    with pytest.raises(Exception, match=words):
        ask(served, tmp_path, **changes).result(timeout=30)


def test_one_endpoint_is_documented(served):
    """Only /generate, with the names and defaults of the contract."""
    info = httpx.get(f"{served.url}gradio_api/info").json()
    assert list(info["named_endpoints"]) == ["/generate"]
    assert info["unnamed_endpoints"] == {}
    names = [p["parameter_name"] for p in info["named_endpoints"]["/generate"]["parameters"]]
    assert names == [
        "images", "prompt", "video", "keep_original_sound", "aspect_ratio", "duration", "engine",
    ]  # fmt: skip


def test_home_files_are_out_of_reach(served):
    """Neither the ledger nor a job's folder is served."""
    ledger = served.folder / "home" / "klingo1.sqlite3"
    assert ledger.is_file()
    for path in (ledger, "/etc/passwd", served.folder / "log.txt"):
        assert httpx.get(f"{served.url}gradio_api/file={path}").status_code in {403, 404}


def test_forged_files_and_addresses_are_refused(served):
    """A click whose pictures name foreign files, or addresses, makes no job."""
    config = httpx.get(f"{served.url}config").json()
    click = next(d for d in config["dependencies"] if any(t[1] == "generate" for t in d["targets"]))

    def send(path):
        forged = {"path": path, "meta": {"_type": "gradio.FileData"}}
        data = [[{"file": forged, "role": ""}], {}, "A fox", 3, "16:9", "draft", DRAFT_SIZES[0], {}, {}]
        body = {"data": data, "fn_index": click["id"], "session_hash": "x"}
        return httpx.post(f"{served.url}gradio_api/run/predict", json=body)

    for path in ("/etc/passwd", str(served.folder / "home" / "klingo1.sqlite3")):
        assert send(path).status_code >= 400
    for path in ("http://127.0.0.1/x.jpg", "https://example.org/x.jpg", "file:///etc/passwd"):
        assert send(path).status_code == 403


def test_the_page_travels_compressed(served):
    """For whoever can read that, in less than a third of the bytes; for everybody else as it is."""
    small, plain = (httpx.get(served.url, headers={"accept-encoding": way}) for way in ("gzip", "identity"))
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert small.num_bytes_downloaded * 3 < plain.num_bytes_downloaded
    assert "k-generate" in small.text
    assert "content-security-policy" in small.headers
