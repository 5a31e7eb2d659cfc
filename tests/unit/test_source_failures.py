from __future__ import annotations

import pickle
from http import HTTPStatus

import pytest

from penstock.errors import RateLimitedError, RejectedError, TransientError
from tasks.sources.http.failures import FAILURES, error_of, failure_of, pause_seconds, retry_after_seconds


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 425, 520, 599])
def test_a_server_that_fails_is_worth_another_try(status: int) -> None:
    assert failure_of(status).kind is TransientError


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 415, 418, 422, 501, 505])
def test_a_refusal_stops(status: int) -> None:
    assert failure_of(status).kind is RejectedError


def test_429_is_a_request_for_a_pause() -> None:
    assert failure_of(429).kind is RateLimitedError


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_that_was_not_followed_stops(status: int) -> None:
    failure = failure_of(status)
    assert failure.kind is RejectedError
    assert "redirected" in failure.message


def test_every_registered_error_status_means_something() -> None:
    for status in HTTPStatus:
        if status >= 400:
            assert failure_of(status).message
            assert failure_of(status).guidance


def test_the_guidance_of_a_403_says_what_right_is_missing() -> None:
    error = error_of(FAILURES[403], rights="the API User permission", connection="acme-gladly", endpoint="/agents")
    assert "the API User permission" in error.guidance
    assert error.facts == {"connection": "acme-gladly", "endpoint": "/agents"}


@pytest.mark.parametrize("status", sorted(FAILURES))
def test_errors_cross_processes(status: int) -> None:
    error = error_of(failure_of(status), connection="c", endpoint="/x", status=status)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), str(copy)) == (type(error), str(error))


NOW = 1_774_008_000.0  # 2026-03-20T12:00:00Z


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", None),
        ("Fri, 20 Mar 2026 12:00:30 GMT", 30.0),
        ("Friday, 20-Mar-26 12:00:30 GMT", 30.0),
        ("Fri, 20 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, now=NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "kind", "pause"),
    [
        ({}, RejectedError, None),
        ({"x-ratelimit-remaining": "12", "x-ratelimit-reset": "1774008060"}, RejectedError, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1774008060"}, RateLimitedError, 60.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1774007000"}, RateLimitedError, 0.0),
        ({"x-ratelimit-remaining": "0"}, RateLimitedError, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, RateLimitedError, None),
        ({"retry-after": "7"}, RateLimitedError, 7.0),
        ({"retry-after": "7", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1774008060"}, RateLimitedError, 7.0),
    ],
)
def test_a_403_that_names_a_pause_is_a_limit_and_no_missing_right(
    headers: dict[str, str], kind: type[Exception], pause: float | None
) -> None:
    assert failure_of(403, headers).kind is kind
    assert pause_seconds(headers, now=NOW) == pause
