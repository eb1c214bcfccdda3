"""What an answer of the API means: its envelope, and which error of the tree it is. No I/O.

Source of the codes: CONTRACT, HTTP errors. An envelope's `code` other than 200 under HTTP 200 is a failure
and means what the same HTTP status would mean.
"""

from __future__ import annotations

import functools
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from klingo1.errors import (
    ApiError,
    KeyRejected,
    NotFound,
    OutOfCredit,
    RateLimited,
    Refused,
    TooLarge,
    Unavailable,
)
from klingo1.prediction import Prediction, parse_prediction
from klingo1.pricing import MICRO
from klingo1.retry import parse_date, parse_retry_after

BODY_MAX = 2**20
"""Bytes kept of one answer; real ones have a few kilobytes."""
LIST_MAX = 16 * BODY_MAX
"""Bytes kept of a list: a hundred runs that repeat prompts of 2,500 characters, each up to 12 bytes long."""
KEPT = 4096
"""Bytes of a bad answer that are looked at for words to show."""
DETAIL_MAX = 500
DOLLARS_MAX = 10**12
_SECRET_MIN = 8  # a shorter "key" is a placeholder; blotting it out would tear up ordinary words

_UNCLEAR = frozenset({408, 425, 499})  # gateways that gave up waiting: the service may have acted
_CREDIT = re.compile(
    r"\b(balance|credits?|top[\s-]?up|insufficient(?!\s+(permissions?|privileges?|scopes?|access|rights)))\b",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_QUERY = re.compile(r"(https?://[^\s?\"'<>]{1,500})\?[^\s\"'<>]*")
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """One answer as it came: HTTP status, headers (names in lower case), at most `most` bytes of body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    key: str = field(default="", repr=False)
    """The key that is blotted out of everything read from this answer."""
    most: int = BODY_MAX

    @property
    def date(self) -> float | None:
        """When it left, by the service's own clock, in seconds since 1970; None when it does not say."""
        return parse_date(self.headers.get("date"))

    def envelope(self) -> Mapping[str, Any] | None:
        """The JSON object of the body, without the key, or None when it cannot be read."""
        return self._envelope

    @functools.cached_property
    def _envelope(self) -> Mapping[str, Any] | None:
        try:
            body = self._plain_body()
            value = json.loads(body)
            if _may_hold(body, self.key):
                value = redacted(value, self.key)
        except (ValueError, RecursionError, zlib.error):
            return None
        return value if isinstance(value, Mapping) else None

    def detail(self) -> str:
        """What the service said, as plain text of at most 500 characters: no markup, key or signature."""
        envelope = self.envelope()
        said = _message(envelope) if envelope is not None else ""
        if not said and (envelope is None or self.status < 300):  # an odd success is worth keeping as it is
            try:
                said = self._plain_body()[:KEPT].decode("utf-8", "replace")
            except zlib.error:
                said = ""
            if said.lstrip().startswith("<"):
                said = _MARKUP.sub(" ", said)
        return plain_text(said, self.key)

    def fault(self, *, now: float) -> ApiError | None:
        """None when all is well, a kind of Refused when the service clearly said no, else Unavailable.

        `now` is seconds since 1970, for a Retry-After that is a date in an answer that has none of its own.
        """
        envelope = self.envelope()
        code = _code(envelope)
        if 200 <= self.status < 300:
            if envelope is not None and code in (None, 200):
                return None
            meaning = code or 0
        else:
            meaning = self.status
        detail = self.detail()
        wait = parse_retry_after(self.headers.get("retry-after"), now=self.date or now)
        kind, words = _meaning(meaning, detail if envelope is None else _message(envelope))
        return kind(words, status_code=self.status, code=code, detail=detail, retry_after=wait)

    def data(self) -> Any:
        """The envelope's `data`, whatever it is; None when there is none."""
        return (self.envelope() or {}).get("data")

    def prediction(self) -> Prediction:
        """The task this answer is about. Raises Unavailable when it names none."""
        try:
            return parse_prediction(self.envelope())
        except (ValueError, OverflowError) as error:  # a number beyond every float overflows
            raise Unavailable(
                "The answer names no prediction.", status_code=self.status, detail=self.detail()
            ) from error

    def _plain_body(self) -> bytes:
        """The body unpacked, never more than `most`; we ask for identity, gateways may pack it."""
        if self.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip", "deflate"):
            return zlib.decompressobj(wbits=47).decompress(self.body, self.most)
        return self.body


def micro_dollars(dollars: object) -> int:
    """An amount in US dollars, number or text, as micro-dollars. Raises Unavailable when it is no amount."""
    try:
        amount = Decimal(str(dollars))
    except ArithmeticError:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > DOLLARS_MAX:
        raise Unavailable("The service named no amount of money.")
    return int((amount * MICRO).to_integral_value())


def micro_price(data: object) -> int:
    """What `/model/price` names, after a discount where there is one. Raises Unavailable when it cannot be
    read.
    """
    if not isinstance(data, Mapping) or str(data.get("currency") or "USD").upper() not in ("USD", "$"):
        raise Unavailable("The service's price cannot be read.")
    discounted = data.get("discounted_price")
    return micro_dollars(data.get("price") if discounted is None else discounted)


def plain_text(text: str, key: str = "") -> str:
    """One line for a person: no key, no query of an address (often a signature), no control characters."""
    text = _CONTROL.sub(" ", _blot(text[: 4 * KEPT], key))
    text = " ".join(_QUERY.sub(r"\1", text).split())
    return text if len(text) <= DETAIL_MAX else text[: DETAIL_MAX - 1] + "…"


def redacted(value: Any, key: str) -> Any:
    """A JSON value with the key blotted out of every string, names included."""
    if len(key) < _SECRET_MIN:
        return value
    if isinstance(value, str):
        return _blot(value, key)
    if isinstance(value, list):
        return [redacted(item, key) for item in value]
    if isinstance(value, dict):
        return {_blot(name, key): redacted(item, key) for name, item in value.items()}
    return value


def _may_hold(body: bytes, key: str) -> bool:
    """Whether the key can stand in a JSON text, as it is, escaped, or in two bytes a character; looking
    through every string of a long list takes longer than reading the list.
    """
    disguised = b"\\u" in body or b"\0" in body or any(mark in key for mark in '"\\/')
    return disguised or key.encode() in body


def _blot(text: str, key: str) -> str:
    return text.replace(key, "[key]") if len(key) >= _SECRET_MIN else text


def _code(envelope: Mapping[str, Any] | None) -> int | None:
    code = envelope.get("code") if envelope is not None else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
        return int(code)
    if code is None or (isinstance(code, int) and not isinstance(code, bool)):
        return code
    return 0  # some code, but none that is known to mean success


def _message(envelope: Mapping[str, Any]) -> str:
    for name in ("message", "error", "detail", "msg"):
        said = envelope.get(name)
        if isinstance(said, list) and said:  # a list of objections, as some frameworks write it
            said = said[0]
        if isinstance(said, Mapping):
            said = said.get("message") or said.get("msg")
        if isinstance(said, str) and said.strip():
            return said
    return ""


def _meaning(status: int, said: str) -> tuple[type[ApiError], str]:
    if status == 402 or (status in (400, 403) and _CREDIT.search(said)):
        return OutOfCredit, "The account has not enough credit for this run."
    match status:
        case 401:
            return KeyRejected, "The service does not accept this key."
        case 404:
            return NotFound, "The service does not know what was asked for."
        case 413:
            return TooLarge, "The service says that this is too large."
        case 429:
            return RateLimited, "Too many requests; the service asks to wait."
    if 400 <= status < 500 and status not in _UNCLEAR:
        return Refused, f"The service refused the request ({status})."
    return Unavailable, f"The service gave no usable answer ({status or 'unreadable'})."
