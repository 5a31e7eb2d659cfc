"""GitHub Copilot in organisations or an enterprise."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from penstock.connections.declared import DeclaredConnection
from penstock.connections.rest import Auth, BearerAuth


class CopilotConnection(DeclaredConnection):
    """GitHub Copilot, by a token and what it may read: organisations, an enterprise, or both."""

    vendor_url: ClassVar[str] = "https://api.github.com"
    rights: ClassVar[str] = (
        "`read:org` of an owner, `manage_billing:copilot`, or `read:enterprise`, and turn the usage metrics policy on"
    )

    kind: Literal["copilot"]
    token: SecretStr = Field(description="A token of GitHub.")
    organizations: tuple[str, ...] = Field(default=(), description="Those that are asked, by their names at GitHub.")
    enterprise: str | None = Field(default=None, description="The enterprise that is asked, by its slug.")

    @model_validator(mode="after")
    def _has_somebody_to_ask(self) -> Self:
        if not self.organizations and self.enterprise is None:
            raise ValueError("give `organizations`, an `enterprise`, or both")
        return self

    def auth(self) -> Auth:
        """Returns the token as a bearer token."""
        return BearerAuth(kind="bearer", token=self.token)

    def headers(self) -> dict[str, str]:
        """Returns the version of the API."""
        return {"X-GitHub-Api-Version": "2022-11-28"}

    def probe_path(self) -> str:
        """Returns the latest report of the first that is asked; its files are not read."""
        if self.organizations:
            return f"/orgs/{self.organizations[0]}/copilot/metrics/reports/organization-28-day/latest"
        return f"/enterprises/{self.enterprise}/copilot/metrics/reports/enterprise-28-day/latest"
