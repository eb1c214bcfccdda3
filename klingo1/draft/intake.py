"""Uploads over the contract's routes: tickets, the one-shot PUT, the older multipart form, and downloads.

An upload's address ends in an id of 128 random bits and needs no key, as with the real service's storage.
"""

from __future__ import annotations

import mimetypes
import re
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from klingo1.draft.media import VIDEO_BYTES, type_of
from klingo1.draft.wire import Answered, envelope, read_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.requests import Request

    from klingo1.draft.uploads import Upload, Uploads

UPLOAD_BYTES = VIDEO_BYTES
"""200 MB, the lowest general figure that WaveSpeed gives."""
_TYPE = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,50}")
_FORM_EXTRA = 10_000
_USED = "this upload address was used before"
_FILE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=3600",
}


class Intake:
    """The upload routes over one store of uploads. `expected` is called when something begins to arrive."""

    def __init__(self, uploads: Uploads, expected: Callable[[], None]) -> None:
        self._uploads = uploads
        self._expected = expected

    async def ticket(self, request: Request) -> Response:
        """`POST /media/uploads`: where and how to PUT so many bytes, once."""
        body = await read_json(request)
        name, size, declared = body.get("filename"), body.get("size"), body.get("content_type")
        if not isinstance(name, str) or not 0 < len(name) <= 1000:
            raise Answered(400, 'field "filename" must be a text of 1 to 1000 characters')
        if type(size) is not int or size < 1:
            raise Answered(400, 'field "size" must be a positive integer')
        if size > UPLOAD_BYTES:
            raise Answered(413, f"file too large: the limit is {UPLOAD_BYTES} bytes")
        kind = str(declared or mimetypes.guess_type(name)[0] or "").lower()
        upload = await self._reserve(size, kind if _TYPE.fullmatch(kind) else "application/octet-stream")
        base = str(request.base_url).rstrip("/")
        put = {
            "method": "PUT",
            "url": f"{base}/uploads/{upload.token}",
            "headers": {"Content-Type": upload.content_type},
        }
        return envelope(_description(upload, name, base) | {"upload": put})

    async def put(self, request: Request) -> Response:
        """`PUT` to a ticket's address: exactly the promised bytes with exactly the ticket's headers."""
        upload = await run_in_threadpool(self._uploads.by_token, request.path_params["token"])
        if upload is None:
            raise Answered(404, "upload not found")
        if upload.state != "ticket":
            raise Answered(412, _USED)
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            raise Answered(411, "Content-Length is required")
        if int(length) != upload.size:
            raise Answered(400, f"Content-Length must be {upload.size}")
        if request.headers.get("content-type", "").lower() != upload.content_type:
            raise Answered(403, f"Content-Type must be {upload.content_type}")
        if not await run_in_threadpool(self._uploads.claim, upload):
            raise Answered(412, _USED)
        await self._receive(upload, request.stream())
        return Response(status_code=200)

    async def form(self, request: Request) -> Response:
        """`POST /media/upload/binary`: the older way, one multipart field named `file`."""
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            raise Answered(411, "Content-Length is required")
        if int(length) > UPLOAD_BYTES + _FORM_EXTRA:
            raise Answered(413, f"file too large: the limit is {UPLOAD_BYTES} bytes")
        try:
            async with request.form(max_files=1, max_fields=10, max_part_size=_FORM_EXTRA) as form:
                file = form.get("file")
                if not isinstance(file, UploadFile) or not file.size:
                    raise Answered(400, 'field "file" must be a file')
                name = file.filename or "upload"
                kind = str(file.content_type or "").lower()
                kind = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
                upload = await self._reserve(file.size, kind)
                await run_in_threadpool(self._uploads.claim, upload)
                await self._receive(upload, _chunks(file))
        except HTTPException as error:  # a broken form
            raise Answered(400, "the form cannot be read") from error
        return envelope(_description(upload, name, str(request.base_url).rstrip("/")))

    async def get(self, request: Request) -> Response:
        """An upload's bytes, with Range, HEAD and ETag."""
        upload = await run_in_threadpool(self._uploads.kept, request.path_params["id"].partition(".")[0])
        if upload is None:
            raise Answered(404, "file not found")
        return await run_in_threadpool(file_response, self._uploads.path(upload.id))

    async def _reserve(self, size: int, content_type: str) -> Upload:
        upload = await run_in_threadpool(self._uploads.reserve, size, content_type)
        if upload is None:
            raise Answered(429, "upload quota reached: delete uploads or wait", {"Retry-After": "3600"})
        self._expected()
        return upload

    async def _receive(self, upload: Upload, chunks: AsyncIterator[bytes]) -> None:
        """Write the bytes beside their place and move them there when they are whole."""
        part = self._uploads.path(upload.id).with_suffix(".part")
        taken = 0
        try:
            with part.open("wb") as file:
                async for chunk in chunks:
                    taken += len(chunk)
                    if taken > upload.size:
                        break
                    file.write(chunk)
            whole = taken == upload.size and await run_in_threadpool(self._uploads.keep, upload, part)
        except BaseException:
            self._uploads.void(upload)
            raise
        finally:
            part.unlink(missing_ok=True)
        if not whole:
            self._uploads.void(upload)
            raise Answered(400, f"expected {upload.size} bytes within an hour")


def file_response(path: Path) -> FileResponse:
    """A file of ours to a client: its type is told from its bytes, and nothing in it may run."""
    kind = type_of(path) or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers=_FILE_HEADERS, stat_result=path.stat())


def _description(upload: Upload, name: str, base: str) -> dict[str, Any]:
    major = upload.content_type.partition("/")[0]
    ending = mimetypes.guess_extension(upload.content_type) or ""
    return {
        "type": major if major in ("image", "video", "audio") else "file",
        "download_url": f"{base}/media/{upload.id}{ending if len(ending) <= 6 else ''}",
        "filename": name,
        "size": upload.size,
    }


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(1 << 20):
        yield chunk
