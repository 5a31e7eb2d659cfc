"""Puts a connection's credentials on requests, and renews those that can be renewed."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
from pydantic import SecretStr

from penstock.connections import ApiKeyAuth, ApiKeyPairAuth, Auth, BasicAuth, BearerAuth, OAuth2Auth
from penstock.errors import ConfigurationError, RejectedError
from tasks.sources.http.failures import UNREACHABLE, UnreadableBodyError, error_of, failure_of, retry_after_seconds
from tasks.sources.http.policy import RENEW_TOKEN_BEFORE_SECONDS, Clock

if TYPE_CHECKING:
    import httpx

_TOKEN_REFUSALS = (400, 401, 403)


class Credentials(Protocol):
    """What authorises a request."""

    def apply(self, request: httpx.Request) -> None:
        """Puts the credentials on a request."""

    def fill_body(self, body: Any) -> Any:
        """Returns a request's body with what of the credentials belongs there."""

    def renew(self, refused: httpx.Request) -> bool:
        """Gets new credentials after a 401; False where there are none to get."""


class HeaderCredentials:
    """Fixed headers, one, two or none."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def apply(self, request: httpx.Request) -> None:
        """Sets the headers."""
        request.headers.update(self._headers)

    def fill_body(self, body: Any) -> Any:
        """Returns the body as it is."""
        return body

    def renew(self, refused: httpx.Request) -> bool:  # noqa: ARG002 - there is nothing newer than a fixed secret
        """Returns False."""
        return False


class QueryCredentials(HeaderCredentials):
    """A fixed query parameter."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__({})
        self._name = name
        self._value = value

    def apply(self, request: httpx.Request) -> None:
        """Sets the parameter, also on an address that the API gave for the next page."""
        request.url = request.url.copy_set_param(self._name, self._value)


class BodyCredentials(QueryCredentials):
    """A fixed field of the body, which only requests with a body can carry."""

    def apply(self, request: httpx.Request) -> None:
        """Does nothing: the body is there already."""

    def fill_body(self, body: Any) -> Any:
        """Returns the body with the field; the body that was given stays as it is."""
        return {**body, self._name: self._value} if isinstance(body, dict) else body


class _Token(NamedTuple):
    value: str
    renew_at: float


class _TokenAnswer(msgspec.Struct):
    """RFC 6749, section 5.1."""

    access_token: str
    expires_in: float | str | None = None


class ClientCredentials:
    """OAuth 2 client credentials (RFC 6749, section 4.4); one token for all threads of a client."""

    def __init__(self, auth: OAuth2Auth, http: httpx.Client, *, connection_name: str, clock: Clock) -> None:
        self._auth = auth
        self._http = http
        self._facts = {"connection": connection_name, "endpoint": "the token endpoint"}
        self._clock = clock
        self._lock = threading.Lock()
        self._token: _Token | None = None

    def apply(self, request: httpx.Request) -> None:
        """Sets the bearer token, asking for one first where there is none or it is about to expire."""
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._token.renew_at:
                self._token = self._request_token()
            request.headers["Authorization"] = f"Bearer {self._token.value}"

    def fill_body(self, body: Any) -> Any:
        """Returns the body as it is."""
        return body

    def renew(self, refused: httpx.Request) -> bool:
        """Forgets the token that was refused, unless another thread has replaced it already."""
        with self._lock:
            if self._token and refused.headers.get("Authorization") == f"Bearer {self._token.value}":
                self._token = None
        return True

    def _request_token(self) -> _Token:
        import httpx

        form = dict(self._auth.parameters)
        if self._auth.grant_type is not None:
            form = {"grant_type": self._auth.grant_type, **form}
        if self._auth.scope:
            form["scope"] = self._auth.scope
        headers = dict(self._auth.headers)
        if self._auth.secret_in == "body":  # noqa: S105 - a place, not a secret
            form |= {"client_id": self._auth.client_id, "client_secret": self._auth.client_secret.get_secret_value()}
        else:
            headers["Authorization"] = _basic(self._auth.client_id, self._auth.client_secret.get_secret_value())
        try:
            answer = self._http.post(self._auth.token_url, data=form, headers=headers)
        except httpx.HTTPError as error:
            raise error_of(UNREACHABLE, **self._facts) from error
        return self._read_token(answer)

    def _read_token(self, answer: httpx.Response) -> _Token:
        if answer.status_code in _TOKEN_REFUSALS:
            raise RejectedError(
                "the token endpoint refused the client",
                guidance="Renew the client id and secret of this connection, and check its scope.",
                **self._facts,
                status=answer.status_code,
            )
        if not answer.is_success:
            pause = retry_after_seconds(answer.headers.get("Retry-After"), now=self._clock.wall())
            failure = failure_of(answer.status_code)
            raise error_of(failure, **self._facts, status=answer.status_code, retry_after_seconds=pause)
        try:
            token = msgspec.json.decode(answer.content, type=_TokenAnswer)
            life = float(token.expires_in) if token.expires_in is not None else self._auth.lifetime_seconds
        except (msgspec.MsgspecError, ValueError):
            # Without the cause: its text could quote the answer.
            raise UnreadableBodyError(
                "the token endpoint did not answer with a token", guidance="Check `token_url`.", **self._facts
            ) from None
        life = float("inf") if life is None else life
        margin = min(RENEW_TOKEN_BEFORE_SECONDS, life / 5)
        return _Token(token.access_token, self._clock.monotonic() + life - margin)


def credentials_of(auth: Auth, http: httpx.Client, *, connection_name: str, clock: Clock) -> Credentials:
    """Returns what puts a connection's credentials on its requests."""
    match auth:
        case OAuth2Auth():
            return ClientCredentials(auth, http, connection_name=connection_name, clock=clock)
        case ApiKeyAuth(location="query"):
            return QueryCredentials(auth.name, _sendable(auth.value, connection_name))
        case ApiKeyAuth(location="body"):
            return BodyCredentials(auth.name, _sendable(auth.value, connection_name))
        case _:
            return HeaderCredentials(_fixed_headers(auth, connection_name))


def _fixed_headers(auth: Auth, connection_name: str) -> dict[str, str]:
    match auth:
        case BasicAuth():
            return {"Authorization": _basic(auth.username, auth.password.get_secret_value())}
        case BearerAuth():
            return {"Authorization": f"Bearer {_sendable(auth.token, connection_name)}"}
        case ApiKeyAuth():
            return {auth.name: _sendable(auth.value, connection_name)}
        case ApiKeyPairAuth():
            first, second = (_sendable(secret, connection_name) for secret in (auth.value, auth.second_value))
            return {auth.name: first, auth.second_name: second}
        case _:
            return {}


def _sendable(secret: SecretStr, connection_name: str) -> str:
    """Returns a secret's text, if it can be sent as it is.

    Raises:
        ConfigurationError: it is empty, or holds what no header takes; the driver's own error would quote it.
    """
    text = secret.get_secret_value()
    if not text.strip() or not text.isprintable():
        raise ConfigurationError(
            "a credential is empty, or holds a line break or another control character",
            guidance="Look at the variable or file that it comes from; a trailing line break is the usual slip.",
            connection=connection_name,
        )
    return text


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
