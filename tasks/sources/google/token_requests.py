"""How google-auth reaches the token endpoint: through our HTTP client, with refusals as errors of our tree.

Google-auth retries and words errors itself, with what the endpoint answered in them. It sees only answers with a token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from penstock.errors import PenstockError, RejectedError
from tasks.sources.google.scopes import Scope
from tasks.sources.http.failures import UNREACHABLE, UnreadableBodyError, error_of, failure_of, retry_after_seconds
from tasks.sources.http.policy import Clock

if TYPE_CHECKING:
    import httpx

_CODE = re.compile(r"[a-z_]{1,40}")
_PERSON = {
    "invalid_grant": (
        "Google no longer accepts the refresh token",
        "Let the person authorise the OAuth client again; an app in status Testing loses its consent after seven days.",
    ),
    "invalid_client": (
        "Google does not know the OAuth client, or its secret is another",
        "Compare client id and secret with those in the Cloud project.",
    ),
    "unauthorized_client": (
        "the refresh token is not this OAuth client's",
        "Use client id, secret and refresh token of one and the same client.",
    ),
}
_SERVICE_ACCOUNT = {
    "invalid_grant": (
        "Google does not accept what the service account signed",
        "Check that the key still exists, that its subject is a person of the domain, and this machine's clock.",
    ),
    "unauthorized_client": (
        "the service account may not act for this person",
        "Have a Workspace administrator authorise its client id for exactly the scope that is missing.",
    ),
    "access_denied": (
        "the service account may not act for this person",
        "Have a Workspace administrator authorise its client id for exactly the scope that is missing.",
    ),
}
_OTHER = ("the token endpoint refused the credentials", "Renew the credentials of this connection.")
# A refusal that the scope is to blame for.
_ABOUT_SCOPES = frozenset({"unauthorized_client", "access_denied", "invalid_scope"})


class _Answer(msgspec.Struct):
    """RFC 6749, section 5.1."""

    access_token: str
    expires_in: int | str | None = None
    scope: str | None = None


class _Refusal(msgspec.Struct):
    """RFC 6749, section 5.2; the description is Google's, and stays there."""

    error: Any = None


class TokenAnswer(NamedTuple):
    """What google-auth looks at (`google.auth.transport.Response`)."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class TokenRequests:
    """Sends token requests (`google.auth.transport.Request`).

    Args:
        http: Whose connections are used.
        clock: For dates in `Retry-After`.
        scope: What is asked for.
        is_person: Whether a person's refresh token is used, and no service account.
        facts: For errors.
    """

    def __init__(
        self, http: httpx.Client, clock: Clock, *, scope: Scope, is_person: bool, facts: Mapping[str, str]
    ) -> None:
        self._http = http
        self._clock = clock
        self._scope = scope
        self._is_person = is_person
        self._facts = facts
        self.granted: frozenset[str] | None = None
        """The scopes of the newest token, where the endpoint said them."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_more: object,
    ) -> TokenAnswer:
        """Returns an answer that holds a token.

        Raises:
            RejectedError: The endpoint refused.
            TransientError: It cannot be reached, or failed.
        """
        import httpx

        try:
            answer = self._http.request(method, url, content=body, headers=dict(headers or {}))
        except httpx.HTTPError as error:
            raise error_of(UNREACHABLE, **self._facts, reason=type(error).__name__) from error
        if not answer.is_success:
            raise self._refused(answer)
        token = self._read(answer.content)
        self.granted = None if token.scope is None else frozenset(token.scope.split())
        # google-auth takes 200 alone for a success.
        return TokenAnswer(HTTPStatus.OK, dict(answer.headers), answer.content)

    def _read(self, content: bytes) -> _Answer:
        try:
            answer = msgspec.json.decode(content, type=_Answer)
            int(answer.expires_in or 0)
        except (msgspec.MsgspecError, ValueError):
            # Without the cause: its text could quote the answer.
            raise UnreadableBodyError(
                "the token endpoint did not answer with a token", guidance="Check `token_url`.", **self._facts
            ) from None
        return answer

    def _refused(self, answer: httpx.Response) -> PenstockError:
        status = answer.status_code
        if status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            pause = retry_after_seconds(answer.headers.get("Retry-After"), now=self._clock.wall())
            return error_of(failure_of(status), **self._facts, status=status, retry_after_seconds=pause)
        code = _code_of(answer.content)
        message, guidance = (_PERSON if self._is_person else _SERVICE_ACCOUNT).get(code, _OTHER)
        missing = self._scope.address if code in _ABOUT_SCOPES else None
        return RejectedError(
            message, guidance=guidance, **self._facts, status=status, reason=code or None, missing_scope=missing
        )


def _code_of(content: bytes) -> str:
    """Returns a refusal's code, which is one of a few words; empty where it is none."""
    try:
        code = msgspec.json.decode(content, type=_Refusal).error
    except msgspec.MsgspecError:
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
