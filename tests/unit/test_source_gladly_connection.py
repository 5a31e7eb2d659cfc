from __future__ import annotations

import pytest
from pydantic import SecretStr

from penstock.connections import GladlyConnection, RateLimit
from penstock.errors import ConfigurationError
from tasks.sources.gladly.connection import REPORTS, base_url, budgets_of, settings_of
from tasks.sources.http.limiter import EVERY_REQUEST

SECRET = "not-to-be-seen"


def _connection(organization: str = "acme", **more: object) -> GladlyConnection:
    return GladlyConnection.model_validate(
        {"kind": "gladly", "organization": organization, "email": "api@acme.example", "token": SECRET, **more}
    )


@pytest.mark.parametrize(
    ("organization", "url"),
    [
        ("acme", "https://acme.gladly.com/api/v1"),
        (" Acme ", "https://acme.gladly.com/api/v1"),
        ("acme.us-1", "https://acme.us-1.gladly.com/api/v1"),
        ("acme.gladly.com", "https://acme.gladly.com/api/v1"),
        ("https://acme.us-1.gladly.com/dashboard?x=1", "https://acme.us-1.gladly.com/api/v1"),
        ("https://acme.gladly.qa", "https://acme.gladly.qa/api/v1"),
    ],
)
def test_an_organisation_is_found_from_its_name_its_region_or_a_pasted_address(organization: str, url: str) -> None:
    assert base_url(_connection(organization)) == url


@pytest.mark.parametrize(
    "organization",
    [
        "https://acme.gladly.com.evil.example",
        "https://evil.example/acme.gladly.com",
        "https://evil.example",
        "http://acme.gladly.com",
        "https://acme.gladly.com@evil.example",
        "https://acme.gladly.com:8443",
        "a.b.c.gladly.com",
        "gladly.com.evil.example",
        "acme/../evil",
        "acme gladly",
        "-acme",
        "",
    ],
)
def test_credentials_are_not_sent_to_anything_but_gladlys_own_addresses(organization: str) -> None:
    with pytest.raises(ConfigurationError, match="not one of Gladly's"):
        base_url(_connection(organization))


def test_another_address_must_be_named_on_purpose() -> None:
    assert base_url(_connection(base_url="http://127.0.0.1:9/gladly/acme/api/v1")) == (
        "http://127.0.0.1:9/gladly/acme/api/v1"
    )


def test_gladlys_documented_limits_hold_at_gladlys_addresses() -> None:
    budgets = budgets_of(_connection())
    assert budgets[EVERY_REQUEST].limit == RateLimit(requests=10, seconds=1)
    assert budgets[REPORTS].limit == RateLimit(requests=10, seconds=60)
    assert budgets[REPORTS].concurrent == 2


def test_limits_can_be_set_and_another_address_has_none_of_its_own() -> None:
    budgets = budgets_of(_connection(reports_per_minute=30, concurrent_reports=5))
    assert budgets[REPORTS].limit == RateLimit(requests=30, seconds=60)
    assert budgets[REPORTS].concurrent == 5
    elsewhere = budgets_of(_connection(base_url="http://127.0.0.1:9/api/v1"))
    assert elsewhere[EVERY_REQUEST].limit is None
    assert elsewhere[REPORTS].limit is None


def test_what_describes_a_connection_does_not_show_its_token() -> None:
    connection = _connection()
    assert isinstance(connection.token, SecretStr)
    assert SECRET not in repr(connection) + repr(settings_of("acme-gladly", connection))
