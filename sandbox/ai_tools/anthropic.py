"""Anthropic's Admin API: usage in token counts, cost in cents as decimal text, Claude Code by person and day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ai_tools.buckets import (
    PAGE_SIZES,
    WIDTHS,
    group_facts,
    page_of_list,
    read_buckets,
    read_groups,
    read_width,
)
from sandbox.ai_tools.gate import Asked, Gate, Record, RefusedError, checked_date, to_json
from sandbox.ai_tools.people import Engineer
from sandbox.ai_tools.settings import ANTHROPIC_KEY
from sandbox.ai_tools.world import DAY, SECOND, Use, World, start_of, write_time
from sandbox.context import ErrorBody, SandboxContext, Service

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_USAGE_GROUPS = (
    "account_id",
    "api_key_id",
    "context_window",
    "inference_geo",
    "model",
    "service_account_id",
    "service_tier",
    "workspace_id",
)
_COST_GROUPS = ("workspace_id", "description")
_BUCKET_PARAMETERS = ("starting_at", "ending_at", "bucket_width", "limit", "page", "group_by[]")
_COST_TOKENS = {
    "input": "uncached_input_tokens",
    "cached": "cache_read_input_tokens",
    "cache_write": "cache_creation.ephemeral_5m_input_tokens",
    "output": "output_tokens",
}
_CODE_WORKSPACE = "wrkspc_claude_code"
_RESEARCH_WORKSPACE = "wrkspc_research"
_LONG_CONTEXT = 8_000


class _Anthropic:
    async def usage(self, asked: Asked) -> Response:
        """Answers `GET /v1/organizations/usage_report/messages`."""
        asked.check_names(_BUCKET_PARAMETERS)
        width = read_width(asked, WIDTHS)
        groups = read_groups(asked, "group_by[]", _USAGE_GROUPS)
        return self._buckets(asked, width, lambda start, end: _usage_results(asked, start, end, groups))

    async def costs(self, asked: Asked) -> Response:
        """Answers `GET /v1/organizations/cost_report`."""
        asked.check_names(_BUCKET_PARAMETERS)
        width = read_width(asked, ("1d",))
        groups = read_groups(asked, "group_by[]", _COST_GROUPS)
        return self._buckets(asked, width, lambda start, end: _cost_results(asked, start, end, groups))

    async def claude_code(self, asked: Asked) -> Response:
        """Answers `GET /v1/organizations/usage_report/claude_code`: one day of UTC, by actor and terminal."""
        asked.check_names(("starting_at", "limit", "page"))
        day = checked_date(asked.query.get("starting_at"), "starting_at")
        size = asked.number("limit", default=20, most=1000)
        records = list(_code_records(asked, start_of(day)))
        offset = int((asked.query.get("page") or "page_0").removeprefix("page_"))
        following = offset + size
        has_more = following < len(records)
        shown = offset if asked.paging_fault == "repeated_page_token" else following
        next_page = f"page_{shown}" if has_more and asked.paging_fault != "missing_page_token" else None
        return to_json({"data": asked.changed(records[offset:following]), "has_more": has_more, "next_page": next_page})

    async def api_keys(self, asked: Asked) -> Response:
        """Answers `GET /v1/organizations/api_keys`."""
        users = asked.world.users_of("anthropic")
        return _list(asked, [_api_key(engineer) for engineer in users])

    async def workspaces(self, asked: Asked) -> Response:
        """Answers `GET /v1/organizations/workspaces`; the default workspace is not among them."""
        names = {_CODE_WORKSPACE: "Claude Code", _RESEARCH_WORKSPACE: "Research"}
        return _list(asked, [{"id": key, "type": "workspace", "name": name} for key, name in names.items()])

    async def users(self, asked: Asked) -> Response:
        """Answers `GET /v1/organizations/users`."""
        found = [engineer for engineer in asked.world.engineers if engineer.tools & {"anthropic", "claude_code"}]
        return _list(asked, [_user(engineer) for engineer in found])

    def _buckets(self, asked: Asked, width: str, results: Any) -> Response:
        start, end = _read_moment(asked, "starting_at"), _read_moment(asked, "ending_at", required=False)
        page = read_buckets(asked, start or 0, end, width=width, sizes=PAGE_SIZES[width])
        data = [
            {"starting_at": write_time(first), "ending_at": write_time(last), "results": results(first, last)}
            for first, last in page.spans
        ]
        return to_json({"data": data, "has_more": page.has_more, "next_page": page.next_page})


def _usage_results(asked: Asked, start: int, end: int, groups: Sequence[str]) -> list[Record]:
    facts = ((_dimensions(use, is_code), use) for use, is_code in _billed(asked, start, end))
    found = []
    for dimensions, uses in group_facts(facts, groups, _USAGE_GROUPS):
        counts = {
            "uncached_input_tokens": sum(use.input_tokens for use in uses),
            "cache_read_input_tokens": sum(use.cached_tokens for use in uses),
            "cache_creation": {
                "ephemeral_5m_input_tokens": sum(use.cache_write_tokens for use in uses),
                "ephemeral_1h_input_tokens": 0,
            },
            "output_tokens": sum(use.output_tokens for use in uses),
            "server_tool_use": {"web_search_requests": sum(use.prompts == 1 for use in uses)},
        }
        found.append({**counts, **dimensions})
    return asked.changed(found)


def _cost_results(asked: Asked, start: int, end: int, groups: Sequence[str]) -> list[Record]:
    costs: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for use, is_code in _billed(asked, start, end):
        workspace = _dimensions(use, is_code)["workspace_id"] if "workspace_id" in groups else None
        for name, dollars in use.dollars_by_token.items():
            key = (use.model, _COST_TOKENS[name]) if "description" in groups else (None, None)
            costs[workspace, *key] += dollars
    return asked.changed([_cost(key, cents=dollars * 100) for key, dollars in sorted(costs.items(), key=str)])


def _cost(key: tuple[Any, ...], *, cents: Decimal) -> Record:
    workspace, model, tokens = key
    return {
        "amount": f"{cents.quantize(Decimal('0.000001')):f}",
        "currency": "USD",
        "cost_type": "tokens",
        "token_type": tokens,
        "model": model,
        "service_tier": "standard" if model else None,
        "context_window": "0-200k" if model else None,
        "inference_geo": "global" if model else None,
        "description": f"{model} usage - {tokens}" if model else None,
        "workspace_id": workspace,
    }


def _billed(asked: Asked, start: int, end: int) -> Iterator[tuple[Use, bool]]:
    """Yields what is billed by token, and whether it came from Claude Code: seats by subscription are not in it."""
    for tool in ("anthropic", "claude_code"):
        for use in asked.world.uses(tool, start, end, now=asked.now, late_rows=asked.late_rows):
            if tool == "anthropic" or not _has_subscription(use.engineer):
                yield use, tool == "claude_code"


def _dimensions(use: Use, is_code: bool) -> Record:
    default = None if use.engineer.number % 2 else _RESEARCH_WORKSPACE
    return {
        "account_id": None,
        # Null for traffic without a key as well, such as Claude Code's by login.
        "api_key_id": None if is_code else _api_key(use.engineer)["id"],
        "context_window": "200k-1M" if use.cached_tokens > _LONG_CONTEXT else "0-200k",
        "inference_geo": "not_available",
        "model": use.model,
        "service_account_id": None,
        "service_tier": "batch" if use.surface == "cli" and not is_code else "standard",
        "workspace_id": _CODE_WORKSPACE if is_code else default,
    }


def _code_records(asked: Asked, start: int) -> Iterator[Record]:
    found: dict[tuple[int, str], list[Use]] = defaultdict(list)
    for use in asked.world.uses("claude_code", start, start + DAY, now=asked.now, late_rows=asked.late_rows):
        found[use.engineer.number, use.surface].append(use)
    for (_number, surface), uses in sorted(found.items()):
        yield _code_record(write_time(start), uses[0].engineer, surface, uses)


def _code_record(day: str, engineer: Engineer, surface: str, uses: list[Use]) -> Record:
    by_model: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        by_model[use.model].append(use)
    accepted, shown = (sum(getattr(use, name) for use in uses) for name in ("acceptances", "suggestions"))
    nothing = {"accepted": 0, "rejected": 0}
    is_subscription = _has_subscription(engineer)
    return {
        "date": day,
        "actor": {"type": "user_actor", "email_address": engineer.email},
        "organization_id": "org-orbit",
        "customer_type": "subscription" if is_subscription else "api",
        "subscription_type": "team" if is_subscription else None,
        "terminal_type": surface,
        "core_metrics": {
            "num_sessions": len(uses),
            "lines_of_code": {
                "added": sum(use.lines_accepted for use in uses),
                "removed": sum(use.lines_deleted for use in uses),
            },
            "commits_by_claude_code": len(uses) // 2,
            "pull_requests_by_claude_code": len(uses) // 4,
        },
        "tool_actions": {
            "edit_tool": {"accepted": accepted, "rejected": shown - accepted},
            "multi_edit_tool": nothing,
            "write_tool": nothing,
            "notebook_edit_tool": nothing,
        },
        "model_breakdown": [_model_breakdown(model, used) for model, used in sorted(by_model.items())],
    }


def _model_breakdown(model: str, uses: list[Use]) -> Record:
    return {
        "model": model,
        "tokens": {
            "input": sum(use.input_tokens for use in uses),
            "output": sum(use.output_tokens for use in uses),
            "cache_read": sum(use.cached_tokens for use in uses),
            "cache_creation": sum(use.cache_write_tokens for use in uses),
        },
        "estimated_cost": {"currency": "USD", "amount": round(sum(use.dollars for use in uses) * 100)},
    }


def _has_subscription(engineer: Engineer) -> bool:
    return engineer.number % 3 != 0


def _api_key(engineer: Engineer) -> Record:
    return {
        "id": f"apikey_{engineer.key}",
        "type": "api_key",
        "name": f"{engineer.handle} notebook",
        "status": "active",
        "workspace_id": None if engineer.number % 2 else _RESEARCH_WORKSPACE,
        "created_at": "2025-10-01T09:00:00Z",
        "created_by": {"id": _user(engineer)["id"], "type": "user"},
    }


def _user(engineer: Engineer) -> Record:
    return {
        "id": f"user_{engineer.key}",
        "type": "user",
        "email": engineer.email,
        "name": engineer.name,
        "role": "developer",
    }


def _list(asked: Asked, records: list[Record]) -> Response:
    asked.check_names(("limit", "after_id", "before_id"))
    return to_json(page_of_list(asked, records, after="after_id", most=1000))


def _read_moment(asked: Asked, name: str, *, required: bool = True) -> int | None:
    text = asked.query.get(name)
    if text is None and not required:
        return None
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        raise RefusedError(400, f"{name}: Field required, as an RFC 3339 time") from None
    return round(moment.astimezone(UTC).timestamp()) * SECOND


def _key_of(request: Request, _body: Any) -> str:
    if request.headers.get("anthropic-version") is None:
        raise RefusedError(400, "anthropic-version: header is required")
    return request.headers.get("x-api-key", "")


def _words(status: int, message: str) -> ErrorBody:
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")  # noqa: PLR2004
    body = {"type": "error", "error": {"type": kind, "message": message or kind}, "request_id": "req_sandbox"}
    return ErrorBody(orjson.dumps(body), "application/json")


def _build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    world = World(context.settings.seed, context.settings.ai_tools)
    gate = Gate(context, world, tool="anthropic", key=ANTHROPIC_KEY, key_of=_key_of, words=_words)
    api, base = _Anthropic(), "/v1/organizations"
    return [
        Route(f"{base}/usage_report/messages", gate.guarded(api.usage)),
        Route(f"{base}/usage_report/claude_code", gate.guarded(api.claude_code)),
        Route(f"{base}/cost_report", gate.guarded(api.costs)),
        Route(f"{base}/api_keys", gate.guarded(api.api_keys)),
        Route(f"{base}/workspaces", gate.guarded(api.workspaces)),
        Route(f"{base}/users", gate.guarded(api.users)),
    ]


ANTHROPIC = Service("anthropic", "/anthropic", _build_routes, lambda status: _words(status, ""))
