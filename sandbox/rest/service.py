"""The HTTP face of the generic REST API: `/rest/<collection>`, `/rest/<collection>/<id>`, `/rest/oauth/token`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.context import ErrorBody, SandboxContext, Service
from sandbox.rate_limit import RateLimiter
from sandbox.rest.asked import BadQueryError
from sandbox.rest.auth import grant_token, is_allowed
from sandbox.rest.collection import RateLimit
from sandbox.rest.demo import demo_collections
from sandbox.rest.serving import ServedCollection
from sandbox.retry_after import write_retry_after

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

_UNAUTHORIZED = 401
_REASONS = {400: "bad_request", 401: "invalid_token", 404: "not_found", 429: "rate_limited"}


@dataclass(frozen=True)
class Match:
    """A collection found by path.

    Args:
        parent: The id in the path, for a collection below a parent.
        record_id: The record that is asked for; empty for the collection itself.
    """

    name: str
    parent: str = ""
    record_id: str = ""


class _Rest:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        collections = {
            **demo_collections(context.settings.seed, context.clock.now),
            **context.settings.collections,
        }
        self._served = {name: ServedCollection(name, collection, context) for name, collection in collections.items()}
        for collection in collections.values():
            if collection.auth.kind == "api_key_query":
                context.log.hide_parameter(collection.auth.name)
        context.on_reset(self._reset)

    async def token(self, request: Request) -> Response:
        """Answers `POST /rest/oauth/token`."""
        status, answer = grant_token(
            await request.body(),
            request.headers.get("authorization", ""),
            tokens=self._context.tokens,
            now=self._context.clock.now(),
        )
        return Response(orjson.dumps(answer), status, media_type="application/json")

    async def collection(self, request: Request) -> Response:
        """Answers a collection's page, or one record."""
        match = self._match(request.path_params["path"].rstrip("/"))
        if match is None:
            return _failure(404)
        served = self._served[match.name]
        now = self._context.clock.now()
        if not is_allowed(request, served.collection.auth, tokens=self._context.tokens, now=now):
            return _failure(401)
        if served.limiter is not None and not served.limiter.try_acquire():
            return _too_many(served.limiter, served.collection.rate_limit)
        try:
            return self._record(served, match) if match.record_id else await served.page(request, match.parent)
        except BadQueryError as error:
            return _failure(400, str(error))

    def _record(self, served: ServedCollection, match: Match) -> Response:
        record = served.store.find(match.record_id)
        return Response(record, media_type="application/json") if record is not None else _failure(404)

    def _match(self, path: str) -> Match | None:
        if path in self._served:
            return Match(path)
        for name, served in self._served.items():
            if served.parent_name and path.startswith(f"{served.parent_name}/") and path.endswith(served.suffix):
                parent = path[len(served.parent_name) + 1 : len(path) - len(served.suffix)]
                if parent and "/" not in parent:
                    return Match(name, parent=parent) if self._has_parent(served.parent_name, parent) else None
        name, _, record_id = path.rpartition("/")
        return Match(name, record_id=record_id) if name in self._served else None

    def _has_parent(self, name: str, record_id: str) -> bool:
        # Where the parents are no collection themselves, any id is one, perhaps without children.
        return name not in self._served or self._served[name].store.find(record_id) is not None

    def _reset(self) -> None:
        for served in self._served.values():
            if served.limiter is not None:
                served.limiter.reset()


def build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    """Returns the routes below `/rest`."""
    service = _Rest(context)
    return [
        Route("/oauth/token", service.token, methods=["POST"]),
        Route("/{path:path}", service.collection, methods=["GET", "POST"]),
    ]


def describe_error(status: int) -> ErrorBody:
    """Returns the body that goes with a failure status."""
    return ErrorBody(_error_body(status, ""), "application/json")


def _failure(status: int, message: str = "") -> Response:
    headers = {"www-authenticate": 'Bearer error="invalid_token"'} if status == _UNAUTHORIZED else None
    return Response(_error_body(status, message), status, headers, "application/json")


def _error_body(status: int, message: str) -> bytes:
    body: dict[str, Any] = {"error": _REASONS.get(status, "server_error")}
    return orjson.dumps({**body, "message": message} if message else body)


def _too_many(limiter: RateLimiter, limit: RateLimit | None) -> Response:
    response = _failure(429)
    if limit is not None and limit.retry_after != "none":
        response.headers["retry-after"] = write_retry_after(limiter.seconds_until_free(), limit.retry_after)
    return response


REST = Service("rest", "/rest", build_routes, describe_error)
