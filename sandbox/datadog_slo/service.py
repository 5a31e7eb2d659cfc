"""The HTTP face of the emulated Datadog: `/datadog_slo/api/v1/slo...` and `/datadog_slo/api/v2/slo/<id>/status`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.context import ErrorBody, SandboxContext, Service
from sandbox.datadog_slo.limits import CalendarLimiter
from sandbox.datadog_slo.records import write_correction, write_history, write_objective, write_status
from sandbox.datadog_slo.settings import DATADOG_API_KEY, DATADOG_APPLICATION_KEY
from sandbox.datadog_slo.world import Objective, World
from sandbox.schema_changes import change_record

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

Json = dict[str, Any]
Endpoint = Callable[["Request"], Response]
T = TypeVar("T")

_LARGEST_PAGE = 1_000
_CORRECTIONS_PAGE = 25
_REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Rate limit of requests reached"}


class BadRequestError(Exception):
    """A request that is answered with 400; the text names the parameter."""


def build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    """Returns the routes below `/datadog_slo`."""
    service = _DatadogSlo(context)
    endpoints: dict[str, Endpoint] = {
        "/api/v1/slo": service.objectives,
        "/api/v1/slo/correction": service.corrections,
        "/api/v1/slo/{objective}/history": service.history,
        "/api/v2/slo/{objective}/status": service.status,
    }
    return [Route(path, service.guarded(path, endpoint)) for path, endpoint in endpoints.items()]


class _DatadogSlo:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._settings = context.settings.datadog_slo
        self._world = World(self._settings, seed=context.settings.seed)
        self._limiters: list[CalendarLimiter] = []
        context.on_reset(self._reset)

    def guarded(self, path: str, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """Returns an endpoint that only both keys reach, within its limit."""
        settings = self._settings
        limiter = CalendarLimiter(path, settings.requests_per_period, period_seconds=settings.period_seconds)
        self._limiters.append(limiter)

        async def guarded_endpoint(request: Request) -> Response:
            keys = (request.headers.get("dd-api-key"), request.headers.get("dd-application-key"))
            if keys != (DATADOG_API_KEY, DATADOG_APPLICATION_KEY):
                return _failure(403)
            if not limiter.try_acquire():
                response = _failure(429)
            else:
                try:
                    response = endpoint(request)
                except BadRequestError as error:
                    response = _failure(400, str(error))
            response.headers.update(limiter.headers())
            return response

        return guarded_endpoint

    def objectives(self, request: Request) -> Response:
        """Answers the definitions, by offset and limit."""
        _check_names(request, ("ids", "query", "tags_query", "metrics_query", "limit", "offset"))
        tag = request.query_params.get("tags_query")
        every = self._world.objectives(self._now())
        chosen = [one for one in every if tag is None or tag in one.tags]
        page = [write_objective(one) for one in _cut(request, chosen, default=_LARGEST_PAGE)]
        counts = {"total_count": len(every), "total_filtered_count": len(chosen)}
        return self._answer(request, page, errors=[], metadata={"page": counts})

    def corrections(self, request: Request) -> Response:
        """Answers the corrections of all objectives, by offset and limit."""
        _check_names(request, ("limit", "offset"))
        found = list(self._world.corrections(self._now()))
        page = [write_correction(one) for one in _cut(request, found, default=_CORRECTIONS_PAGE)]
        return self._answer(
            request, page, meta={"page": {"total_count": len(found), "total_filtered_count": len(found)}}
        )

    def history(self, request: Request) -> Response:
        """Answers what an objective did between two moments."""
        _check_names(request, ("from_ts", "to_ts", "target", "apply_correction"))
        objective = self._objective(request)
        if objective is None:
            return _failure(404, f"SLO {request.path_params['objective']} not found")
        first, last = _bounds(request)
        target = request.query_params.get("target")
        data = write_history(
            self._world,
            objective,
            first,
            last,
            now=self._now(),
            target=float(target) if target else None,
            corrected=request.query_params.get("apply_correction", "true") == "true",
        )
        return self._answer(request, data, errors=None)

    def status(self, request: Request) -> Response:
        """Answers how an objective stands between two moments."""
        _check_names(request, ("from_ts", "to_ts", "disable_corrections"))
        objective = self._objective(request)
        if objective is None:
            return _failure(404, f"SLO {request.path_params['objective']} not found")
        first, last = _bounds(request)
        corrected = request.query_params.get("disable_corrections", "false") == "false"
        data = write_status(self._world, objective, first, last, now=self._now(), corrected=corrected)
        return self._answer(request, data)

    def _objective(self, request: Request) -> Objective | None:
        return self._world.find(request.path_params["objective"], self._now())

    def _answer(self, request: Request, data: Json | list[Json], **more: Any) -> Response:
        changes = self._context.faults.schema_changes(request.scope["path"], self._context.clock.now())
        if changes and isinstance(data, list):
            data = [change_record(one, changes) for one in data]
        elif changes and isinstance(data, dict):
            data = change_record(data, changes)
        return Response(orjson.dumps({"data": data, **more}), media_type="application/json")

    def _reset(self) -> None:
        for limiter in self._limiters:
            limiter.reset()

    def _now(self) -> int:
        return int(self._context.clock.now().timestamp())


def _cut(request: Request, found: list[T], *, default: int) -> list[T]:
    offset, limit = _number(request, "offset", 0), _number(request, "limit", default)
    if not 1 <= limit <= _LARGEST_PAGE:
        raise BadRequestError(f"limit must be between 1 and {_LARGEST_PAGE}")
    return found[offset : offset + limit]


def _bounds(request: Request) -> tuple[int, int]:
    first, last = _number(request, "from_ts"), _number(request, "to_ts")
    if first >= last:
        raise BadRequestError("from_ts must be before to_ts")
    return first, last


def _number(request: Request, name: str, default: int | None = None) -> int:
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isdecimal():
        raise BadRequestError(f"{name} must be a whole number")
    return int(text)


def _check_names(request: Request, known: Sequence[str]) -> None:
    strangers = [name for name in request.query_params if name not in known]
    if strangers:
        raise BadRequestError(f"unknown parameter {strangers[0]}")


def describe_error(status: int) -> ErrorBody:
    """Returns the body that goes with a failure status."""
    return ErrorBody(orjson.dumps({"errors": [_REASONS.get(status, "Internal Server Error")]}), "application/json")


def _failure(status: int, message: str = "") -> Response:
    content = orjson.dumps({"errors": [message]}) if message else describe_error(status).content
    return Response(content, status, media_type="application/json")


DATADOG_SLO = Service("datadog_slo", "/datadog_slo", build_routes, describe_error)
