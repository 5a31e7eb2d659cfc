"""The HTTP face of the emulated Gladly: `/gladly/<organisation>/api/v1/...`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import to_milliseconds
from sandbox.context import DETAIL_KEY, SandboxContext, Service
from sandbox.gladly import event_stream, exports
from sandbox.gladly.access import OrganizationLimits, refuse
from sandbox.gladly.problems import BadRequestError, Problem, describe_error, write_problems
from sandbox.gladly.reports.catalog import WORK_SESSION_EVENTS, MetricSet, find_metric_set
from sandbox.gladly.reports.request import ReportRequest, check_request, read_body
from sandbox.gladly.reports.table import write_csv
from sandbox.gladly.settings import GLADLY_ORG
from sandbox.gladly.world import World
from sandbox.schema_changes import change_table

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute


@dataclass
class Organization:
    """One customer of Gladly: its world, its limits, and the export jobs it deleted."""

    world: World
    limits: OrganizationLimits
    deleted_jobs: set[str]


Endpoint = Callable[["Request", Organization], Awaitable[Response]]


def build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    """Returns the routes below `/gladly`."""
    service = _Gladly(context)
    base = "/{organization}/api/v1"
    lists = [
        Route(f"{base}/{name}", service.guarded(service.list_of(name)))
        for name in ("agents", "teams", "inboxes", "topics", "organization")
    ]
    return [
        *lists,
        Route(f"{base}/reports", service.guarded(service.report), methods=["POST"]),
        Route(f"{base}/reports/work-session-events", service.guarded(service.work_sessions), methods=["POST"]),
        Route(f"{base}/events", service.guarded(service.events)),
        Route(f"{base}/export/schedules", service.guarded(service.schedules)),
        Route(f"{base}/export/jobs", service.guarded(service.jobs)),
        Route(f"{base}/export/jobs/{{job}}", service.guarded(service.job), methods=["GET", "DELETE"]),
        Route(f"{base}/export/jobs/{{job}}/files/{{name}}", service.guarded(service.job_file)),
    ]


class _Gladly:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        settings = context.settings.gladly
        self._settings = settings
        self._organizations = {
            name: Organization(
                World(name, seed=context.settings.seed, settings=settings), OrganizationLimits(settings.limits), set()
            )
            for name in settings.organizations
        }
        context.on_reset(self._reset)

    def guarded(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """Returns an endpoint that only known organisations and users reach, within their limit."""

        async def guarded_endpoint(request: Request) -> Response:
            organization = self._organizations.get(request.path_params["organization"])
            if organization is None:
                return _failure(404)
            refused = refuse(request.headers.get("authorization"))
            if refused is None and not organization.limits.calls.try_acquire():
                refused = 429
            try:
                response = await endpoint(request, organization) if refused is None else _failure(refused)
            except BadRequestError as error:
                response = Response(write_problems(error.problems), 400, media_type="application/json")
            response.headers.update(organization.limits.headers())
            return response

        return guarded_endpoint

    def list_of(self, name: str) -> Endpoint:
        """Returns the endpoint of a list that comes whole."""

        async def endpoint(_request: Request, organization: Organization) -> Response:
            return _json(_LISTS[name](organization.world))

        return endpoint

    async def report(self, request: Request, organization: Organization) -> Response:
        """Answers `POST /reports`."""
        asked = read_body(await request.body())
        return await self._run_report(request, organization, find_metric_set(asked.get("metricSet")), asked)

    async def work_sessions(self, request: Request, organization: Organization) -> Response:
        """Answers `POST /reports/work-session-events`."""
        asked = read_body(await request.body())
        return await self._run_report(request, organization, WORK_SESSION_EVENTS, asked)

    async def events(self, request: Request, organization: Organization) -> Response:
        """Answers `GET /events`, which reaches back one day."""
        now = self._now()
        start = _read_time(request, "startAt")
        end = _read_time(request, "endAt") if "endAt" in request.query_params else now
        entities = set(request.query_params.getlist("entities"))
        if not entities or not entities <= event_stream.ENTITIES:
            raise BadRequestError(Problem("invalid", "entities must hold known entity types", "entities"))
        if start < now - event_stream.KEPT or end < start:
            raise BadRequestError(
                Problem("invalid", "startAt must be within the last 24 hours and before endAt", "startAt")
            )
        late_rows = self._context.faults.late_rows(request.scope["path"], self._context.clock.now())
        visible_end = min(end, now - event_stream.DELAY)
        body = event_stream.write_events(organization.world, start, visible_end, entities=entities, late_rows=late_rows)
        return Response(body, media_type="application/x-jsonlines")

    async def schedules(self, _request: Request, organization: Organization) -> Response:
        """Answers `GET /export/schedules`."""
        return _json(exports.schedules(organization.world, self._now()))

    async def jobs(self, request: Request, organization: Organization) -> Response:
        """Answers `GET /export/jobs`, whose filters act on `updatedAt`."""
        now = self._now()
        start = _read_time(request, "startAt") if "startAt" in request.query_params else now - exports.KEPT
        end = _read_time(request, "endAt") if "endAt" in request.query_params else now
        if start < now - exports.KEPT:
            raise BadRequestError(Problem("invalid", "startAt must be within the last 14 days", "startAt"))
        if end > now:
            raise BadRequestError(Problem("invalid", "endAt must not be in the future", "endAt"))
        status = request.query_params.get("status")
        found = [
            job.describe()
            for job in self._jobs(organization)
            if start <= job.updated_at <= end and status in {None, job.status}
        ]
        return _json(found)

    async def job(self, request: Request, organization: Organization) -> Response:
        """Answers `GET` and `DELETE /export/jobs/{id}`."""
        job = self._find_job(request, organization)
        if job is None:
            return _failure(404)
        if request.method == "GET":
            return _json(job.describe())
        if job.status != "COMPLETED":
            raise BadRequestError(Problem("temporary_failure", "job is not finished"))
        organization.deleted_jobs.add(job.id)
        return Response(status_code=204)

    async def job_file(self, request: Request, organization: Organization) -> Response:
        """Answers `GET /export/jobs/{id}/files/{name}`."""
        job = self._find_job(request, organization)
        name = request.path_params["name"]
        if job is None or name not in job.describe()["files"]:
            return _failure(404)
        return Response(exports.write_file(organization.world, job, name), media_type="application/x-ndjson")

    async def _run_report(
        self, request: Request, organization: Organization, metric_set: MetricSet, asked: dict[str, Any]
    ) -> Response:
        now = self._context.clock.now()
        path = request.scope["path"]
        checked = check_request(
            asked,
            metric_set.rules,
            roster=organization.world.roster,
            zone=organization.world.zone,
            now=to_milliseconds(now),
            late_rows=self._context.faults.late_rows(path, now),
        )
        request.scope[DETAIL_KEY] = f"{metric_set.name} {checked.label[0]}..{checked.label[1]}"
        with organization.limits.report() as allowed:
            if not allowed:
                return _failure(429)
            await asyncio.sleep(self._settings.report_seconds)
            return self._write_report(metric_set, checked, organization.world, path)

    def _write_report(self, metric_set: MetricSet, checked: ReportRequest, world: World, path: str) -> Response:
        changes = self._context.faults.schema_changes(path, self._context.clock.now())
        columns, rows = change_table(metric_set.columns, metric_set.rows(world, checked), changes)
        settings = self._settings
        body = write_csv(columns, rows, row_cap=settings.row_cap, byte_order_mark=settings.byte_order_mark)
        level = checked.level[0].upper() + checked.level[1:]
        name = f"{metric_set.name}-{checked.label[0]}-{checked.label[1]}-{level}.csv"
        return Response(body, media_type="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"})

    def _jobs(self, organization: Organization) -> list[exports.ExportJob]:
        every = exports.jobs(organization.world, self._now())
        return [job for job in every if job.id not in organization.deleted_jobs]

    def _find_job(self, request: Request, organization: Organization) -> exports.ExportJob | None:
        wanted = request.path_params["job"]
        return next((job for job in self._jobs(organization) if job.id == wanted), None)

    def _now(self) -> int:
        return to_milliseconds(self._context.clock.now())

    def _reset(self) -> None:
        for organization in self._organizations.values():
            organization.limits.reset()
            organization.deleted_jobs.clear()


def _agents(world: World) -> list[dict[str, Any]]:
    return [{"id": agent.id, "name": agent.name, "emailAddress": agent.email} for agent in world.roster.agents]


def _teams(world: World) -> list[dict[str, Any]]:
    return [{"id": team.id, "name": team.name} for team in world.roster.teams]


def _inboxes(world: World) -> list[dict[str, Any]]:
    return [{"id": inbox.id, "name": inbox.name, "disabled": False} for inbox in world.roster.inboxes]


def _organization(world: World) -> dict[str, Any]:
    return {"id": world.organization, "name": world.organization, "timezone": str(world.zone)}


_LISTS: dict[str, Callable[[World], Any]] = {
    "agents": _agents,
    "teams": _teams,
    "inboxes": _inboxes,
    "topics": lambda world: list(exports.topics(world.roster)),
    "organization": _organization,
}


def _read_time(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError(Problem("invalid", f"{name} must be an ISO-8601 time", name)) from error
    if moment.tzinfo is None:
        raise BadRequestError(Problem("invalid", f"{name} must have an offset", name))
    return to_milliseconds(moment)


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _failure(status: int) -> Response:
    error = describe_error(status)
    return Response(error.content, status, media_type=error.media_type)


GLADLY = Service("gladly", f"/gladly/{GLADLY_ORG}/api/v1", build_routes, describe_error)
