"""Every system that the sandbox emulates, one line each."""

from __future__ import annotations

from sandbox.context import Service
from sandbox.dbt_cloud.service import DBT_CLOUD
from sandbox.gladly.service import GLADLY
from sandbox.rest.service import REST
from sandbox.sprout_social.service import SPROUT_SOCIAL

SERVICES: tuple[Service, ...] = (
    DBT_CLOUD,
    GLADLY,
    REST,
    SPROUT_SOCIAL,
)


def service_named(name: str) -> Service | None:
    """Returns a service by the first segment of its paths, or None."""
    return next((service for service in SERVICES if service.name == name), None)
