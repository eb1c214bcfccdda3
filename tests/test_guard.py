"""The middleware before Gradio: remote files, large bodies and posts of other sites end here."""

import asyncio
import json

import pytest

from klingo1.web.guard import Guard

JSON = {"content-type": "application/json"}


def send(method, path, body=b"", headers=None, *, chunks=1, **options):
    """One request through the guard; returns (status, the body that the application saw, or None)."""
    seen = {}

    async def application(scope, receive, send):
        content = b""
        while True:
            message = await receive()
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        seen["body"] = content
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    size = max(1, -(-len(body) // chunks))
    parts = [body[i : i + size] for i in range(0, len(body), size)] or [b""]
    answers = []

    async def receive():
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def answer(message):
        answers.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
    }
    asyncio.run(Guard(application, **options)(scope, receive, answer))
    return answers[0]["status"], seen.get("body")


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1:9/x",
        "/file=https://example.org/x.mp4",
        "/gradio_api/file=HTTPS://example.org",
        "/gradio_api/file=//example.org/x",
        "/gradio_api/file=http%3A%2F%2F127.0.0.1",
        "/gradio_api/file=http%253A%252F%252F127.0.0.1",
        "/gradio_api/file/ftp://example.org",
        "/gradio_api/file=file:///etc/passwd",
        "/gradio_api/proxy=https://example.org/file=x",
        "/proxy=http://127.0.0.1",
    ],
)
def test_f61_addresses_are_no_files(path):
    """The file and proxy routes never fetch for anyone."""
    assert send("GET", path) == (403, None)


@pytest.mark.parametrize(
    "path", ["/", "/config", "/gradio_api/file=/tmp/gradio/ab/film.mp4", "/gradio_api/info"]
)
def test_ordinary_reads_pass(path):
    """Pages, settings and cached files are not touched; nor is a Windows path an address."""
    assert send("GET", path)[0] == 200
    assert send("GET", "/gradio_api/file=C:/Temp/gradio/film.mp4")[0] == 200


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1/a.png", "https://x.org/a", "file:///etc/passwd", " data:,x", "//h/x", "\\\\host\\x"],
)
def test_f60_a_file_value_is_never_an_address(address):
    """However deep it lies in the JSON."""
    body = json.dumps(
        {"data": [[{"file": {"path": address, "meta": {"_type": "gradio.FileData"}}}]]}
    ).encode()
    assert send("POST", "/gradio_api/run/predict", body, JSON) == (403, None)


def test_a_file_value_with_a_local_path_and_its_url_passes():
    """The browser names its own server as the file's url; that is not fetched."""
    value = {
        "path": "/tmp/gradio/ab/a.png",
        "url": "http://127.0.0.1:7860/gradio_api/file=/tmp/gradio/ab/a.png",
    }
    body = json.dumps({"data": [{"file": value}, "a prompt with https://example.org in it"]}).encode()
    assert send("POST", "/gradio_api/run/predict", body, JSON, chunks=7) == (200, body)


def test_f62_a_large_body_is_cut_off_and_uploads_are_not():
    """JSON is for forms, so 64 kB are plenty; uploads have their own limit."""
    big = b'"' + b"x" * 70_000 + b'"'
    assert send("POST", "/gradio_api/queue/join", big, JSON, chunks=5) == (413, None)
    form = {"content-type": "multipart/form-data; boundary=B"}
    head = b'--B\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    file = head + b"x" * 70_000 + b"\r\n--B--"
    assert send("POST", "/gradio_api/upload", file, form, chunks=9) == (200, file)


def test_an_upload_for_which_there_is_no_room_is_refused_unread():
    """507 by the length that its head announces; everything else goes on, so that people can delete."""
    form = {"content-type": "multipart/form-data; boundary=B"}
    file = b'--B\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx\r\n--B--'
    asked = []

    def room(size):
        asked.append(size)
        return size < 1000

    for size, answer in ((len(file), (200, file)), (1000, (507, None)), (200_000_000, (507, None))):
        headers = form | {"content-length": str(size)}
        assert send("POST", "/gradio_api/upload", file, headers, room=room) == answer
    assert asked == [len(file), 1000, 200_000_000]
    assert send("POST", "/gradio_api/component_server", b"{}", JSON, room=lambda _: False)[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://evil.example", "host": "127.0.0.1:7860"}, 403),
        ({"origin": "null", "host": "127.0.0.1:7860"}, 403),
        ({"origin": "http://127.0.0.1:7860", "host": "127.0.0.1:7860"}, 200),
        ({"origin": "https://me.hf.space", "host": "10.0.0.3", "x-forwarded-host": "me.hf.space"}, 200),
        ({"host": "127.0.0.1:7860"}, 200),
    ],
)
def test_f57_posts_of_other_sites_start_nothing(headers, status):
    """Browsers tell where a post comes from; programs, which tell nothing, may pass."""
    form = {"content-type": "multipart/form-data; boundary=B"}
    for path, kind in (("run/predict", JSON), ("component_server", JSON), ("upload", form)):
        assert send("POST", f"/gradio_api/{path}", b"", kind | headers)[0] == status


def test_f57_a_simple_form_post_is_no_json():
    """text/plain, which other sites may send without being asked, is refused."""
    assert send("POST", "/gradio_api/component_server", b"{}", {"content-type": "text/plain"}) == (415, None)


def test_broken_and_deep_json_is_the_applications_to_refuse():
    """The guard neither crashes nor hides it."""
    deep = b"[" * 20_000 + b"]" * 20_000
    for body in (b"{", b"\xff", deep):
        assert send("POST", "/gradio_api/run/predict", body, JSON) == (200, body)
