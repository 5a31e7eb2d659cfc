"""Errors as Gladly words them: `{"errors": [{"attr", "code", "detail"}]}`."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from sandbox.context import ErrorBody

_CODES = {401: "invalid", 403: "invalid", 404: "not_exist", 429: "temporary_failure"}
_DETAILS = {
    401: "invalid agent email or API token",
    403: "user does not have the API User permission",
    404: "no such organization",
    429: "rate limit exceeded",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request; `attr` names the field, dotted, where one is to blame."""

    code: str
    detail: str
    attr: str = ""


class BadRequestError(Exception):
    """A request that Gladly answers with 400."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("bad request")
        self.problems = problems


def write_problems(problems: tuple[Problem, ...]) -> bytes:
    """Returns the error body; `attr` is left out where it is empty, as Gladly does."""
    errors = [
        {**({"attr": problem.attr} if problem.attr else {}), "code": problem.code, "detail": problem.detail}
        for problem in problems
    ]
    return orjson.dumps({"errors": errors})


def describe_error(status: int) -> ErrorBody:
    """Returns the body that goes with a failure status."""
    problem = Problem(_CODES.get(status, "temporary_failure"), _DETAILS.get(status, "something went wrong"))
    return ErrorBody(write_problems((problem,)), "application/json")
