"""The draft service over httpx's in-process transport: every route of the contract, and a draft's life."""

from __future__ import annotations

import asyncio
import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import httpx
import pytest
from PIL import Image

from klingo1.draft.service import DraftService
from klingo1.prediction import Status, parse_prediction
from klingo1.request import MODEL
from klingo1.web.door import DoorClosed

pytestmark = pytest.mark.anyio
ORIGIN = "http://draft.klingo1.invalid"
FILM = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 40


@pytest.fixture
def anyio_backend():
    return "asyncio"


def film(order):
    """Stands in for the engine: the film's bytes do not matter here."""
    order.progress.write_text("0.5")
    order.output.write_bytes(FILM)
    return {"plan": {"place": "city"}, "pictures": [p.read_bytes()[:4].hex() for p in order.request.images]}


class Held:
    """A renderer that waits until it is let go or stopped."""

    def __init__(self):
        self.go = threading.Event()
        self.began = threading.Event()

    def __call__(self, order):
        order.progress.write_text("0.25")
        self.began.set()
        for _ in range(2000):
            if order.stopped:
                raise RuntimeError("stopped half-way")
            if self.go.wait(0.005):
                return film(order)
        raise AssertionError("neither let go nor stopped")


class NoDoor:
    """A door that is always closed and remembers who knocked."""

    def __init__(self):
        self.asked = []

    async def fetch(self, url, target, *, limit):
        self.asked.append(url)
        raise DoorClosed("it is not on the public internet")


@asynccontextmanager
async def serving(folder, *, start=True, **options):
    """A started service and a client with a key."""
    with ThreadPoolExecutor(4) as executor:
        service = DraftService(folder, executor=executor, **{"render": film, "door": NoDoor()} | options)
        if start:
            await service.start()
        transport = httpx.ASGITransport(app=service.app)
        headers = {"Authorization": "Bearer anything"}
        try:
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
                yield client
        finally:
            await service.close()


def picture(form="PNG", size=(40, 30)):
    stream = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(stream, form)
    return stream.getvalue()


async def uploaded(client, content, name="a.png"):
    ticket = (
        await client.post("/api/v3/media/uploads", json={"filename": name, "size": len(content)})
    ).json()
    put = ticket["data"]["upload"]
    answer = await client.put(put["url"], content=content, headers=put["headers"])
    assert answer.status_code == 200
    return ticket["data"]["download_url"]


async def submitted(client, **fields):
    answer = await client.post(f"/api/v3/{MODEL}", json={"prompt": "a fox walks"} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def ended(client, prediction_id):
    for _ in range(1000):
        body = (await client.get(f"/api/v3/predictions/{prediction_id}/result")).json()
        if parse_prediction(body).status.ended:
            return body["data"]
        await asyncio.sleep(0.005)
    raise AssertionError("the draft did not end")


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
    assert (data["timings"], data["model"], data["progress"]) == ({"inference": 0}, MODEL, 0.0)
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


async def test_upload_tickets_are_for_one_exact_put(tmp_path):
    """A PUT needs the promised length and type but no key; a second one is 412."""
    content = picture()
    async with serving(tmp_path) as client:
        answer = await client.post(
            "/api/v3/media/uploads", json={"filename": "../../ä.png", "size": len(content)}
        )
        ticket = answer.json()["data"]
        assert (ticket["filename"], ticket["size"], ticket["type"]) == ("../../ä.png", len(content), "image")
        put = ticket["upload"]
        client.headers.pop("Authorization")
        short = await client.put(put["url"], content=content[:-1], headers=put["headers"])
        other = await client.put(put["url"], content=content, headers={"Content-Type": "text/html"})
        assert (short.status_code, other.status_code) == (400, 403)
        assert (await client.get(ticket["download_url"])).status_code == 404
        first = await client.put(put["url"], content=content, headers=put["headers"])
        second = await client.put(put["url"], content=content, headers=put["headers"])
        assert (first.status_code, second.status_code) == (200, 412)
        got = await client.get(ticket["download_url"])
        assert (got.content, got.headers["content-type"]) == (content, "image/png")
        assert (await client.put(ORIGIN + "/uploads/" + "0" * 32, content=b"x")).status_code == 404
    assert not list(tmp_path.rglob("*ä*"))


async def test_a_put_that_breaks_off_uses_the_ticket_up(tmp_path):
    """Fewer bytes than announced leave nothing behind, and the ticket is over."""

    async def half():
        yield b"x" * 50

    async with serving(tmp_path) as client:
        answer = await client.post("/api/v3/media/uploads", json={"filename": "a", "size": 100})
        put = answer.json()["data"]["upload"]
        headers = put["headers"] | {"Content-Length": "100"}
        cut = await client.put(put["url"], content=half(), headers=headers)
        again = await client.put(put["url"], content=b"x" * 100, headers=put["headers"])
    assert (cut.status_code, again.status_code) == (400, 412)
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"filename": "a", "size": 0}, 400),
        ({"filename": "a", "size": "9"}, 400),
        ({"filename": "", "size": 9}, 400),
        ({"size": 9}, 400),
        ({"filename": "a", "size": 300_000_000}, 413),
    ],
)
async def test_bad_tickets_are_refused(tmp_path, body, status):
    """A ticket needs a name and a size within the limit."""
    async with serving(tmp_path) as client:
        assert (await client.post("/api/v3/media/uploads", json=body)).status_code == status


async def test_the_older_upload_form_works(tmp_path):
    """One multipart field named `file` gives a download address; other forms are 400."""
    content = picture("JPEG")
    async with serving(tmp_path) as client:
        way = "/api/v3/media/upload/binary"
        answer = await client.post(way, files={"file": ("cat.jpg", content, "image/jpeg")})
        data = answer.json()["data"]
        assert (data["type"], data["filename"], data["size"]) == ("image", "cat.jpg", len(content))
        assert (await client.get(data["download_url"])).content == content
        assert (await client.post(way, files={"other": ("a", b"x")})).status_code == 400
        assert (await client.post(way, data={"file": "text"})).status_code == 400
        broken = {"Content-Type": "multipart/form-data; boundary=x"}
        assert (await client.post(way, content=b"--x\r\nnonsense", headers=broken)).status_code == 400


async def test_uploads_without_a_known_type_are_never_served_as_pages(tmp_path):
    """HTML that calls itself a picture comes back as bytes to download."""
    async with serving(tmp_path) as client:
        url = await uploaded(client, b"<script>alert(1)</script>" * 4, "cat.png")
        assert (await client.get(url)).headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>" * 20, "Picture 2 is not a JPEG, PNG, WebP or GIF picture."),
        (picture("JPEG", (400, 300))[:6000], "Picture 2 is damaged or not a picture."),
        (b"\0\0\0\x18ftypisom" + b"\0" * 50, "Picture 2 is not a JPEG"),
        (b"%PDF-1.7" + b"\0" * 50, "Picture 2 is not a JPEG"),
    ],
)
async def test_a_broken_picture_fails_the_task_by_its_number(tmp_path, content, said):
    """A picture that cannot be read ends the task with code 1402 and says which one it was."""
    async with serving(tmp_path) as client:
        urls = [await uploaded(client, picture()), await uploaded(client, content)]
        data = await ended(client, (await submitted(client, images=urls))["id"])
    assert (data["status"], data["code"], data["outputs"]) == ("failed", 1402, [])
    assert data["error"].startswith(said)


async def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path):
    """12,000 × 12,000 one-bit pixels in a few kilobytes are refused by their header."""
    stream = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(stream, "PNG")
    async with serving(tmp_path) as client:
        url = await uploaded(client, stream.getvalue())
        data = await ended(client, (await submitted(client, images=[url]))["id"])
    assert data["code"] == 1402
    assert "12,000 × 12,000" in data["error"]


async def test_foreign_addresses_pass_the_door_only(tmp_path):
    """An address that is not ours goes to the guarded door; a closed door is a failed task, code 1402."""
    door = NoDoor()
    async with serving(tmp_path, door=door) as client:
        urls = ["http://169.254.169.254/latest", f"{ORIGIN}/media/{'0' * 32}.png", "file:///etc/passwd"]
        for url in urls:
            data = await ended(client, (await submitted(client, images=[url]))["id"])
            assert (data["status"], data["code"]) == ("failed", 1402)
            assert data["error"] == "Picture 1 could not be read: it is not on the public internet."
    assert door.asked == urls


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


async def test_deleting_stops_the_work_and_removes_the_files(tmp_path):
    """A deleted draft is unknown at once, its renderer ends, and nothing of it stays on disk."""
    held = Held()
    async with serving(tmp_path, render=held) as client:
        running = await submitted(client)
        assert await asyncio.to_thread(held.began.wait, 5)
        body = (await client.get(f"/api/v3/predictions/{running['id']}")).json()
        assert (body["data"]["status"], body["data"]["progress"]) == ("processing", 0.25)
        waiting = await submitted(client)
        ids = [running["id"], waiting["id"], "f" * 32]
        answer = await client.post("/api/v3/predictions/delete", json={"ids": ids})
        assert answer.json()["data"] == {"deleted_count": 2}
        assert (await client.get(f"/api/v3/predictions/{running['id']}/result")).status_code == 404
        for _ in range(400):
            if not list((tmp_path / "predictions").iterdir()):
                break
            await asyncio.sleep(0.005)
        assert list((tmp_path / "predictions").iterdir()) == []
        for wrong in ([], ["../x"], "all", [1]):
            refused = await client.post("/api/v3/predictions/delete", json={"ids": wrong})
            assert refused.status_code == 400


async def test_a_closed_service_goes_on_at_the_next_start(tmp_path):
    """What was in work or waiting when the service closed is made by the next one."""
    held = Held()
    async with serving(tmp_path, render=held) as client:
        ids = [(await submitted(client))["id"] for _ in range(3)]
        assert await asyncio.to_thread(held.began.wait, 5)
    async with serving(tmp_path) as client:
        assert [(await ended(client, one))["status"] for one in ids] == ["completed"] * 3


async def test_two_services_on_one_folder_make_each_draft_once(tmp_path):
    """A second service leaves the first one's work alone, and takes it over once the first is gone."""
    held, made = Held(), []

    def counted(order):
        made.append(order)
        return film(order)

    async with serving(tmp_path, render=counted) as second:
        async with serving(tmp_path, render=held) as first:
            data = await submitted(first)
            assert await asyncio.to_thread(held.began.wait, 5)
            seen = (await second.get(f"/api/v3/predictions/{data['id']}/result")).json()["data"]
            assert (seen["status"], made) == ("processing", [])
        assert (await ended(second, data["id"]))["status"] == "completed"
        assert len(made) == 1


async def test_a_renderer_that_raises_fails_the_task_without_telling_secrets(tmp_path, caplog):
    """The error names the kind and place of the failure; prompt and file names stay out of it and the log."""

    def broken(order):
        raise ValueError(f"cannot draw {order.request.prompt} into {order.output}")

    async with serving(tmp_path, render=broken) as client:
        data = await ended(client, (await submitted(client, prompt="a secret fox"))["id"])
    assert (data["status"], data["code"]) == ("failed", 1403)
    assert re.fullmatch(
        r"The draft could not be made \(ValueError at test_service\.py:\d+\)\.", data["error"]
    )
    assert "secret" not in caplog.text


async def test_a_render_without_an_end_is_given_up(tmp_path):
    """Past its time a draft is stopped and failed with code 5004."""
    async with serving(tmp_path, render=Held(), seconds=0.05) as client:
        data = await ended(client, (await submitted(client))["id"])
    assert (data["status"], data["code"]) == ("failed", 5004)


async def test_sync_mode_answers_with_the_finished_draft(tmp_path):
    """`enable_sync_mode` holds the submit open until the film stands."""
    async with serving(tmp_path) as client:
        data = await submitted(client, enable_sync_mode=True)
    assert (data["status"], len(data["outputs"])) == ("completed", 1)


async def test_options_of_the_draft_reach_the_renderer(tmp_path):
    """The extension object is read leniently, unknown keys of the submit are dropped."""
    seen = []

    def look(order):
        seen.append(order.request)
        return film(order)

    async with serving(tmp_path, render=look) as client:
        url = await uploaded(client, picture())
        extension = {"size": "1080p", "roles": ["prop"], "later": 1}
        data = await submitted(client, images=[url], klingo1=extension, seed=7, negative_prompt="x")
        await ended(client, data["id"])
    (request,) = seen
    assert (request.draft.size, request.draft.roles) == ("1080p", ("prop",))


async def test_a_full_queue_says_too_many_requests(tmp_path, monkeypatch):
    """Past its bound the queue answers 429 with a time to wait."""
    monkeypatch.setattr("klingo1.draft.service.WAITING_MAX", 2)
    async with serving(tmp_path, render=Held()) as client:
        for _ in range(2):
            await submitted(client)
        answer = await client.post(f"/api/v3/{MODEL}", json={"prompt": "a fox"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")


async def test_a_film_whose_program_keeps_dying_is_given_up(tmp_path):
    """After three beginnings without an end a draft is failed instead of begun a fourth time."""
    from klingo1.draft.store import DraftStore

    store = DraftStore(tmp_path)
    record = store.create(MODEL, {"prompt": "x", "images": [], "duration": 5}, {})
    for _ in range(3):
        assert store.start(record)
        record = store.prediction(record.id)
    store.close()
    async with serving(tmp_path) as client:
        assert (await ended(client, record.id))["status"] == Status.FAILED
