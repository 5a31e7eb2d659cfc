"""The wrappers around Prefect's application, over an application that refuses as Prefect's does."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from flows.local_server_requests import Activity, Application, BusyDatabase


class BusyApplication:
    """Refuses its first requests with 503 and then raises, as Starlette does; afterwards echoes the body."""

    def __init__(self, *, refusals: int) -> None:
        self.refusals = refusals
        self.attempts = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert "attempt" not in scope, "what routing writes into the scope must not reach the next attempt"
        self.attempts += 1
        scope["attempt"] = self.attempts
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        is_busy = self.attempts <= self.refusals
        await send({"type": "http.response.start", "status": 503 if is_busy else 200, "headers": []})
        await send({"type": "http.response.body", "body": b"busy" if is_busy else body})
        if is_busy:
            raise OSError("database is locked")


async def chunks() -> Any:
    for chunk in (b"in ", b"three ", b"parts"):
        yield chunk


def request(application: Application, method: str = "POST") -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, "/", content=chunks())

    return asyncio.run(send())


def test_a_request_refused_for_a_busy_database_is_repeated_with_its_body_until_it_is_served() -> None:
    application = BusyApplication(refusals=3)

    response = request(BusyDatabase(application))

    assert (response.status_code, response.text) == (200, "in three parts")
    assert application.attempts == 4


def test_a_request_still_refused_when_patience_ends_is_answered_with_the_refusal() -> None:
    application = BusyApplication(refusals=1000)

    response = request(BusyDatabase(application, patience_seconds=0.1))

    assert (response.status_code, response.text) == (503, "busy")
    assert 1 < application.attempts < 1000


def test_a_request_that_changes_nothing_is_not_repeated() -> None:
    application = BusyApplication(refusals=1)

    assert request(BusyDatabase(application), method="GET").status_code == 503
    assert application.attempts == 1


def test_an_error_of_the_application_is_passed_on_at_once() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise ArithmeticError

    async def call() -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(_: Any) -> None:
            raise AssertionError("nothing was answered")

        await BusyDatabase(failing)({"type": "http", "method": "POST"}, receive, send)

    with pytest.raises(ArithmeticError):
        asyncio.run(call())


def test_an_open_connection_is_use_and_its_end_begins_the_idle_time() -> None:
    async def observe() -> tuple[float, float, float]:
        release = asyncio.Event()

        async def waiting(scope: Any, receive: Any, send: Any) -> None:
            await release.wait()

        activity = Activity(waiting)
        await asyncio.sleep(0.05)
        before = activity.unused_seconds()
        connection = asyncio.create_task(activity({"type": "websocket"}, _nothing, _nothing))
        await asyncio.sleep(0.05)
        during = activity.unused_seconds()
        release.set()
        await connection
        await asyncio.sleep(0.02)
        return before, during, activity.unused_seconds()

    before, during, after = asyncio.run(observe())

    assert before >= 0.05
    assert during == 0
    assert after > 0


async def _nothing(*_: Any) -> Any:
    return None
