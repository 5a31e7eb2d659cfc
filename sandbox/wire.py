"""Reaches below ASGI, where a server can break a connection in ways that a framework never would."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

TRANSPORT_KEY = "sandbox.transport"
_GOODBYE_SECONDS = 5.0


class SandboxProtocol(H11Protocol):
    """uvicorn's own HTTP protocol, which also tells the application the connection's transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Puts the transport within reach of every request on this connection."""
        super().connection_made(transport)
        # Whatever the process's logging is set to: a query may hold a key, or a signed link's signature.
        self.access_log = False
        application = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope[TRANSPORT_KEY] = transport
            await application(scope, receive, send)

        self.app = with_transport


async def drop_connection(scope: Scope, receive: Receive) -> None:
    """Resets the connection without a byte of answer."""
    scope[TRANSPORT_KEY].abort()
    await _wait_until_closed(receive)


class HalfBody:
    """Passes on a response's head and the first half of its body, then closes the connection."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._held: list[Message] = []

    async def send(self, message: Message) -> None:
        """Holds the response until it is whole, so that its length is known and half of it can be sent."""
        self._held.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._send_half()

    async def _send_half(self) -> None:
        start, *parts = self._held
        body = b"".join(part.get("body", b"") for part in parts)
        length = (b"content-length", str(len(body)).encode("ascii"))
        headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        await self._send({**start, "headers": [*headers, length]})
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        # close() sends what is buffered first, abort() would not.
        self._scope[TRANSPORT_KEY].close()
        await _wait_until_closed(self._receive)


async def _wait_until_closed(receive: Receive) -> None:
    """Returns once the server knows the connection is gone, so that it does not try to answer on it."""
    async with asyncio.timeout(_GOODBYE_SECONDS):
        while (await receive())["type"] != "http.disconnect":
            pass
