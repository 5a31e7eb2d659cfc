"""Which Gladly organisations exist, how busy they are, and what their API allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

GLADLY_ORG = "warbyparker"
GLADLY_EU_ORG = "warbyparker-eu"
GLADLY_EMAIL = "penstock@example.com"
GLADLY_TOKEN = "gladly-sandbox-token"  # noqa: S105 - opens nothing but the sandbox
# A known user without the API User permission: every call is a 403.
GLADLY_EMAIL_WITHOUT_API = "agent@example.com"


@dataclass(frozen=True)
class GladlyLimits:
    """Calls that one organisation may make."""

    requests_per_second: int
    reports_per_minute: int
    concurrent_reports: int


# As documented: Gladly REST API, section Rate Limit.
DOCUMENTED_LIMITS = GladlyLimits(requests_per_second=10, reports_per_minute=10, concurrent_reports=2)
# For tests and demos that should not wait.
GENEROUS_LIMITS = GladlyLimits(requests_per_second=10_000, reports_per_minute=10_000, concurrent_reports=100)


@dataclass(frozen=True, kw_only=True)
class GladlySettings:
    """The emulated organisations.

    Args:
        organizations: Time zone of each organisation, by the name that stands in its URL.
        opened_on: The first local day with customers.
        conversations_per_day: On an average weekday; a contact has about seven events, a conversation 1.2 contacts.
        row_cap: Rows after which a report stops without a word (about 100,000 in several connectors' notes).
        report_seconds: How long a report takes.
        byte_order_mark: Whether reports begin with one.
    """

    organizations: Mapping[str, str] = field(
        default_factory=lambda: {GLADLY_ORG: "America/New_York", GLADLY_EU_ORG: "Europe/Berlin"}
    )
    opened_on: date = date(2024, 1, 1)
    conversations_per_day: int = 350
    limits: GladlyLimits = GENEROUS_LIMITS
    row_cap: int = 100_000
    report_seconds: float = 0.0
    byte_order_mark: bool = False
