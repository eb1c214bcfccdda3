"""The life of a draft: bad references, stops, restarts, failures."""

from __future__ import annotations

import asyncio
import io
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from PIL import Image
from serving import ORIGIN, Held, NoDoor, ended, film, picture, serving, submitted, uploaded

from klingo1.draft.store import DraftStore
from klingo1.prediction import Status
from klingo1.request import MODEL

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


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
    assert re.fullmatch(r"The draft could not be made \(ValueError at test_jobs\.py:\d+\)\.", data["error"])
    assert "secret" not in caplog.text


async def test_a_render_without_an_end_is_given_up(tmp_path):
    """Past its time a draft is stopped and failed with code 5004."""
    async with serving(tmp_path, render=Held(), seconds=0.05) as client:
        data = await ended(client, (await submitted(client))["id"])
    assert (data["status"], data["code"]) == ("failed", 5004)


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


async def test_a_film_whose_program_keeps_dying_is_given_up(tmp_path):
    """After three beginnings without an end a draft is failed instead of begun a fourth time."""
    store = DraftStore(tmp_path)
    record = store.create(MODEL, {"prompt": "x", "images": [], "duration": 5}, {})
    for _ in range(3):
        assert store.start(record)
        record = store.prediction(record.id)
    store.close()
    async with serving(tmp_path) as client:
        assert (await ended(client, record.id))["status"] == Status.FAILED


async def test_a_broken_reference_video_fails_the_task(tmp_path):
    """A file that only starts like a video is code 1402, told by the rendering process."""
    async with serving(tmp_path) as client:
        image = await uploaded(client, picture())
        video = await uploaded(client, b"\0\0\0\x18ftypisom" + b"\1" * 3000, "a.mp4")
        data = await ended(client, (await submitted(client, images=[image], video=video))["id"])
        assert (data["status"], data["code"]) == ("failed", 1402)
        swapped = await ended(client, (await submitted(client, images=[image], video=image))["id"])
    assert swapped["error"] == "The video is not an MP4, MOV or WebM video."


async def test_progress_phase_and_poster_are_told_while_it_is_made(tmp_path):
    """Beyond the contract a running draft tells how far it is and shows an early frame."""
    held = Held()

    def posing(order):
        order.output.with_name("poster.jpg").write_bytes(b"\xff\xd8\xff early frame")
        return held(order)

    async with serving(tmp_path, render=posing) as client:
        made = await submitted(client)
        assert await asyncio.to_thread(held.began.wait, 5)
        data = (await client.get(f"/api/v3/predictions/{made['id']}/result")).json()["data"]
        assert (data["progress"], data["phase"]) == (0.25, "shooting")
        poster = await client.get(data["poster"], headers={"Authorization": ""})
        assert poster.headers["content-type"] == "image/jpeg"
        assert (await client.get(f"/outputs/{made['id']}.mp4")).status_code == 404
        held.go.set()
        done = await ended(client, made["id"])
        assert (done["progress"], "phase" in done, done["poster"]) == (1.0, False, data["poster"])


@pytest.mark.skipif(os.name == "nt", reason="kills a program with SIGKILL")
async def test_a_killed_program_is_gone_on_from(tmp_path):
    """A draft that was being rendered when the whole program was killed is made by the next one."""
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import asyncio, sys
            from pathlib import Path
            if __name__ == "__main__":
                from serving import MODEL, serving, submitted
                from test_renderer import deaf
                async def main():
                    async with serving(Path(sys.argv[1]) / "drafts", render=deaf, processes=True) as client:
                        print((await submitted(client))["id"], flush=True)
                        await asyncio.sleep(60)
                asyncio.run(main())
            """
        )
    )
    paths = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])
    with subprocess.Popen(  # noqa: ASYNC220 - the test has nothing else to do
        [sys.executable, str(program), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        try:
            made = other.stdout.readline().strip()
            room = tmp_path / "drafts" / "predictions" / made
            for _ in range(2000):
                if (room / "beats").exists():
                    break
                await asyncio.sleep(0.005)
            assert (room / "beats").exists()
        finally:
            other.kill()
    async with serving(tmp_path / "drafts") as client:
        assert (await ended(client, made))["status"] == "completed"
