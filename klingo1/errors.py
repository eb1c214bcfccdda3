"""Everything klingo1 raises, as one tree.

KlingoError
├── SettingsError          the environment is wrong (variable)
├── InvalidRequest         wrong before anything was sent (field, reason, remedy)
├── KeyMissing             the paid engine needs a key, and there is none
├── BudgetReached          a cap has no room for this price (cap, limit, used, price)
├── PaidOff                the host has switched paid runs off
├── Busy                   too much is in work already (what, limit)
├── QuoteRefused           a quote is unknown, used up, or was given for something else
├── JobNotFound            no such job for this owner
├── LedgerError            the record on disk cannot be read or written (path)
│   └── FilesUnreachable   nor can the place where replicas share the files of runs
├── ApiError               the service did not do what was asked (status_code, code, detail, retry_after)
│   ├── Refused            it answered clearly: no
│   │   ├── KeyRejected    the key is wrong
│   │   ├── OutOfCredit    the wallet is empty
│   │   ├── NotFound       no such model or prediction
│   │   ├── TooLarge       an upload over its limit
│   │   └── RateLimited    too many requests
│   ├── NotSent            the request certainly did not reach the service; it may be repeated
│   ├── Unavailable        it fell over or could not be reached; safe reads may be repeated
│   └── SubmitUncertain    the submit may have been accepted and billed; never repeat it, look it up
├── GenerationFailed       the service accepted the task and then failed it (prediction_id, status, code)
└── DownloadFailed         the result cannot be fetched (prediction_id, expired, retriable)

Three failures are kept apart: the request is invalid, the API failed, the generation failed. Facts are
attributes; messages are for people, and nothing in klingo1 matches on their text.
"""

from __future__ import annotations

from pathlib import Path


class KlingoError(Exception):
    """The root of the tree."""


class SettingsError(KlingoError):
    """An environment variable is unknown or has an impossible value."""

    def __init__(self, message: str, *, variable: str) -> None:
        super().__init__(message)
        self.variable = variable


class InvalidRequest(KlingoError):
    """The request is wrong; nothing was sent.

    `field` is one of the contract's field names (`images[2]` names the third picture), `reason` tells the
    limit that is broken, `remedy` what to do. Each is one plain sentence.
    """

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        super().__init__(f"{field}: {reason} {remedy}")
        self.field = field
        self.reason = reason
        self.remedy = remedy


class KeyMissing(KlingoError):
    """The paid engine was asked for without a WaveSpeed key."""


class BudgetReached(KlingoError):
    """A cap has no room for this price. Amounts are micro-dollars; `cap` is run, visitor_day or day."""

    def __init__(self, message: str, *, cap: str, limit: int, used: int, price: int) -> None:
        super().__init__(message)
        self.cap = cap
        self.limit = limit
        self.used = used
        self.price = price


class PaidOff(KlingoError):
    """The host of this page has switched the paid engine off."""


class Busy(KlingoError):
    """So much is in work already that nothing more is taken up now; nothing was started.

    `what` is paid (one paid run per visitor), drafts (of this visitor or address), queue (all drafts), files
    (that are being looked at) or disk; `limit` is the number that is reached, bytes for disk.
    """

    def __init__(self, message: str, *, what: str, limit: int) -> None:
        super().__init__(message)
        self.what = what
        self.limit = limit


class QuoteRefused(KlingoError):
    """A quote is unknown, too old, or was given for another request or price."""


class JobNotFound(KlingoError):
    """No such job for this owner."""


class LedgerError(KlingoError):
    """The ledger cannot be used; `path` names the file, which was not changed."""

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class FilesUnreachable(LedgerError):
    """The place where replicas share the files of runs cannot be reached; what is in work waits for it."""


class ApiError(KlingoError):
    """The service did not do what was asked.

    `status_code` is the HTTP status or None when no answer came, `code` the envelope's code, `detail` what
    the service said (plain text, at most 500 characters, keys removed), `retry_after` seconds or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: int | None = None,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


class Refused(ApiError):
    """The service answered clearly: no. Nothing was created and nothing is billed."""


class KeyRejected(Refused):
    """The service does not accept the key."""


class OutOfCredit(Refused):
    """The wallet has not enough credit for this run."""


class NotFound(Refused):
    """The service knows no such model or prediction."""


class TooLarge(Refused):
    """An upload is over the service's limit."""


class RateLimited(Refused):
    """Too many requests; `retry_after` says how long to wait when the service said so."""


class NotSent(ApiError):
    """The request certainly did not reach the service; repeating it is safe."""


class Unavailable(ApiError):
    """The service fell over or its answer is unreadable. Reads may be repeated."""


class SubmitUncertain(ApiError):
    """A submit's answer was lost: the task may exist and be billed. It is looked up, never sent again."""


class GenerationFailed(KlingoError):
    """The service accepted the task and then ended it without a result."""

    def __init__(
        self, message: str, *, prediction_id: str, status: str = "failed", code: int | None = None
    ) -> None:
        super().__init__(message)
        self.prediction_id = prediction_id
        self.status = status
        self.code = code


class DownloadFailed(KlingoError):
    """A result cannot be fetched; `expired` is true when the service no longer has it, `retriable` when its
    host was out of reach.
    """

    def __init__(
        self, message: str, *, prediction_id: str = "", expired: bool = False, retriable: bool = False
    ) -> None:
        super().__init__(message)
        self.prediction_id = prediction_id
        self.expired = expired
        self.retriable = retriable
