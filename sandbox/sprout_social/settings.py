"""Which Sprout Social customers exist, who may see them, and what the API allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

SPROUT_CUSTOMER_ID = 687751
SPROUT_EU_CUSTOMER_ID = 687752
SPROUT_TOKEN = "sprout-sandbox-token"  # noqa: S105 - opens nothing but the sandbox
# Opens both customers, as an agency's does.
SPROUT_AGENCY_TOKEN = "sprout-sandbox-agency-token"  # noqa: S105 - opens nothing but the sandbox
SPROUT_CLIENT_ID = "sprout-sandbox-client"
SPROUT_CLIENT_SECRET = "sprout-sandbox-client-secret"  # noqa: S105 - opens nothing but the sandbox
SPROUT_TOKEN_PATH = "/oauth2/84e39c75-d770-45d9-90a9-7b79e3037d2c/v1/token"  # noqa: S105 - a path


@dataclass(frozen=True)
class SproutLimits:
    """Calls that one customer account may make, whoever makes them."""

    requests_per_minute: int
    requests_per_month: int


# API reference, "Rate Limits".
DOCUMENTED_LIMITS = SproutLimits(requests_per_minute=60, requests_per_month=250_000)
# For tests and demos that should not wait.
GENEROUS_LIMITS = SproutLimits(requests_per_minute=100_000, requests_per_month=10_000_000)


@dataclass(frozen=True, kw_only=True)
class SproutSocialSettings:
    """The emulated customers.

    Args:
        customers: Name of each customer, by its id.
        opened_on: The first day with posts, messages and metrics.
        messages_per_day: Received by one profile on an average day.
        result_cap: Rows after which a query stops without a word.
        more_profiles: How many pages of local shops there are beside the first two.
    """

    customers: Mapping[int, str] = field(
        default_factory=lambda: {SPROUT_CUSTOMER_ID: "Warby Parker", SPROUT_EU_CUSTOMER_ID: "Warby Parker EU"}
    )
    opened_on: date = date(2025, 1, 1)
    messages_per_day: float = 6.0
    limits: SproutLimits = GENEROUS_LIMITS
    result_cap: int = 10_000
    more_profiles: int = 0
