"""The token endpoint: a refresh token or a signed JWT against an access token (RFC 6749, section 6; RFC 7523)."""

from __future__ import annotations

import base64
import binascii
import time
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import orjson

from sandbox.google.keys import KEY_ID, private_key
from sandbox.google.settings import (
    GMAIL_METADATA,
    GMAIL_READONLY,
    GOOGLE_CLIENT_ID,
    GOOGLE_CLIENT_SECRET,
    GOOGLE_METADATA_REFRESH_TOKEN,
    GOOGLE_REFRESH_TOKEN,
    MAILBOXES,
    OPERATIONS_MAILBOX,
    SERVICE_ACCOUNT,
    SHEETS_READONLY,
    GoogleSettings,
)
from sandbox.tokens import TokenOffice

TOKEN_SECONDS = 3_599
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_GOOGLES_ENDPOINT = "https://oauth2.googleapis.com/token"
_LONGEST_JWT_SECONDS = 3_600
_CLOCK_SKEW_SECONDS = 300
_CONSENTS = {
    GOOGLE_REFRESH_TOKEN: frozenset({GMAIL_READONLY, SHEETS_READONLY}),
    GOOGLE_METADATA_REFRESH_TOKEN: frozenset({GMAIL_METADATA}),
}


class Grant(NamedTuple):
    """What a token opens: whose data (None is the service account itself), and which scopes."""

    subject: str | None
    scopes: frozenset[str]


class _RefusedError(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


class TokenDesk:
    """Gives out tokens, and knows what each opens."""

    def __init__(self, office: TokenOffice, settings: GoogleSettings) -> None:
        self._office = office
        self._settings = settings
        self._grants: dict[str, Grant] = {}

    def answer(self, body: bytes, *, own_url: str, now: datetime) -> tuple[int, dict[str, Any]]:
        """Answers a token request with a status and the JSON to send."""
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", errors="replace")).items()}
        try:
            grant = self._read(form, own_url)
        except _RefusedError as refused:
            return refused.status, refused.body
        token = f"ya29.{self._office.issue(now, timedelta(seconds=TOKEN_SECONDS))}"
        self._grants[token] = grant
        answer = {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
        if form["grant_type"] == "refresh_token":
            answer["scope"] = " ".join(sorted(grant.scopes))
        return 200, answer

    def grant_of(self, authorization: str, now: datetime) -> Grant | None:
        """Returns what a request's token opens; None where it is none, revoked or expired."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not self._office.accepts(token.removeprefix("ya29."), now):
            return None
        return self._grants.get(token)

    def reset(self) -> None:
        """Forgets all tokens."""
        self._grants.clear()

    def _read(self, form: dict[str, str], own_url: str) -> Grant:
        grant_type = form.get("grant_type")
        if grant_type == "refresh_token":
            return _consented(form)
        if grant_type == _JWT_BEARER:
            return self._signed(form.get("assertion", ""), own_url)
        raise _RefusedError(400, "unsupported_grant_type", f"Invalid grant_type: {grant_type}")

    def _signed(self, assertion: str, own_url: str) -> Grant:
        claims = _verified_claims(assertion)
        if claims.get("aud") not in {_GOOGLES_ENDPOINT, own_url} or claims.get("iss") != SERVICE_ACCOUNT:
            raise _RefusedError(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        _check_times(claims)
        scopes = frozenset(str(claims.get("scope") or "").split())
        if not scopes:
            raise _RefusedError(400, "invalid_scope", "Empty or missing scope not allowed.")
        subject = claims.get("sub")
        # google-auth leaves `sub` out where nobody is impersonated; the account's own address means the same.
        if subject in {None, SERVICE_ACCOUNT}:
            return Grant(None, scopes)
        if subject not in MAILBOXES:
            raise _RefusedError(400, "invalid_grant", "Invalid email or User ID")
        if not scopes <= self._settings.delegated_scopes:
            raise _RefusedError(
                401,
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any "
                "of the scopes requested.",
            )
        return Grant(str(subject), scopes)


def _consented(form: dict[str, str]) -> Grant:
    if (form.get("client_id"), form.get("client_secret")) != (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET):
        raise _RefusedError(401, "invalid_client", "The OAuth client was not found.")
    consent = _CONSENTS.get(form.get("refresh_token", ""))
    if consent is None:
        raise _RefusedError(400, "invalid_grant", "Token has been expired or revoked.")
    asked = frozenset(form.get("scope", "").split())
    if not asked <= consent:
        raise _RefusedError(400, "invalid_scope", "Bad Request")
    return Grant(OPERATIONS_MAILBOX, asked or consent)


def _verified_claims(assertion: str) -> dict[str, Any]:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        head, claims, signature = assertion.split(".")
        header = orjson.loads(_decode(head))
        if (header.get("alg"), header.get("kid")) != ("RS256", KEY_ID):
            raise _RefusedError(400, "invalid_grant", "Invalid JWT Signature.")
        signed = f"{head}.{claims}".encode("ascii")
        private_key().public_key().verify(_decode(signature), signed, padding.PKCS1v15(), hashes.SHA256())
        found: dict[str, Any] = orjson.loads(_decode(claims))
    except (ValueError, binascii.Error, InvalidSignature) as error:
        raise _RefusedError(400, "invalid_grant", "Invalid JWT Signature.") from error
    return found


def _check_times(claims: dict[str, Any]) -> None:
    """Checks `iat` and `exp` in real time: clients sign in it, whatever the sandbox's clock shows."""
    now = time.time()
    issued, expires = claims.get("iat"), claims.get("exp")
    if (
        not isinstance(issued, int)
        or not isinstance(expires, int)
        or issued > now + _CLOCK_SKEW_SECONDS
        or expires < now - _CLOCK_SKEW_SECONDS
        or expires - issued > _LONGEST_JWT_SECONDS
    ):
        raise _RefusedError(
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
        )


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
