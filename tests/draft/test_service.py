"""The routes of the draft service: what the contract asks for, over the in-process transport."""

from __future__ import annotations

import asyncio
import re

import pytest
from serving import FILM, ORIGIN, Held, ended, film, picture, serving, submitted, uploaded

from klingo1.request import MODEL

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_a_submit_answers_as_the_contract_says(tmp_path):
    """The first answer has every field of the contract, and 32 hexadecimal digits as id."""
    async with serving(tmp_path) as client:
        answer = await client.post(f"/api/v3/{MODEL}", json={"prompt": "a fox"})
        body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (200, 200, "success")
    data = body["data"]
    assert re.fullmatch("[0-9a-f]{32}", data["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", data["created_at"])
    assert data["urls"]["get"] == f"{ORIGIN}/api/v3/predictions/{data['id']}/result"
    assert (data["status"], data["outputs"], data["error"]) == ("created", [], "")
    assert (data["timings"], data["model"]) == ({"inference": 0}, MODEL)
    assert "code" not in data


async def test_a_draft_is_made_from_uploads_and_served_with_ranges(tmp_path):
    """Upload, submit, result and download hang together; the output answers HEAD, Range and If-Range."""
    async with serving(tmp_path) as client:
        urls = [await uploaded(client, picture(form), "x") for form in ("PNG", "JPEG", "WEBP", "GIF")]
        data = await ended(client, (await submitted(client, images=urls))["id"])
        assert data["status"] == "completed", data
        assert data["draft"]["pictures"] == ["89504e47", "ffd8ffe0", "52494646", "47494638"]
        assert (data["has_nsfw_contents"], data["progress"]) == ([False], 1.0)
        (url,) = data["outputs"]
        assert url.startswith(ORIGIN + "/")
        bare = {"Authorization": ""}
        whole = await client.get(url, headers=bare)
        assert (whole.content, whole.headers["content-type"]) == (FILM, "video/mp4")
        assert whole.headers["x-content-type-options"] == "nosniff"
        head = await client.head(url, headers=bare)
        assert head.headers["content-length"] == str(len(FILM))
        later = {"Range": "bytes=100-", "If-Range": head.headers["etag"]}
        part = await client.get(url, headers=later)
        assert (part.status_code, part.content) == (206, FILM[100:])
        changed = await client.get(url, headers=later | {"If-Range": '"other"'})
        assert (changed.status_code, changed.content) == (200, FILM)
        room = tmp_path / "predictions" / data["id"]
        for _ in range(200):
            if [path.name for path in room.iterdir()] == ["video.mp4"]:
                break
            await asyncio.sleep(0.005)
        assert [path.name for path in room.iterdir()] == ["video.mp4"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt": ""}, 'field "prompt" must be'),
        ({"prompt": "x" * 2501}, 'field "prompt" must be'),
        ({"prompt": 5}, 'field "prompt" must be'),
        ({"images": ["https://a/b"] * 8}, 'field "images" must be an array of at most 7'),
        (
            {"images": ["https://a/b"] * 5, "video": "https://a/v"},
            'field "images" must be an array of at most 4',
        ),
        ({"images": "https://a/b"}, 'field "images" must be an array of URLs'),
        ({"images": [1]}, 'field "images" must be an array of URLs'),
        ({"video": ["x"]}, 'field "video" must be a URL'),
        ({"aspect_ratio": "4:3"}, 'field "aspect_ratio" must be one of 16:9, 1:1, 9:16'),
        ({"aspect_ratio": ["16:9"]}, 'field "aspect_ratio" must be one of'),
        ({"duration": 2}, 'field "duration" must be an integer from 3 to 10'),
        ({"duration": 11}, 'field "duration" must be'),
        ({"duration": "5"}, 'field "duration" must be'),
        ({"duration": True}, 'field "duration" must be'),
        ({"duration": 4.5}, 'field "duration" must be'),
        ({"keep_original_sound": "false"}, 'field "keep_original_sound" must be a boolean'),
    ],
)
async def test_bad_fields_are_refused_by_name(tmp_path, fields, message):
    """A field out of its range is a 400 that names it, and nothing is created."""
    async with serving(tmp_path) as client:
        answer = await client.post(f"/api/v3/{MODEL}", json={"prompt": "a fox"} | fields)
        listed = await client.post("/api/v3/predictions", json={"page": 1, "page_size": 10})
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert answer.json()["message"].startswith(message)
    assert listed.json()["data"]["items"] == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b'{"prompt": "\\ud800"}', b"[" * 100_000, b"\xff{}"]
)
async def test_unreadable_bodies_are_400(tmp_path, body):
    """Whatever is no JSON object with a prompt is a 400 envelope, never a crash."""
    async with serving(tmp_path) as client:
        answer = await client.post(f"/api/v3/{MODEL}", content=body)
    assert (answer.status_code, answer.json()["data"]) == (400, None)


async def test_wrong_ways_are_answered_with_the_right_envelopes(tmp_path):
    """401 without a key, 404 for unknown models, predictions, files and paths, 413 for a huge body."""
    async with serving(tmp_path) as client:

        async def status(method, path, **options):
            answer = await client.request(method, path, **options)
            assert set(answer.json()) == {"code", "message", "data"}
            assert answer.json()["code"] == answer.status_code
            return answer.status_code, answer.json()["message"]

        for key in ("", "Bearer", "Bearer  ", "Basic abc"):
            assert (await status("GET", "/api/v3/balance", headers={"Authorization": key}))[0] == 401
        assert await status("POST", "/api/v3/acme/other-model", json={}) == (404, "model not found")
        for wrong in ("0" * 32, "..%2f..%2fbalance", "x"):
            found = await status("GET", f"/api/v3/predictions/{wrong}/result")
            assert found[0] == 404
        assert (await status("GET", "/api/v3/predictions/" + "0" * 32)) == (404, "Prediction not found")
        assert (await status("GET", "/outputs/" + "0" * 32 + ".mp4"))[0] == 404
        assert (await status("GET", "/media/..%2f..%2fdrafts.sqlite3"))[0] == 404
        assert (await status("GET", "/nowhere"))[0] == 404
        assert (await status("DELETE", "/media/abc"))[0] == 405
        large = b'{"prompt": "' + b"x" * 2_000_000 + b'"}'
        assert (await status("POST", f"/api/v3/{MODEL}", content=large))[0] == 413


async def test_a_prompt_alone_is_filmed(tmp_path):
    """The contract asks for no pictures: the renderer gets the prompt and none."""
    seen = []

    def look(order):
        seen.append(order.request)
        return film(order)

    async with serving(tmp_path, render=look) as client:
        data = await ended(client, (await submitted(client, prompt="a quiet beach", duration=7))["id"])
    assert (data["status"], data["draft"]["pictures"]) == ("completed", [])
    assert [(r.prompt, r.images, r.duration) for r in seen] == [("a quiet beach", (), 7)]


async def test_only_the_given_key_opens(tmp_path):
    """With an API key of its own the service accepts that key alone."""
    async with serving(tmp_path, api_key="right") as client:
        wrong = await client.get("/api/v3/balance")
        right = await client.get("/api/v3/balance", headers={"Authorization": "Bearer right "})
    assert (wrong.status_code, right.json()["data"]) == (401, {"balance": 0.0})


async def test_a_draft_costs_nothing(tmp_path):
    """The price route answers zero for this model and 404 for another."""
    async with serving(tmp_path) as client:
        price = await client.post("/api/v3/model/price", json={"model_id": MODEL, "inputs": {}})
        other = await client.post("/api/v3/model/price", json={"model_id": "acme/x", "inputs": {}})
    assert price.json()["data"]["price"] == 0
    assert other.status_code == 404


async def test_the_list_is_newest_first_filtered_and_paged(tmp_path):
    """Items echo their input; page, time, model and status narrow the list; other keys see nothing."""
    async with serving(tmp_path) as client:
        made = [await submitted(client, prompt=f"fox {n}") for n in range(5)]
        for one in made:
            await ended(client, one["id"])

        async def ids(**wanted):
            answer = await client.post("/api/v3/predictions", json={"page": 1, "page_size": 100} | wanted)
            assert answer.status_code == 200, answer.text
            return [item["id"] for item in answer.json()["data"]["items"]]

        order = [one["id"] for one in reversed(made)]
        assert await ids() == order
        assert await ids(page_size=2, page=2) == order[2:4]
        assert await ids(status="completed") == order
        assert await ids(status="failed") == []
        assert await ids(model="acme/x") == []
        middle = made[2]["created_at"]
        assert await ids(created_after=middle) == order[:3]
        assert await ids(created_before=middle.replace("Z", "+00:00")) == order[2:]
        assert await ids(created_after="2020-01-01T00:00:00Z") == order
        body = {"page": 1, "page_size": 1}
        (item,) = (await client.post("/api/v3/predictions", json=body)).json()["data"]["items"]
        assert item["input"] == {
            "prompt": "fox 4",
            "images": [],
            "keep_original_sound": True,
            "aspect_ratio": "16:9",
            "duration": 5,
        }
        other = {"Authorization": "Bearer somebody-else"}
        foreign = await client.post("/api/v3/predictions", json=body, headers=other)
        assert foreign.json()["data"]["items"] == []
        for wrong in (
            {},
            {"page": 0, "page_size": 5},
            {"page": 1, "page_size": 101},
            body | {"created_after": "x"},
        ):
            assert (await client.post("/api/v3/predictions", json=wrong)).status_code == 400


async def test_sync_mode_answers_with_the_finished_draft(tmp_path):
    """`enable_sync_mode` holds the submit open until the film stands."""
    async with serving(tmp_path) as client:
        data = await submitted(client, enable_sync_mode=True)
    assert (data["status"], len(data["outputs"])) == ("completed", 1)


async def test_a_full_queue_says_too_many_requests(tmp_path, monkeypatch):
    """Past its bound the queue answers 429 with a time to wait."""
    monkeypatch.setattr("klingo1.draft.service.WAITING_MAX", 2)
    async with serving(tmp_path, render=Held()) as client:
        for _ in range(2):
            await submitted(client)
        answer = await client.post(f"/api/v3/{MODEL}", json={"prompt": "a fox"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
