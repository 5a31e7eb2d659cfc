"""Errors as Google words them: `{"error": {"code", "message", "errors", "status", "details"}}`."""

from __future__ import annotations

import orjson

from sandbox.context import ErrorBody

_STATUSES = {
    400: ("INVALID_ARGUMENT", "invalidArgument"),
    401: ("UNAUTHENTICATED", "authError"),
    403: ("PERMISSION_DENIED", "forbidden"),
    404: ("NOT_FOUND", "notFound"),
    429: ("RESOURCE_EXHAUSTED", "rateLimitExceeded"),
    500: ("INTERNAL", "backendError"),
    503: ("UNAVAILABLE", "backendError"),
}


class GoogleProblemError(Exception):
    """A request that Google refuses.

    Args:
        code: The HTTP status.
        message: In Google's words.
        reason: `errors[0].reason`, the status's usual one if empty.
        status: `status`, the usual one if empty.
        detail: `details[0].reason`, none if empty.
    """

    def __init__(self, code: int, message: str, *, reason: str = "", status: str = "", detail: str = "") -> None:
        super().__init__(message)
        usual_status, usual_reason = _STATUSES.get(code, ("UNKNOWN", "backendError"))
        self.code = code
        self.message = message
        self.reason = reason or usual_reason
        self.status = status or usual_status
        self.detail = detail

    def body(self) -> bytes:
        """Returns the error as it is sent."""
        error: dict[str, object] = {
            "code": self.code,
            "message": self.message,
            "errors": [{"message": self.message, "domain": "global", "reason": self.reason}],
            "status": self.status,
        }
        if self.detail:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [{"@type": kind, "reason": self.detail, "domain": "googleapis.com"}]
        return orjson.dumps({"error": error})


def describe_error(status: int) -> ErrorBody:
    """Returns the body that goes with a failure status."""
    return ErrorBody(GoogleProblemError(status, "Request failed.").body(), "application/json")
