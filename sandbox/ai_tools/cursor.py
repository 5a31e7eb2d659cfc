"""Cursor's Admin API: daily use by member, events and spend in cents; bodies with page numbers, milliseconds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ai_tools.gate import Asked, Gate, Record, RefusedError, basic_user_of, checked_number, to_json
from sandbox.ai_tools.people import Engineer
from sandbox.ai_tools.settings import CURSOR_KEY
from sandbox.ai_tools.world import DAY, Use, World, date_of, start_of
from sandbox.context import ErrorBody, SandboxContext, Service

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_LONGEST = 30 * DAY
_MOST = 1_000
_CYCLE_DAY = 16
_REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
_WINDOW = ("startDate", "endDate", "page", "pageSize")


class _Cursor:
    async def members(self, asked: Asked) -> Response:
        """Answers `GET /teams/members`."""
        asked.check_names(())
        members = [
            {"id": one.number + 1, "name": one.name, "email": one.email, "role": "member", "isRemoved": False}
            for one in asked.world.users_of("cursor")
        ]
        return to_json({"teamMembers": asked.changed(members)})

    async def daily_usage(self, asked: Asked) -> Response:
        """Answers `POST /teams/daily-usage-data`: a row for each member and day, of the active ones without pages."""
        start, end = _read_window(asked, _WINDOW)
        rows = list(_daily_rows(asked, start, end))
        if "page" not in asked.body and "pageSize" not in asked.body:
            rows = [row for row in rows if row["isActive"]]
        page, size, shown = _cut(asked, rows)
        pages = -(-len(rows) // size)
        pagination = {"page": page, "pageSize": size, "totalPages": pages, "hasNextPage": page < pages}
        return to_json({"data": shown, "pagination": pagination, "period": {"startDate": start, "endDate": end}})

    async def events(self, asked: Asked) -> Response:
        """Answers `POST /teams/filtered-usage-events`, the newest event first."""
        start, end = _read_window(asked, (*_WINDOW, "email", "userId", "serviceAccountId"))
        rows = [_event(use) for use in _uses(asked, start, end)][::-1]
        page, size, shown = _cut(asked, rows)
        pages = -(-len(rows) // size)
        pagination = {
            "numPages": pages,
            "currentPage": page,
            "pageSize": size,
            "hasNextPage": page < pages,
            "hasPreviousPage": page > 1,
        }
        period = {"startDate": start, "endDate": end}
        return to_json(
            {"totalUsageEventsCount": len(rows), "pagination": pagination, "usageEvents": shown, "period": period}
        )

    async def spend(self, asked: Asked) -> Response:
        """Answers `POST /teams/spend`: the billing cycle that runs now."""
        asked.check_names(("searchTerm", "sortBy", "sortDirection", "page", "pageSize"), asked.body)
        start = start_of(_cycle_start(date_of(asked.now)))
        cents: dict[int, float] = defaultdict(float)
        for use in _uses(asked, start, asked.now):
            cents[use.engineer.number] += _charged_cents(use)
        rows = [_spend(engineer, cents[engineer.number]) for engineer in asked.world.users_of("cursor")]
        _page, size, shown = _cut(asked, rows)
        pages = -(-len(rows) // size)
        totals = {"subscriptionCycleStart": start, "totalMembers": len(rows), "totalPages": pages}
        return to_json({"teamMemberSpend": shown, **totals})


def _daily_rows(asked: Asked, start: int, end: int) -> Iterator[Record]:
    found: dict[tuple[date, int], list[Use]] = defaultdict(list)
    for use in _uses(asked, start, end):
        found[use.day, use.engineer.number].append(use)
    first = date_of(start)
    for offset in range((date_of(min(end, asked.now)) - first).days + 1):
        day = first + timedelta(days=offset)
        if any(key[0] == day for key in found):
            for engineer in asked.world.users_of("cursor"):
                yield _daily_row(day, engineer, found[day, engineer.number])


def _daily_row(day: date, engineer: Engineer, uses: list[Use]) -> Record:
    models = Counter(use.model for use in uses)
    total = {name: sum(getattr(use, name) for use in uses) for name in ("lines_suggested", "lines_accepted")}
    shown, accepted = (sum(getattr(use, name) for use in uses) for name in ("suggestions", "acceptances"))
    deleted = sum(use.lines_deleted for use in uses)
    return {
        "userId": engineer.number + 1,
        "day": day.isoformat(),
        "date": start_of(day),
        "email": engineer.email,
        "isActive": bool(uses),
        "totalLinesAdded": total["lines_suggested"],
        "totalLinesDeleted": deleted,
        "acceptedLinesAdded": total["lines_accepted"],
        "acceptedLinesDeleted": deleted // 2,
        "totalApplies": len(uses),
        "totalAccepts": len(uses) - len(uses) // 5,
        "totalRejects": len(uses) // 5,
        "totalTabsShown": shown,
        "totalTabsAccepted": accepted,
        "composerRequests": sum(use.surface == "vscode" for use in uses),
        "chatRequests": sum(use.surface == "jetbrains" for use in uses),
        "agentRequests": sum(use.surface == "cli" for use in uses),
        "cmdkUsages": 0,
        "subscriptionIncludedReqs": sum(not _is_token_based(use) for use in uses),
        "apiKeyReqs": 0,
        "usageBasedReqs": sum(_is_token_based(use) for use in uses),
        "bugbotUsages": 0,
        "mostUsedModel": models.most_common(1)[0][0] if models else None,
        "clientVersion": "1.2.3",
    }


def _event(use: Use) -> Record:
    is_token_based = _is_token_based(use)
    event: Record = {
        "timestamp": str(use.at),
        "userEmail": use.engineer.email,
        "model": use.model,
        "kind": "Usage-based" if is_token_based else "Included in subscription",
        "maxMode": False,
        "requestsCosts": 1.0,
        "isTokenBasedCall": is_token_based,
        "isChargeable": is_token_based,
        "isHeadless": False,
        "chargedCents": _charged_cents(use),
        "cursorTokenFee": 0.0,
    }
    if is_token_based:
        event["tokenUsage"] = {
            "inputTokens": use.input_tokens,
            "outputTokens": use.output_tokens,
            "cacheWriteTokens": use.cache_write_tokens,
            "cacheReadTokens": use.cached_tokens,
            "totalCents": round(float(use.dollars) * 100, 4),
            "discountPercentOff": 0,
        }
    return event


def _spend(engineer: Engineer, cents: float) -> Record:
    return {
        "userId": engineer.number + 1,
        "name": engineer.name,
        "email": engineer.email,
        "role": "member",
        "spendCents": round(cents),
        "overallSpendCents": round(cents) + 2_000,
        "fastPremiumRequests": 0,
        "hardLimitOverrideDollars": 0,
        "monthlyLimitDollars": None,
    }


def _uses(asked: Asked, start: int, end: int) -> Iterator[Use]:
    # The end is part of the window, to the millisecond.
    return asked.world.uses("cursor", start, end + 1, now=asked.now, late_rows=asked.late_rows)


def _is_token_based(use: Use) -> bool:
    return use.number % 3 != 0


def _charged_cents(use: Use) -> float:
    return round(float(use.dollars) * 100, 4) if _is_token_based(use) else 0.0


def _cycle_start(day: date) -> date:
    if day.day >= _CYCLE_DAY:
        return day.replace(day=_CYCLE_DAY)
    return (day.replace(day=1) - timedelta(days=1)).replace(day=_CYCLE_DAY)


def _read_window(asked: Asked, known: Iterable[str]) -> tuple[int, int]:
    asked.check_names(known, asked.body)
    start, end = asked.body.get("startDate"), asked.body.get("endDate")
    if not isinstance(start, int) or not isinstance(end, int):
        raise RefusedError(400, "startDate and endDate are milliseconds since the epoch")
    if end < start or end - start >= _LONGEST:
        raise RefusedError(400, "the window is 30 days at most")
    return start, end


def _cut(asked: Asked, rows: list[Record]) -> tuple[int, int, list[Record]]:
    page = checked_number(asked.body.get("page", 1), "page", most=1_000_000)
    is_paged = "page" in asked.body or "pageSize" in asked.body
    size = checked_number(asked.body.get("pageSize", 100), "pageSize", most=_MOST) if is_paged else max(len(rows), 1)
    return page, size, asked.changed(rows[(page - 1) * size : page * size])


def _words(status: int, message: str) -> ErrorBody:
    reason = _REASONS.get(status, "Internal Server Error")
    return ErrorBody(orjson.dumps({"error": reason, "message": message or reason}), "application/json")


def _build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    world = World(context.settings.seed, context.settings.ai_tools)
    gate = Gate(context, world, tool="cursor", key=CURSOR_KEY, key_of=basic_user_of, words=_words)
    api = _Cursor()
    posts: dict[str, Any] = {
        "daily-usage-data": api.daily_usage,
        "filtered-usage-events": api.events,
        "spend": api.spend,
    }
    return [
        Route("/teams/members", gate.guarded(api.members)),
        *(Route(f"/teams/{name}", gate.guarded(answer), methods=["POST"]) for name, answer in posts.items()),
    ]


CURSOR = Service("cursor", "/cursor", _build_routes, lambda status: _words(status, ""))
