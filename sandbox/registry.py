"""Every system that the sandbox emulates, one line each."""

from __future__ import annotations

from sandbox.context import Service
from sandbox.datadog_slo.service import DATADOG_SLO
from sandbox.gladly.service import GLADLY
from sandbox.google.service import GOOGLE
from sandbox.incident_io.service import INCIDENT_IO
from sandbox.nobl9.service import NOBL9
from sandbox.rest.service import REST
from sandbox.sprout_social.service import SPROUT_SOCIAL

SERVICES: tuple[Service, ...] = (
    DATADOG_SLO,
    GLADLY,
    GOOGLE,
    INCIDENT_IO,
    NOBL9,
    REST,
    SPROUT_SOCIAL,
)


def service_named(name: str) -> Service | None:
    """Returns a service by the first segment of its paths, or None."""
    return next((service for service in SERVICES if service.name == name), None)
