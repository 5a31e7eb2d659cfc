"""What all connections share: addresses, paces, and settings that may hold secrets."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from penstock.spec import Spec


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address is https://host or https://host/path, without query and fragment")
    if "@" in parts.netloc:
        raise ValueError("an address holds no user name or password; they belong into the credentials")
    return url


Address = Annotated[str, AfterValidator(_address)]
"""Where an API is."""


class ConnectionSpec(Spec):
    """Settings that may hold secrets: what a person wrote is not repeated in errors."""

    model_config = ConfigDict(hide_input_in_errors=True)


class RateLimit(Spec):
    """At most `requests` calls in any `seconds`, for everything that uses the connection."""

    requests: int = Field(ge=1)
    seconds: float = Field(default=1.0, gt=0)
