from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from blocks.google import GoogleCredentials
from penstock.connections import GoogleConnection

SECRET = "never-to-be-seen"
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "refresh_token": (
        {"client_id": "me", "client_secret": SECRET, "refresh_token": SECRET},
        {"kind": "refresh_token", "client_id": "me", "client_secret": SECRET, "refresh_token": SECRET},
    ),
    "service_account": (
        {"service_account_key": f'{{"private_key": "{SECRET}"}}', "subject": "a@example.com"},
        {"kind": "service_account", "key": f'{{"private_key": "{SECRET}"}}', "subject": "a@example.com"},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_google_block_holds_its_connection_and_shows_no_secret(kind: str) -> None:
    fields, auth = KINDS[kind]
    block = GoogleCredentials(auth=kind, **fields, sheets_reads_per_minute=30)
    expected = GoogleConnection.model_validate({"kind": "google", "auth": auth, "sheets_reads_per_minute": 30})
    assert block.to_connection() == expected
    assert SECRET not in repr(block) + str(block) + block.model_dump_json() + repr(block.to_connection())


def test_a_pasted_key_is_a_secret_that_prefect_encrypts() -> None:
    secrets = set(GoogleCredentials.model_json_schema()["secret_fields"])
    assert secrets == {"client_secret", "refresh_token", "service_account_key"}


@pytest.mark.parametrize(("kind", "missing"), [("refresh_token", "client_secret"), ("service_account", "key")])
def test_a_block_says_what_its_credentials_lack(kind: str, missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        GoogleCredentials(auth=kind, client_id="me")
