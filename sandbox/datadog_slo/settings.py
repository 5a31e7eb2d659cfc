"""The emulated organisation and what its API allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

DATADOG_API_KEY = "datadog-sandbox-api-key"
DATADOG_APPLICATION_KEY = "datadog-sandbox-application-key"


@dataclass(frozen=True, kw_only=True)
class DatadogSloSettings:
    """One organisation.

    Args:
        opened_on: Since when its objectives are measured, in UTC.
        objectives: How many it has.
        requests_per_period: Calls that each endpoint takes in a period of the calendar.
        period_seconds: Length of such a period.
    """

    opened_on: date = date(2025, 10, 1)
    objectives: int = 14
    requests_per_period: int = 1_000
    period_seconds: int = 60
