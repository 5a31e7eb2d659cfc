"""The HTTP client against a real server: retries, pauses, credentials, and what never leaves it."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from penstock.connections import Auth, RateLimit
from penstock.errors import DataError, RateLimitedError, RejectedError, TransientError
from tasks.sources.http.client import HttpClient
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.http.limiter import EVERY_REQUEST, Budget, RateLimiter
from tasks.sources.http.policy import RetryPolicy
from tasks.sources.http.request import HttpRequest, HttpSettings
from tests.fakes.clock import FakeTime
from tests.fakes.scripted_api import Answer, Asked, ScriptedApi, scripted_api

SECRET = "s3cret-value"
REQUEST = HttpRequest("/items", "/items", parameters={"customer": "query-value"})
AUTHS: dict[str, dict[str, Any]] = {
    "basic": {"kind": "basic", "username": "me", "password": SECRET},
    "bearer": {"kind": "bearer", "token": SECRET},
    "api_key_header": {"kind": "api_key", "name": "X-Api-Key", "value": SECRET},
    "api_key_query": {"kind": "api_key", "name": "api_key", "value": SECRET, "location": "query"},
    "api_key_pair": {
        "kind": "api_key_pair",
        "name": "X-Org-Key",
        "value": SECRET,
        "second_name": "X-App-Key",
        "second_value": f"{SECRET}-too",
    },
}


def _auth(settings: dict[str, Any]) -> Auth:
    return TypeAdapter(Auth).validate_python(settings)


def _read(response: httpx.Response) -> bytes:
    return response.read()


@contextmanager
def _client(
    answer: Callable[[Asked], Answer], time: FakeTime | None = None, **settings: Any
) -> Iterator[tuple[HttpClient, ScriptedApi]]:
    time = time or FakeTime()
    with scripted_api(answer) as api:
        made = HttpSettings("acme-crm", f"{api.url}/v1", **settings)
        limiter = RateLimiter(settings.get("budgets", {}), clock=time.clock)
        with HttpClient(made, clock=time.clock, limiter=limiter) as client:
            yield client, api


def _first_fails(failures: list[Answer], then: Answer) -> Callable[[Asked], Answer]:
    return lambda asked: failures[asked.number] if asked.number < len(failures) else then


@pytest.mark.parametrize(
    "failure",
    [
        Answer("", status=500),
        Answer("", status=502),
        Answer("", status=503),
        Answer("", status=504),
        Answer("", status=429),
        Answer('{"half": ', promised=1_000),
    ],
    ids=["500", "502", "503", "504", "429", "truncated"],
)
def test_what_may_pass_is_asked_again(failure: Answer) -> None:
    time = FakeTime()
    with _client(_first_fails([failure, failure], Answer("fine")), time) as (client, api):
        assert client.fetch(REQUEST, _read) == b"fine"
        assert len(api.asked) == 3
    assert 0 < len(time.slept) <= 4


def test_a_server_that_nobody_listens_on_is_unavailable() -> None:
    with scripted_api(lambda _asked: Answer()) as api:
        url = api.url
    time = FakeTime()
    with HttpClient(HttpSettings("acme-crm", url), clock=time.clock) as client, pytest.raises(TransientError) as caught:
        client.fetch(REQUEST, _read)
    assert caught.value.reason == "ConnectError"
    assert caught.value.attempts == 6
    assert caught.value.address == url
    assert "will try" not in caught.value.guidance  # nobody knows here whether anybody does
    assert "address in the platform file" in caught.value.guidance


def test_backoff_grows_with_full_jitter_and_ends_after_the_policys_attempts() -> None:
    time = FakeTime()
    with _client(lambda _asked: Answer("", status=503), time) as (client, api):
        with pytest.raises(TransientError) as caught:
            client.fetch(REQUEST, _read)
        assert len(api.asked) == 6
    assert caught.value.status == 503
    assert caught.value.attempts == 6
    assert len(time.slept) == 5
    assert all(slept <= step for slept, step in zip(time.slept, [1, 2, 4, 8, 16], strict=True))
    assert len({round(slept, 6) for slept in time.slept}) == 5


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for_exactly(form: str, status: int) -> None:
    time = FakeTime()
    at = datetime.fromtimestamp(time.clock.wall() + 17, UTC)
    value = "17" if form == "seconds" else format_datetime(at, usegmt=True)
    with _client(_first_fails([Answer("", status, {"Retry-After": value})], Answer("fine")), time) as (client, _api):
        assert client.fetch(REQUEST, _read) == b"fine"
    assert sum(time.slept) == pytest.approx(17)


def test_a_pause_beyond_the_cap_is_handed_on_with_its_length() -> None:
    time = FakeTime()
    with _client(lambda _asked: Answer("", 429, {"Retry-After": "3600"}), time) as (client, api):
        with pytest.raises(RateLimitedError) as caught:
            client.fetch(REQUEST, _read)
        assert len(api.asked) == 1
    assert caught.value.retry_after_seconds == 3600
    assert time.slept == []


def test_the_ring_ends_at_its_deadline() -> None:
    time = FakeTime()
    policy = RetryPolicy(attempts=100, deadline_seconds=100)
    with scripted_api(lambda _asked: Answer("", 503, {"Retry-After": "30"})) as api:
        with (
            HttpClient(HttpSettings("acme-crm", api.url), policy=policy, clock=time.clock) as client,
            pytest.raises(TransientError),
        ):
            client.fetch(REQUEST, _read)
        assert len(api.asked) == 4
    assert sum(time.slept) == 90


def test_a_429_makes_everyone_on_the_connection_wait() -> None:
    time = FakeTime()
    answer = _first_fails([Answer("", 429, {"Retry-After": "40"})], Answer("fine"))
    with scripted_api(answer) as api:
        settings = HttpSettings("acme-crm", api.url)
        with (
            HttpClient(settings, policy=RetryPolicy(attempts=1), clock=time.clock) as first,
            pytest.raises(RateLimitedError),
        ):
            first.fetch(REQUEST, _read)
        assert time.slept == []
        with HttpClient(settings, clock=time.clock) as second:
            assert second.fetch(REQUEST, _read) == b"fine"
        with HttpClient(HttpSettings("other-crm", api.url), clock=time.clock) as other:
            other.fetch(REQUEST, _read)
    assert time.slept == [40]


def test_requests_keep_to_the_connections_pace() -> None:
    time = FakeTime()
    budgets = {EVERY_REQUEST: Budget(RateLimit(requests=2, seconds=10))}
    with _client(lambda _asked: Answer("fine"), time, budgets=budgets) as (client, _api):
        for _ in range(5):
            client.fetch(REQUEST, _read)
    assert time.slept == [10, 10]


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "malformed"), (401, "credentials"), (403, "right"), (404, "nothing at this path"), (422, "values")],
)
def test_a_refusal_is_not_repeated_and_names_connection_and_endpoint(status: int, message: str) -> None:
    with _client(lambda _asked: Answer({"error": "body-value"}, status), rights="the reader role") as (client, api):
        with pytest.raises(RejectedError, match=message) as caught:
            client.fetch(REQUEST, _read)
        assert len(api.asked) == 1
    assert caught.value.context() == {
        "connection": "acme-crm",
        "endpoint": "/items",
        "status": status,
        "retry_after_seconds": None,
    }


def test_a_body_that_makes_no_sense_is_asked_for_a_few_times_and_then_a_data_error() -> None:
    def refuse(_response: httpx.Response) -> None:
        raise UnreadableBodyError("the body is not JSON", guidance="Look at it.")

    with _client(lambda _asked: Answer("<html>")) as (client, api):
        with pytest.raises(DataError, match="the body is not JSON") as caught:
            client.fetch(REQUEST, refuse)
        assert len(api.asked) == 3
    assert caught.value.endpoint == "/items"


def test_what_the_reader_raises_comes_through_untouched() -> None:
    def fail(_response: httpx.Response) -> None:
        raise OSError("disk full")

    with _client(lambda _asked: Answer("fine")) as (client, api):
        with pytest.raises(OSError, match="disk full"):
            client.fetch(REQUEST, fail)
        assert len(api.asked) == 1


def test_a_store_that_is_unavailable_while_a_body_is_read_is_left_to_the_task() -> None:
    def fail(_response: httpx.Response) -> None:
        raise TransientError("the store is unavailable", guidance="Later.", store="lake")

    with _client(lambda _asked: Answer("fine")) as (client, api):
        with pytest.raises(TransientError, match="the store is unavailable") as caught:
            client.fetch(REQUEST, fail)
        assert len(api.asked) == 1
    assert caught.value.context() == {"store": "lake"}


def test_a_retry_after_of_zero_does_not_spend_all_attempts_at_once() -> None:
    time = FakeTime()
    answer = _first_fails([Answer("", 429, {"Retry-After": "0"})] * 3, Answer("fine"))
    with _client(answer, time) as (client, _api):
        assert client.fetch(REQUEST, _read) == b"fine"
    assert len(time.slept) >= 3
    assert all(slept > 0 for slept in time.slept)


def test_requests_say_who_asks() -> None:
    with _client(lambda _asked: Answer("fine"), headers={"X-Tenant": "acme"}) as (client, api):
        client.fetch(REQUEST, _read)
    assert api.asked[0].headers["User-Agent"].startswith("penstock/")
    assert api.asked[0].headers["X-Tenant"] == "acme"


def test_requests_share_one_connection_that_stays_open() -> None:
    handlers = set()

    def answer(asked: Asked) -> Answer:
        handlers.add(threading.get_ident())
        return Answer("fine")

    with _client(answer) as (client, api):
        for _ in range(10):
            client.fetch(REQUEST, _read)
        assert len(api.asked) == 10
    assert len(handlers) == 1


def test_paths_go_below_the_connections_address_with_their_parameters() -> None:
    with _client(lambda _asked: Answer("fine")) as (client, api):
        client.fetch(HttpRequest("items?fixed=1", "items", parameters={"page": 2, "all": True}), _read)
        client.fetch(HttpRequest("/items", "items", method="POST", body={"a": [1]}), _read)
    assert api.paths() == ["/v1/items", "/v1/items"]
    assert api.asked[0].query == {"fixed": "1", "page": "2", "all": "true"}
    assert api.asked[1].json() == {"a": [1]}


@pytest.mark.parametrize(
    "location", ["/v1/moved", "moved", "https://evil.example/v1/moved", "http://127.0.0.1:1/moved"]
)
def test_a_redirect_is_followed_on_the_same_host_only(location: str) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer("", 302, {"Location": location}) if asked.path == "/v1/items" else Answer("moved here")

    with _client(answer, auth=_auth(AUTHS["api_key_query"])) as (client, api):
        if "//" in location:
            with pytest.raises(RejectedError, match="redirected elsewhere"):
                client.fetch(REQUEST, _read)
            assert api.paths() == ["/v1/items"]
        else:
            assert client.fetch(REQUEST, _read) == b"moved here"
            assert api.asked[-1].query["api_key"] == SECRET


def test_a_redirect_in_a_circle_ends() -> None:
    with (
        _client(lambda _asked: Answer("", 302, {"Location": "/v1/items"})) as (client, api),
        pytest.raises(RejectedError, match="redirected"),
    ):
        client.fetch(REQUEST, _read)
    assert len(api.asked) == 6


@pytest.mark.parametrize(
    "url", ["https://evil.example/v1/items", "http://127.0.0.1:1/v1/items", "https://127.0.0.1/items", "ftp://x/items"]
)
def test_an_address_on_another_host_scheme_or_port_gets_no_request(url: str) -> None:
    with _client(lambda _asked: Answer("fine")) as (client, api):
        with pytest.raises(DataError, match="another host"):
            client.fetch(HttpRequest(url, "/items"), _read)
        assert api.asked == []


@pytest.mark.parametrize("url", ["http://[::bad/items", "http://host:port/items", "/items\x00"])
def test_something_that_is_no_address_gets_no_request(url: str) -> None:
    with _client(lambda _asked: Answer("fine")) as (client, api):
        with pytest.raises(DataError):
            client.fetch(HttpRequest(url, "/items"), _read)
        assert api.asked == []


def _token_api(lives: list[Any], *, refused: set[str]) -> Callable[[Asked], Answer]:
    issued = iter(range(1, 100))

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            number = next(issued)
            life = lives[number - 1] if number <= len(lives) else 3600
            return Answer({"access_token": f"{SECRET}-{number}", "expires_in": life, "token_type": "Bearer"})
        return Answer("", 401) if asked.headers["Authorization"] in refused else Answer("fine")

    return answer


@contextmanager
def _oauth_client(
    answer: Callable[[Asked], Answer], time: FakeTime, **more: Any
) -> Iterator[tuple[HttpClient, ScriptedApi]]:
    with scripted_api(answer) as api:
        auth = {"kind": "oauth2", "token_url": f"{api.url}/token", "client_id": "me", "client_secret": SECRET, **more}
        settings = HttpSettings("acme-crm", api.url, auth=_auth(auth))
        with HttpClient(settings, clock=time.clock, limiter=RateLimiter({}, clock=time.clock)) as client:
            yield client, api


def test_one_oauth_token_serves_until_shortly_before_it_expires() -> None:
    time = FakeTime()
    with _oauth_client(_token_api([3600], refused=set()), time) as (client, api):
        client.fetch(REQUEST, _read)
        time.sleep(3539)
        client.fetch(REQUEST, _read)
        assert api.paths().count("/token") == 1
        time.sleep(2)
        client.fetch(REQUEST, _read)
        assert api.paths() == ["/token", "/items", "/items", "/token", "/items"]
    assert api.asked[-1].headers["Authorization"] == f"Bearer {SECRET}-2"


@pytest.mark.parametrize("life", ["3600", None])
def test_a_life_in_text_or_none_at_all_is_understood(life: str | None) -> None:
    time = FakeTime()
    with _oauth_client(_token_api([life], refused=set()), time) as (client, api):
        client.fetch(REQUEST, _read)
        client.fetch(REQUEST, _read)
        assert api.paths().count("/token") == 1


def test_an_oauth_token_is_renewed_once_after_a_401() -> None:
    time = FakeTime()
    with _oauth_client(_token_api([], refused={f"Bearer {SECRET}-1"}), time) as (client, api):
        assert client.fetch(REQUEST, _read) == b"fine"
        assert api.paths() == ["/token", "/items", "/token", "/items"]
    assert time.slept == []


def test_a_401_with_a_new_oauth_token_stops() -> None:
    refused = {f"Bearer {SECRET}-{number}" for number in range(1, 9)}
    with _oauth_client(_token_api([], refused=refused), FakeTime()) as (client, api):
        with pytest.raises(RejectedError, match="did not accept the credentials"):
            client.fetch(REQUEST, _read)
        assert api.paths() == ["/token", "/items", "/token", "/items"]


def test_the_oauth_client_is_named_in_the_form_or_in_the_header() -> None:
    form = {"scope": "read write", "parameters": {"audience": "https://api.example.com"}}
    with _oauth_client(_token_api([], refused=set()), FakeTime(), **form) as (client, api):
        client.fetch(REQUEST, _read)
    assert api.asked[0].body == (
        b"grant_type=client_credentials&audience=https%3A%2F%2Fapi.example.com&scope=read+write"
        b"&client_id=me&client_secret=" + SECRET.encode()
    )
    with _oauth_client(_token_api([], refused=set()), FakeTime(), secret_in="header") as (client, api):
        client.fetch(REQUEST, _read)
    assert api.asked[0].body == b"grant_type=client_credentials"
    assert api.asked[0].headers["Authorization"].startswith("Basic ")


def test_a_token_endpoint_without_a_form_is_asked_by_its_headers_and_its_life_is_taken_from_the_settings() -> None:
    plain = {"grant_type": None, "secret_in": "header", "headers": {"Organization": "acme"}, "lifetime_seconds": 600}
    time = FakeTime()
    with _oauth_client(_token_api([None, None], refused=set()), time, **plain) as (client, api):
        client.fetch(REQUEST, _read)
        time.sleep(539)
        client.fetch(REQUEST, _read)
        assert api.paths() == ["/token", "/items", "/items"]
        time.sleep(2)
        client.fetch(REQUEST, _read)
    assert api.paths() == ["/token", "/items", "/items", "/token", "/items"]
    assert api.asked[0].body == b""
    assert api.asked[0].headers["Organization"] == "acme"
    assert api.asked[0].headers["Authorization"].startswith("Basic ")
    assert "Organization" not in api.asked[1].headers


@pytest.mark.parametrize("more", [{"secret_in": "body"}, {"secret_in": "header", "scope": "read"}])
def test_a_token_request_without_a_form_takes_nothing_that_would_stand_in_it(more: dict[str, Any]) -> None:
    auth = {"kind": "oauth2", "token_url": "https://x.example", "client_id": "me", "client_secret": SECRET}
    with pytest.raises(ValueError, match="there is no form"):
        _auth({**auth, "grant_type": None, **more})


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"X-RateLimit-Reset": "7"}, [7.0]),
        ({"X-RateLimit-Reset": "7", "Retry-After": "3"}, [3.0]),
    ],
)
def test_a_pause_may_stand_in_a_header_of_the_apis_own(headers: dict[str, str], slept: list[float]) -> None:
    time = FakeTime()
    with scripted_api(_first_fails([Answer("", 429, headers)], Answer("fine"))) as api:
        settings = HttpSettings("acme-crm", api.url, pause_header="X-RateLimit-Reset")
        with HttpClient(settings, clock=time.clock, limiter=RateLimiter({}, clock=time.clock)) as client:
            assert client.fetch(REQUEST, _read) == b"fine"
    assert time.slept == slept


@pytest.mark.parametrize(
    ("answers", "error", "message"),
    [
        ([Answer("", 401)], RejectedError, "refused the client"),
        ([Answer({"error": "invalid_scope"}, 400)], RejectedError, "refused the client"),
        ([Answer("<html>")] * 9, DataError, "did not answer with a token"),
        ([Answer("", 503)] * 9, TransientError, "not available"),
    ],
)
def test_a_token_endpoint_that_gives_no_token_says_so(
    answers: list[Answer], error: type[Exception], message: str
) -> None:
    replies = iter(answers)
    with _oauth_client(lambda _asked: next(replies), FakeTime()) as (client, _api), pytest.raises(error, match=message):
        client.fetch(REQUEST, _read)


def test_threads_renew_a_refused_oauth_token_together() -> None:
    with _oauth_client(_token_api([], refused={f"Bearer {SECRET}-1"}), FakeTime()) as (client, api):
        threads = [threading.Thread(target=client.fetch, args=(REQUEST, _read)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert api.paths().count("/token") == 2


@pytest.mark.parametrize("kind", sorted(AUTHS))
def test_each_kind_of_credentials_arrives(kind: str) -> None:
    with _client(lambda _asked: Answer("fine"), auth=_auth(AUTHS[kind])) as (client, api):
        client.fetch(REQUEST, _read)
    sent = api.asked[0]
    expected = {
        "basic": sent.headers.get("Authorization") == "Basic bWU6czNjcmV0LXZhbHVl",
        "bearer": sent.headers.get("Authorization") == f"Bearer {SECRET}",
        "api_key_header": sent.headers.get("X-Api-Key") == SECRET,
        "api_key_query": sent.query == {"customer": "query-value", "api_key": SECRET},
        "api_key_pair": (sent.headers.get("X-Org-Key"), sent.headers.get("X-App-Key")) == (SECRET, f"{SECRET}-too"),
    }
    assert expected[kind]


@pytest.mark.parametrize("kind", [*sorted(AUTHS), "oauth2"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 503, 0])
def test_no_secret_query_body_or_header_is_ever_shown(
    kind: str, status: int, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            return Answer({"access_token": f"{SECRET}-token"})
        headers = {"X-Leak": "header-value", "Set-Cookie": "session=cookie-value", "Retry-After": "1"}
        return Answer({"leak": "body-value"}, status or 200, headers, promised=None if status else 1_000)

    time = FakeTime()
    with scripted_api(answer) as api:
        auth = AUTHS.get(kind) or {
            "kind": "oauth2",
            "token_url": f"{api.url}/token",
            "client_id": "me",
            "client_secret": SECRET,
        }
        settings = HttpSettings("acme-crm", api.url, auth=_auth(auth), headers={"X-Tenant": "header-value"})
        request = HttpRequest("/items", "/items", "POST", {"customer": "query-value"}, {"find": "body-value"})
        shown = [repr(settings), repr(request)]
        with HttpClient(settings, clock=time.clock, limiter=RateLimiter({}, clock=time.clock)) as client:
            shown.append(repr(client))
            try:
                client.fetch(request, _read)
            except (TransientError, RejectedError) as error:
                shown += [str(error), repr(error), repr(error.context()), "".join(traceback.format_exception(error))]
    shown += [record.getMessage() for record in caplog.records] + list(capsys.readouterr())
    everything = "\n".join(shown)
    for hidden in (SECRET, "query-value", "body-value", "header-value", "cookie-value", "bWU6czNjcmV0"):
        assert hidden not in everything
    assert any(record.name.startswith("httpcore") for record in caplog.records)


def test_secrets_of_a_connection_are_masked_in_its_repr() -> None:
    for settings in AUTHS.values():
        assert SECRET not in repr(_auth(settings))


def test_an_answer_that_is_not_ready_is_asked_for_again_where_the_api_has_such_a_status() -> None:
    not_ready = Answer(b"{}", 202)
    with _client(_first_fails([not_ready, not_ready], Answer(b"done")), not_ready=frozenset({202})) as (client, api):
        assert client.fetch(REQUEST, _read) == b"done"
    assert len(api.asked) == 3
    with _client(lambda _: not_ready) as (client, api):
        assert client.fetch(REQUEST, _read) == b"{}"
    with (
        _client(lambda _: not_ready, not_ready=frozenset({202})) as (client, api),
        pytest.raises(TransientError, match="has not made its answer yet") as caught,
    ):
        client.fetch(REQUEST, _read)
    assert (caught.value.status, caught.value.attempts) == (202, 6)


@pytest.mark.parametrize(("sent", "shown"), [("8f-21:a.b", "8f-21:a.b"), ("a <b>", None), ("x" * 100, None)])
def test_an_error_carries_the_id_by_which_the_apis_support_finds_the_request(sent: str, shown: str | None) -> None:
    refused = Answer(b"", 403, {"X-Request-ID": sent})
    with (
        _client(lambda _: refused, request_id_header="X-Request-ID") as (client, _api),
        pytest.raises(RejectedError) as caught,
    ):
        client.fetch(REQUEST, _read)
    assert caught.value.request_id == shown


def test_a_429_without_a_pause_waits_as_long_as_the_policy_says_at_least() -> None:
    time = FakeTime()
    policy = RetryPolicy(shortest_limited_pause_seconds=20.0)
    with scripted_api(_first_fails([Answer(b"", 429), Answer(b"", 500)], Answer(b"done"))) as api:
        limiter = RateLimiter({}, clock=time.clock)
        settings = HttpSettings("acme-crm", api.url)
        with HttpClient(settings, policy=policy, clock=time.clock, limiter=limiter) as client:
            assert client.fetch(REQUEST, _read) == b"done"
    after_429, after_500 = time.slept
    assert after_429 == 20.0
    assert after_500 < 20.0
