"""Who owns a run: a random token for a visitor, a name that nobody can forge for one who has signed in.

The owner of a signed-in visitor is derived from the user name with a secret of this home folder. It carries
its own proof, so it is recognised after a restart, and a token made up by a browser never passes for it.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from hashlib import sha256
from pathlib import Path

from klingo1.errors import LedgerError

DESK = "desk"
"""The owner of everything where there is one person and no sign-in."""
SECRET = "secret"  # noqa: S105 - the name of a file
PASS_SECONDS = 24 * 3600.0
_SIGNED = re.compile(r"u-[0-9a-f]{24}-[0-9a-f]{24}")
_PASS = re.compile(r"(u-[0-9a-f]{24}-[0-9a-f]{24})\.([0-9]{1,12})\.([0-9a-f]{24})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")


def new_token() -> str:
    """An owner for a visitor who is not signed in."""
    return "v-" + secrets.token_urlsafe(24)


def is_token(text: object) -> bool:
    """Whether a browser may call itself that: it has a token's form, and is no signed-in owner's name."""
    return isinstance(text, str) and bool(_TOKEN.fullmatch(text)) and not text.startswith("u-")


class SignIn:
    """Owners of signed-in visitors, by the secret that is kept in `home`."""

    def __init__(self, home: Path) -> None:
        """Read the secret, or make it. Raises LedgerError when neither is possible."""
        self._secret = _secret(home / SECRET)

    def owner_of(self, username: str) -> str:
        """The owner for a user name that the host itself has verified; the same one every time."""
        name = self._mark("name", username)
        return f"u-{name}-{self._mark('proof', name)}"

    def is_signed_in(self, owner: str) -> bool:
        """Whether `owner_of` has made this owner."""
        if not _SIGNED.fullmatch(owner):
            return False
        _, name, proof = owner.split("-")
        return hmac.compare_digest(proof, self._mark("proof", name))

    def pass_of(self, owner: str, *, now: float) -> str:
        """What the browser of a signed-in owner shows, for a day; made anew at each arrival.

        The owner itself stands in rows and is never taken from a browser.
        """
        until = int(now + PASS_SECONDS)
        return f"{owner}.{until}.{self._mark('pass', f'{owner}.{until}')}"

    def owner_shown(self, shown: str, *, now: float) -> str:
        """The signed-in owner whose pass this is; "" when it is none, or is over."""
        match = _PASS.fullmatch(shown)
        if match is None or now > int(match[2]) or not self.is_signed_in(match[1]):
            return ""
        whole = hmac.compare_digest(match[3], self._mark("pass", f"{match[1]}.{match[2]}"))
        return match[1] if whole else ""

    def _mark(self, purpose: str, text: str) -> str:
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, sha256).hexdigest()[:24]


def _secret(file: Path) -> bytes:
    try:
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "wb") as fresh:
                fresh.write(secrets.token_bytes(32))
        found = file.read_bytes()
    except OSError as error:
        raise LedgerError(f"{file} cannot be read or made: {error.strerror}.", path=file) from error
    if len(found) != 32:
        raise LedgerError(f"{file} is damaged. Delete it; signed-in visitors then start anew.", path=file)
    return found
