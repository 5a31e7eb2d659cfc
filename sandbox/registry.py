"""Every system that the sandbox emulates, one line each."""

from __future__ import annotations

from sandbox.ai_tools.anthropic import ANTHROPIC
from sandbox.ai_tools.copilot import COPILOT
from sandbox.ai_tools.cursor import CURSOR
from sandbox.ai_tools.litellm import LITELLM
from sandbox.ai_tools.openai import OPENAI
from sandbox.ai_tools.sourcegraph import SOURCEGRAPH
from sandbox.ai_tools.windsurf import WINDSURF
from sandbox.context import Service
from sandbox.datadog_slo.service import DATADOG_SLO
from sandbox.dbt_cloud.service import DBT_CLOUD
from sandbox.gladly.service import GLADLY
from sandbox.google.service import GOOGLE
from sandbox.incident_io.service import INCIDENT_IO
from sandbox.nobl9.service import NOBL9
from sandbox.rest.service import REST
from sandbox.sprout_social.service import SPROUT_SOCIAL

SERVICES: tuple[Service, ...] = (
    ANTHROPIC,
    COPILOT,
    CURSOR,
    DATADOG_SLO,
    DBT_CLOUD,
    GLADLY,
    GOOGLE,
    INCIDENT_IO,
    LITELLM,
    NOBL9,
    OPENAI,
    REST,
    SOURCEGRAPH,
    SPROUT_SOCIAL,
    WINDSURF,
)


def service_named(name: str) -> Service | None:
    """Returns a service by the first segment of its paths, or None."""
    return next((service for service in SERVICES if service.name == name), None)
