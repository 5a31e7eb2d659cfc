"""Asks the emulated Google directly, and makes the connections that lead to it."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from penstock.connections import GoogleConnection
from sandbox.google.keys import KEY_ID, private_key
from sandbox.google.settings import (
    GMAIL_READONLY,
    GOOGLE_CLIENT_ID,
    GOOGLE_CLIENT_SECRET,
    GOOGLE_REFRESH_TOKEN,
    SERVICE_ACCOUNT,
)

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def refresh_token_connection(url: str, **changed: Any) -> GoogleConnection:
    auth = {
        "kind": "refresh_token",
        "client_id": GOOGLE_CLIENT_ID,
        "client_secret": GOOGLE_CLIENT_SECRET,
        "refresh_token": GOOGLE_REFRESH_TOKEN,
    }
    return _connection(url, auth | changed)


def service_account_connection(url: str, *, subject: str | None = None, **key: Any) -> GoogleConnection:
    """A connection with the sandbox's key file, whose fields may be others."""
    pasted = httpx.get(f"{url}/google/service-account.json", timeout=30).raise_for_status().json() | key
    return _connection(url, {"kind": "service_account", "key": json.dumps(pasted), "subject": subject})


def sign_in(url: str, *, subject: str = "") -> dict[str, str]:
    """The header of a request as the refresh token's owner, or as somebody whom the service account acts for."""
    form = {
        "grant_type": "refresh_token",
        "client_id": GOOGLE_CLIENT_ID,
        "client_secret": GOOGLE_CLIENT_SECRET,
        "refresh_token": GOOGLE_REFRESH_TOKEN,
    }
    if subject:
        form = {"grant_type": JWT_BEARER, "assertion": assertion(sub=subject)}
    answer = httpx.post(f"{url}/google/token", data=form, timeout=30).raise_for_status().json()
    return {"Authorization": f"Bearer {answer['access_token']}"}


def assertion(*, kid: str = KEY_ID, **changed: Any) -> str:
    """A signed JWT for the token endpoint; a claim that is None is left out."""
    now = int(time.time())
    claims = {
        "iss": SERVICE_ACCOUNT,
        "scope": GMAIL_READONLY,
        "aud": "https://oauth2.googleapis.com/token",
        "iat": now,
        "exp": now + 3600,
    } | changed
    head = _encode({"alg": "RS256", "typ": "JWT", "kid": kid})
    body = _encode({name: value for name, value in claims.items() if value is not None})
    signature = private_key().sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def ask(client: httpx.Client, url: str, **parameters: Any) -> Any:
    return client.get(url, params=parameters).raise_for_status().json()


def _connection(url: str, auth: dict[str, Any]) -> GoogleConnection:
    addresses = {"base_url": f"{url}/google", "token_url": f"{url}/google/token"}
    return GoogleConnection.model_validate({"kind": "google", "auth": auth, **addresses})


def _encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
