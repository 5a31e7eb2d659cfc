"""A LiteLLM gateway: daily activity whose pages cut the rows underneath, the request log, spend in dollars."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ai_tools.gate import Answer, Asked, Gate, Record, RefusedError, bearer_of, checked_date, to_json
from sandbox.ai_tools.people import Engineer
from sandbox.ai_tools.settings import LITELLM_KEY
from sandbox.ai_tools.world import DAY, SECOND, Use, World, start_of
from sandbox.context import ErrorBody, SandboxContext, Service

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

_UNPROCESSABLE = 422
_LOG_TIME = "%Y-%m-%d %H:%M:%S"
_FAILED = 11
_TYPES = {401: "auth_error", 403: "auth_error", 429: "throttling_error"}
_ACTIVITY_PARAMETERS = ("start_date", "end_date", "page", "page_size", "model", "api_key", "timezone")
_LOG_FILTERS = ("api_key", "user_id", "team_id", "request_id", "model", "status_filter")
_LOG_PARAMETERS = ("start_date", "end_date", "page", "page_size", "sort_by", "sort_order", *_LOG_FILTERS)


class _LiteLLM:
    def activity(self, entity: str, filter_name: str) -> Answer:
        """Returns an endpoint of daily activity, about users, teams or tags."""

        async def answer(asked: Asked) -> Response:
            asked.check_names((*_ACTIVITY_PARAMETERS, filter_name), status=_UNPROCESSABLE)
            start, end = (start_of(checked_date(asked.query.get(name), name)) for name in ("start_date", "end_date"))
            size = asked.number("page_size", default=50, most=1000, status=_UNPROCESSABLE)
            page = asked.number("page", default=1, most=1_000_000, status=_UNPROCESSABLE)
            wanted = set(filter(None, asked.query.get(filter_name, "").split(",")))
            uses = [use for use in _uses(asked, start, end + DAY) if not wanted or _entity_of(use, entity) in wanted]
            groups = _rows_underneath(uses)
            shown = groups[(page - 1) * size : page * size]
            pages = max(-(-len(groups) // size), 1)
            metadata = {**_totals(uses), "page": page, "total_pages": pages, "has_more": page < pages}
            return to_json({"results": asked.changed(_by_date(shown, entity)), "metadata": metadata})

        return answer

    async def logs(self, asked: Asked) -> Response:
        """Answers `GET /spend/logs/v2`."""
        asked.check_names(_LOG_PARAMETERS, status=_UNPROCESSABLE)
        start, end = _read_log_time(asked, "start_date"), _read_log_time(asked, "end_date")
        size = asked.number("page_size", default=50, most=100, status=_UNPROCESSABLE)
        page = asked.number("page", default=1, most=1_000_000, status=_UNPROCESSABLE)
        # The end is part of the window.
        found = list(_uses(asked, start, end + 1))
        shown = asked.changed(_log_record(use) for use in found[(page - 1) * size : page * size])
        total = min(len(found), asked.world.settings.logs_cap)
        return to_json(
            {
                "data": shown,
                "total": total,
                "page": page,
                "page_size": size,
                "total_pages": -(-total // size),
                "total_is_capped": total < len(found),
            }
        )

    async def users(self, asked: Asked) -> Response:
        """Answers `GET /user/list`."""
        users = [
            {"user_id": one.handle, "user_email": one.email, "user_role": "internal_user", "teams": [one.team]}
            for one in asked.world.users_of("litellm")
        ]
        return _list(asked, "users", users, "page_size")

    async def keys(self, asked: Asked) -> Response:
        """Answers `GET /key/list`."""
        keys = [
            {"token": _hash_of(one), "key_alias": f"{one.handle}-key", "user_id": one.handle, "team_id": one.team}
            for one in asked.world.users_of("litellm")
        ]
        return _list(asked, "keys", keys, "size", "return_full_object")

    async def teams(self, asked: Asked) -> Response:
        """Answers `GET /team/list`, an array."""
        teams = sorted({one.team for one in asked.world.users_of("litellm")})
        return to_json(asked.changed({"team_id": team, "team_alias": team.title()} for team in teams))

    async def readiness(self, _asked: Asked) -> Response:
        """Answers `GET /health/readiness`."""
        return to_json({"status": "healthy", "litellm_version": "1.80.0"})


def _uses(asked: Asked, start: int, end: int) -> Iterable[Use]:
    return asked.world.uses("litellm", start, end, now=asked.now, late_rows=asked.late_rows)


def _rows_underneath(uses: Iterable[Use]) -> list[list[Use]]:
    """Returns what the gateway's own table has a row for: a day, a person and a model."""
    found: dict[tuple[Any, ...], list[Use]] = defaultdict(list)
    for use in uses:
        found[use.day, use.engineer.number, use.model].append(use)
    return [found[key] for key in sorted(found)]


def _by_date(groups: list[list[Use]], entity: str) -> list[Record]:
    days: dict[str, list[Use]] = defaultdict(list)
    for uses in groups:
        days[uses[0].day.isoformat()] += uses
    return [
        {
            "date": day,
            "metrics": _metrics(uses),
            "breakdown": {
                "models": _breakdown(uses, lambda use: use.model),
                "model_groups": {},
                "providers": {},
                "endpoints": {},
                "mcp_servers": {},
                "api_keys": _breakdown(uses, lambda use: _hash_of(use.engineer)),
                "entities": _breakdown(uses, lambda use: _entity_of(use, entity)),
            },
        }
        for day, uses in days.items()
    ]


def _breakdown(uses: list[Use], key_of: Any) -> Record:
    found: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        found[key_of(use)].append(use)
    return {key: {"metrics": _metrics(one), "metadata": {}} for key, one in sorted(found.items())}


def _entity_of(use: Use, entity: str) -> str:
    return {"user": use.engineer.handle, "team": use.engineer.team, "tag": use.surface}[entity]


def _metrics(uses: Sequence[Use]) -> Record:
    good = [use for use in uses if not _has_failed(use)]
    prompt = sum(use.input_tokens + use.cached_tokens for use in good)
    completion = sum(use.output_tokens for use in good)
    return {
        "spend": float(sum(use.dollars for use in good)),
        "flat_cost": 0.0,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cache_read_input_tokens": sum(use.cached_tokens for use in good),
        "cache_creation_input_tokens": 0,
        "total_tokens": prompt + completion,
        "successful_requests": len(good),
        "failed_requests": len(uses) - len(good),
        "api_requests": len(uses),
    }


def _totals(uses: Sequence[Use]) -> Record:
    metrics = _metrics(uses)
    names = {"spend": "total_spend", "prompt_tokens": "total_prompt_tokens", "total_tokens": "total_tokens"}
    return {**{total: metrics[name] for name, total in names.items()}, "total_api_requests": len(uses)}


def _log_record(use: Use) -> Record:
    prompt, completion = use.input_tokens + use.cached_tokens, use.output_tokens
    has_failed = _has_failed(use)
    return {
        "request_id": f"chatcmpl-{use.engineer.key}-{use.at}-{use.number}",
        "call_type": "acompletion",
        "api_key": _hash_of(use.engineer),
        "spend": 0.0 if has_failed else float(use.dollars),
        # Of a failure nothing was measured, which the gateway writes as zeros.
        "total_tokens": 0 if has_failed else prompt + completion,
        "prompt_tokens": 0 if has_failed else prompt,
        "completion_tokens": 0 if has_failed else completion,
        "startTime": _write_milliseconds(use.at),
        "endTime": _write_milliseconds(use.at + 1_900),
        "request_duration_ms": 1_900,
        "model": use.model,
        "model_group": "chat-default",
        "custom_llm_provider": "anthropic" if use.model.startswith("claude") else "openai",
        "user": use.engineer.handle,
        "end_user": "",
        "team_id": use.engineer.team,
        "request_tags": [use.surface],
        "cache_hit": "False",
        "status": "failure" if has_failed else "success",
        "metadata": {"user_api_key_alias": f"{use.engineer.handle}-key", "user_api_key_user_id": use.engineer.handle},
    }


def _has_failed(use: Use) -> bool:
    return use.at // SECOND % _FAILED == 0


def _hash_of(engineer: Engineer) -> str:
    return hashlib.sha256(engineer.key.encode()).hexdigest()


def _write_milliseconds(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_log_time(asked: Asked, name: str) -> int:
    try:
        moment = datetime.strptime(asked.query.get(name, ""), _LOG_TIME).replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(400, f"{name}: Invalid date format. Expected: YYYY-MM-DD HH:MM:SS") from None
    return round(moment.timestamp()) * SECOND


def _list(asked: Asked, name: str, records: list[Record], size_name: str, *more: str) -> Response:
    asked.check_names(("page", size_name, *more), status=_UNPROCESSABLE)
    size = asked.number(size_name, default=25, most=100, status=_UNPROCESSABLE)
    page = asked.number("page", default=1, most=1_000_000, status=_UNPROCESSABLE)
    shown = asked.changed(records[(page - 1) * size : page * size])
    return to_json({name: shown, "page": page, "total_pages": -(-len(records) // size), "total": len(records)})


def _key_of(request: Request, body: Any) -> str:
    return request.headers.get("x-litellm-api-key", "").removeprefix("Bearer ") or bearer_of(request, body)


def _words(status: int, message: str) -> ErrorBody:
    if status == _UNPROCESSABLE:
        name = message.replace(":", " ").split(" ", maxsplit=1)[0]
        detail = [{"loc": ["query", name], "msg": message, "type": "value_error"}]
        return ErrorBody(orjson.dumps({"detail": detail}), "application/json")
    kind = _TYPES.get(status, "internal_server_error")
    error = {"message": message or kind, "type": kind, "param": "None", "code": str(status)}
    return ErrorBody(orjson.dumps({"error": error}), "application/json")


def _build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    world = World(context.settings.seed, context.settings.ai_tools)
    gate = Gate(context, world, tool="litellm", key=LITELLM_KEY, key_of=_key_of, words=_words)
    api = _LiteLLM()
    return [
        Route("/user/daily/activity", gate.guarded(api.activity("user", "user_id"))),
        Route("/team/daily/activity", gate.guarded(api.activity("team", "team_ids"))),
        Route("/tag/daily/activity", gate.guarded(api.activity("tag", "tags"))),
        Route("/spend/logs/v2", gate.guarded(api.logs)),
        Route("/user/list", gate.guarded(api.users)),
        Route("/key/list", gate.guarded(api.keys)),
        Route("/team/list", gate.guarded(api.teams)),
        Route("/health/readiness", gate.guarded(api.readiness)),
    ]


LITELLM = Service("litellm", "/litellm", _build_routes, lambda status: _words(status, ""))
