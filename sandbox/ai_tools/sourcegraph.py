"""Sourcegraph's analytics service: one report, in CSV."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from sandbox.ai_tools.gate import Asked, Gate, RefusedError, bearer_of, checked_date
from sandbox.ai_tools.settings import SOURCEGRAPH_INSTANCE, SOURCEGRAPH_TOKEN
from sandbox.ai_tools.world import DAY, Use, World, start_of
from sandbox.context import ErrorBody, SandboxContext, Service
from sandbox.gladly.reports.table import write_csv
from sandbox.schema_changes import change_table

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_KEYS: dict[str, Callable[[Use], str]] = {
    "User email": lambda use: use.engineer.email,
    "Month": lambda use: use.day.strftime("%Y-%m"),
    "Date": lambda use: use.day.isoformat(),
    "Client": lambda use: use.surface,
    "Language": lambda use: use.language,
}
_GRANULARITIES = {
    "by_user": ("User email",),
    "by_user_month": ("User email", "Month"),
    "by_user_day": ("User email", "Date"),
    "by_user_day_client_language": ("User email", "Date", "Client", "Language"),
}
_COUNTS: dict[str, Callable[[list[Use]], int]] = {
    "Searches": len,
    "Chats": lambda uses: sum(use.prompts for use in uses),
    "Autocomplete suggestions": lambda uses: sum(use.suggestions for use in uses),
    "Autocomplete acceptances": lambda uses: sum(use.acceptances for use in uses),
}


class _Sourcegraph:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context

    async def report(self, asked: Asked) -> Response:
        """Answers `GET /api/reports/by-user-client-date`; without activity the header stands alone."""
        asked.check_names(("instanceURL", "granularity", "startDate", "endDate"))
        if asked.query.get("instanceURL") != SOURCEGRAPH_INSTANCE:
            raise RefusedError(404)
        keys = _GRANULARITIES.get(asked.query.get("granularity", "by_user_day_client_language"))
        if keys is None:
            raise RefusedError(400, "granularity")
        start, end = (start_of(checked_date(asked.query.get(name), name)) for name in ("startDate", "endDate"))
        groups: dict[tuple[str, ...], list[Use]] = defaultdict(list)
        for use in asked.world.uses("sourcegraph", start, end + DAY, now=asked.now, late_rows=asked.late_rows):
            groups[tuple(_KEYS[key](use) for key in keys)].append(use)
        rows = [[*key, *(str(count(groups[key])) for count in _COUNTS.values())] for key in sorted(groups)]
        changes = self._context.faults.schema_changes(asked.request.scope["path"], self._context.clock.now())
        columns, changed = change_table([*keys, *_COUNTS], rows, changes)
        body = write_csv(columns, changed, row_cap=1_000_000, byte_order_mark=False)
        return Response(body, media_type="text/csv")


def _words(status: int, message: str) -> ErrorBody:
    texts: dict[int, str] = {401: "Invalid access token", 403: "Forbidden", 404: "Not found", 429: "Too many requests"}
    return ErrorBody((message or texts.get(status, "Internal server error")).encode(), "text/plain; charset=utf-8")


def _build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    world = World(context.settings.seed, context.settings.ai_tools)
    gate = Gate(context, world, tool="sourcegraph", key=SOURCEGRAPH_TOKEN, key_of=bearer_of, words=_words)
    answer: Any = _Sourcegraph(context).report
    return [Route("/api/reports/by-user-client-date", gate.guarded(answer))]


SOURCEGRAPH = Service("sourcegraph", "/sourcegraph", _build_routes, lambda status: _words(status, ""))
