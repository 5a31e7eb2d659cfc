"""OpenAI's organisation API: usage by kind in token counts, costs in dollars as numbers, lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
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
from sandbox.ai_tools.gate import Answer, Asked, Gate, Record, RefusedError, bearer_of, to_json
from sandbox.ai_tools.people import Engineer
from sandbox.ai_tools.settings import OPENAI_KEY
from sandbox.ai_tools.world import SECOND, Use, World
from sandbox.context import ErrorBody, SandboxContext, Service

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_WHO = ("project_id", "user_id", "api_key_id", "model")
_BUCKET_PARAMETERS = ("start_time", "end_time", "bucket_width", "limit", "page", "group_by", "project_ids")
_COST_SIZES = (7, 180)
_PROJECTS = ("proj_app", "proj_research")
_ARCHIVED = "proj_pilot"
_CODES = {401: "invalid_api_key", 403: "missing_scope", 429: "rate_limit_exceeded"}


def _completions(uses: Sequence[Use]) -> Record:
    return {
        # Cached tokens are part of the input here.
        "input_tokens": sum(use.input_tokens + use.cached_tokens for use in uses),
        "input_cached_tokens": sum(use.cached_tokens for use in uses),
        "output_tokens": sum(use.output_tokens for use in uses),
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
        "num_model_requests": len(uses),
    }


def _embeddings(uses: Sequence[Use]) -> Record:
    return {"input_tokens": sum(use.input_tokens for use in uses), "num_model_requests": len(uses)}


def _images(uses: Sequence[Use]) -> Record:
    return {"images": sum(use.prompts for use in uses), "num_model_requests": len(uses)}


def _nothing(_uses: Sequence[Use]) -> Record:
    return {}


Kind = tuple[tuple[str, ...], Callable[[Sequence[Use]], Record], str]
# What each kind can be grouped by, what it counts, and the surface whose uses it is about; the rest has no traffic.
_KINDS: dict[str, Kind] = {
    "completions": ((*_WHO, "batch", "service_tier"), _completions, "*"),
    "embeddings": (_WHO, _embeddings, "cli"),
    "images": ((*_WHO, "size", "source"), _images, "jetbrains"),
    "moderations": (_WHO, _nothing, ""),
    "audio_speeches": (_WHO, _nothing, ""),
    "audio_transcriptions": (_WHO, _nothing, ""),
    "vector_stores": (("project_id",), _nothing, ""),
    "code_interpreter_sessions": (("project_id",), _nothing, ""),
    "web_search_calls": ((*_WHO, "context_level"), _nothing, ""),
    "file_search_calls": (("project_id", "user_id", "api_key_id", "vector_store_id"), _nothing, ""),
}


class _OpenAI:
    def usage(self, kind: str) -> Answer:
        """Returns the endpoint of one kind of usage."""

        async def answer(asked: Asked) -> Response:
            asked.check_names((*_BUCKET_PARAMETERS, "user_ids", "api_key_ids", "models", "batch"))
            width = read_width(asked, WIDTHS)
            groups = read_groups(asked, "group_by", _KINDS[kind][0])
            return _page(asked, width, PAGE_SIZES[width], partial(_usage_results, asked, kind, groups))

        return answer

    async def costs(self, asked: Asked) -> Response:
        """Answers `GET /organization/costs`."""
        asked.check_names(_BUCKET_PARAMETERS)
        width = read_width(asked, ("1d",))
        groups = read_groups(asked, "group_by", ("project_id", "line_item"))
        return _page(asked, width, _COST_SIZES, partial(_cost_results, asked, groups))

    async def users(self, asked: Asked) -> Response:
        """Answers `GET /organization/users`."""
        return _list(asked, [_user(engineer) for engineer in asked.world.users_of("openai")])

    async def projects(self, asked: Asked) -> Response:
        """Answers `GET /organization/projects`."""
        shown = (*_PROJECTS, _ARCHIVED) if asked.query.get("include_archived") == "true" else _PROJECTS
        projects = [
            {
                "id": name,
                "object": "organization.project",
                "name": name.removeprefix("proj_"),
                "status": "archived" if name == _ARCHIVED else "active",
            }
            for name in shown
        ]
        return _list(asked, projects, "include_archived")

    async def project_api_keys(self, asked: Asked) -> Response:
        """Answers `GET /organization/projects/{id}/api_keys`; an archived project has none."""
        project = asked.request.path_params["project"]
        if project not in (*_PROJECTS, _ARCHIVED):
            raise RefusedError(404)
        found = [one for one in asked.world.users_of("openai") if _project_of(one) == project]
        return _list(asked, [_api_key(engineer) for engineer in found])


def _page(asked: Asked, width: str, sizes: tuple[int, int], results: Callable[[int, int], list[Record]]) -> Response:
    start, end = _read_epoch(asked, "start_time"), _read_epoch(asked, "end_time", required=False)
    page = read_buckets(asked, start or 0, end, width=width, sizes=sizes)
    data = [
        {
            "object": "bucket",
            "start_time": first // SECOND,
            "end_time": last // SECOND,
            "results": asked.changed(results(first, last)),
        }
        for first, last in page.spans
    ]
    return to_json({"object": "page", "data": data, "has_more": page.has_more, "next_page": page.next_page})


def _usage_results(asked: Asked, kind: str, groups: list[str], start: int, end: int) -> list[Record]:
    known, count, surface = _KINDS[kind]
    facts = ((_dimensions(use), use) for use in _uses(asked, start, end) if surface in ("*", use.surface))
    name = f"organization.usage.{kind}.result"
    return [{"object": name, **count(uses), **dimensions} for dimensions, uses in group_facts(facts, groups, known)]


def _cost_results(asked: Asked, groups: list[str], start: int, end: int) -> list[Record]:
    costs: dict[tuple[str | None, str | None], Decimal] = defaultdict(Decimal)
    for use in _uses(asked, start, end):
        project = _project_of(use.engineer) if "project_id" in groups else None
        for tokens, dollars in use.dollars_by_token.items():
            costs[project, f"{use.model}, {tokens}" if "line_item" in groups else None] += dollars
    return [
        {
            "object": "organization.costs.result",
            "amount": {"value": float(dollars), "currency": "usd"},
            "line_item": line_item,
            "project_id": project,
            "organization_id": "org-orbit",
        }
        for (project, line_item), dollars in sorted(costs.items(), key=str)
    ]


def _uses(asked: Asked, start: int, end: int) -> Iterator[Use]:
    return asked.world.uses("openai", start, end, now=asked.now, late_rows=asked.late_rows)


def _dimensions(use: Use) -> Record:
    return {
        "project_id": _project_of(use.engineer),
        "user_id": _user(use.engineer)["id"],
        "api_key_id": _api_key(use.engineer)["id"],
        "model": use.model,
        "batch": use.surface == "cli",
        "service_tier": "default",
        "size": "1024x1024",
        "source": "image.generation",
    }


def _project_of(engineer: Engineer) -> str:
    return _PROJECTS[engineer.number % len(_PROJECTS)]


def _user(engineer: Engineer) -> Record:
    return {
        "object": "organization.user",
        "id": f"user-{engineer.key}",
        "name": engineer.name,
        "email": engineer.email,
        "role": "reader",
        "added_at": 1_759_309_200,
    }


def _api_key(engineer: Engineer) -> Record:
    return {
        "object": "organization.project.api_key",
        "id": f"key_{engineer.key}",
        "name": f"{engineer.handle} key",
        "redacted_value": "sk-...",
        "created_at": 1_759_309_200,
        "owner": {"type": "user", "user": {"id": _user(engineer)["id"], "email": engineer.email}},
    }


def _list(asked: Asked, records: list[Record], *more: str) -> Response:
    asked.check_names(("limit", "after", *more))
    return to_json({"object": "list", **page_of_list(asked, records, after="after", most=100)})


def _read_epoch(asked: Asked, name: str, *, required: bool = True) -> int | None:
    text = asked.query.get(name)
    if text is None and not required:
        return None
    if text is None or not text.isdecimal():
        raise RefusedError(400, f"{name} must be seconds since the epoch")
    return int(text) * SECOND


def _words(status: int, message: str) -> ErrorBody:
    kind = "invalid_request_error" if status < 500 else "server_error"  # noqa: PLR2004
    error: dict[str, Any] = {"message": message or kind, "type": kind, "param": None, "code": _CODES.get(status)}
    return ErrorBody(orjson.dumps({"error": error}), "application/json")


def _build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    world = World(context.settings.seed, context.settings.ai_tools)
    gate = Gate(context, world, tool="openai", key=OPENAI_KEY, key_of=bearer_of, words=_words)
    api, base = _OpenAI(), "/v1/organization"
    return [
        *(Route(f"{base}/usage/{kind}", gate.guarded(api.usage(kind))) for kind in _KINDS),
        Route(f"{base}/costs", gate.guarded(api.costs)),
        Route(f"{base}/users", gate.guarded(api.users)),
        Route(f"{base}/projects", gate.guarded(api.projects)),
        Route(f"{base}/projects/{{project}}/api_keys", gate.guarded(api.project_api_keys)),
    ]


OPENAI = Service("openai", "/openai/v1", _build_routes, lambda status: _words(status, ""))
