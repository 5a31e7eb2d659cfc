"""Errors as Sprout words them: an `error` text in the envelope, and no codes."""

from __future__ import annotations

import orjson

from sandbox.context import ErrorBody

_TEXTS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class RefusedError(Exception):
    """A request that Sprout refuses, with a status and a text that quotes no value."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def write_error(status: int, text: str = "") -> bytes:
    """Returns the body of a failure."""
    return orjson.dumps({"error": text or _TEXTS.get(status, "Internal Server Error")})


def describe_error(status: int) -> ErrorBody:
    """Returns the body that goes with a failure status."""
    return ErrorBody(write_error(status), "application/json")
