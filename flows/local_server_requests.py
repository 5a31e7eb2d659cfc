"""What stands between the clients of the local server and Prefect's application: two ASGI wrappers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

PATIENCE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.25
CHANGING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Activity:
    """Knows when the application it wraps was last used."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._open_count = 0
        self._last_used = time.monotonic()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request, one websocket or the lifespan (asgi.readthedocs.io)."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        # A run keeps a websocket open for its events, so a task that computes for hours counts as use.
        self._open_count += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._open_count -= 1
            self._last_used = time.monotonic()

    def unused_seconds(self) -> float:
        """Returns for how long there has been no request and no open connection."""
        return 0.0 if self._open_count else time.monotonic() - self._last_used


class BusyDatabase:
    """Repeats, on the spot, the requests that Prefect refuses because its SQLite was being written.

    Prefect (3.8.8) does not say when it begins a transaction that it will write in it, so one that another overtakes is
    refused with 503 and rolled back; the client then sleeps 2, 4, 8, 16 and 32 s before it gives the run up, although
    the database is free again within milliseconds. A refused change was not made: the client repeats it, and so may we.
    """

    def __init__(self, application: Application, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._application = application
        self._patience_seconds = patience_seconds

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request, one websocket or the lifespan; only requests that change something are repeated."""
        if scope["type"] != "http" or scope["method"] not in CHANGING_METHODS:
            await self._application(scope, receive, send)
            return
        body = await _read_body(receive)
        deadline = time.monotonic() + self._patience_seconds
        pause_seconds = FIRST_PAUSE_SECONDS
        while await self._is_refused(scope, _replaying(body, receive), send, deadline):
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    async def _is_refused(self, scope: Message, receive: Receive, send: Send, deadline: float) -> bool:
        """Serves the request once, keeping a refusal from the client as long as there is time for another attempt."""
        is_refused = False

        async def forward(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":
                is_busy = message["status"] == HTTPStatus.SERVICE_UNAVAILABLE
                is_refused = is_busy and time.monotonic() < deadline
            if not is_refused:
                await send(message)

        # A copy, because routing writes into the scope what holds for this attempt only.
        try:
            await self._application({**scope}, receive, forward)
        except Exception:
            # Starlette raises again what it has answered, for the log of whoever serves it.
            if not is_refused:
                raise
        return is_refused


async def _read_body(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _replaying(body: list[Message], receive: Receive) -> Receive:
    remaining = iter(body)

    async def replay() -> Message:
        message = next(remaining, None)
        return message if message is not None else await receive()

    return replay
