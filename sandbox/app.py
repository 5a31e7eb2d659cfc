"""One ASGI application for all services: each below its own prefix, behind the faults and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.control import control_routes
from sandbox.fault_injection import FaultInjection
from sandbox.registry import SERVICES

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from sandbox.context import SandboxContext


def build_app(context: SandboxContext) -> ASGIApp:
    """Returns the application that serves a world."""
    routes = [Mount(f"/{service.name}", routes=service.build_routes(context)) for service in SERVICES]
    return FaultInjection(Starlette(routes=[*control_routes(context), *routes]), context)
