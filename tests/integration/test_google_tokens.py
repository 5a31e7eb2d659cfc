"""Google's tokens: what the emulated endpoint verifies, and how google-auth's answers become ours."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from penstock.connections import GoogleConnection
from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from sandbox.clock import Clock
from sandbox.google.settings import (
    GMAIL_METADATA,
    GMAIL_READONLY,
    GOOGLE_CLIENT_ID,
    GOOGLE_CLIENT_SECRET,
    GOOGLE_METADATA_REFRESH_TOKEN,
    GOOGLE_REFRESH_TOKEN,
    OPERATIONS_MAILBOX,
    SERVICE_ACCOUNT,
    SHEETS_READONLY,
    SUPPORT_MAILBOX,
)
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.sources.gmail.api import GMAIL, profile_request
from tasks.sources.google.client import open_client, settings_of
from tasks.sources.google_sheets.api import SHEETS
from tasks.sources.http.request import HttpRequest
from tests.fakes.clock import FakeTime
from tests.fakes.google_api import JWT_BEARER, assertion, refresh_token_connection, service_account_connection
from tests.fakes.scripted_api import Answer, Asked, scripted_api

NOW = "2026-03-20T12:00:00Z"
PROFILE = profile_request()


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve(SandboxSettings(clock=Clock(NOW))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    server.clock.set(NOW)
    return server


def _ask(connection: GoogleConnection, request: HttpRequest = PROFILE, *, api: Any = GMAIL, **more: Any) -> Any:
    clock = more.pop("clock", None) or FakeTime(wall=time.time()).clock
    settings = settings_of("acme-google", connection, api, **more)
    with open_client(settings, account="somebody", clock=clock) as client:
        return client.fetch(request, lambda answer: json.loads(answer.read()))


def _grant(sandbox: Sandbox, **form: str) -> tuple[int, dict[str, Any]]:
    answer = httpx.post(f"{sandbox.url}/google/token", data=form, timeout=30)
    return answer.status_code, answer.json()


def test_a_refresh_token_opens_its_owners_mailbox(sandbox: Sandbox) -> None:
    assert _ask(refresh_token_connection(sandbox.url))["emailAddress"] == OPERATIONS_MAILBOX


def test_a_service_account_opens_the_mailbox_of_whom_it_acts_for(sandbox: Sandbox) -> None:
    connection = service_account_connection(sandbox.url, subject=SUPPORT_MAILBOX)
    assert _ask(connection)["emailAddress"] == SUPPORT_MAILBOX
    assert _ask(connection, subject=OPERATIONS_MAILBOX)["emailAddress"] == OPERATIONS_MAILBOX


def test_the_keys_own_token_address_counts_where_the_connection_names_none(sandbox: Sandbox) -> None:
    connection = service_account_connection(sandbox.url, subject=SUPPORT_MAILBOX).model_copy(update={"token_url": None})
    assert _ask(connection)["emailAddress"] == SUPPORT_MAILBOX


@pytest.mark.parametrize(
    ("changed", "reason", "guidance"),
    [
        ({"refresh_token": "revoked"}, "invalid_grant", "seven days"),
        ({"client_secret": "wrong"}, "invalid_client", "Cloud project"),
    ],
)
def test_a_consent_that_no_longer_holds_says_what_to_renew(
    sandbox: Sandbox, changed: dict[str, str], reason: str, guidance: str
) -> None:
    with pytest.raises(RejectedError, match=guidance) as caught:
        _ask(refresh_token_connection(sandbox.url, **changed))
    assert caught.value.reason == reason
    assert caught.value.connection == "acme-google"
    assert not set(changed.values()) & set(str(caught.value).split())


@pytest.mark.parametrize(
    ("api", "token", "missing"),
    [
        (GMAIL, GOOGLE_METADATA_REFRESH_TOKEN, GMAIL_READONLY),
        (SHEETS, GOOGLE_METADATA_REFRESH_TOKEN, SHEETS_READONLY),
    ],
)
def test_a_consent_without_the_scope_names_the_one_that_is_missing(
    sandbox: Sandbox, api: Any, token: str, missing: str
) -> None:
    with pytest.raises(RejectedError, match="authorise") as caught:
        _ask(refresh_token_connection(sandbox.url, refresh_token=token), api=api)
    assert caught.value.missing_scope == missing


def test_a_wider_scope_than_is_needed_is_enough() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return Answer({"access_token": "t", "expires_in": "3599", "scope": "openid https://mail.google.com/"})
        return Answer({"emailAddress": "me"})

    with scripted_api(answer) as api:
        assert _ask(refresh_token_connection(api.url)) == {"emailAddress": "me"}


def test_a_scope_that_was_not_delegated_is_named(sandbox: Sandbox) -> None:
    connection = service_account_connection(sandbox.url, subject=SUPPORT_MAILBOX)
    with pytest.raises(RejectedError, match="Workspace administrator") as caught:
        _ask(connection, api=SHEETS)
    assert (caught.value.reason, caught.value.missing_scope) == ("unauthorized_client", SHEETS_READONLY)


def test_somebody_outside_the_domain_cannot_be_acted_for(sandbox: Sandbox) -> None:
    with pytest.raises(RejectedError, match="person of the domain") as caught:
        _ask(service_account_connection(sandbox.url, subject="who@example.org"))
    assert caught.value.reason == "invalid_grant"


def test_a_service_account_has_no_mailbox_of_its_own(sandbox: Sandbox) -> None:
    with pytest.raises(RejectedError, match="`subject`"):
        _ask(service_account_connection(sandbox.url))


@pytest.mark.parametrize("key", ["", "[]", "never-to-be-seen", '{"private_key": "never-to-be-seen"}'])
def test_a_key_that_is_none_is_refused_before_anything_is_asked_and_not_quoted(key: str) -> None:
    auth = {"kind": "service_account", "key": key}
    connection = GoogleConnection.model_validate({"kind": "google", "auth": auth, "base_url": "http://127.0.0.1:9"})
    with pytest.raises(ConfigurationError, match="key file") as caught:
        _ask(connection)
    assert "never-to-be-seen" not in repr(caught.value) + str(caught.value) + repr(connection)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_token_is_renewed_before_it_expires(sandbox: Sandbox) -> None:
    passing = FakeTime(wall=time.time())
    settings = settings_of("acme-google", refresh_token_connection(sandbox.url), GMAIL)
    with open_client(settings, account="renewing", clock=passing.clock) as client:
        for seconds, tokens in ((0, 1), (3_400, 1), (150, 2), (3_400, 2)):
            passing.sleep(seconds)
            client.fetch(PROFILE, lambda answer: answer.read())
            assert len(sandbox.log.requests("/google/token")) == tokens


def test_a_token_that_was_revoked_is_renewed_once_for_all_threads(sandbox: Sandbox) -> None:
    settings = settings_of("acme-google", refresh_token_connection(sandbox.url), GMAIL)
    clock = FakeTime(wall=time.time()).clock
    with open_client(settings, account="threads", clock=clock) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.fetch(PROFILE, lambda answer: answer.read()), range(8)))
        sandbox._context.tokens.revoke_all()
        found = list(pool.map(lambda _: client.fetch(PROFILE, lambda answer: json.loads(answer.read())), range(8)))
    assert {one["emailAddress"] for one in found} == {OPERATIONS_MAILBOX}
    assert len(sandbox.log.requests("/google/token")) == 2


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (Answer("busy", 503), None),
        (Answer({"error": "temporarily_unavailable"}, 500), None),
        (Answer({"error": "rate_limited"}, 429, headers={"Retry-After": "7"}), None),
        (Answer("<html>", 200), None),
        (Answer({"access_token": 1}, 200), None),
        (Answer({"error": "temporarily_unavailable", "error_description": "private"}, 400), RejectedError),
        (Answer("nonsense", 403), RejectedError),
    ],
)
def test_a_token_endpoint_that_fails_is_asked_again_and_one_that_refuses_is_not(
    first: Answer, error: type[PenstockError] | None
) -> None:
    asked_for_tokens = []

    def answer(asked: Asked) -> Answer:
        if not asked.path.endswith("/token"):
            return Answer({"emailAddress": "me"})
        asked_for_tokens.append(asked.path)
        return first if len(asked_for_tokens) == 1 else Answer({"access_token": "t", "expires_in": 3599})

    time_spent = FakeTime(wall=time.time())
    with scripted_api(answer) as api:
        connection = refresh_token_connection(api.url)
        if error is None:
            assert _ask(connection, clock=time_spent.clock) == {"emailAddress": "me"}
            assert len(asked_for_tokens) == 2
            assert len(time_spent.slept) == 1
        else:
            with pytest.raises(error) as caught:
                _ask(connection, clock=time_spent.clock)
            assert len(asked_for_tokens) == 1
            assert "private" not in str(caught.value)


def test_a_token_endpoint_that_stays_away_or_talks_nonsense_is_an_error_of_its_own() -> None:
    with scripted_api(lambda _asked: Answer("<html>")) as api, pytest.raises(DataError, match="token_url"):
        _ask(refresh_token_connection(api.url))
    with scripted_api(lambda _asked: Answer("")) as gone:
        url = gone.url
    with pytest.raises(TransientError) as caught:
        _ask(refresh_token_connection(url))
    assert caught.value.endpoint == "Google's token endpoint"


@pytest.mark.parametrize(
    ("reason", "message"),
    [("accessNotConfigured", "not enabled"), ("domainPolicy", "administrators"), ("forbidden", "lack a right")],
)
def test_what_google_refuses_is_told_by_its_reason(reason: str, message: str) -> None:
    body = {"error": {"code": 403, "message": "private", "errors": [{"reason": reason}], "status": "PERMISSION_DENIED"}}

    def answer(asked: Asked) -> Answer:
        is_token = asked.path.endswith("/token")
        return Answer({"access_token": "t", "expires_in": 3599}) if is_token else Answer(body, 403)

    with scripted_api(answer) as api, pytest.raises(RejectedError, match=message) as caught:
        _ask(refresh_token_connection(api.url))
    assert "private" not in str(caught.value)


REFRESH = {
    "grant_type": "refresh_token",
    "client_id": GOOGLE_CLIENT_ID,
    "client_secret": GOOGLE_CLIENT_SECRET,
    "refresh_token": GOOGLE_REFRESH_TOKEN,
}


def test_the_endpoint_says_which_scopes_a_consent_has(sandbox: Sandbox) -> None:
    status, answer = _grant(sandbox, **REFRESH)
    assert status == 200
    assert answer["scope"].split() == [GMAIL_READONLY, SHEETS_READONLY]
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3599)
    narrow = _grant(sandbox, **REFRESH, scope=SHEETS_READONLY)[1]
    assert narrow["scope"] == SHEETS_READONLY


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"client_id": "other"}, (401, "invalid_client")),
        ({"refresh_token": "other"}, (400, "invalid_grant")),
        ({"scope": GMAIL_METADATA}, (400, "invalid_scope")),
    ],
)
def test_the_endpoint_refuses_what_was_not_consented_to(
    sandbox: Sandbox, form: dict[str, str], expected: tuple[int, str]
) -> None:
    status, answer = _grant(sandbox, **(REFRESH | form))
    assert (status, answer["error"]) == expected
    assert answer["error_description"]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"sub": SUPPORT_MAILBOX}, (200, None)),
        ({"sub": None}, (200, None)),
        ({"sub": SERVICE_ACCOUNT, "scope": SHEETS_READONLY}, (200, None)),
        ({"sub": SUPPORT_MAILBOX, "scope": f"{GMAIL_READONLY} {SHEETS_READONLY}"}, (401, "unauthorized_client")),
        ({"sub": "nobody@example.org"}, (400, "invalid_grant")),
        ({"scope": ""}, (400, "invalid_scope")),
        ({"aud": "https://example.com/token"}, (400, "invalid_grant")),
        ({"iss": "other@example.com"}, (400, "invalid_grant")),
        ({"kid": "another-key"}, (400, "invalid_grant")),
        ({"iat": int(time.time()) - 8_000, "exp": int(time.time()) - 4_400}, (400, "invalid_grant")),
        ({"iat": int(time.time()) + 4_000, "exp": int(time.time()) + 7_600}, (400, "invalid_grant")),
        ({"exp": int(time.time()) + 90_000}, (400, "invalid_grant")),
        ({"exp": None}, (400, "invalid_grant")),
    ],
)
def test_the_endpoint_reads_each_claim(sandbox: Sandbox, claims: dict[str, Any], expected: tuple[int, str]) -> None:
    status, answer = _grant(sandbox, grant_type=JWT_BEARER, assertion=assertion(**claims))
    assert (status, answer.get("error")) == expected
    assert "scope" not in answer


@pytest.mark.parametrize("part", [0, 1, 2])
def test_the_endpoint_verifies_the_signature_over_all_that_was_signed(sandbox: Sandbox, part: int) -> None:
    parts = assertion(sub=SUPPORT_MAILBOX).split(".")
    decoded = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    decoded[-2] ^= 1
    parts[part] = base64.urlsafe_b64encode(decoded).decode().rstrip("=")
    status, answer = _grant(sandbox, grant_type=JWT_BEARER, assertion=".".join(parts))
    assert (status, answer["error"]) == (400, "invalid_grant")


def test_a_token_expires_with_the_sandboxes_clock(sandbox: Sandbox) -> None:
    token = _grant(sandbox, **REFRESH)[1]["access_token"]
    url, headers = f"{sandbox.url}/google/gmail/v1/users/me/profile", {"Authorization": f"Bearer {token}"}
    assert httpx.get(url, headers=headers).status_code == 200
    sandbox.clock.advance(hours=1)
    assert httpx.get(url, headers=headers).status_code == 401
    assert httpx.get(url, headers={"Authorization": "Bearer ya29.made-up"}).status_code == 401
