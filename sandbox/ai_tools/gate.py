"""What all of the emulated APIs do before and after an answer: credentials, limits, refusals in the vendor's words."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from sandbox.ai_tools.settings import KEY_WITHOUT_RIGHTS
from sandbox.ai_tools.world import World
from sandbox.clock import to_milliseconds
from sandbox.context import PAGING_FAULT_KEY, ErrorBody, SandboxContext
from sandbox.faults import LateRows
from sandbox.rate_limit import RateLimiter
from sandbox.retry_after import write_retry_after
from sandbox.schema_changes import change_record

if TYPE_CHECKING:
    from starlette.requests import Request

Record = dict[str, Any]
Words = Callable[[int, str], ErrorBody]
"""Words an error: `(status, message)`; an empty message stands for the vendor's usual one."""


class RefusedError(Exception):
    """A request that the vendor answers with an error."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Asked:
    """One request to an emulated API, its body read, and the world as it stands at that moment."""

    def __init__(self, request: Request, body: Any, context: SandboxContext, world: World) -> None:
        self.request = request
        self.body = body
        self.query = request.query_params
        self.now = to_milliseconds(context.clock.now())
        self.world = world
        self.paging_fault: str = request.scope.get(PAGING_FAULT_KEY, "")
        path, moment = request.scope["path"], context.clock.now()
        self.late_rows: LateRows = context.faults.late_rows(path, moment)
        self._changes = context.faults.schema_changes(path, moment)

    def changed(self, records: Iterable[Record]) -> list[Record]:
        """Returns records in the shape that schema changes give them."""
        return [change_record(record, self._changes) for record in records]

    def check_names(self, known: Iterable[str], given: Iterable[str] | None = None, *, status: int = 400) -> None:
        """Refuses parameters that the API does not have."""
        for name in self.query if given is None else given:
            if name not in known:
                raise RefusedError(status, f"{name}: unknown parameter")

    def number(self, name: str, *, default: int, most: int, status: int = 400) -> int:
        """Returns a whole number of the query from 1 to the most that is allowed."""
        return checked_number(self.query.get(name, default), name, most=most, status=status)


Answer = Callable[[Asked], Awaitable[Response]]


class Gate:
    """Lets requests with the right key through, within the tool's limit.

    Args:
        tool: The service's name.
        key: What opens it.
        key_of: Finds the key that a request and its body carry.
        words: Words the vendor's errors.
    """

    def __init__(
        self,
        context: SandboxContext,
        world: World,
        *,
        tool: str,
        key: str,
        key_of: Callable[[Request, Any], str],
        words: Words,
    ) -> None:
        self._context = context
        self._world = world
        self._key = key
        self._key_of = key_of
        self._words = words
        limit = context.settings.ai_tools.requests_per_minute.get(tool)
        self._limiter = RateLimiter(limit, per_seconds=60) if limit else None
        context.on_reset(self._reset)

    def guarded(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Returns an endpoint that checks before it answers."""

        async def endpoint(request: Request) -> Response:
            try:
                body = await _read_json(request)
                self._check(self._key_of(request, body))
                if self._limiter is not None and not self._limiter.try_acquire():
                    response = self.failure(429)
                    response.headers["retry-after"] = write_retry_after(self._limiter.seconds_until_free(), "seconds")
                    return response
                return await answer(Asked(request, body, self._context, self._world))
            except RefusedError as error:
                return self.failure(error.status, error.message)

        return endpoint

    def failure(self, status: int, message: str = "") -> Response:
        """Returns an error as the vendor words it."""
        error = self._words(status, message)
        return Response(error.content, status, media_type=error.media_type)

    def _check(self, key: str) -> None:
        if key == KEY_WITHOUT_RIGHTS:
            raise RefusedError(403)
        if key != self._key:
            raise RefusedError(401)

    def _reset(self) -> None:
        if self._limiter is not None:
            self._limiter.reset()


async def _read_json(request: Request) -> Any:
    if request.method != "POST":
        return None
    try:
        body = orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError:
        raise RefusedError(400, "the body is no JSON") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "the body is no object")
    return body


def bearer_of(request: Request, _body: Any) -> str:
    """Returns the token of an `Authorization: Bearer` header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def basic_user_of(request: Request, _body: Any) -> str:
    """Returns the user of HTTP Basic whose password is empty."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return user if scheme == "Basic" and not password else ""


def to_json(value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Returns a JSON answer."""
    return Response(orjson.dumps(value), media_type="application/json", headers=headers)


def checked_number(value: Any, name: str, *, most: int, status: int = 400) -> int:
    """Returns a whole number from 1 to the most that is allowed."""
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or not 1 <= int(text) <= most:
        raise RefusedError(status, f"{name} must be between 1 and {most}")
    return int(text)


def checked_date(value: Any, name: str, *, status: int = 400) -> date:
    """Returns a date that is written as `2026-03-01`."""
    try:
        return date.fromisoformat(value) if len(value) == len("2026-03-01") else _no_date(name, status)
    except (TypeError, ValueError):
        return _no_date(name, status)


def _no_date(name: str, status: int) -> date:
    raise RefusedError(status, f"{name} must be a date such as 2026-03-01")
