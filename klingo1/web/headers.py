"""Headers on every answer: what the browser may load and do, who may frame the page, strict cookies.

Gradio's own page needs inline scripts and `new Function`, so scripts cannot be told apart by nonce. What the
policy holds: nothing is loaded from, sent to or framed by another machine, and files of visitors never run.
"""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]

_PAGE = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
_FILE = b"default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def secured(headers: Iterable[Header], *, is_file: bool, on_space: bool, https: bool) -> list[Header]:
    """An answer's headers with ours in place of what stood there.

    On a Space, huggingface.co shows the page in a frame, and its sign-in cookie must work in there.
    """
    ours = [*_ALWAYS, (b"content-security-policy", _FILE if is_file else _policy(on_space=on_space))]
    if is_file:
        ours.append((b"cache-control", b"private, no-cache"))  # no proxy may keep a visitor's pictures
    if not on_space:
        ours += [(b"x-frame-options", b"SAMEORIGIN"), (b"cross-origin-opener-policy", b"same-origin")]
    if https:
        ours.append((b"strict-transport-security", b"max-age=31536000"))
    names = {name for name, _ in ours} | {b"server"}
    kept = [(name, value) for name, value in headers if name.lower() not in names]
    cookies = [
        (name, value if on_space else _strict(value, https=https))
        for name, value in kept
        if name.lower() == b"set-cookie"
    ]
    return [(name, value) for name, value in kept if name.lower() != b"set-cookie"] + cookies + ours


def _policy(*, on_space: bool) -> bytes:
    framed_by = "https://huggingface.co https://*.hf.space" if on_space else "'self'"
    directives = _PAGE | {"frame-ancestors": framed_by}
    return "; ".join(f"{name} {value}" for name, value in directives.items()).encode()


def _strict(cookie: bytes, *, https: bool) -> bytes:
    """A cookie that no script reads and no other site's request carries."""
    weak = (b"samesite", b"httponly", b"secure")
    parts = [part.strip() for part in cookie.split(b";")]
    parts = [part for part in parts if part.partition(b"=")[0].lower() not in weak]
    return b"; ".join([*parts, b"HttpOnly", b"SameSite=Strict", *([b"Secure"] if https else [])])
