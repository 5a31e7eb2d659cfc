"""GitHub Copilot: reports of a day as files behind signed links, seats with `Link` headers; lines and acceptances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ai_tools.gate import Answer, Asked, Gate, Record, RefusedError, bearer_of, checked_date, to_json
from sandbox.ai_tools.people import Engineer
from sandbox.ai_tools.settings import COPILOT_ENTERPRISE, COPILOT_ORGANIZATIONS, COPILOT_TOKEN
from sandbox.ai_tools.world import DAY, HOUR, Use, World, date_of, start_of
from sandbox.context import ErrorBody, SandboxContext, Service

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

_FIRST_DAY = date(2025, 10, 10)
# A day's report is there one or two days later: not yet for the run of the next afternoon.
_READY_AFTER = DAY + 18 * HOUR
_LINK_LIFE = timedelta(minutes=10)
_FILES = 2
_MESSAGES = {401: "Bad credentials", 403: "Resource not accessible", 404: "Not Found", 429: "API rate limit exceeded"}
_LATEST_DAYS = 28


class _Copilot:
    def __init__(self, context: SandboxContext, world: World) -> None:
        self._context = context
        self._world = world
        context.log.hide_parameter("sig")

    def report(self, name: str, *, is_enterprise: bool) -> Answer:
        """Returns the endpoint of one report of a day."""

        async def answer(asked: Asked) -> Response:
            owner = _owner(asked, is_enterprise=is_enterprise)
            asked.check_names(("day",))
            day = checked_date(asked.query.get("day"), "day", status=422)
            if not self._lines(asked, name, owner, day):
                return Response(status_code=204)
            return to_json({"download_links": self._links(asked, name, owner, day), "report_day": day.isoformat()})

        return answer

    def latest(self, *, is_enterprise: bool) -> Answer:
        """Returns the endpoint of the report of the latest 28 days."""

        async def answer(asked: Asked) -> Response:
            _owner(asked, is_enterprise=is_enterprise)
            last = date_of(asked.now - _READY_AFTER)
            first = last - timedelta(days=_LATEST_DAYS - 1)
            days = {"report_start_day": first.isoformat(), "report_end_day": last.isoformat()}
            return to_json({"download_links": [], **days})

        return answer

    async def file(self, request: Request) -> Response:
        """Answers a signed link, which takes no `Authorization` beside its own signature."""
        if "authorization" in request.headers:
            return Response("InvalidAuthenticationInfo", 400, media_type="application/xml")
        if not self._context.tokens.accepts(request.query_params.get("sig", ""), self._context.clock.now()):
            return Response("AuthenticationFailed", 403, media_type="application/xml")
        path = request.path_params
        asked = Asked(request, None, self._context, self._world)
        lines = self._lines(asked, path["report"], path["owner"], date.fromisoformat(path["day"]))
        part = lines[int(path["part"]) :: _FILES]
        body = b"".join(orjson.dumps(line) + b"\n" for line in asked.changed(part))
        return Response(body, media_type="application/x-ndjson")

    async def seats(self, asked: Asked) -> Response:
        """Answers `GET /orgs/{org}/copilot/billing/seats`."""
        owner = _owner(asked, is_enterprise=False)
        asked.check_names(("page", "per_page"))
        size = asked.number("per_page", default=50, most=100, status=422)
        page = asked.number("page", default=1, most=1_000_000, status=422)
        people = _people(asked.world, owner)
        seats = asked.changed(_seat(engineer, owner) for engineer in people[(page - 1) * size : page * size])
        headers = {}
        if page * size < len(people) and asked.paging_fault != "missing_page_token":
            following = page if asked.paging_fault == "repeated_page_token" else page + 1
            url = asked.request.url.include_query_params(page=following)
            headers["Link"] = f'<{url}>; rel="next"'
        return to_json({"total_seats": len(people), "seats": seats}, headers)

    def _lines(self, asked: Asked, report: str, owner: str, day: date) -> list[Record]:
        start = start_of(day)
        if day < _FIRST_DAY or asked.now < start + _READY_AFTER:
            return []
        found: dict[int, list[Use]] = defaultdict(list)
        people = {engineer.number for engineer in _people(self._world, owner)}
        for use in self._world.uses("copilot", start, start + DAY, now=asked.now, late_rows=asked.late_rows):
            if use.engineer.number in people:
                found[use.engineer.number].append(use)
        return _REPORTS[report](day, owner, [found[number] for number in sorted(found)])

    def _links(self, asked: Asked, report: str, owner: str, day: date) -> list[str]:
        # Another origin than the API's, as storage is.
        url = asked.request.url
        base = f"{url.scheme}://localhost:{url.port}/copilot/files/{owner}/{report}/{day}"
        now = self._context.clock.now()
        return [f"{base}/{part}.ndjson?sig={self._context.tokens.issue(now, _LINK_LIFE)}" for part in range(_FILES)]


def _owner(asked: Asked, *, is_enterprise: bool) -> str:
    owner: str = asked.request.path_params["owner"]
    if owner not in ((COPILOT_ENTERPRISE,) if is_enterprise else COPILOT_ORGANIZATIONS):
        raise RefusedError(404)
    return owner


def _people(world: World, owner: str) -> list[Engineer]:
    everybody = world.users_of("copilot")
    if owner == COPILOT_ENTERPRISE:
        return everybody
    place = COPILOT_ORGANIZATIONS.index(owner)
    return [engineer for engineer in everybody if place in engineer.organizations]


def _user_lines(day: date, owner: str, by_person: list[list[Use]]) -> list[Record]:
    return [
        {
            "day": day.isoformat(),
            "user_id": 100 + uses[0].engineer.number,
            "user_login": uses[0].engineer.login,
            "organization_id": None if owner == COPILOT_ENTERPRISE else str(COPILOT_ORGANIZATIONS.index(owner) + 9),
            "enterprise_id": "3",
            **_sums(uses),
            "used_agent": any(use.surface == "vscode" for use in uses),
            "used_chat": any(use.prompts > 1 for use in uses),
            "used_cli": any(use.surface == "cli" for use in uses),
            "ai_credits_used": sum(use.prompts for use in uses) / 2,
            "totals_by_ide": _by_ide(uses),
            "totals_by_language_feature": _by_language(uses),
            "totals_by_cli": _cli([use for use in uses if use.surface == "cli"]),
        }
        for uses in by_person
    ]


def _owner_lines(day: date, _owner: str, by_person: list[list[Use]]) -> list[Record]:
    uses = [use for one in by_person for use in one]
    active = {"daily_active_users": len(by_person)}
    return [{"day": day.isoformat(), "enterprise_id": "3", **active, **_sums(uses), "totals_by_ide": _by_ide(uses)}] * (
        1 if uses else 0
    )


def _team_lines(day: date, owner: str, by_person: list[list[Use]]) -> list[Record]:
    people = [uses[0].engineer for uses in by_person]
    return [
        {
            "day": day.isoformat(),
            "user_id": 100 + one.number,
            "user_login": one.login,
            "team_slug": one.team,
            "organization": owner,
        }
        for one in people
    ]


def _repository_lines(day: date, owner: str, by_person: list[list[Use]]) -> list[Record]:
    found: dict[str, list[Use]] = defaultdict(list)
    for uses in by_person:
        for use in uses:
            found[use.language].append(use)
    return [
        {"day": day.isoformat(), "repository": f"{owner}/{name}-services", **_sums(uses)}
        for name, uses in sorted(found.items())
    ]


Lines = Callable[[date, str, list[list[Use]]], list[Record]]
_REPORTS: dict[str, Lines] = {
    "users-1-day": _user_lines,
    "organization-1-day": _owner_lines,
    "enterprise-1-day": _owner_lines,
    "user-teams-1-day": _team_lines,
    "repos-1-day": _repository_lines,
}


def _sums(uses: Sequence[Use]) -> Record:
    return {
        "user_initiated_interaction_count": sum(use.prompts for use in uses),
        "code_generation_activity_count": sum(use.suggestions for use in uses),
        "code_acceptance_activity_count": sum(use.acceptances for use in uses),
        "loc_suggested_to_add_sum": sum(use.lines_suggested for use in uses),
        "loc_suggested_to_delete_sum": 0,
        "loc_added_sum": sum(use.lines_accepted for use in uses),
        "loc_deleted_sum": sum(use.lines_deleted for use in uses),
    }


def _by_ide(uses: Sequence[Use]) -> list[Record]:
    names = sorted({use.surface for use in uses} - {"cli"})
    return [{"ide": name, **_sums([use for use in uses if use.surface == name])} for name in names]


def _by_language(uses: Sequence[Use]) -> list[Record]:
    names = sorted({use.language for use in uses})
    return [
        {"language": name, "feature": "code_completion", **_sums([use for use in uses if use.language == name])}
        for name in names
    ]


def _cli(uses: Sequence[Use]) -> Record:
    """Only the command line reports tokens."""
    tokens = {
        "prompt_tokens_sum": sum(use.input_tokens for use in uses),
        "output_tokens_sum": sum(use.output_tokens for use in uses),
    }
    prompts = sum(use.prompts for use in uses)
    average = sum(tokens.values()) / len(uses) if uses else 0
    counts = {"session_count": len(uses), "request_count": len(uses), "prompt_count": prompts}
    return {**counts, "token_usage": {**tokens, "avg_tokens_per_request": average}}


def _seat(engineer: Engineer, owner: str) -> Record:
    return {
        "created_at": "2025-10-01T09:00:00Z",
        "updated_at": "2025-10-01T09:00:00Z",
        "pending_cancellation_date": None,
        "last_activity_at": None,
        "last_activity_editor": "vscode/1.9",
        "plan_type": "business",
        "assignee": {"login": engineer.login, "id": 100 + engineer.number},
        "assigning_team": None,
        "organization": {"login": owner},
    }


def _words(status: int, message: str) -> ErrorBody:
    body = {
        "message": message or _MESSAGES.get(status, "Server Error"),
        "documentation_url": "https://docs.github.com/rest",
        "status": str(status),
    }
    return ErrorBody(orjson.dumps(body), "application/json; charset=utf-8")


def _build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    world = World(context.settings.seed, context.settings.ai_tools)
    gate = Gate(context, world, tool="copilot", key=COPILOT_TOKEN, key_of=bearer_of, words=_words)
    api = _Copilot(context, world)
    organizations: Any = partial(api.report, is_enterprise=False)
    enterprises: Any = partial(api.report, is_enterprise=True)
    reports = [
        *(("orgs", name, organizations(name)) for name in _REPORTS if name != "enterprise-1-day"),
        *(("enterprises", name, enterprises(name)) for name in ("enterprise-1-day", "users-1-day")),
        ("orgs", "organization-28-day/latest", api.latest(is_enterprise=False)),
        ("enterprises", "enterprise-28-day/latest", api.latest(is_enterprise=True)),
    ]
    return [
        *(
            Route(f"/{sort}/{{owner}}/copilot/metrics/reports/{name}", gate.guarded(answer))
            for sort, name, answer in reports
        ),
        Route("/orgs/{owner}/copilot/billing/seats", gate.guarded(api.seats)),
        Route("/files/{owner}/{report}/{day}/{part}.ndjson", api.file),
        # Closed on 2026-04-02, as everything that is not there: 404 in GitHub's words.
        Route("/{path:path}", gate.guarded(_not_found)),
    ]


async def _not_found(_asked: Asked) -> Response:
    raise RefusedError(404)


COPILOT = Service("copilot", "/copilot", _build_routes, lambda status: _words(status, ""))
