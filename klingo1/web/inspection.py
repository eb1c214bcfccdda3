"""What a request gives away about itself: where it comes from, and whether it names an address as a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

FILE_ROUTE = re.compile(r"(?:/gradio_api)?/(?:file=|file/|stream/)")
ADDRESS_HEADER = "x-klingo1-address"
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|//|\\\\)", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:[\\/]", re.IGNORECASE)
_FILE_KEYS = frozenset({"path", "name"})


def address_in(headers: Mapping[str, str]) -> str:
    """The address that the guard has counted a request for, for whom it let it on; "" where nobody counts."""
    return headers.get(ADDRESS_HEADER, "")


def comes_from_here(headers: Mapping[str, str]) -> bool:
    """Whether a browser sent this from the page's own origin; programs, which send no origin, may pass."""
    site = headers.get("sec-fetch-site", "")
    if site:
        return site in {"same-origin", "none"}
    origin = headers.get("origin", "")
    if not origin:
        return True
    host = urlsplit(origin).netloc.lower()
    here = {headers.get("host", "").lower(), headers.get("x-forwarded-host", "").lower()} - {""}
    return host in here


def names_address(path: str) -> bool:
    """A file route that names an address instead of a file, however often it is quoted."""
    match = FILE_ROUTE.match(path)
    if not match:
        return False
    rest = path[match.end() :]
    for _ in range(3):
        if "://" in rest or _is_address(rest):
            return True
        rest = unquote(rest)
    return False


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.match(text)) and not _DRIVE.match(text)


def read_json(body: bytes) -> object:
    """The document; None for what cannot be read, which is left to the application to refuse."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def holds_remote_file(document: object) -> bool:
    """Whether a file value stands in it whose path is an address."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            is_file = "path" in value and (
                "meta" in value or "orig_name" in value or "mime_type" in value or "is_stream" in value
            )
            for key, item in value.items():
                if (
                    key in _FILE_KEYS
                    and isinstance(item, str)
                    and _is_address(item)
                    and (is_file or key == "path")
                ):
                    return True
                waiting.append(item)
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def called_function(document: object) -> tuple[str, object]:
    """The server function that a call names, and its argument; "" for none."""
    if not isinstance(document, dict) or not isinstance(name := document.get("fn_name"), str):
        return "", None
    return name, document.get("data")
