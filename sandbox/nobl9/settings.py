"""The emulated organisation and what its API allows."""

from __future__ import annotations

from dataclasses import dataclass

NOBL9_ORGANIZATION = "orbit-nobl9"
NOBL9_CLIENT_ID = "nobl9-sandbox-client"
NOBL9_CLIENT_SECRET = "nobl9-sandbox-secret"  # noqa: S105 - opens nothing but the sandbox


@dataclass(frozen=True, kw_only=True)
class Nobl9Settings:
    """One organisation.

    Args:
        objectives: How many SLOs it has.
        requests_per_second: Of all endpoints together.
        seconds_between_tokens: How long after a token none is given out; 0 for no limit.
        fewer_per_page: Gives at most so many SLOs on a page, whatever is asked; a cursor allows an API that.
    """

    objectives: int = 40
    requests_per_second: int = 10
    seconds_between_tokens: float = 3.0
    fewer_per_page: int | None = None
