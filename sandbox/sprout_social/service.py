"""The HTTP face of the emulated Sprout Social: `/sprout_social/v1/...`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.context import DETAIL_KEY, PAGING_FAULT_KEY, SandboxContext, Service
from sandbox.schema_changes import change_record
from sandbox.seeded import identifier
from sandbox.sprout_social.access import CustomerLimits, customers_of, grant_token
from sandbox.sprout_social.problems import RefusedError, describe_error, write_error
from sandbox.sprout_social.queries import Asked, Customer, Rows
from sandbox.sprout_social.settings import SPROUT_TOKEN_PATH

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

_LISTS = ("customer", "customer/groups", "customer/tags", "customer/users", "customer/teams", "customer/topics")
_ANSWER = Callable[["Request", Customer], Awaitable[dict[str, Any]]]


def build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    """Returns the routes below `/sprout_social`."""
    service = _Sprout(context)
    base = "/v1/{customer:int}"
    both = ["GET", "POST"]
    reports = {
        "/analytics/profiles": (Customer.profile_days, (1_000, 1_000)),
        "/analytics/posts": (Customer.posts, (50, 200)),
    }
    inbox = {"/messages": (Customer.messages, (50, 100)), "/cases/filter": (Customer.cases, (50, 100))}
    return [
        Route(SPROUT_TOKEN_PATH, service.token, methods=["POST"]),
        Route("/v1/metadata/client", service.clients, methods=both),
        *(
            Route(f"{base}/metadata/{name}", service.guarded(service.list_of(name), "GET"), methods=both)
            for name in (*_LISTS, "customer/queues")
        ),
        *(
            Route(base + path, service.guarded(service.numbered(rows, limits), "POST"), methods=both)
            for path, (rows, limits) in reports.items()
        ),
        *(
            Route(base + path, service.guarded(service.by_cursor(rows, limits), "POST"), methods=both)
            for path, (rows, limits) in inbox.items()
        ),
        Route("/{path:path}", service.unknown, methods=[*both, "PUT", "DELETE"]),
    ]


class _Sprout:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._settings = context.settings.sprout_social
        self._customers = {
            customer: Customer(customer, seed=context.settings.seed, settings=self._settings)
            for customer in self._settings.customers
        }
        self._limits = {customer: CustomerLimits(self._settings.limits) for customer in self._customers}
        self._answered = 0
        context.on_reset(self._reset)

    async def token(self, request: Request) -> Response:
        """Answers a client credentials request."""
        now = self._context.clock.now()
        status, answer = grant_token(await request.body(), tokens=self._context.tokens, now=now)
        return Response(orjson.dumps(answer), status, media_type="application/json")

    async def clients(self, request: Request) -> Response:
        """Answers `GET /v1/metadata/client`, which belongs to no customer's limit."""
        try:
            open_customers = self._let_in(request, "GET")
        except RefusedError as error:
            return self._answer(write_error(error.status, error.text), error.status)
        names = self._settings.customers
        rows = [{"customer_id": customer, "name": names[customer]} for customer in open_customers]
        return self._answer(orjson.dumps({"data": rows}))

    async def unknown(self, _request: Request) -> Response:
        """Answers a path that is none."""
        return self._answer(write_error(404), 404)

    def guarded(self, answer: _ANSWER, method: str) -> Callable[[Request], Awaitable[Response]]:
        """Returns an endpoint that only those reach who may see the customer, within its limits."""

        async def endpoint(request: Request) -> Response:
            try:
                open_customers = self._let_in(request, method)
                customer = self._within_limits(request.path_params["customer"], open_customers)
                return self._answer(orjson.dumps(await answer(request, customer)))
            except RefusedError as error:
                return self._answer(write_error(error.status, error.text), error.status)

        return endpoint

    def list_of(self, name: str) -> _ANSWER:
        """Returns the answer of a list that comes whole, without a paging object."""

        async def answer(request: Request, customer: Customer) -> dict[str, Any]:
            rows = customer.roster.lists(name.rpartition("/")[2], self._context.clock.now().date())
            return {"data": self._changed(request, rows)}

        return answer

    def numbered(self, rows_of: Callable[[Customer, Asked], Rows], limits: tuple[int, int]) -> _ANSWER:
        """Returns the answer of an endpoint whose pages are numbered, in the body and never in the query."""

        async def answer(request: Request, customer: Customer) -> dict[str, Any]:
            asked = await self._asked(request)
            size, page = _limit(asked.body, limits), asked.body.get("page", 1)
            rows = rows_of(customer, asked)[: self._settings.result_cap]
            pages = max(1, ceil(len(rows) / size))
            if not isinstance(page, int) or not 1 <= page <= pages:
                raise RefusedError(400, "page is past the last one")
            spoiled = request.scope.get(PAGING_FAULT_KEY, "")
            shown = page - 1 if spoiled == "repeated_page_token" and page > 1 else page
            paging = {"current_page": shown, "total_pages": pages}
            if spoiled == "missing_page_token":
                del paging["total_pages"]
            return {"data": self._changed(request, rows[(shown - 1) * size : shown * size]), "paging": paging}

        return answer

    def by_cursor(self, rows_of: Callable[[Customer, Asked], Rows], limits: tuple[int, int]) -> _ANSWER:
        """Returns the answer of an endpoint whose pages lead forward by a cursor, which is absent on the last."""

        async def answer(request: Request, customer: Customer) -> dict[str, Any]:
            asked = await self._asked(request)
            size, given = _limit(asked.body, limits), asked.body.get("page_cursor")
            rows = rows_of(customer, asked)[: self._settings.result_cap]
            offsets = {_cursor(asked.body, offset): offset for offset in range(size, len(rows), size)}
            if given is not None and given not in offsets:
                raise RefusedError(400, "page_cursor is none of this query's")
            start = offsets.get(str(given), 0)
            paging: dict[str, Any] = {}
            if start + size < len(rows):
                paging["next_cursor"] = _cursor(asked.body, start + size)
            spoiled = request.scope.get(PAGING_FAULT_KEY, "")
            if spoiled == "repeated_page_token" and given is not None:
                paging["next_cursor"] = given
            elif spoiled == "missing_page_token":
                paging.pop("next_cursor", None)
            return {"data": self._changed(request, rows[start : start + size]), "paging": paging}

        return answer

    def _let_in(self, request: Request, method: str) -> tuple[int, ...]:
        known = tuple(self._customers)
        header = request.headers.get("authorization")
        found = customers_of(header, known, tokens=self._context.tokens, now=self._context.clock.now())
        if found is None:
            raise RefusedError(401)
        if request.method != method:
            raise RefusedError(405)
        accepts = request.headers.get("accept", "*/*")
        is_json = method == "GET" or request.headers.get("content-type", "").startswith("application/json")
        if not is_json or not any(kind in accepts for kind in ("application/json", "*/*")):
            raise RefusedError(415)
        return found

    def _within_limits(self, customer: int, open_customers: tuple[int, ...]) -> Customer:
        if customer not in open_customers:
            raise RefusedError(403)
        if not self._limits[customer].allows():
            raise RefusedError(429)
        return self._customers[customer]

    async def _asked(self, request: Request) -> Asked:
        try:
            body = orjson.loads(await request.body())
        except orjson.JSONDecodeError as error:
            raise RefusedError(400, "the body is not JSON") from error
        if not isinstance(body, dict):
            raise RefusedError(400, "the body is not an object")
        now, path = self._context.clock.now(), request.scope["path"]
        request.scope[DETAIL_KEY] = " ".join(map(str, body.get("filters") or []))
        return Asked(body, now, self._context.faults.late_rows(path, now))

    def _changed(self, request: Request, rows: Rows) -> Rows:
        changes = self._context.faults.schema_changes(request.scope["path"], self._context.clock.now())
        return [change_record(row, changes) for row in rows] if changes else rows

    def _answer(self, body: bytes, status: int = 200) -> Response:
        self._answered += 1
        headers = {
            "X-Sprout-Request-ID": identifier("sprout-request", self._answered),
            "X-Sprout-API-Version": "v1",
            "X-Sprout-Server-Version": "sandbox",
        }
        return Response(body, status, headers, "application/json")

    def _reset(self) -> None:
        for limits in self._limits.values():
            limits.reset()


def _limit(body: Mapping[str, Any], limits: tuple[int, int]) -> int:
    default, most = limits
    size = body.get("limit", default)
    if not isinstance(size, int) or not 1 <= size <= most:
        raise RefusedError(400, f"limit is 1 to {most}")
    return size


def _cursor(body: Mapping[str, Any], offset: int) -> str:
    return identifier("sprout-cursor", body.get("filters"), body.get("sort"), offset)


SPROUT_SOCIAL = Service("sprout_social", "/sprout_social", build_routes, describe_error)
