"""Every system that the sandbox emulates, one line each."""

from __future__ import annotations

from sandbox.context import Service
from sandbox.gladly.service import GLADLY
from sandbox.google.service import GOOGLE
from sandbox.rest.service import REST

SERVICES: tuple[Service, ...] = (
    GLADLY,
    GOOGLE,
    REST,
)


def service_named(name: str) -> Service | None:
    """Returns a service by the first segment of its paths, or None."""
    return next((service for service in SERVICES if service.name == name), None)
