"""The contract's wire forms: envelopes, the submit's fields, the list's filters, a prediction as JSON.

Field names, ranges and messages are the mission's and WaveSpeed's documentation. Unknown keys are dropped in
silence, as the service does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from klingo1.draft.store import Filters
from klingo1.prediction import Status
from klingo1.request import (
    ASPECT_RATIO_DEFAULT,
    ASPECT_RATIOS,
    DURATION_DEFAULT,
    DURATION_MAX,
    DURATION_MIN,
    IMAGES_MAX,
    IMAGES_MAX_WITH_VIDEO,
    PROMPT_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from klingo1.draft.store import Record

    Handler = Callable[[Request], Awaitable[Response]]

BODY_BYTES = 1_000_000
"""A JSON body is at most this long; seven addresses and a prompt need a hundredth."""
DRAIN_BYTES = 64_000_000
"""Of a body that is too long so much is read and thrown away, so that the sender can read the answer."""
URL_MAX = 4000
_INSTANT = re.compile(r"(.+?\d{2}:\d{2}:\d{2})\.(\d{1,9})(.*)")
_log = logging.getLogger(__name__)


class Answered(Exception):
    """A request that ends with an error envelope: HTTP status and message."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def envelope(data: Any, *, code: int = 200, message: str = "success", headers: Any = None) -> JSONResponse:
    """The form of every JSON answer; the envelope's code is the HTTP status."""
    return JSONResponse({"code": code, "message": message, "data": data}, status_code=code, headers=headers)


def answering(handler: Handler, api_key: str | None, *, keyed: bool = True) -> Handler:
    """A handler with the key checked and every error turned into an envelope.

    `api_key` None accepts every key that is not empty.
    """

    async def endpoint(request: Request) -> Response:
        try:
            if keyed:
                _check_key(request, api_key)
            return await handler(request)
        except Answered as no:
            return envelope(None, code=no.status, message=no.message, headers=no.headers)
        except ClientDisconnect:
            return envelope(None, code=400, message="the request broke off")
        except Exception as error:
            # The text could quote a prompt or a file name: type only.
            _log.error("draft service: %s in %s", type(error).__name__, handler.__name__)
            return envelope(None, code=500, message="internal error")

    return endpoint


def _check_key(request: Request, api_key: str | None) -> None:
    key = _key(request)
    if not key or (api_key is not None and not hmac.compare_digest(key, api_key.encode())):
        raise Answered(401, "unauthorized: the API key is missing or not accepted")


def _key(request: Request) -> bytes:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip().encode("latin-1") if scheme.lower() == "bearer" else b""


def account_of(request: Request) -> str:
    """Whose list a prediction belongs to: a digest of the key, which itself is not kept."""
    return hashlib.sha256(_key(request)).hexdigest()[:32]


async def read_json(request: Request) -> dict[str, Any]:
    """The body as an object. Raises Answered 413 or 400."""
    body = bytearray()
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen <= BODY_BYTES:
            body += chunk
        elif seen > DRAIN_BYTES:
            break
    if seen > BODY_BYTES:
        raise Answered(413, "request body too large")
    try:
        value = json.loads(bytes(body))
    except (ValueError, RecursionError):
        raise Answered(400, "the request body is not valid JSON") from None
    if not isinstance(value, dict):
        raise Answered(400, "the request body must be a JSON object")
    return value


def _bad(field: str, rule: str) -> Answered:
    return Answered(400, f'field "{field}" must be {rule}')


def submit_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """The six fields of a submit, checked and completed with their defaults; `video` only when there is one.

    null counts as absent. Raises Answered 400 naming the field.
    """
    given = {key: value for key, value in body.items() if value is not None}
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip() or len(prompt) > PROMPT_MAX or not _sendable(prompt):
        raise _bad("prompt", f"a text of 1 to {PROMPT_MAX} characters")
    images = given.get("images", [])
    if not isinstance(images, list) or not all(_address(url) for url in images):
        raise _bad("images", "an array of URLs")
    video = given.get("video", "")
    if video != "" and not _address(video):
        raise _bad("video", "a URL")
    limit = IMAGES_MAX_WITH_VIDEO if video else IMAGES_MAX
    if len(images) > limit:
        raise _bad("images", f"an array of at most {limit} URLs{' when a video is given' if video else ''}")
    sound = given.get("keep_original_sound", True)
    if not isinstance(sound, bool):
        raise _bad("keep_original_sound", "a boolean")
    shape = given.get("aspect_ratio", ASPECT_RATIO_DEFAULT)
    if shape not in ASPECT_RATIOS:
        raise _bad("aspect_ratio", f"one of {', '.join(reversed(ASPECT_RATIOS))}")
    duration = given.get("duration", DURATION_DEFAULT)
    if type(duration) is not int or not DURATION_MIN <= duration <= DURATION_MAX:
        raise _bad("duration", f"an integer from {DURATION_MIN} to {DURATION_MAX}")
    fields = {
        "prompt": prompt,
        "images": images,
        "keep_original_sound": sound,
        "aspect_ratio": shape,
        "duration": duration,
    }
    return fields | ({"video": video} if video else {})


def _address(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= URL_MAX and _sendable(value)


def _sendable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def list_filters(body: Mapping[str, Any]) -> Filters:
    """The body of `POST /predictions`. Raises Answered 400."""
    page, size = body.get("page"), body.get("page_size")
    if type(page) is not int or not 1 <= page <= 1_000_000:
        raise _bad("page", "a positive integer")
    if type(size) is not int or not 1 <= size <= 100:
        raise _bad("page_size", "an integer from 1 to 100")
    model, status = body.get("model") or None, body.get("status") or None
    if not isinstance(model, str | None):
        raise _bad("model", "a text")
    if not isinstance(status, str | None):
        raise _bad("status", "a text")
    return Filters(
        page, size, _instant(body, "created_after"), _instant(body, "created_before"), model, status
    )


def _instant(body: Mapping[str, Any], field: str) -> int | None:
    """An ISO time with up to nine fractional digits; without a zone it is UTC."""
    text = body.get(field)
    if text is None or text == "":
        return None
    try:
        found = _INSTANT.fullmatch(text)
        whole, fraction, zone = found.groups() if found else (text, "", "")
        when = datetime.fromisoformat(whole + zone)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (when - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
        return round(seconds) * 10**9 + int(fraction.ljust(9, "0"))
    except (TypeError, ValueError, OverflowError):
        raise _bad(field, "an ISO 8601 time") from None


def prediction_json(record: Record, base: str, *, with_input: bool = False) -> dict[str, Any]:
    """A prediction in the contract's form; `base` is the origin that the client used."""
    done = record.status is Status.COMPLETED
    seconds, nanoseconds = divmod(record.created_ns, 10**9)
    data: dict[str, Any] = {
        "id": record.id,
        "model": record.model,
        "outputs": [f"{base}/outputs/{record.id}.mp4"] if done else [],
        "urls": {"get": f"{base}/api/v3/predictions/{record.id}/result"},
        "has_nsfw_contents": [False] if done else [],
        "status": record.status.value,
        "created_at": f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z",
        "error": record.error,
        "timings": {"inference": record.inference_ms},
    }
    if record.code:
        data["code"] = record.code
    if record.report is not None:
        data["draft"] = record.report
    if with_input:
        data["input"] = record.input
    return data
