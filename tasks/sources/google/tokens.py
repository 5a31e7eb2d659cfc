"""Access tokens through google-auth: asked for before a request, renewed before they expire and after a 401."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from penstock.connections import GoogleConnection, GoogleRefreshToken, GoogleServiceAccount
from penstock.errors import ConfigurationError, RejectedError
from tasks.sources.google.scopes import Scope
from tasks.sources.google.token_requests import TokenRequests
from tasks.sources.http.policy import RENEW_TOKEN_BEFORE_SECONDS, Clock

if TYPE_CHECKING:
    import httpx
    from google.oauth2.credentials import Credentials as UserCredentials
    from google.oauth2.service_account import Credentials as ServiceAccountCredentials

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_KEY_GUIDANCE = "Paste the whole JSON key file as Google Cloud gave it, line breaks in the private key included."


class GoogleTokens:
    """One account's token for all threads of a client.

    Args:
        connection: The account.
        scope: What the source reads.
        subject: Whom a service account acts for; nobody if None.
        http: Asks the token endpoint.
        connection_name: For errors.
        clock: Says when a token is old.
    """

    def __init__(
        self,
        connection: GoogleConnection,
        scope: Scope,
        *,
        subject: str | None,
        http: httpx.Client,
        connection_name: str,
        clock: Clock,
    ) -> None:
        self._scope = scope
        self._facts = {"connection": connection_name, "endpoint": "Google's token endpoint"}
        self._credentials = _credentials(connection, scope, subject, connection_name)
        is_person = isinstance(connection.auth, GoogleRefreshToken)
        self._requests = TokenRequests(http, clock, scope=scope, is_person=is_person, facts=self._facts)
        self._clock = clock
        self._lock = threading.Lock()
        self._renew_at = float("-inf")

    def fill_body(self, body: Any) -> Any:
        """Returns the body as it is."""
        return body

    def apply(self, request: httpx.Request) -> None:
        """Sets the bearer token, asking for one first where there is none or it is about to expire."""
        with self._lock:
            if self._credentials.token is None or self._clock.monotonic() >= self._renew_at:
                self._refresh()
            request.headers["Authorization"] = f"Bearer {self._credentials.token}"

    def renew(self, refused: httpx.Request) -> bool:
        """Forgets the token that was refused, unless another thread has replaced it already."""
        with self._lock:
            if refused.headers.get("Authorization") == f"Bearer {self._credentials.token}":
                self._renew_at = float("-inf")
        return True

    def _refresh(self) -> None:
        self._credentials.refresh(self._requests)  # type: ignore[no-untyped-call]
        granted = self._requests.granted
        if granted is not None and not self._scope.is_held_by(granted):
            raise RejectedError(
                "the consent does not include what this source reads",
                guidance="Let the person authorise the OAuth client again, for the missing scope too.",
                missing_scope=self._scope.address,
                **self._facts,
            )
        life = _seconds_until(self._credentials.expiry)
        self._renew_at = self._clock.monotonic() + life - min(RENEW_TOKEN_BEFORE_SECONDS, life / 5)


def _credentials(
    connection: GoogleConnection, scope: Scope, subject: str | None, connection_name: str
) -> UserCredentials | ServiceAccountCredentials:
    auth = connection.auth
    if isinstance(auth, GoogleServiceAccount):
        return _service_account(auth, scope, subject, token_url=connection.token_url, connection_name=connection_name)
    from google.oauth2.credentials import Credentials

    # Without scopes: a token for all that was consented to. Asking for one would be refused where a wider one was.
    return Credentials(  # type: ignore[no-untyped-call]
        token=None,
        refresh_token=auth.refresh_token.get_secret_value(),
        client_id=auth.client_id,
        client_secret=auth.client_secret.get_secret_value(),
        token_uri=connection.token_url or TOKEN_URL,
    )


def _service_account(
    auth: GoogleServiceAccount, scope: Scope, subject: str | None, *, token_url: str | None, connection_name: str
) -> ServiceAccountCredentials:
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2.service_account import Credentials

    key = _read_key(auth, connection_name)
    address = token_url or key.get("token_uri") or TOKEN_URL
    try:
        made: ServiceAccountCredentials = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            {**key, "token_uri": address}, scopes=[scope.address], subject=subject
        )
    except (GoogleAuthError, ValueError, TypeError):
        # Without the cause, which may quote what was pasted.
        raise _not_a_key(connection_name) from None
    return made


def _read_key(auth: GoogleServiceAccount, connection_name: str) -> dict[str, Any]:
    try:
        key = json.loads(auth.key.get_secret_value())
    except ValueError:
        raise _not_a_key(connection_name) from None
    if not isinstance(key, dict):
        raise _not_a_key(connection_name)
    return key


def _not_a_key(connection_name: str) -> ConfigurationError:
    return ConfigurationError(
        "the service account's key cannot be read", guidance=_KEY_GUIDANCE, connection=connection_name
    )


def _seconds_until(expiry: datetime | None) -> float:
    """Returns how long a token lives; google-auth counts in naive UTC."""
    return float("inf") if expiry is None else (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
