"""The HTTP client of all sources: one pool of connections, one ring of retries, errors from the tree."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self, TypeVar

from penstock import __version__
from penstock.errors import ConfigurationError, DataError, PenstockError, RateLimitedError, TransientError
from tasks.sources.http.credentials import credentials_of
from tasks.sources.http.failures import (
    BROKEN,
    NOT_READY,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    UNREACHABLE,
    Failure,
    UnreadableBodyError,
    error_of,
    failure_of,
    of_named_address,
    pause_seconds,
    retry_after_seconds,
)
from tasks.sources.http.limiter import RateLimiter, shared_limiter
from tasks.sources.http.policy import CONNECT_TIMEOUT_SECONDS, MAX_REDIRECTS, STANDARD, SYSTEM_CLOCK, Clock, RetryPolicy
from tasks.sources.http.quiet import quieten_http_logs
from tasks.sources.http.request import HttpRequest, HttpSettings

if TYPE_CHECKING:
    import ssl

    import httpx
    from tenacity import RetryCallState

logger = logging.getLogger("penstock.http")
T = TypeVar("T")
Reader = Callable[["httpx.Response"], T]
"""Reads an answer whose body has not been read yet; called again from the start for every attempt.

It raises UnreadableBodyError for a body that is not what was asked for.
"""


class HttpClient:
    """Asks one connection's API; safe to use from several threads."""

    def __init__(
        self,
        settings: HttpSettings,
        *,
        policy: RetryPolicy = STANDARD,
        clock: Clock = SYSTEM_CLOCK,
        limiter: RateLimiter | None = None,
    ) -> None:
        import httpx

        quieten_http_logs()
        self._settings = settings
        self._policy = policy
        self._clock = clock
        self._home = httpx.URL(settings.base_url)
        host = self._home.netloc.decode("ascii")
        self._limiter = limiter or shared_limiter(settings.connection_name, host, settings.budgets, clock=clock)
        timeout = httpx.Timeout(settings.timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS)
        headers = {"User-Agent": f"penstock/{__version__}", **settings.headers}
        self._http = httpx.Client(timeout=timeout, headers=headers, verify=_trust(), follow_redirects=False)
        self._credentials = (
            settings.credentials(self._http, clock)
            if settings.credentials is not None
            else credentials_of(settings.auth, self._http, connection_name=settings.connection_name, clock=clock)
        )

    @property
    def connection_name(self) -> str:
        """The logical name of the connection that it asks."""
        return self._settings.connection_name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def fetch(self, request: HttpRequest, read: Reader[T]) -> T:
        """Returns what `read` makes of the answer, trying again as the policy says.

        Raises:
            TransientError: The API stayed unreachable or failed (RateLimitedError where it asked for a pause).
            RejectedError: Credentials, rights or the request itself were refused.
            DataError: What came is not what was asked for.
        """
        from tenacity import Retrying, retry_if_exception

        started = self._clock.monotonic()
        ring = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=lambda state: self._gives_up(state, started),
            wait=self._wait_seconds,
            sleep=self._clock.sleep,
            before_sleep=lambda state: self._note(state, request),
            reraise=True,
        )
        try:
            answer: T = ring(self._attempt, request, read)
        except UnreadableBodyError as error:
            raise error.as_data_error() from error.__cause__
        except TransientError as error:
            if _may_pass(error):
                error.facts["attempts"] = ring.statistics["attempt_number"]
            raise
        return answer

    def url_of(self, request: HttpRequest) -> httpx.URL:
        """Returns a request's full address, without credentials.

        Raises:
            DataError: It leads to another host than the connection's, and is not signed.
        """
        import httpx

        try:
            url = httpx.URL(request.url)
        except httpx.InvalidURL:
            # Without the cause, which may quote a part of the address.
            raise DataError(
                "the API named something that is no address",
                guidance="Check where the dataset's `paging` looks for the next page.",
                **self._facts(request),
            ) from None
        if url.is_relative_url:
            base = str(self._home.copy_with(query=None, fragment=None)).rstrip("/")
            url = httpx.URL(f"{base}/{request.url.lstrip('/')}")
        if request.is_signed:
            return url
        if _origin(url) != _origin(self._home):
            raise DataError(
                "the API named an address on another host",
                guidance="Credentials are sent to the connection's own host and scheme only; check its address.",
                **self._facts(request),
                host=url.host,
            )
        parameters = {**self._settings.parameters, **request.parameters}
        return url.copy_merge_params(parameters) if parameters else url

    def _attempt(self, request: HttpRequest, read: Reader[T]) -> T:
        import httpx

        with self._limiter.slot(request.budget, cost=request.cost):
            try:
                response = self._send(request)
                try:
                    self._check(response, request)
                    return read(response)
                finally:
                    response.close()
            except UnreadableBodyError as error:
                error.facts = {**self._facts(request), **error.facts}
                raise
            except httpx.LocalProtocolError:
                # Its text quotes the header that cannot be sent, so nothing of it goes further.
                raise ConfigurationError(
                    "a request cannot be sent as it is written",
                    guidance="Look for line breaks in the connection's headers and credentials.",
                    **self._facts(request),
                ) from None
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                facts = {**self._facts(request), "address": self._address(), "reason": type(error).__name__}
                raise error_of(UNREACHABLE, **facts) from error
            except (httpx.HTTPError, httpx.StreamError) as error:
                raise error_of(BROKEN, **self._facts(request), reason=type(error).__name__) from error

    def _send(self, request: HttpRequest) -> httpx.Response:
        """Returns an answer with an unread body: the first, or the one after renewed credentials or a redirect."""
        prepared = self._prepare(request)
        response = self._http.send(prepared, stream=True)
        if request.is_signed:
            return response
        if response.status_code == UNAUTHORIZED and self._credentials.renew(prepared):
            response.close()
            response = self._http.send(self._prepare(request), stream=True)
        for _ in range(MAX_REDIRECTS):
            if response.next_request is None or _origin(response.next_request.url) != _origin(self._home):
                break
            response.close()
            self._credentials.apply(response.next_request)
            response = self._http.send(response.next_request, stream=True)
        return response

    def _prepare(self, request: HttpRequest) -> httpx.Request:
        if request.is_signed:
            return self._http.build_request(request.method, self.url_of(request), headers={"Accept": request.accept})
        body = self._credentials.fill_body(request.body)
        prepared = self._http.build_request(
            request.method, self.url_of(request), json=body, headers={"Accept": request.accept}
        )
        self._credentials.apply(prepared)
        return prepared

    def _check(self, response: httpx.Response, request: HttpRequest) -> None:
        if response.is_success and response.status_code not in self._settings.not_ready:
            return
        pause = self._pause_asked_for(response)
        facts = {**self._facts(request), "status": response.status_code, "retry_after_seconds": pause}
        if self._settings.request_id_header is not None:
            facts["request_id"] = _shown_id(response.headers.get(self._settings.request_id_header))
        failure = NOT_READY if response.is_success else self._refusal(response)
        if _is_named_by_api(request):
            failure = of_named_address(failure)
        raise error_of(failure, rights=self._settings.rights, **facts)

    def _pause_asked_for(self, response: httpx.Response) -> float | None:
        stated = pause_seconds(response.headers, now=self._clock.wall())
        own = self._settings.pause_header
        if stated is None and own is not None and response.status_code == TOO_MANY_REQUESTS:
            return retry_after_seconds(response.headers.get(own), now=self._clock.wall())
        return stated

    def _refusal(self, response: httpx.Response) -> Failure:
        explain = self._settings.refusal
        explained = explain(response.status_code, response.read()) if explain is not None else None
        return explained or failure_of(response.status_code, response.headers)

    def _gives_up(self, state: RetryCallState, started: float) -> bool:
        error = _last_error(state)
        limit = self._policy.unreadable_attempts if isinstance(error, UnreadableBodyError) else self._policy.attempts
        spent = self._clock.monotonic() - started + state.upcoming_sleep
        too_long = (_pause_of(error) or 0.0) > self._policy.longest_pause_seconds
        return state.attempt_number >= limit or spent > self._policy.deadline_seconds or too_long

    def _wait_seconds(self, state: RetryCallState) -> float:
        """Returns how long to wait before the next attempt, and makes the connection's other users wait for a 429."""
        error = _last_error(state)
        step = self._policy.first_backoff_seconds * 2 ** (state.attempt_number - 1)
        jittered = random.uniform(0, min(step, self._policy.longest_backoff_seconds))  # noqa: S311 - not for secrecy
        # `Retry-After: 0` says nothing of how long; six attempts at once would only be refused again.
        seconds = _pause_of(error) or jittered
        if isinstance(error, RateLimitedError):
            seconds = max(seconds, self._policy.shortest_limited_pause_seconds)
            self._limiter.pause(min(seconds, self._policy.longest_pause_seconds))
        return seconds

    def _note(self, state: RetryCallState, request: HttpRequest) -> None:
        error = _last_error(state)
        logger.info(
            "%s %s: %s; attempt %d follows in %.1f s",
            self._settings.connection_name,
            request.endpoint,
            error.message if isinstance(error, PenstockError) else type(error).__name__,
            state.attempt_number + 1,
            state.upcoming_sleep,
        )

    def _facts(self, request: HttpRequest) -> dict[str, Any]:
        facts = {"connection": self._settings.connection_name, "endpoint": request.endpoint}
        return {**facts, "address_from": "the page before"} if _is_named_by_api(request) else facts

    def _address(self) -> str:
        """Returns where the API is, without anything of a path or query."""
        return f"{self._home.scheme}://{self._home.netloc.decode('ascii')}"


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Returns the certificates to trust; reading them takes 50 ms, so all clients of the process share them."""
    import httpx

    return httpx.create_ssl_context()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Returns what must be equal for credentials to travel: scheme, host and port."""
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, port


def _shown_id(value: str | None) -> str | None:
    """Returns an id as it may be shown: what is longer or stranger than an id is none."""
    return value if value is not None and re.fullmatch(r"[\w.:-]{1,80}", value) else None


def _is_named_by_api(request: HttpRequest) -> bool:
    """Whether the address came from an answer: what a file holds is a path."""
    return "://" in request.url


def _may_pass(error: BaseException) -> bool:
    """Whether to ask again. What a sink raises while a body is read names no endpoint, and is the task ring's."""
    return isinstance(error, TransientError) and "endpoint" in error.facts


def _last_error(state: RetryCallState) -> BaseException | None:
    """Returns what the newest attempt ended with."""
    return state.outcome.exception() if state.outcome else None


def _pause_of(error: BaseException | None) -> float | None:
    """Returns the pause in seconds that an answer asked for, or None."""
    pause = error.facts.get("retry_after_seconds") if isinstance(error, PenstockError) else None
    return float(pause) if isinstance(pause, int | float) else None
