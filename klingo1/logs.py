"""Keep paths and queries of addresses, which may be signatures, out of what the HTTP libraries log."""

from __future__ import annotations

import logging
import re

_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")


def silence_addresses_in_logs() -> None:
    """Keep paths and queries of addresses (they may be signatures) out of what httpx and httpcore log."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_ORIGINS_ONLY)  # the same filter is never added twice


class _OriginsOnly(logging.Filter):
    _address = re.compile(r"(https?://[^\s/?#'\"\\]+)[^\s'\"\\]*")
    _path = re.compile(
        r"(b'(?:location|content-location|link|content-disposition)', )b(?:'[^']*'|\"[^\"]*\")", re.IGNORECASE
    )

    def filter(self, record: logging.LogRecord) -> bool:
        text = self._address.sub(r"\1/…", record.getMessage())
        record.msg, record.args = self._path.sub(r"\1…", text), ()
        return True


_ORIGINS_ONLY = _OriginsOnly()
