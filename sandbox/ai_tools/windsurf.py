"""Windsurf's analytics: the key in the body, numbers as text without zeros, no pages, no user in Cascade's rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ai_tools.gate import Asked, Gate, Record, RefusedError, checked_date, to_json
from sandbox.ai_tools.people import Engineer
from sandbox.ai_tools.settings import WINDSURF_GROUP, WINDSURF_KEY
from sandbox.ai_tools.world import DAY, SECOND, Use, World, date_of, start_of, write_time
from sandbox.context import ErrorBody, SandboxContext, Service
from sandbox.seeded import identifier

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

_LONGEST = 31 * DAY
_CODES = {400: "invalid_argument", 401: "unauthenticated", 403: "permission_denied", 429: "resource_exhausted"}
_USER_DATA = "QUERY_DATA_SOURCE_USER_DATA"
_TOOLS = ("CODE_ACTION", "VIEW_FILE", "RUN_COMMAND")
_CREDIT = 100


class _Windsurf:
    async def cascade(self, asked: Asked) -> Response:
        """Answers `POST /CascadeAnalytics`: of a group, or of the people who are named."""
        known = (
            "service_key",
            "start_timestamp",
            "end_timestamp",
            "group_name",
            "emails",
            "ide_types",
            "query_requests",
        )
        asked.check_names(known, asked.body)
        people = _people(asked)
        start, end = (_read_time(asked, name) for name in ("start_timestamp", "end_timestamp"))
        if not start < end <= start + _LONGEST:
            raise RefusedError(400, "the window is 30 days at most")
        found = asked.world.uses("windsurf", start, end, now=asked.now, late_rows=asked.late_rows)
        uses = [use for use in found if use.engineer in people]
        return to_json({"queryResults": [_query_result(asked, query, uses) for query in _queries(asked)]})

    async def analytics(self, asked: Asked) -> Response:
        """Answers `POST /Analytics` for the user data, summed by what it is kept apart by."""
        asked.check_names(("service_key", "group_name", "query_requests"), asked.body)
        return to_json({"queryResults": [_custom_result(asked, query) for query in _queries(asked)]})

    async def users(self, asked: Asked) -> Response:
        """Answers `POST /UserPageAnalytics`."""
        asked.check_names(("service_key", "group_name", "start_timestamp", "end_timestamp"), asked.body)
        table = [
            {
                "name": one.name,
                "email": one.email,
                "apiKey": _api_key(one),
                "activeDays": "12",
                "role": "member",
                "teamStatus": "USER_TEAM_STATUS_APPROVED",
            }
            for one in _group(asked)
        ]
        return to_json({"userTableStats": asked.changed(table), "billingCycleStart": "2026-03-01T00:00:00Z"})

    async def credits(self, asked: Asked) -> Response:
        """Answers `POST /GetTeamCreditBalance`."""
        asked.check_names(("service_key",), asked.body)
        return to_json({"promptCreditsPerSeat": 500, "numSeats": len(asked.world.users_of("windsurf"))})


def _query_result(asked: Asked, query: Record, uses: list[Use]) -> Record:
    name = next(iter(query), "")
    if name not in _QUERIES:
        raise RefusedError(400, "query_requests: unknown query")
    outer, rows = _QUERIES[name]
    # Nothing is written as nothing: an empty list is left out like a zero.
    found = asked.changed(rows(uses))
    return {outer: {outer: found} if found else {}}


def _lines(uses: list[Use]) -> Iterator[Record]:
    for day, group in _by(uses, lambda use: use.day).items():
        suggested, accepted = (
            sum(getattr(use, f"lines_{name}") for use in group) for name in ("suggested", "accepted")
        )
        counts = _counts(linesSuggested=suggested, linesAccepted=accepted)
        yield {"day": write_time(start_of(day)), **counts}


def _runs(uses: list[Use]) -> Iterator[Record]:
    for use in uses:
        yield {
            "day": write_time(start_of(use.day)),
            "model": f"MODEL_{use.model.upper().replace('-', '_')}",
            "mode": "CONVERSATIONAL_PLANNER_MODE_DEFAULT",
            "cascadeId": f"c-{identifier(use.engineer.key, use.at, use.number)[:10]}",
            **_counts(messagesSent=use.prompts, promptsUsed=(use.prompts - 1) * _CREDIT // 2),
        }


def _tools(uses: list[Use]) -> Iterator[Record]:
    for tool, group in _by(uses, lambda use: _TOOLS[use.number % len(_TOOLS)]).items():
        yield {"tool": tool, **_counts(count=len(group))}


Rows = Callable[[list[Use]], Iterator[Record]]
_QUERIES: dict[str, tuple[str, Rows]] = {
    "cascade_lines": ("cascadeLines", _lines),
    "cascade_runs": ("cascadeRuns", _runs),
    "cascade_tool_usage": ("cascadeToolUsage", _tools),
}


def _custom_result(asked: Asked, query: Record) -> Record:
    start, end = _read_dates(query)
    kept_apart = [one["name"] for one in query.get("aggregations", [])]
    summed = [one["name"] for one in query.get("selections", [])]
    if query.get("data_source") != _USER_DATA or not set(summed) <= set(_FIELDS) or not set(kept_apart) <= set(_KEYS):
        raise RefusedError(400, "query_requests: unknown data source or field")
    if any(one.get("aggregation_function") != "QUERY_AGGREGATION_SUM" for one in query["selections"]):
        raise RefusedError(400, "all selections must be aggregated, or none")
    people = _group(asked)
    found = asked.world.uses("windsurf", start, end, now=asked.now, late_rows=asked.late_rows)
    groups = _by(
        [use for use in found if use.engineer in people], lambda use: tuple(_KEYS[key](use) for key in kept_apart)
    )
    items = [
        {"item": {**dict(zip(kept_apart, key, strict=True)), **_counts(**{one: _FIELDS[one](uses) for one in summed})}}
        for key, uses in groups.items()
    ]
    return {"responseItems": asked.changed(items)} if items else {}


_KEYS: dict[str, Callable[[Use], str]] = {
    "api_key": lambda use: _api_key(use.engineer),
    "date": lambda use: use.day.isoformat(),
    "language": lambda use: use.language,
    "ide": lambda use: use.surface,
}
_FIELDS: dict[str, Callable[[list[Use]], int]] = {
    "num_acceptances": lambda uses: sum(use.acceptances for use in uses),
    "num_lines_accepted": lambda uses: sum(use.lines_accepted for use in uses),
    "num_bytes_accepted": lambda uses: sum(use.lines_accepted for use in uses) * 31,
}


def _counts(**counts: int) -> dict[str, str]:
    """Returns numbers as text, without those that are zero."""
    return {name: str(count) for name, count in counts.items() if count}


def _by(uses: list[Use], key_of: Callable[[Use], Any]) -> dict[Any, list[Use]]:
    found: dict[Any, list[Use]] = defaultdict(list)
    for use in uses:
        found[key_of(use)].append(use)
    return {key: found[key] for key in sorted(found)}


def _people(asked: Asked) -> list[Engineer]:
    emails, group = asked.body.get("emails"), asked.body.get("group_name")
    if (emails is None) == (group is None):
        raise RefusedError(400, "give either group_name or emails")
    return _group(asked) if emails is None else [one for one in asked.world.users_of("windsurf") if one.email in emails]


def _group(asked: Asked) -> list[Engineer]:
    group = asked.body.get("group_name")
    if group not in (None, WINDSURF_GROUP):
        raise RefusedError(400, "group_name: no such group")
    return [one for one in asked.world.users_of("windsurf") if group is None or one.team == group]


def _queries(asked: Asked) -> list[Record]:
    queries = asked.body.get("query_requests")
    if not isinstance(queries, list) or not queries:
        raise RefusedError(400, "query_requests is required")
    return queries


def _read_dates(query: Record) -> tuple[int, int]:
    bounds = {one.get("filter"): one.get("value") for one in query.get("filters", []) if one.get("name") == "date"}
    first = start_of(checked_date(bounds.get("QUERY_FILTER_GE"), "date"))
    return first, start_of(checked_date(bounds.get("QUERY_FILTER_LE"), "date")) + DAY


def _read_time(asked: Asked, name: str) -> int:
    try:
        moment = datetime.fromisoformat(str(asked.body.get(name)))
    except ValueError:
        raise RefusedError(400, f"{name} must be an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise RefusedError(400, f"{name} must be in UTC")
    at = round(moment.timestamp()) * SECOND
    return start_of(date_of(at))


def _api_key(engineer: Engineer) -> str:
    return f"ws-{identifier('windsurf', engineer.key)[:12]}"


def _key_of(_request: Request, body: Any) -> str:
    return str(body.get("service_key", "")) if isinstance(body, dict) else ""


def _words(status: int, message: str) -> ErrorBody:
    code = _CODES.get(status, "internal")
    return ErrorBody(orjson.dumps({"code": code, "message": message or code}), "application/json")


def _build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    world = World(context.settings.seed, context.settings.ai_tools)
    gate = Gate(context, world, tool="windsurf", key=WINDSURF_KEY, key_of=_key_of, words=_words)
    api = _Windsurf()
    answers: dict[str, Any] = {
        "CascadeAnalytics": api.cascade,
        "Analytics": api.analytics,
        "UserPageAnalytics": api.users,
        "GetTeamCreditBalance": api.credits,
    }
    return [Route(f"/api/v1/{name}", gate.guarded(answer), methods=["POST"]) for name, answer in answers.items()]


WINDSURF = Service("windsurf", "/windsurf/api/v1", _build_routes, lambda status: _words(status, ""))
