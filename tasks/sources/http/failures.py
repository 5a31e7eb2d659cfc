"""What a status or a transport error means: one table, so that every source's errors say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from penstock.errors import DataError, PenstockError, RateLimitedError, RejectedError, TransientError

UNAUTHORIZED = 401
TOO_MANY_REQUESTS = 429
# RFC 9110 has whole seconds; some servers send fractions.
_REMAINING, _RESET = "x-ratelimit-remaining", "x-ratelimit-reset"
_EPOCH_SECONDS = re.compile(r"\d{10}")
_SECONDS = re.compile(r"\s*\d{1,9}(?:\.\d+)?\s*")
_FORBIDDEN = 403
_FIRST_CLIENT_ERROR = 400
_FIRST_SERVER_ERROR = 500

_LATER = "Run again when the API answers; what is missing is loaded then."
_PATH = "Check the dataset's `path`, and the connection's `base_url` in the platform file, which stands before it."
_REQUEST = "Check the dataset's path, parameters and window against the API's documentation."


class Failure(NamedTuple):
    """The error that a status becomes; `{rights}` in the guidance is filled by the connection's own words."""

    kind: type[PenstockError]
    message: str
    guidance: str


FAILURES: dict[int, Failure] = {
    400: Failure(RejectedError, "the API refused the request as malformed", _REQUEST),
    401: Failure(RejectedError, "the API did not accept the credentials", "Renew the credentials of this connection."),
    403: Failure(RejectedError, "the credentials lack a right", "Give the credentials of this connection {rights}."),
    404: Failure(RejectedError, "the API has nothing at this path", _PATH),
    405: Failure(RejectedError, "the API does not allow this method", _PATH),
    408: Failure(TransientError, "the API timed out", _LATER),
    410: Failure(RejectedError, "the API no longer has this path", _PATH),
    422: Failure(RejectedError, "the API refused the request's values", _REQUEST),
    425: Failure(TransientError, "the API is not ready yet", _LATER),
    429: Failure(RateLimitedError, "the API asked for a pause", _LATER),
    500: Failure(TransientError, "the API failed", _LATER),
    501: Failure(RejectedError, "the API does not offer this", _REQUEST),
    502: Failure(TransientError, "the API is not reachable behind its gateway", _LATER),
    503: Failure(TransientError, "the API is not available", _LATER),
    504: Failure(TransientError, "the API did not answer its gateway in time", _LATER),
    505: Failure(RejectedError, "the API does not speak this HTTP version", _REQUEST),
}
_REDIRECTED = Failure(
    RejectedError, "the API redirected elsewhere", "Put the final address into the connection; credentials stay home."
)
_REFUSED = Failure(RejectedError, "the API refused the request", _REQUEST)
_FAILED = Failure(TransientError, "the API failed", _LATER)
BROKEN = Failure(TransientError, "the connection to the API broke", _LATER)
NOT_READY = Failure(TransientError, "the API has not made its answer yet", _LATER)
UNREACHABLE = Failure(
    TransientError,
    "the API cannot be reached",
    "Check the connection's address in the platform file, and that the API is up; then run again.",
)
_NAMED_ADDRESS = "The API named this address itself: check where the dataset's `paging` looks for the next page."


class UnreadableBodyError(TransientError):
    """A body came whole but is not what was asked for; sent again a few times, then a DataError."""

    def as_data_error(self) -> DataError:
        """Returns the error to end with once trying again has not helped."""
        return DataError(self.message, guidance=self.guidance, **self.facts)


def failure_of(status: int, headers: Mapping[str, str] | None = None) -> Failure:
    """Returns what a status that is no success means.

    A 403 that names a pause, or says that no requests remain, is a limit and no missing right: so GitHub answers
    ("Rate limits for the REST API", docs.github.com).
    """
    headers = headers or {}
    if status == _FORBIDDEN and ("retry-after" in headers or headers.get(_REMAINING, "").strip() == "0"):
        return FAILURES[429]
    if status in FAILURES:
        return FAILURES[status]
    if status < _FIRST_CLIENT_ERROR:
        return _REDIRECTED
    return _REFUSED if status < _FIRST_SERVER_ERROR else _FAILED


def error_of(failure: Failure, *, rights: str = "the right to read this", **facts: Any) -> PenstockError:
    """Returns the error to raise; facts name the connection and the endpoint, never a value that was sent."""
    return failure.kind(failure.message, guidance=failure.guidance.replace("{rights}", rights), **facts)


def of_named_address(failure: Failure) -> Failure:
    """Returns a failure as it is told of an address that an earlier page named, which the file does not hold."""
    return failure._replace(guidance=_NAMED_ADDRESS) if failure.guidance in {_PATH, _REQUEST} else failure


def pause_seconds(headers: Mapping[str, str], *, now: float) -> float | None:
    """Returns the pause that an answer asks for: `Retry-After`, or until `X-RateLimit-Reset` where nothing remains.

    Args:
        headers: The answer's; their names in lower case, or a mapping to which case is nothing.
        now: Seconds since the epoch.
    """
    stated = retry_after_seconds(headers.get("retry-after"), now=now)
    reset = headers.get(_RESET, "").strip()
    # As GitHub writes it, in seconds since the epoch; smaller numbers mean something else elsewhere.
    if stated is not None or headers.get(_REMAINING, "").strip() != "0" or not _EPOCH_SECONDS.fullmatch(reset):
        return stated
    return max(0.0, float(reset) - now)


def retry_after_seconds(value: str | None, *, now: float) -> float | None:
    """Returns the pause that a `Retry-After` header asks for (RFC 9110, section 10.2.3), or None.

    Args:
        value: Seconds or an HTTP date.
        now: Seconds since the epoch.
    """
    if value is None:
        return None
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)
