"""Checks the credentials of a request, in every mode, and issues OAuth tokens."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from sandbox.rest.collection import (
    REST_API_KEY,
    REST_CLIENT_ID,
    REST_CLIENT_SECRET,
    REST_PASSWORD,
    REST_TOKEN,
    REST_USERNAME,
    Auth,
)
from sandbox.tokens import TokenOffice

if TYPE_CHECKING:
    from starlette.requests import Request

TOKEN_LIFETIME = timedelta(hours=1)


def is_allowed(request: Request, auth: Auth, *, tokens: TokenOffice, now: datetime) -> bool:
    """Returns whether a request carries what a collection wants."""
    authorization = request.headers.get("authorization", "")
    if auth.kind == "none":
        return True
    if auth.kind == "basic":
        return read_basic(authorization) == (REST_USERNAME, REST_PASSWORD)
    if auth.kind == "api_key_header":
        return request.headers.get(auth.name) == REST_API_KEY
    if auth.kind == "api_key_query":
        return request.query_params.get(auth.name) == REST_API_KEY
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != auth.prefix.lower():
        return False
    return token == REST_TOKEN if auth.kind == "bearer" else tokens.accepts(token, now)


def grant_token(
    body: bytes, authorization: str, *, tokens: TokenOffice, now: datetime
) -> tuple[int, dict[str, object]]:
    """Answers a client credentials request, the client named in the form or by Basic authentication (RFC 6749, 4.4).

    Returns:
        The status, and the JSON to send.
    """
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", errors="replace")).items()}
    if form.get("grant_type") != "client_credentials":
        return 400, {"error": "unsupported_grant_type"}
    client = read_basic(authorization) if authorization else (form.get("client_id"), form.get("client_secret"))
    if client != (REST_CLIENT_ID, REST_CLIENT_SECRET):
        return 401, {"error": "invalid_client"}
    token = tokens.issue(now, TOKEN_LIFETIME)
    return 200, {"access_token": token, "token_type": "Bearer", "expires_in": int(TOKEN_LIFETIME.total_seconds())}


def read_basic(authorization: str) -> tuple[str, str]:
    """Returns user and password of a Basic header; two empty texts where it is none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
