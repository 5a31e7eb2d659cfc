"""Errors as incident.io words them: a type, a status, and what is wrong one by one."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.context import ErrorBody

_TYPES = {
    401: ("authentication_error", "missing_authorization_material", "The API key is not valid."),
    403: ("authorization_error", "forbidden", "The API key lacks the scope for this."),
    404: ("not_found", "not_found", "There is nothing here."),
    422: ("validation_error", "is_invalid", "A parameter is not valid."),
    429: ("too_many_requests", "too_many_requests", "You have exceeded your rate limit."),
}
_REQUEST_ID = "sandbox-request"


class InvalidRequestError(Exception):
    """A request that is answered with 422; `field` names the parameter."""

    def __init__(self, field: str, message: str, code: str = "is_invalid") -> None:
        super().__init__("invalid request")
        self.field = field
        self.message = message
        self.code = code


def write_problem(status: int, error: dict[str, Any] | None = None, **more: Any) -> bytes:
    """Returns the body of a failure."""
    kind, code, message = _TYPES.get(status, ("internal_error", "internal_error", "Something went wrong."))
    errors = [error or {"code": code, "message": message}]
    return orjson.dumps({"type": kind, "status": status, "request_id": _REQUEST_ID, **more, "errors": errors})


def describe_error(status: int) -> ErrorBody:
    """Returns the body that goes with a failure status."""
    return ErrorBody(write_problem(status), "application/json")


def invalid(error: InvalidRequestError) -> bytes:
    """Returns the body of a 422."""
    source = {"field": error.field}
    return write_problem(422, {"code": error.code, "message": error.message, "source": source})
