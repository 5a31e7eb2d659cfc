from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from penstock.connections import Connection, RestConnection

SECRET = "never-to-be-seen"
GLADLY = {"kind": "gladly", "organization": "acme", "email": "a@b.example", "token": SECRET}


def _validate(settings: dict[str, Any]) -> Any:
    return TypeAdapter[Any](Connection).validate_python(settings)


@pytest.mark.parametrize(
    "url", ["https://api.example.com", "http://127.0.0.1:8765/gladly/acme/api/v1", "https://x/v1/"]
)
def test_an_address_is_a_host_and_perhaps_a_path(url: str) -> None:
    assert _validate({"kind": "rest", "base_url": url}).base_url == url
    assert _validate(GLADLY | {"base_url": url}).base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://api.example.com?api_key=1",
        "https://api.example.com/#top",
        f"https://me:{SECRET}@api.example.com",
    ],
)
def test_anything_else_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValidationError, match="an address") as caught:
        RestConnection.model_validate({"kind": "rest", "base_url": url})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "auth",
    [
        {"kind": "bearer", "token": {"value": SECRET}},
        {"kind": "bearer", "tokn": SECRET},
        {"kind": "basic", "username": "me", "password": [SECRET]},
        {"kind": "api_key", "name": "X", "value": SECRET, "location": SECRET},
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated_by_the_error(auth: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        RestConnection.model_validate({"kind": "rest", "base_url": "https://x.example", "auth": auth})
    assert SECRET not in str(caught.value)
