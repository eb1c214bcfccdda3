"""Uploads to the draft service: tickets, the one-shot PUT, the older form."""

from __future__ import annotations

import pytest
from serving import ORIGIN, picture, serving, uploaded

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


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
