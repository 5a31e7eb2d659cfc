"""A Datadog organisation, for its service level objectives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from penstock.connections.base import Address, ConnectionSpec


class DatadogSloConnection(ConnectionSpec):
    """A Datadog organisation: its site, an API key, and an application key with the right `slos_read`."""

    kind: Literal["datadog_slo"]
    api_key: SecretStr
    application_key: SecretStr = Field(description="It must have `slos_read`.")
    site: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")] = Field(
        default="datadoghq.com", description="Where the organisation is, such as `datadoghq.eu` or `us5.datadoghq.com`."
    )
    base_url: Address | None = Field(default=None, description="Another address than the site's, for a sandbox.")
