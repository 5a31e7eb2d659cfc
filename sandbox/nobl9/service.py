"""The HTTP face of the emulated Nobl9: `/nobl9/api/accessToken` and `/nobl9/api/v2/slos`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.context import PAGING_FAULT_KEY, ErrorBody, SandboxContext, Service
from sandbox.nobl9.settings import NOBL9_CLIENT_ID, NOBL9_CLIENT_SECRET, NOBL9_ORGANIZATION
from sandbox.nobl9.slos import write_slo
from sandbox.rate_limit import RateLimiter
from sandbox.rest.auth import read_basic
from sandbox.schema_changes import change_record

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

_LIFETIME = timedelta(hours=1)
_ACCEPTED = "application/json; version=v1alpha"
_LARGEST_PAGE = 500
_DEFAULT_PAGE = 100
_REASONS = {401: "unauthorized", 403: "forbidden", 404: "not found", 429: "too many requests"}


def build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    """Returns the routes below `/nobl9`."""
    service = _Nobl9(context)
    return [
        Route("/api/accessToken", service.token, methods=["POST"]),
        Route("/api/v2/slos", service.slos),
        Route("/api/v2/slos/{name}", service.slo),
    ]


class _Nobl9:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._settings = context.settings.nobl9
        self._calls = RateLimiter(self._settings.requests_per_second, per_seconds=1)
        self._tokens = RateLimiter(1, per_seconds=self._settings.seconds_between_tokens)
        context.on_reset(self._reset)

    async def token(self, request: Request) -> Response:
        """Gives out an access token for the access key and the organisation."""
        client = read_basic(request.headers.get("authorization", ""))
        if client != (NOBL9_CLIENT_ID, NOBL9_CLIENT_SECRET) or not _names_organization(request):
            return _failure(401)
        if request.headers.get("accept") != _ACCEPTED:
            return _failure(406)
        if self._settings.seconds_between_tokens and not self._tokens.try_acquire():
            return _failure(429)
        token = self._context.tokens.issue(self._context.clock.now(), _LIFETIME)
        return Response(orjson.dumps({"access_token": token}), media_type="application/json")

    async def slos(self, request: Request) -> Response:
        """Answers a page of SLOs, and the address of the next; empty on the last."""
        refused = self._refuse(request)
        if refused is not None:
            return _failure(refused)
        limit, start = request.query_params.get("limit", str(_DEFAULT_PAGE)), _read_cursor(request)
        if not limit.isdecimal() or not 1 <= int(limit) <= _LARGEST_PAGE or start is None:
            return _failure(400)
        size = min(int(limit), self._settings.fewer_per_page or _LARGEST_PAGE)
        stop = min(start + size, self._settings.objectives)
        changes = self._context.faults.schema_changes(request.scope["path"], self._context.clock.now())
        data = [change_record(self._slo(number), changes) for number in range(start, stop)]
        links = {"self": str(request.url), "next": self._next(request, start, stop, limit)}
        return Response(orjson.dumps({"data": data, "links": links}), media_type="application/json")

    async def slo(self, request: Request) -> Response:
        """Answers one SLO of the project that the header names."""
        refused = self._refuse(request)
        if refused is not None:
            return _failure(refused)
        wanted = (request.path_params["name"], request.headers.get("project"))
        every = (self._slo(number) for number in range(self._settings.objectives))
        found = next((one for one in every if (one["name"], one["project"]["name"]) == wanted), None)
        if found is None:
            return _failure(404)
        return Response(orjson.dumps(found), media_type="application/json")

    def _refuse(self, request: Request) -> int | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        is_known = scheme == "Bearer" and self._context.tokens.accepts(token, self._context.clock.now())
        if not is_known or not _names_organization(request):
            return 401
        return None if self._calls.try_acquire() else 429

    def _slo(self, number: int) -> dict[str, Any]:
        return write_slo(number, self._context.clock.now(), seed=self._context.settings.seed)

    def _next(self, request: Request, start: int, stop: int, limit: str) -> str:
        fault = request.scope.get(PAGING_FAULT_KEY)
        if stop >= self._settings.objectives or fault == "missing_page_token":
            return ""
        cursor = _write_cursor(start if fault == "repeated_page_token" else stop)
        return f"{request.url.replace(query='')}?{urlencode({'cursor': cursor, 'limit': limit})}"

    def _reset(self) -> None:
        self._calls.reset()
        self._tokens.reset()


def _names_organization(request: Request) -> bool:
    return request.headers.get("organization") == NOBL9_ORGANIZATION


def _write_cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"at:{place}".encode()).decode("ascii")


def _read_cursor(request: Request) -> int | None:
    text = request.query_params.get("cursor")
    if text is None:
        return 0
    try:
        prefix, _, place = base64.urlsafe_b64decode(text).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return int(place) if prefix == "at" and place.isdecimal() else None


def describe_error(status: int) -> ErrorBody:
    """Returns the body that goes with a failure status."""
    return ErrorBody(orjson.dumps({"message": _REASONS.get(status, "error"), "statusCode": status}), "application/json")


def _failure(status: int) -> Response:
    error = describe_error(status)
    return Response(error.content, status, media_type=error.media_type)


NOBL9 = Service("nobl9", "/nobl9/api", build_routes, describe_error)
