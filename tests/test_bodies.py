"""Request bodies as they come: counted, timed, and uploads that hold files and nothing else."""

import asyncio

import pytest
from python_multipart.exceptions import MultipartParseError

from klingo1.web.bodies import FILES_MAX, BodyRefused, Reader, Upload, UploadRefused, announced

FORM = "multipart/form-data; boundary=B"
PLAIN = b'Content-Disposition: form-data; name="files"'
FILE = PLAIN + b'; filename="a.jpg"'


def part(head, data=b"x"):
    return b"--B\r\n%s\r\n\r\n%s\r\n" % (head, data)


class Sender:
    """Hands out messages one by one; waits for ever after the last one, unless `ends`."""

    def __init__(self, *bodies, ends=True):
        self.messages = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
        self.ends = ends
        if ends:
            self.messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def __call__(self):
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)


def taken(*bodies, most=10_000_000, content_type=FORM, ends=True, silence=30.0):
    """What Gradio would read of an upload."""

    async def read():
        upload = Upload(Sender(*bodies, ends=ends), content_type, most=most, silence=silence)
        content, more = b"", True
        while more:
            message = await upload()
            content += message["body"]
            more = message["more_body"]
        return content

    return asyncio.run(read())


def test_an_upload_of_files_passes_as_it_came():
    """However it is cut into messages, also within a head."""
    body = part(FILE, b"\xff\xd8" * 9000) + part(FILE, b"") + b"--B--\r\n"
    for size in (1, 7, 4096, len(body)):
        pieces = [body[i : i + size] for i in range(0, len(body), size)]
        assert taken(*pieces) == body


@pytest.mark.parametrize(
    "head",
    [
        PLAIN,
        PLAIN + b"\r\nX-Filename: a.jpg",
        b'Content-Disposition: form-data; name="filename"',
        FILE + b"\r\n" + PLAIN,
        b"Content-Type: image/jpeg",
        FILE + b"\r\nX: " + b"a" * 9000,
    ],
)
def test_a_part_that_would_stay_in_memory_is_refused_at_its_head(head):
    """Gradio writes files to disk and holds every other field whole: 150 MB of one took 560 MB."""
    with pytest.raises(MultipartParseError):
        taken(b"--B\r\n" + head + b"\r\n\r\n", ends=False)


def test_files_of_one_upload_are_counted():
    """Forty are let in, one more is not."""
    assert taken(part(FILE) * FILES_MAX + b"--B--")
    with pytest.raises(UploadRefused):
        taken(part(FILE) * (FILES_MAX + 1))


def test_an_upload_longer_than_announced_a_silent_one_and_one_that_is_left_are_given_up():
    """Gradio removes what it has written when reading fails with that error."""
    with pytest.raises(UploadRefused):
        taken(part(FILE, b"x" * 5000), most=4000)
    with pytest.raises(UploadRefused):
        taken(part(FILE), ends=False, silence=0.01)
    gone = Sender(part(FILE))
    gone.messages[-1] = {"type": "http.disconnect"}

    async def read():
        upload = Upload(gone, FORM, most=1000)
        await upload()
        await upload()

    with pytest.raises(UploadRefused):
        asyncio.run(read())


@pytest.mark.parametrize(
    "kind", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=" + "B" * 300]
)
def test_what_is_no_form_is_refused_at_once(kind):
    """415, before a byte of it is read."""
    with pytest.raises(BodyRefused) as refused:
        taken(content_type=kind)
    assert refused.value.status == 415


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"content-length": "12"}, 12),
        ({"content-length": "00000000000300000000"}, 300_000_000),
        ({"content-length": "5", "transfer-encoding": "chunked"}, None),
        ({"content-length": "5, 6"}, None),
        ({"content-length": "-5"}, None),
        ({"content-length": "\u00b25"}, None),
        ({"content-length": "9" * 21}, None),
        ({}, None),
    ],
)
def test_a_length_counts_only_when_it_must_be_true(headers, length):
    """No leading zeros, and no chunks beside it, make a large body look small."""
    assert announced(headers) == length


def test_bodies_in_memory_are_bounded_in_size_time_and_number():
    """413 for one that is too large, 408 for one that stalls, 503 while others hold the room."""

    async def run():
        reader = Reader(1000, seconds=0.05)
        assert await reader.read(Sender(b"ab", b"c"), 10) == b"abc"
        gone = Sender()
        gone.messages = [{"type": "http.disconnect"}]
        assert await reader.read(gone, 10) is None
        for sender, most, status in (
            (Sender(b"x" * 11), 10, 413),
            (Sender(b"x", ends=False), 10, 408),
            (Sender(b"x" * 1001), 5000, 503),
        ):
            with pytest.raises(BodyRefused) as refused:
                await reader.read(sender, most)
            assert refused.value.status == status
        slow = asyncio.create_task(reader.read(Sender(b"x" * 900, ends=False), 5000))
        await asyncio.sleep(0.01)
        with pytest.raises(BodyRefused) as refused:
            await reader.read(Sender(b"x" * 200), 5000)
        assert refused.value.status == 503
        with pytest.raises(BodyRefused):
            await slow
        assert await reader.read(Sender(b"x" * 900), 5000) == b"x" * 900

    asyncio.run(run())
