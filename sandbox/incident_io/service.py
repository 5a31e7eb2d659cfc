"""The HTTP face of the emulated incident.io: `/incident_io/v1|v2|v3/...`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from penstock.local_time import to_utc
from sandbox.clock import to_milliseconds
from sandbox.context import SandboxContext, Service
from sandbox.incident_io import linked
from sandbox.incident_io.lives import Life
from sandbox.incident_io.pages import Listing, write_page, write_whole
from sandbox.incident_io.problems import InvalidRequestError, describe_error, invalid, write_problem
from sandbox.incident_io.query import IncidentQuery, check_names, page_size, read_incident_query
from sandbox.incident_io.records import severity_of, write_incident
from sandbox.incident_io.settings import KEY_WITHOUT_SCOPES
from sandbox.incident_io.world import World
from sandbox.rate_limit import RateLimiter

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

Json = dict[str, Any]
Linked = Callable[[World, Life, datetime], Iterator[Json]]

# Documented: v2 of the follow-ups is removed then.
_FOLLOW_UPS_V2_END = datetime(2026, 12, 31, tzinfo=UTC)
# RFC 1123 with the zone's name, as the Go standard library writes it.
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S UTC"


@dataclass
class Access:
    """What an API key opens."""

    world: World
    limiter: RateLimiter
    has_scopes: bool = True


Endpoint = Callable[["Request", World], Awaitable[Response]]


def build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    """Returns the routes below `/incident_io`."""
    service = _IncidentIo(context)
    whole: dict[str, Callable[[World], list[Json]]] = {
        "v1/severities": lambda world: world.setup.severities,
        "v1/incident_statuses": lambda world: world.setup.statuses,
        "v1/incident_types": lambda world: world.setup.types,
        "v2/incident_timestamps": lambda world: list(world.setup.timestamps.values()),
        "v2/incident_roles": lambda world: world.setup.roles,
        "v2/custom_fields": lambda world: list(world.setup.fields.values()),
        "v3/catalog_types": lambda world: world.catalogue.types,
    }
    hanging: dict[str, tuple[Linked, int, bool]] = {
        "v2/incident_updates": (linked.updates_of, 250, False),
        "v3/follow_ups": (linked.follow_ups_of, 250, False),
        "v2/alerts": (linked.alerts_of, 50, True),
        "v2/incident_alerts": (linked.alert_links_of, 50, False),
        "v2/escalations": (linked.escalations_of, 50, False),
    }
    return [
        Route("/v1/identity", service.guarded(service.identity, needs_scope=False)),
        Route("/v2/incidents", service.guarded(service.incidents)),
        Route("/v2/incidents/{incident}", service.guarded(service.incident)),
        Route("/v2/users", service.guarded(service.users)),
        Route("/v2/follow_ups", service.guarded(service.old_follow_ups)),
        Route("/v2/actions", service.guarded(service.actions)),
        Route("/v1/custom_field_options", service.guarded(service.options)),
        Route("/v3/catalog_entries", service.guarded(service.catalog_entries)),
        *[Route(f"/{path}", service.guarded(service.whole(path, read))) for path, read in whole.items()],
        *[
            Route(f"/{path}", service.guarded(service.hanging(read, size, size_required=required)))
            for path, (read, size, required) in hanging.items()
        ],
    ]


class _IncidentIo:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        settings = context.settings.incident_io
        self._settings = settings
        self._keys = {
            key: Access(
                World(workspace, seed=context.settings.seed, opened_on=settings.opened_on),
                RateLimiter(settings.requests_per_minute, per_seconds=60),
            )
            for key, workspace in settings.workspaces.items()
        }
        first = next(iter(self._keys.values()), None)
        if first is not None:
            self._keys[KEY_WITHOUT_SCOPES] = Access(first.world, first.limiter, has_scopes=False)
        context.on_reset(self._reset)

    def guarded(self, endpoint: Endpoint, *, needs_scope: bool = True) -> Callable[[Request], Awaitable[Response]]:
        """Returns an endpoint that only known keys with scopes reach, within their limit."""

        async def guarded_endpoint(request: Request) -> Response:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            access = self._keys.get(key) if scheme == "Bearer" else None
            if access is None:
                return _failure(401)
            if not access.limiter.try_acquire():
                return _too_many(access.limiter)
            if needs_scope and not access.has_scopes:
                return _failure(403)
            try:
                return await endpoint(request, access.world)
            except InvalidRequestError as error:
                return Response(invalid(error), 422, media_type="application/json")

        return guarded_endpoint

    async def identity(self, _request: Request, world: World) -> Response:
        """Answers whose key it is."""
        name = world.workspace.name
        identity = {"name": f"penstock at {name}", "roles": ["viewer"], "dashboard_url": f"https://example.com/{name}"}
        return Response(orjson.dumps({"identity": identity}), media_type="application/json")

    async def incidents(self, request: Request, world: World) -> Response:
        """Answers the incidents that are asked for, in the asked order."""
        asked = read_incident_query(request.query_params, lte_is_midnight=self._settings.lte_is_midnight)
        size = page_size(request.query_params, 250)
        lives = [life for life in world.lives(self._now(), asked.since()) if self._takes(request, world, asked, life)]
        ordered = lives if asked.oldest_first else lives[::-1]
        keys = [world.incident_id(life) for life in ordered]
        now = self._now()
        return self._page(request, keys, lambda place: write_incident(world, ordered[place], now), size)

    async def incident(self, request: Request, world: World) -> Response:
        """Answers one incident."""
        life = world.find(request.path_params["incident"], self._now())
        if life is None:
            return _failure(404)
        body = orjson.dumps({"incident": write_incident(world, life, self._now())})
        return Response(body, media_type="application/json")

    async def users(self, request: Request, world: World) -> Response:
        """Answers the people of the workspace."""
        check_names(request.query_params, ())
        return self._listed(request, world.setup.users, page_size(request.query_params, 250))

    async def options(self, request: Request, world: World) -> Response:
        """Answers the options of a custom field; other kinds of fields have none."""
        check_names(request.query_params, ("custom_field_id",))
        field = _required(request, "custom_field_id")
        if field not in {one["id"] for one in world.setup.fields.values()}:
            return _failure(404)
        found = [cause for cause in world.setup.causes if cause["custom_field_id"] == field]
        return self._listed(request, found, page_size(request.query_params, 250))

    async def catalog_entries(self, request: Request, world: World) -> Response:
        """Answers the entries of a type, and the type itself."""
        check_names(request.query_params, ("catalog_type_id", "identifier"))
        type_id = _required(request, "catalog_type_id")
        size = page_size(request.query_params, 250, required=True)
        entries = world.catalogue.entries(type_id, self._now())
        if entries is None:
            return _failure(404)
        wanted = request.query_params.get("identifier")
        if wanted is not None:
            entries = [one for one in entries if wanted in (one["id"], one["external_id"], *one["aliases"])]
        kind = next(one for one in world.catalogue.types if one["id"] == type_id)
        return self._listed(request, entries, size, catalog_type=kind)

    async def old_follow_ups(self, request: Request, world: World) -> Response:
        """Answers version 2 of the follow-ups, unpaged, until it ends."""
        if self._now() >= _FOLLOW_UPS_V2_END:
            return _failure(404)
        return self._whole_of(request, world, linked.follow_ups_of)

    async def actions(self, request: Request, world: World) -> Response:
        """Answers the actions, unpaged."""
        return self._whole_of(request, world, linked.actions_of)

    def whole(self, path: str, read: Callable[[World], list[Json]]) -> Endpoint:
        """Returns the endpoint of a list that comes whole."""

        async def endpoint(request: Request, world: World) -> Response:
            check_names(request.query_params, ())
            return write_whole(self._listing(request, path.rpartition("/")[2]), read(world))

        return endpoint

    def hanging(self, read: Linked, largest: int, *, size_required: bool) -> Endpoint:
        """Returns the endpoint of what hangs on incidents."""

        async def endpoint(request: Request, world: World) -> Response:
            check_names(request.query_params, ("incident_id", "incident_mode", "alert_id"))
            size = page_size(request.query_params, largest, required=size_required)
            return self._listed(request, self._hanging_on(request, world, read), size)

        return endpoint

    def _whole_of(self, request: Request, world: World, read: Linked) -> Response:
        check_names(request.query_params, ("incident_id", "incident_mode"))
        name = request.url.path.rpartition("/")[2]
        return write_whole(self._listing(request, name), self._hanging_on(request, world, read))

    def _hanging_on(self, request: Request, world: World, read: Linked) -> list[Json]:
        now, query = self._now(), request.query_params
        incident, mode, alert = (query.get(name) for name in ("incident_id", "incident_mode", "alert_id"))
        lives = (life for life in world.lives(now) if incident in (None, world.incident_id(life)))
        found = (life for life in lives if (life.mode != "test" if mode is None else life.mode == mode))
        records = (record for life in found for record in read(world, life, now))
        return [record for record in records if alert is None or record.get("alert", {}).get("id") == alert]

    def _takes(self, request: Request, world: World, asked: IncidentQuery, life: Life) -> bool:
        now = self._now()
        if life.mode not in asked.modes:
            return False
        updated = life.updated_at(now)
        late_rows = self._context.faults.late_rows(request.scope["path"], now)
        if late_rows and late_rows.hides(to_milliseconds(updated), world.incident_id(life)):
            return False
        texts: dict[str, str | None] = {}
        if asked.texts:
            state = life.state(now)
            status, severity = world.setup.status(state.stage), severity_of(world, state)
            texts = {"status": status["id"], "status_category": status["category"]}
            texts["severity"] = severity["id"] if severity else None
        return asked.takes({"created_at": life.created, "updated_at": updated}, texts)

    def _listed(self, request: Request, records: list[Json], size: int, **more: Any) -> Response:
        keys = [record["id"] for record in records]
        return self._page(request, keys, records.__getitem__, size, **more)

    def _page(self, request: Request, keys: list[str], read: Callable[[int], Json], size: int, **more: Any) -> Response:
        listing = self._listing(request, request.url.path.rpartition("/")[2])
        fewer = self._settings.fewer_per_page
        limited = size if fewer is None else min(size, fewer)
        return write_page(listing, keys, read, size=limited, states_total=self._settings.states_total, more=more)

    def _listing(self, request: Request, name: str) -> Listing:
        changes = self._context.faults.schema_changes(request.scope["path"], self._now())
        return Listing(request, name, changes)

    def _now(self) -> datetime:
        return to_utc(self._context.clock.now())

    def _reset(self) -> None:
        for access in self._keys.values():
            access.limiter.reset()


def _required(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise InvalidRequestError(name, f"{name} is required", "is_required")
    return value


def _failure(status: int) -> Response:
    error = describe_error(status)
    return Response(error.content, status, media_type=error.media_type)


def _too_many(limiter: RateLimiter) -> Response:
    # A whole second more than it takes: the present second has begun already.
    until = datetime.now(tz=UTC) + timedelta(seconds=limiter.seconds_until_free() + 1)
    text = until.strftime(_HTTP_DATE)
    limit = {"name": "penstock", "limit": limiter.limit, "remaining": 0, "retry_after": text}
    body = write_problem(429, rate_limit=limit)
    return Response(body, 429, {"Retry-After": text}, media_type="application/json")


INCIDENT_IO = Service("incident_io", "/incident_io", build_routes, describe_error)
