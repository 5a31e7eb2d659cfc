"""The sandbox's own paths: faults, clock and request log over HTTP, for users of `penstock sandbox`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import Response
from starlette.routing import Route

from penstock.errors import ConfigurationError
from sandbox.faults import Fault

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.context import SandboxContext

Order = TypeVar("Order", bound=BaseModel)


class ClockOrder(BaseModel):
    """How to move the clock; the first that is given counts."""

    model_config = ConfigDict(extra="forbid")

    set: str | None = None
    advance_seconds: float | None = None
    real: bool = False


def control_routes(context: SandboxContext) -> list[Route]:
    """Returns the routes below `/_sandbox` and the index at `/`."""
    controls = _Controls(context)
    return [
        Route("/", controls.index),
        Route("/_sandbox", controls.index),
        Route("/_sandbox/faults", controls.faults, methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/requests", controls.requests, methods=["GET", "DELETE"]),
        Route("/_sandbox/clock", controls.clock, methods=["GET", "POST"]),
    ]


class _Controls:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context

    async def index(self, _request: Request) -> Response:
        """Says what is served and which paths steer it."""
        from sandbox.registry import SERVICES

        services = {service.name: service.home for service in SERVICES}
        controls = ["/_sandbox/faults", "/_sandbox/requests", "/_sandbox/clock"]
        return _json({"services": services, "controls": controls, "now": self._context.clock.now()})

    async def faults(self, request: Request) -> Response:
        """Lists the faults, adds one, or clears them."""
        plan = self._context.faults
        if request.method == "DELETE":
            plan.clear()
        elif request.method == "POST":
            fault = await _checked(request, Fault.model_validate_json)
            if isinstance(fault, Response):
                return fault
            plan.add(fault)
        return _json([{**fault.model_dump(mode="json"), "met": plan.times_met(fault)} for fault in plan.in_force()])

    async def requests(self, request: Request) -> Response:
        """Lists what was asked (`?path=` takes a shell pattern), or forgets it."""
        if request.method == "DELETE":
            self._context.log.clear()
        found = self._context.log.requests(request.query_params.get("path", "*"))
        return _json([asdict(entry) for entry in found])

    async def clock(self, request: Request) -> Response:
        """Tells the time; moves it by `{"set": ISO}`, `{"advance_seconds": N}` or `{"real": true}`."""
        clock = self._context.clock
        if request.method == "POST":
            order = await _checked(request, ClockOrder.model_validate_json)
            if isinstance(order, Response):
                return order
            try:
                self._move_clock(order)
            except ConfigurationError as error:
                return _json({"error": str(error)}, 400)
        return _json({"now": clock.now(), "stands_still": clock.stands_still})

    def _move_clock(self, order: ClockOrder) -> None:
        if order.set is not None:
            self._context.clock.set(order.set)
        elif order.advance_seconds is not None:
            self._context.clock.advance(seconds=order.advance_seconds)
        elif order.real:
            self._context.clock.follow_real_time()


async def _checked(request: Request, validate: Callable[[bytes], Order]) -> Order | Response:
    try:
        return validate(await request.body())
    except ValidationError as error:
        problems = [
            {"where": ".".join(map(str, problem["loc"])), "problem": problem["msg"]} for problem in error.errors()
        ]
        return _json({"errors": problems}, 400)


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
