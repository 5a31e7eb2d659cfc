"""Errors as dbt Cloud words them: the envelope of every answer, with a message for users."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.context import ErrorBody

_TEXTS = {
    400: "The request was invalid",
    401: "Invalid token",
    403: "You do not have the permission that this needs",
    404: "Not found",
    429: "Request was throttled",
}


class RefusedError(Exception):
    """A request that dbt Cloud refuses, with a status and a message."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def write_answer(data: Any, status: int = 200, text: str = "Success!", extra: Any = None) -> bytes:
    """Returns the body of an answer."""
    told = {"code": status, "is_success": status < 400, "user_message": text, "developer_message": ""}  # noqa: PLR2004
    return orjson.dumps({"status": told, "data": data, **({"extra": extra} if extra is not None else {})})


def write_error(status: int, text: str = "") -> bytes:
    """Returns the body of a failure."""
    return write_answer(None, status, text or _TEXTS.get(status, "Internal server error"))


def describe_error(status: int) -> ErrorBody:
    """Returns the body that goes with a failure status."""
    return ErrorBody(write_error(status), "application/json")
