"""Which workspaces exist, how they differ, and what the API allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

PLATFORM_KEY = "incident-io-sandbox-key-platform"
PAYMENTS_KEY = "incident-io-sandbox-key-payments"
MOBILE_KEY = "incident-io-sandbox-key-mobile"
KEY_WITHOUT_SCOPES = "incident-io-sandbox-key-without-scopes"
"""Known, of the first workspace, and may only ask whose it is."""

DOCUMENTED_REQUESTS_PER_MINUTE = 1200


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """One customer's incident.io, set up as they like it.

    Args:
        name: Stands in references and names; decides the generated data together with the seed.
        timezone: Where its people work.
        severities: From the least to the most severe.
        statuses: Names of the stages of an incident; a stage that is left out has the name of the one before it.
        timestamps: Names of the moments that it keeps, in its order; a moment that is left out is not kept.
        metrics: Name, first and last moment of its duration metrics.
        service_type: The catalogue's type_name of its services.
        service_field: Name of the custom field that holds the affected services.
        incidents_per_day: On an average weekday.
    """

    name: str
    timezone: str
    severities: tuple[str, ...]
    statuses: Mapping[str, str]
    timestamps: Mapping[str, str]
    metrics: tuple[tuple[str, str, str], ...]
    service_type: str
    service_field: str
    incidents_per_day: float


PLATFORM = Workspace(
    name="platform",
    timezone="America/New_York",
    severities=("Minor", "Major", "Critical"),
    statuses={"triage": "Triage", "open": "Investigating", "working": "Fixing", "watching": "Monitoring"},
    timestamps={
        "impact": "Impact start",
        "reported": "Reported at",
        "accepted": "Accepted at",
        "fixed": "Fixed at",
        "resolved": "Resolved at",
        "closed": "Closed at",
    },
    metrics=(
        ("Time to detect", "impact", "reported"),
        ("Time to fix", "reported", "fixed"),
        ("Time to resolve", "reported", "resolved"),
    ),
    service_type='Custom["Service"]',
    service_field="Affected services",
    incidents_per_day=5.0,
)
PAYMENTS = Workspace(
    name="payments",
    timezone="Europe/Berlin",
    severities=("SEV3", "SEV2", "SEV1"),
    statuses={"triage": "Triage", "open": "Investigating", "working": "Identified", "watching": "Mitigated"},
    timestamps={
        "reported": "Reported at",
        "identified": "Identified at",
        "fixed": "Fixed at",
        "resolved": "Resolved at",
    },
    metrics=(("Time to identify", "reported", "identified"), ("Time to resolve", "reported", "resolved")),
    service_type='Custom["BackstageComponent"]',
    service_field="Impacted Components",
    incidents_per_day=3.0,
)
MOBILE = Workspace(
    name="mobile",
    timezone="Australia/Sydney",
    severities=("Low", "Medium", "High", "Urgent"),
    statuses={"triage": "Triage", "open": "Active"},
    timestamps={"impact": "Impact start", "reported": "Reported at", "resolved": "Resolved at"},
    metrics=(("Impact duration", "impact", "resolved"),),
    service_type='Custom["Application"]',
    service_field="Product area",
    incidents_per_day=2.5,
)


@dataclass(frozen=True, kw_only=True)
class IncidentIoSettings:
    """The emulated workspaces.

    Args:
        workspaces: By the API key that opens them.
        opened_on: The first local day with incidents.
        requests_per_minute: Of each key.
        fewer_per_page: Gives at most so many records on a page, whatever is asked; a cursor allows an API that.
        lte_is_midnight: Whether `[lte]` of a date means its first instant instead of all of it; both are guesses.
        states_total: Whether pages state how many records there are.
    """

    workspaces: Mapping[str, Workspace] = field(
        default_factory=lambda: {PLATFORM_KEY: PLATFORM, PAYMENTS_KEY: PAYMENTS, MOBILE_KEY: MOBILE}
    )
    opened_on: date = date(2025, 10, 1)
    requests_per_minute: int = DOCUMENTED_REQUESTS_PER_MINUTE
    fewer_per_page: int | None = None
    lte_is_midnight: bool = False
    states_total: bool = True
