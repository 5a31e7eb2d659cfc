"""The outermost layer: plays the faults a request meets, and writes the request into the log."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.responses import Response

from sandbox.context import DETAIL_KEY, PAGING_FAULT_KEY, ErrorBody, SandboxContext
from sandbox.registry import service_named
from sandbox.request_log import RecordedRequest
from sandbox.retry_after import write_retry_after
from sandbox.wire import HalfBody, drop_connection

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.faults import Fault

_CONTROL_SERVICE = "_sandbox"
_PAGING_KINDS = frozenset({"repeated_page_token", "missing_page_token"})
_PLAIN_ERROR = ErrorBody(b"error", "text/plain")


class FaultInjection:
    """Wraps the application that serves the emulated systems."""

    def __init__(self, application: ASGIApp, context: SandboxContext) -> None:
        self._application = application
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, with whatever faults it meets; the control paths meet none and are not logged."""
        service = scope["path"].split("/", 2)[1]
        if service == _CONTROL_SERVICE:
            await self._application(scope, receive, send)
            return
        log = self._context.log
        query = log.masked(scope["query_string"])
        entry = RecordedRequest(service, scope["method"], scope["path"], query, time.monotonic())
        log.record(entry)

        async def watch(message: Message) -> None:
            # Before the answer leaves: who has it in hand finds it in the log.
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                entry.detail = scope.get(DETAIL_KEY, "")
            await send(message)

        await self._serve(scope, receive, watch)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = scope["query_string"].decode("latin-1")
        if self._context.faults.needs_body():
            body = await _read_body(receive)
            text += body.decode("utf-8", errors="replace")
            receive = _Replay(body, receive)
        met = self._context.faults.take(scope["method"], scope["path"], text)
        for fault in met:
            if fault.kind == "slow":
                await asyncio.sleep(fault.delay_seconds)
            elif fault.kind in _PAGING_KINDS:
                scope[PAGING_FAULT_KEY] = fault.kind
        alone = [fault for fault in met if fault.kind != "slow" and fault.kind not in _PAGING_KINDS]
        if alone:
            await self._play(alone[0], scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "connection_drop":
            await drop_connection(scope, receive)
        elif fault.kind == "truncated_body":
            await self._application(scope, receive, HalfBody(scope, receive, send).send)
        else:
            await self._answer(fault, scope["path"])(scope, receive, send)

    def _answer(self, fault: Fault, path: str) -> Response:
        if fault.kind == "error_text":
            return Response(fault.text, media_type="text/csv" if "/reports" in path else "text/plain")
        status = {"rate_limited": 429, "expired_token": 401}.get(fault.kind, fault.status)
        if fault.kind == "expired_token":
            self._context.tokens.revoke_all()
        service = service_named(path.split("/", 2)[1])
        error = service.describe_error(status) if service else _PLAIN_ERROR
        return Response(error.content, status, self._pause_headers(fault), error.media_type)

    def _pause_headers(self, fault: Fault) -> dict[str, str]:
        if fault.retry_after_seconds is None:
            return {}
        return {"retry-after": write_retry_after(fault.retry_after_seconds, fault.retry_after_form)}


class _Replay:
    """Gives an application a request body that was read before it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._message: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self._receive = receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return message if message is not None else await self._receive()


async def _read_body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
