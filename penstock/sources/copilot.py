"""A GitHub Copilot source's pipeline file, and what its usage-metrics reports offer.

Facts: docs.github.com, Copilot usage metrics. A report is files of JSON lines behind signed links, and 204 where a day
has none. Days are UTC's, from 2025-10-10, kept a year, and there one or two days later. The API that gave metrics
inline was closed on 2026-04-02.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from penstock.connections.copilot import CopilotConnection
from penstock.errors import ConfigurationError
from penstock.sources.base import SourceSpec
from penstock.sources.declared import Catalogue, DeclaredDataset, declare
from penstock.sources.rest import ParentSpec, RestDataset

# Whose reports are asked for, the connection says; see `CopilotDataset.endpoint`.
_OF_THE_CONNECTION = ("*",)
_ORGANIZATION, _ENTERPRISE = "organization", "enterprise"
# A seat may have an `organization` of its own.
_ASKED = "asked_organization"


def _report(name: str, owner: str = "orgs/{organization}") -> dict[str, Any]:
    return {
        "path": f"/{owner}/copilot/metrics/reports/{name}",
        "download_links": "download_links",
        "bucket": {"kind": "row", "time": "day"},
        "window_parameters": {"start": "day", "format": "date", "timezone": "UTC", "longest": "1d"},
        "parent": {"name": _ENTERPRISE if "{enterprise}" in owner else _ORGANIZATION, "values": _OF_THE_CONNECTION},
    }


COPILOT_REPORTS = declare(
    users=_report("users-1-day"),
    organization=_report("organization-1-day"),
    user_teams=_report("user-teams-1-day"),
    repositories=_report("repos-1-day"),
    enterprise=_report("enterprise-1-day", "enterprises/{enterprise}"),
    enterprise_users=_report("users-1-day", "enterprises/{enterprise}"),
    seats={
        "path": "/orgs/{asked_organization}/copilot/billing/seats",
        "parameters": {"per_page": 100},
        "records": "seats",
        "paging": {"kind": "link_header"},
        "total": "total_seats",
        "parent": {"name": _ASKED, "values": _OF_THE_CONNECTION},
    },
)


class CopilotDataset(DeclaredDataset[CopilotConnection]):
    """One report, for each organisation or the enterprise of the connection; rows carry which."""

    catalogue: ClassVar[Catalogue] = COPILOT_REPORTS

    report: Literal["users", "organization", "user_teams", "repositories", "enterprise", "enterprise_users", "seats"]

    @model_validator(mode="after")
    def _has_pages(self) -> Self:
        if self.page_size is not None and self.report != "seats":
            raise ValueError(f"`{self.report}` comes in files and takes no `page_size`")
        return self

    def endpoint(self, connection: CopilotConnection) -> RestDataset:
        """Returns the report of those that the connection names.

        Raises:
            ConfigurationError: The connection names none of the sort that the report is about.
        """
        declared = self.declaration
        name = declared.parent.name if declared.parent else ""
        enterprises = (connection.enterprise,) if connection.enterprise is not None else ()
        values = enterprises if name == _ENTERPRISE else connection.organizations
        if not values:
            raise ConfigurationError(
                "the connection does not say whose report to ask for",
                guidance="Set `organizations`, or for the reports of an enterprise `enterprise`, in the connection.",
                report=self.report,
            )
        changed: dict[str, Any] = {"parent": ParentSpec(name=name, values=values)}
        if self.page_size is not None:
            changed["parameters"] = {"per_page": self.page_size}
        return declared.model_copy(update=changed)


class CopilotSource(SourceSpec):
    """GitHub Copilot's use in organisations or an enterprise."""

    kind: Literal["copilot"]
